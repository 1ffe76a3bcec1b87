// What a generator on a device computes, in plain numbers. No LibTorch, Abseil or protobuf here.
#pragma once

#include <cstdint>

namespace genoserve {

/// Variants of a part of the output layer, which is computed, drawn and packed as a whole: blocks of a row that a
/// request asks for come from the parts that they lie in. A multiple of a block's.
inline constexpr int64_t kPartVariants = 8192;

/// What a generator is, apart from its weights; see GeneratorShape of core/model/weights.h for the layers.
struct TileSpec {
  bool residual = false;  ///< wgan-gp, else acgan
  int64_t latent_size = 0;
  int64_t condition_size = 0;
  int64_t hidden_layers = 0;  ///< hidden sizes of the manifest
  double slope = 0;           ///< of the leaky ReLU
  int64_t variants = 0;
  int64_t states = 1;      ///< outputs a variant: 1 (haplotypes) or 3 (diploid genotypes)
  bool threshold = false;  ///< alleles are not drawn but cut off
};

/// What tells one row from the others, beside its condition.
struct TileRow {
  uint64_t seed = 0;
  uint64_t sample = 0;
  int haplotype = 0;
  int label = 0;  ///< counts where the model has labels
};

}  // namespace genoserve

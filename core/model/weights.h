// Which tensors a generator has: the names and shapes that a manifest's spec asks for. Trainer and server both use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/genotype/genotype_matrix.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Name and shape of one tensor.
struct WeightShape {
  std::string name;
  std::vector<int64_t> shape;
};

/// A generator's spec, resolved against the manifest that it stands in. Linear weights are [outputs, inputs].
///
/// acgan: hidden.<i>.{weight,bias}; then, where rank > 0, rank.{weight,bias} and, with latent_skip, skip.weight
/// [rank, latent]; output.weight [variants, width], output.bias [variants]; with label_logits label_logits
/// [labels, variants].
///
/// wgan-gp: first.{weight,bias} on [z, c]; for each further hidden size block.<i>.residual1, residual2 (square, on
/// [x, c]) and block.<i>.out; rank and skip as above, skip.weight [rank, latent + condition]; output.weight
/// [3 * variants, width] and output.bias, planar: row state * variants + variant.
struct GeneratorShape {
  Packing packing = Packing::kHaplotype1Bit;
  size_t variants = 0;
  size_t latent_size = 0;
  size_t condition_size = 0;  ///< labels of acgan, ConditionSize() of wgan-gp
  size_t states = 1;          ///< outputs a variant: 1 or 3
  bool label_logits = false;
  std::vector<WeightShape> weights;
};

/// Resolves a manifest's spec. INVALID_ARGUMENT, with the field, where sizes are not positive, too large, or do not fit
/// labels, phenotypes and variant count, or where the manifest has no generator spec.
absl::StatusOr<GeneratorShape> ShapeOfGenerator(const v1::Manifest& manifest);

/// Whether the tensors are those of the shape, all of them, no others, and finite. INVALID_ARGUMENT names the tensor.
absl::Status CheckWeights(const GeneratorShape& shape, const TensorMap& weights);

}  // namespace genoserve

// Generators with random weights, of the sizes that the papers have and of small ones.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/gpu/tile_network.h"

namespace genoserve {

struct RandomModel {
  std::string name;
  TileSpec spec;
  std::map<std::string, at::Tensor> weights;  ///< fp32, on the CPU
};

/// Genome-AC-GAN as published: hidden sizes are the variants divided by 1.3, 1.2 and 1.1, times `width`; alleles are
/// drawn. The weights are normal, of variance 2 / inputs, and the same for the same sizes.
RandomModel RandomAcgan(const std::string& name, int64_t variants, double width);

/// DiscreteGenoGen's generator with these hidden sizes.
RandomModel RandomWganGp(const std::string& name, int64_t variants, const std::vector<int64_t>& hidden);

}  // namespace genoserve

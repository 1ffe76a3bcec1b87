// Spectral normalisation of a critic's weights.
#pragma once

#include <ATen/ATen.h>

#include <string>
#include <utility>
#include <vector>

#include "trainer/objective/noise.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// Divides each matrix of a network by its largest singular value, which is followed by power iteration from step to
/// step (Miyato et al. 2018, algorithm 1). Not thread-safe.
class SpectralNorm {
 public:
  /// For all tensors of two dimensions of `parameters`; the first singular vectors are drawn.
  SpectralNorm(const Parameters& parameters, TrainingNoise& noise);

  /// One round of power iteration for each matrix of `parameters`, which are those that this was made for. Once a step.
  void Update(const Parameters& parameters);

  /// The parameters with each matrix W as W / (u' W v), u and v held fixed, so that gradients reach W through both; the
  /// others are shared.
  Parameters Normalised(const Parameters& parameters) const;

  /// What the next step depends on.
  std::vector<std::pair<std::string, at::Tensor>> State() const;

 private:
  std::vector<std::pair<std::string, at::Tensor>> left_;   // u of each matrix, [outputs]
  std::vector<std::pair<std::string, at::Tensor>> right_;  // v of each matrix, [inputs]
};

}  // namespace genoserve

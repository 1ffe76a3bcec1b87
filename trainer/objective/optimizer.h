// The optimisers of the two papers, with a state that can be saved.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// Not thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Moves the parameters against their gradients, given in the order of Parameters::items().
  virtual void Step(const Parameters& parameters, const std::vector<at::Tensor>& gradients) = 0;

  /// All tensors that the next step depends on, by names that begin with those of the parameters.
  virtual std::vector<std::pair<std::string, at::Tensor>> State() const = 0;
};

/// Makes "rmsprop" or "adam" for these parameters with a recipe's settings; INVALID_ARGUMENT for another name.
///
/// rmsprop, as in Keras: v <- 0.9 v + 0.1 g^2, w <- w - rate g / sqrt(v + 1e-7) (Tieleman and Hinton 2012).
/// adam (Kingma and Ba 2015, algorithm 1): m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2,
/// w <- w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + 1e-8).
absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::TrainingRecipe& recipe, double learning_rate,
                                                         const Parameters& parameters);

}  // namespace genoserve

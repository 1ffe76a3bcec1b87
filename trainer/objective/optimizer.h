// The optimisers, with a state that can be saved.
#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// What changes from step to step.
struct StepFactors {
  double rate = 1.0;      ///< times the learning rate: of a schedule, or after a recovery
  double gradient = 1.0;  ///< times the gradients: of clipping
};

/// Not thread-safe. On a CPU a step is one pass over memory on LibTorch's threads, without temporaries, and its result
/// does not depend on how many threads there are.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// Moves the parameters against their gradients, given in the order of Parameters::items(). They are the parameters
  /// that the optimiser was made for.
  virtual void Step(const Parameters& parameters, const std::vector<at::Tensor>& gradients,
                    const StepFactors& factors = {}) = 0;

  /// All tensors that the next step depends on, by names that begin with those of the parameters.
  virtual std::vector<std::pair<std::string, at::Tensor>> State() const = 0;
};

/// INVALID_ARGUMENT where a recipe's optimizer is none of rmsprop, adam and adamw.
absl::Status CheckOptimizer(const v1::TrainingRecipe& recipe);

/// Makes the optimiser of a recipe for these parameters; INVALID_ARGUMENT as CheckOptimizer.
///
/// rmsprop, as in Keras: v <- 0.9 v + 0.1 g^2, w <- w - rate g / sqrt(v + 1e-7) (Tieleman and Hinton 2012).
/// adam (Kingma and Ba 2015, algorithm 1): m <- b1 m + (1 - b1) g, v <- b2 v + (1 - b2) g^2,
/// w <- w - rate (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + 1e-8).
/// adamw (Loshchilov and Hutter 2019, algorithm 2): adam after w <- w - rate weight_decay w.
absl::StatusOr<std::unique_ptr<Optimizer>> MakeOptimizer(const v1::TrainingRecipe& recipe, double learning_rate,
                                                         const Parameters& parameters);

}  // namespace genoserve

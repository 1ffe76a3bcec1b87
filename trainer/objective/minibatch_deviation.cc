#include "trainer/objective/minibatch_deviation.h"

namespace genoserve {
namespace {

// Keeps the root's gradient finite where all rows are equal; the same as in the paper's code.
constexpr double kEpsilon = 1e-8;

}  // namespace

at::Tensor AppendMinibatchDeviation(const at::Tensor& features) {
  const at::Tensor deviations = at::sqrt(at::var(features, 0, /*unbiased=*/false) + kEpsilon);
  return at::cat({features, at::mean(deviations).expand({features.size(0), 1})}, 1);
}

}  // namespace genoserve

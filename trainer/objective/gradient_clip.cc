#include "trainer/objective/gradient_clip.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "trainer/objective/fused_update.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

// Values that are added up in single precision.
constexpr int64_t kBlock = 4096;

double SquaresOf(const at::Tensor& gradient) {
  if (!gradient.is_cpu()) return at::sum(at::square(gradient), at::kDouble).item<double>();
  const at::Tensor dense = gradient.contiguous();
  const int64_t size = dense.numel();
  const float* values = dense.const_data_ptr<float>();
  std::vector<float> sums(static_cast<size_t>((size + kBlock - 1) / kBlock));
  OnTorchThreads(static_cast<int64_t>(sums.size()), 8, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t begin = i * kBlock;
      sums[static_cast<size_t>(i)] = SumOfSquares(values + begin, static_cast<size_t>(std::min(kBlock, size - begin)));
    }
  });
  double sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

}  // namespace

double ClipFactor(const std::vector<at::Tensor>& gradients, double most) {
  if (most == 0) return 1.0;
  double sum = 0;
  for (const at::Tensor& gradient : gradients) sum += SquaresOf(gradient);
  if (!std::isfinite(sum)) return std::numeric_limits<double>::quiet_NaN();
  return sum > most * most ? most / std::sqrt(sum) : 1.0;
}

}  // namespace genoserve

#include "trainer/objective/counted_correlations.h"

#include <algorithm>
#include <span>

#include "core/base/parallel.h"
#include "core/kernels/bits.h"
#include "trainer/objective/noise.h"

namespace genoserve {
namespace {

// Words of the variants that stay in the cache while others are counted with them.
constexpr size_t kTileWords = 1 << 13;

}  // namespace

CountedCorrelations::CountedCorrelations(const StandardisedCodes& z)
    : planes_(BitPlanes::OfVariants(z.genotypes())),
      means_(z.means().cpu()),
      group_shares_((z.GroupRows().cpu() / static_cast<double>(z.rows())).unsqueeze(1)),
      factors_(z.factors().cpu()),
      rows_(z.rows()) {}

at::Tensor CountedCorrelations::Of(const std::vector<int64_t>& chosen, int64_t from) const {
  const auto first = static_cast<size_t>(from);
  const size_t columns = planes_.vectors() - first;
  const size_t planes = planes_.planes();
  at::Tensor result = at::zeros({static_cast<int64_t>(chosen.size()), static_cast<int64_t>(columns)});
  float* const sums = result.data_ptr<float>();
  const size_t tile = std::max<size_t>(1, kTileWords / planes_.Vector(0).size());
  ParallelFor((columns + tile - 1) / tile, [&](size_t index) {
    const size_t begin = index * tile;
    const size_t count = std::min(tile, columns - begin);
    const std::span<const uint64_t> next = planes_.Vector(first + begin);
    const std::span<const uint64_t> vectors(next.data(), next.size() * count);
    std::vector<uint32_t> counts(planes * count);
    for (size_t i = 0; i < chosen.size(); ++i) {
      float* const out = sums + i * columns + begin;
      for (size_t plane = 0; plane < planes; ++plane) {
        CountAndMany(planes_.Plane(static_cast<size_t>(chosen[i]), plane), vectors, counts);
        for (size_t k = 0; k < count; ++k) {
          out[k] += static_cast<float>(planes == 1 ? counts[k] : counts[2 * k] + counts[2 * k + 1]);
        }
      }
    }
  });
  const at::Tensor index = IndexTensor(chosen, at::kCPU);
  const at::Tensor chosen_means = (means_ * group_shares_).index_select(1, index);
  result.addmm_(chosen_means.t(), means_.slice(1, from), 1 / static_cast<double>(rows_), -1);
  return result.mul_(factors_.slice(0, from)).mul_(factors_.index_select(0, index).unsqueeze(1));
}

}  // namespace genoserve

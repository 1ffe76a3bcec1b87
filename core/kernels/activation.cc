#include "core/kernels/activation.h"

#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activation.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void Leaky(std::span<float> values, float slope) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  const auto factor = hn::Set(d, slope);
  size_t i = 0;
  for (; i + lanes <= values.size(); i += lanes) {
    const auto x = hn::LoadU(d, &values[i]);
    hn::StoreU(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Mul(x, factor), x), d, &values[i]);
  }
  for (; i < values.size(); ++i) values[i] = values[i] < 0.0F ? values[i] * slope : values[i];
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(Leaky);

void LeakyRelu(std::span<float> values, float slope) { HWY_DYNAMIC_DISPATCH(Leaky)(values, slope); }

}  // namespace genoserve
#endif  // HWY_ONCE

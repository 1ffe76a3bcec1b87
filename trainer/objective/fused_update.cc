#include "trainer/objective/fused_update.h"

// Each function is compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/objective/fused_update.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "trainer/objective/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void RmsProp(const RmsPropUpdate& update, const WeightSpan& span) {
  ForVectors(span.count, [&](auto d, size_t i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, span.gradients + i), hn::Set(d, update.gradient_factor));
    const auto kept = hn::Mul(hn::LoadU(d, span.squares + i), hn::Set(d, update.decay));
    const auto square = hn::MulAdd(hn::Mul(g, g), hn::Set(d, 1 - update.decay), kept);
    const auto root = hn::Sqrt(hn::Add(square, hn::Set(d, update.epsilon)));
    const auto move = hn::Div(hn::Mul(g, hn::Set(d, update.rate)), root);
    hn::StoreU(square, d, span.squares + i);
    hn::StoreU(hn::Sub(hn::LoadU(d, span.weights + i), move), d, span.weights + i);
  });
}

void Adam(const AdamUpdate& update, const WeightSpan& span) {
  ForVectors(span.count, [&](auto d, size_t i) HWY_ATTR {
    const auto g = hn::Mul(hn::LoadU(d, span.gradients + i), hn::Set(d, update.gradient_factor));
    const auto old_mean = hn::LoadU(d, span.means + i);
    const auto mean = hn::MulAdd(hn::Sub(g, old_mean), hn::Set(d, 1 - update.beta1), old_mean);
    const auto kept = hn::Mul(hn::LoadU(d, span.squares + i), hn::Set(d, update.beta2));
    const auto square = hn::MulAdd(hn::Mul(g, g), hn::Set(d, 1 - update.beta2), kept);
    const auto divisor = hn::MulAdd(hn::Sqrt(square), hn::Set(d, update.scale), hn::Set(d, update.epsilon));
    const auto move = hn::Div(hn::Mul(mean, hn::Set(d, update.rate)), divisor);
    hn::StoreU(mean, d, span.means + i);
    hn::StoreU(square, d, span.squares + i);
    hn::StoreU(hn::MulSub(hn::LoadU(d, span.weights + i), hn::Set(d, update.keep), move), d, span.weights + i);
  });
}

float Squares(const float* values, size_t count) {
  const hn::ScalableTag<float> d;
  auto sum = hn::Zero(d);
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) {
    const auto x = hn::LoadU(d, values + i);
    sum = hn::MulAdd(x, x, sum);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < count; ++i) total += values[i] * values[i];
  return total;
}

float Scaled(const float* values, float factor, size_t count, float* sums) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::LoadU(d, values + i), hn::Set(d, factor), hn::LoadU(d, sums + i)), d, sums + i);
  });
  return Squares(values, count);
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(RmsProp);
HWY_EXPORT(Adam);
HWY_EXPORT(Squares);
HWY_EXPORT(Scaled);

void Update(const RmsPropUpdate& update, const WeightSpan& span) { HWY_DYNAMIC_DISPATCH(RmsProp)(update, span); }

void Update(const AdamUpdate& update, const WeightSpan& span) { HWY_DYNAMIC_DISPATCH(Adam)(update, span); }

float SumOfSquares(const float* values, size_t count) { return HWY_DYNAMIC_DISPATCH(Squares)(values, count); }

float AddScaled(const float* values, float factor, size_t count, float* sums) {
  return HWY_DYNAMIC_DISPATCH(Scaled)(values, factor, count, sums);
}

}  // namespace genoserve
#endif  // HWY_ONCE

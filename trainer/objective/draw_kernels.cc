#include "trainer/objective/draw_kernels.h"

// Each function is compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/objective/draw_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Highway's mathematics come after it.
#include "hwy/contrib/math/math-inl.h"
#include "trainer/objective/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

void States(const float* logits, const float* noise, float temperature, size_t variants, float* relaxed,
            float* rounded) {
  ForVectors(variants, [&](auto d, size_t i) HWY_ATTR {
    const auto load = [&](size_t state) HWY_ATTR {
      return hn::Add(hn::LoadU(d, logits + state * variants + i), hn::LoadU(d, noise + state * variants + i));
    };
    const auto x0 = load(0);
    const auto x1 = load(1);
    const auto x2 = load(2);
    const auto largest = hn::Max(hn::Max(x0, x1), x2);
    if (rounded != nullptr) {
      const auto one = hn::Set(d, 1.0F);
      const auto is0 = hn::Eq(x0, largest);
      const auto is1 = hn::AndNot(is0, hn::Eq(x1, largest));
      const auto y0 = hn::IfThenElseZero(is0, one);
      const auto y1 = hn::IfThenElseZero(is1, one);
      hn::StoreU(y0, d, rounded + i);
      hn::StoreU(y1, d, rounded + variants + i);
      const auto finite = hn::Mul(hn::Add(hn::Add(x0, x1), x2), hn::Zero(d));
      hn::StoreU(hn::Add(hn::Sub(hn::Sub(one, y0), y1), finite), d, rounded + 2 * variants + i);
    }
    if (relaxed == nullptr) return;
    const auto scale = hn::Set(d, 1.0F / temperature);
    const auto e0 = hn::Exp(d, hn::Mul(hn::Sub(x0, largest), scale));
    const auto e1 = hn::Exp(d, hn::Mul(hn::Sub(x1, largest), scale));
    const auto e2 = hn::Exp(d, hn::Mul(hn::Sub(x2, largest), scale));
    const auto share = hn::Div(hn::Set(d, 1.0F), hn::Add(hn::Add(e0, e1), e2));
    hn::StoreU(hn::Mul(e0, share), d, relaxed + i);
    hn::StoreU(hn::Mul(e1, share), d, relaxed + variants + i);
    hn::StoreU(hn::Mul(e2, share), d, relaxed + 2 * variants + i);
  });
}

void StatesGradient(const float* gradients, const float* relaxed, float temperature, size_t variants, float* to) {
  ForVectors(variants, [&](auto d, size_t i) HWY_ATTR {
    const auto p0 = hn::LoadU(d, relaxed + i);
    const auto p1 = hn::LoadU(d, relaxed + variants + i);
    const auto p2 = hn::LoadU(d, relaxed + 2 * variants + i);
    const auto g0 = hn::LoadU(d, gradients + i);
    const auto g1 = hn::LoadU(d, gradients + variants + i);
    const auto g2 = hn::LoadU(d, gradients + 2 * variants + i);
    const auto mean = hn::MulAdd(p0, g0, hn::MulAdd(p1, g1, hn::Mul(p2, g2)));
    const auto scale = hn::Set(d, 1.0F / temperature);
    hn::StoreU(hn::Mul(hn::Mul(p0, scale), hn::Sub(g0, mean)), d, to + i);
    hn::StoreU(hn::Mul(hn::Mul(p1, scale), hn::Sub(g1, mean)), d, to + variants + i);
    hn::StoreU(hn::Mul(hn::Mul(p2, scale), hn::Sub(g2, mean)), d, to + 2 * variants + i);
  });
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(States);
HWY_EXPORT(StatesGradient);

void DrawStates(const float* logits, const float* noise, float temperature, size_t variants, float* relaxed,
                float* rounded) {
  HWY_DYNAMIC_DISPATCH(States)(logits, noise, temperature, variants, relaxed, rounded);
}

void DrawStatesGradient(const float* gradients, const float* relaxed, float temperature, size_t variants, float* to) {
  HWY_DYNAMIC_DISPATCH(StatesGradient)(gradients, relaxed, temperature, variants, to);
}

}  // namespace genoserve
#endif  // HWY_ONCE

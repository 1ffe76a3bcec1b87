#include "trainer/objective/layer_kernels.h"

// Each function is compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "trainer/objective/layer_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
// Highway's mathematics come after it.
#include "hwy/contrib/math/math-inl.h"
#include "trainer/objective/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// bfloat16 is the upper half of a float.
void ToFloats(const uint16_t* from, size_t count, float* to) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    const hn::Rebind<uint16_t, decltype(d)> narrow;
    const hn::RebindToUnsigned<decltype(d)> wide;
    hn::StoreU(hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(wide, hn::LoadU(narrow, from + i)))), d, to + i);
  });
}

void ToBf16(const float* from, size_t count, uint16_t* to) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    const hn::Rebind<uint16_t, decltype(d)> narrow;
    const hn::RebindToUnsigned<decltype(d)> wide;
    const hn::RebindToSigned<decltype(d)> integer;
    const auto x = hn::LoadU(d, from + i);
    const auto bits = hn::BitCast(wide, x);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(wide, 1));
    const auto rounded = hn::ShiftRight<16>(hn::Add(bits, hn::Add(odd, hn::Set(wide, 0x7FFF))));
    const auto nan = hn::RebindMask(wide, hn::IsNaN(x));
    const auto half = hn::IfThenElse(nan, hn::Set(wide, 0x7FC0), rounded);
    hn::StoreU(hn::DemoteTo(narrow, hn::BitCast(integer, half)), narrow, to + i);
  });
}

void Rectify(const float* bias, float slope, size_t count, float* values) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    const auto x = hn::Add(hn::LoadU(d, values + i), hn::LoadU(d, bias + i));
    hn::StoreU(hn::IfThenElse(hn::Gt(x, hn::Zero(d)), x, hn::Mul(x, hn::Set(d, slope))), d, values + i);
  });
}

void RectifiedGradient(const float* gradients, const float* rectified, float slope, size_t count, float* to,
                       float* sums) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    const auto g = hn::LoadU(d, gradients + i);
    const auto above = hn::Gt(hn::LoadU(d, rectified + i), hn::Zero(d));
    const auto result = hn::IfThenElse(above, g, hn::Mul(g, hn::Set(d, slope)));
    hn::StoreU(result, d, to + i);
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), result), d, sums + i);
  });
}

void Alleles(const float* base, const float* noise, float temperature, bool rounded, size_t count, float* values,
             float* slopes) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    const auto one = hn::Set(d, 1.0F);
    const auto scale = hn::Set(d, 1.0F / temperature);
    const auto x = hn::Add(hn::Add(hn::LoadU(d, values + i), hn::LoadU(d, base + i)), hn::LoadU(d, noise + i));
    const auto scaled = hn::Mul(x, scale);
    const auto positive = hn::Gt(scaled, hn::Zero(d));
    // A value that is no number stays none.
    auto drawn = hn::MulAdd(x, hn::Zero(d), hn::IfThenElseZero(positive, one));
    if (slopes != nullptr || !rounded) {
      // The exponential of a number that is not positive cannot overflow.
      const auto e = hn::Exp(d, hn::Neg(hn::Abs(scaled)));
      const auto lesser = hn::Div(e, hn::Add(one, e));
      const auto greater = hn::Sub(one, lesser);
      if (slopes != nullptr) hn::StoreU(hn::Mul(hn::Mul(lesser, greater), scale), d, slopes + i);
      if (!rounded) drawn = hn::IfThenElse(positive, greater, lesser);
    }
    hn::StoreU(drawn, d, values + i);
  });
}

void Multiplied(const float* gradients, const float* slopes, size_t count, float* to, float* sums) {
  ForVectors(count, [&](auto d, size_t i) HWY_ATTR {
    const auto result = hn::Mul(hn::LoadU(d, gradients + i), hn::LoadU(d, slopes + i));
    hn::StoreU(result, d, to + i);
    hn::StoreU(hn::Add(hn::LoadU(d, sums + i), result), d, sums + i);
  });
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {

HWY_EXPORT(ToFloats);
HWY_EXPORT(ToBf16);
HWY_EXPORT(Rectify);
HWY_EXPORT(RectifiedGradient);
HWY_EXPORT(Alleles);
HWY_EXPORT(Multiplied);

void FloatsOfBf16(const uint16_t* from, size_t count, float* to) { HWY_DYNAMIC_DISPATCH(ToFloats)(from, count, to); }

void Bf16OfFloats(const float* from, size_t count, uint16_t* to) { HWY_DYNAMIC_DISPATCH(ToBf16)(from, count, to); }

void AddBiasAndRectify(const float* bias, float slope, size_t count, float* values) {
  HWY_DYNAMIC_DISPATCH(Rectify)(bias, slope, count, values);
}

void RectifyGradient(const float* gradients, const float* rectified, float slope, size_t count, float* to,
                     float* sums) {
  HWY_DYNAMIC_DISPATCH(RectifiedGradient)(gradients, rectified, slope, count, to, sums);
}

void DrawAlleles(const float* base, const float* noise, float temperature, bool rounded, size_t count, float* values,
                 float* slopes) {
  HWY_DYNAMIC_DISPATCH(Alleles)(base, noise, temperature, rounded, count, values, slopes);
}

void AllelesGradient(const float* gradients, const float* slopes, size_t count, float* to, float* sums) {
  HWY_DYNAMIC_DISPATCH(Multiplied)(gradients, slopes, count, to, sums);
}

}  // namespace genoserve
#endif  // HWY_ONCE

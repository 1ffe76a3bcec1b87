// Loops by vectors, for files that Highway compiles for several instruction sets: included once for each of them, after
// hwy/highway.h.
#if defined(GENOSERVE_TRAINER_OBJECTIVE_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef GENOSERVE_TRAINER_OBJECTIVE_VECTORS_INL_H_
#undef GENOSERVE_TRAINER_OBJECTIVE_VECTORS_INL_H_
#else
#define GENOSERVE_TRAINER_OBJECTIVE_VECTORS_INL_H_
#endif

#include <cstddef>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {

/// Calls `body(tag, i)` for the whole vectors of `count` values and for each value that is left over.
template <class Body>
HWY_INLINE void ForVectors(size_t count, const Body& body) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= count; i += hn::Lanes(d)) body(d, i);
  for (; i < count; ++i) body(one, i);
}

}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif

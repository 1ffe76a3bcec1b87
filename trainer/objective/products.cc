#include "trainer/objective/products.h"

namespace genoserve {
namespace {

// Whether this CPU multiplies bfloat16 by itself.
bool HasBf16Products() {
#ifdef __x86_64__
  return __builtin_cpu_supports("avx512bf16") != 0;
#else
  return false;
#endif
}

}  // namespace

at::ScalarType ProductType(const v1::TrainingRecipe& recipe) {
  return recipe.precision() == "bf16" ? at::kBFloat16 : at::kFloat;
}

at::Tensor Multiply(const at::Tensor& a, const at::Tensor& b) {
  static const bool native = HasBf16Products();
  if (a.is_cpu() && a.scalar_type() == at::kBFloat16 && !native) {
    return at::mm(a.to(at::kFloat), b.to(at::kFloat)).to(at::kBFloat16);
  }
  return at::mm(a, b);
}

}  // namespace genoserve

// Matrix products of a training step, in single precision or with bfloat16 inputs.
#pragma once

#include <ATen/ATen.h>

#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// What the inputs of a recipe's matrix products are: kFloat, or kBFloat16 where its precision is "bf16". Sums within a
/// product, weights, their averages and the optimisers' state are in single precision either way.
at::ScalarType ProductType(const v1::TrainingRecipe& recipe);

/// a times b, two matrices of one of these types, in their type. On a CPU without instructions for bfloat16 the product
/// is taken in single precision and rounded, which is no faster than fp32 but gives the same to rounding.
at::Tensor Multiply(const at::Tensor& a, const at::Tensor& b);

}  // namespace genoserve

// A layer of a network with its rectifier.
#pragma once

#include <ATen/ATen.h>

#include <string>

#include "trainer/objective/parameters.h"

namespace genoserve {

/// r(x W' + b) with `name`.weight and `name`.bias, r(x) = x above 0 and slope * x below, slope 0 or more; 1 = no
/// rectifier. `x` is [rows, inputs]; its type, kFloat or kBFloat16, is that of all products and of the result. Can be
/// differentiated once by x and the parameters, whose gradients are in single precision. Weights are rounded to
/// bfloat16 where x is; the bias is not.
at::Tensor DenseLayer(const Parameters& parameters, const std::string& name, const at::Tensor& x, double slope);

}  // namespace genoserve

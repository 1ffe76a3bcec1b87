// The last layer of a generator of alleles, with the draw of alleles from its logits.
#pragma once

#include <ATen/ATen.h>

#include "trainer/objective/noise.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// How alleles are drawn; see RelaxedBernoulli.
struct AlleleDraw {
  double temperature = 1.0;
  bool straight_through = false;
};

/// RelaxedBernoulli of the logits hidden W' + b (+ label_logits[label]), with `generator`'s output.weight, output.bias
/// and, where it has it, label_logits: [rows, variants] in the type of `hidden` [rows, width], which is that of the
/// products. `labels` is [rows]. Noise is standard logistic, one draw. Can be differentiated once by hidden and the
/// parameters. On the CPU the logits stay in the cache: noise is drawn where it is added.
at::Tensor DrawAlleles(const Parameters& generator, const at::Tensor& hidden, const at::Tensor& labels,
                       const RowDraw& noise, const AlleleDraw& draw);

}  // namespace genoserve

// The loss of a wgan-gp critic, with gradients in closed form.
#pragma once

#include <ATen/ATen.h>

#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// CriticLoss + recipe.gradient_penalty() * GradientPenalty for the critic of Criticise, one value that can be
/// differentiated once by the critic's weights; to rounding the same as by autograd. `real` and `fake` are
/// [rows, 3 * variants], `condition` [rows, condition] belongs to both, `mix` is [rows, 1], `slope` that of the
/// rectifiers below zero, 0 or more.
///
/// The critic is linear but for its rectifiers, whose slopes are constant almost everywhere. So the gradient of the
/// penalty by a matrix is an outer product of what comes from behind to its output when scores are sent backward, and
/// of what comes to its input when the penalty's gradient by the rows' gradients is sent forward through the same
/// slopes (Pearlmutter 1994's R-operator). And the first layer of a mixture of rows is the mixture of their first
/// layers. That leaves seven products of a batch with the first matrix, nearly all of the work, where autograd makes
/// ten, and no graph.
at::Tensor CriticLossWithPenalty(const v1::TrainingRecipe& recipe, double slope, const Parameters& critic,
                                 const at::Tensor& real, const at::Tensor& fake, const at::Tensor& condition,
                                 const at::Tensor& mix);

}  // namespace genoserve

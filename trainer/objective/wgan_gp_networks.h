// The two networks of wgan-gp, after DiscreteGenoGen's WGAN_GS.
#pragma once

#include <ATen/ATen.h>

#include "core/artifact/safetensors.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/distributed/process_group.h"
#include "trainer/objective/batch_rows.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// What the output layer of the generator sees, [rows, rank or last hidden size], from z [rows, latent] and conditions
/// [rows, condition]. BatchNorm takes mean and variance over the batch, of which all processes of `group` have parts.
at::Tensor WganGpHidden(const v1::WganGpSpec& spec, const Parameters& generator, const at::Tensor& z,
                        const at::Tensor& condition, const BatchRows& rows, ProcessGroup& group);

/// The same for rows that are a whole batch. The first and residual layers are written to `folded`, with BatchNorm as
/// it is over these rows folded in.
at::Tensor FoldWganGpHidden(const v1::WganGpSpec& spec, const Parameters& generator, const at::Tensor& z,
                            const at::Tensor& condition, TensorMap& folded);

/// The outputs, [rows, 3, variants].
at::Tensor WganGpLogits(const Parameters& generator, const at::Tensor& hidden);

/// The critic's weights: first, block.<i>.{residual1,residual2,out}, score.
Parameters InitialCritic(const v1::TrainingRecipe& recipe, int64_t variants, int64_t condition_size,
                         TrainingNoise& noise);

/// The critic's scores, [rows], of one-hot genotypes [rows, 3 * variants].
at::Tensor Criticise(const v1::TrainingRecipe& recipe, double leaky_slope, const Parameters& critic,
                     const at::Tensor& genotypes, const at::Tensor& condition);

}  // namespace genoserve

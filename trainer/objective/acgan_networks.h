// The two networks of acgan, after Genome-AC-GAN.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/batch_rows.h"
#include "trainer/objective/parameters.h"

namespace genoserve {

/// What the output layer of the generator sees, [rows, rank or last hidden size], from z [rows, latent] and label
/// indices [rows]. Products and result are of the type of z.
at::Tensor AcganHidden(const v1::AcganSpec& spec, const Parameters& generator, int64_t label_count, const at::Tensor& z,
                       const at::Tensor& labels);

/// The outputs before tanh, [rows, variants], in the type of the hidden state. See DrawAlleles for those before a
/// sigmoid.
at::Tensor AcganLogits(const Parameters& generator, const at::Tensor& hidden, const at::Tensor& labels);

/// The discriminator's weights: hidden.<i>, validity and classes.
Parameters InitialDiscriminator(const v1::TrainingRecipe& recipe, int64_t variants, int64_t label_count,
                                TrainingNoise& noise);

/// What the discriminator says of rows.
struct Verdict {
  at::Tensor validity;  ///< [rows], logit of being real
  at::Tensor classes;   ///< [rows, labels], logits
};

/// Judges alleles [rows.count(), variants] of these rows of a batch, with dropout. Products with hidden layers are of
/// the type of the alleles; the verdict is in single precision.
Verdict Discriminate(const v1::TrainingRecipe& recipe, double leaky_slope, const Parameters& discriminator,
                     const at::Tensor& alleles, const BatchRows& rows, TrainingNoise& noise);
}  // namespace genoserve

// Biases that make a generator's mean probabilities equal given frequencies, and the sharpness that gives a liability
// model its linkage disequilibrium.
#pragma once

#include <ATen/ATen.h>

namespace genoserve {

/// Biases b [variants] with mean over rows of sigmoid(logits + b) = frequency, by Newton's method from `start`;
/// `logits` is [rows, variants], `frequencies` [variants], inside (0, 1).
at::Tensor CalibrateAlleles(const at::Tensor& logits, const at::Tensor& frequencies, const at::Tensor& start);

/// Biases b [3, variants], the first 0, with mean over rows of softmax(logits + b)[state] = frequencies[state], by
/// Newton's method from `start`; `logits` is [rows, 3, variants], `frequencies` [3, variants], inside (0, 1), summing
/// to 1.
at::Tensor CalibrateGenotypes(const at::Tensor& logits, const at::Tensor& frequencies, const at::Tensor& start);

/// The liability model that a generator starts from. A variant's liability is loadings * h with h of unit variance; an
/// allele is drawn with logit sharpness * liability + bias, a genotype with logits {0, s l + b1, 2 s l + b2}, which
/// are ordinal thresholds on the liability with a logistic error.
struct LiabilityModel {
  at::Tensor weights;  ///< [variants, components], sharpness times unit loadings
  at::Tensor biases;   ///< [1 or 3, variants]
};

/// Fits it. `hidden` [rows, components] are draws of h; `frequencies` [1, variants] of alleles or [3, variants] of
/// genotypes; `loadings` [variants, components] whose square sums are shares of variance.
/// Sharpness makes the variance of a variant's conditional mean the share of its variance that its loadings explain;
/// the odds of these shares are scaled by one factor (0.1 to 100 for genotypes, 1 to 100 for alleles) so that the mean
/// r^2 of neighbours comes to `neighbour_r2`, what components left out of the data make it too small, and negative ones
/// left out too large.
LiabilityModel FitLiability(const at::Tensor& hidden, const at::Tensor& loadings, const at::Tensor& frequencies,
                            double neighbour_r2);

}  // namespace genoserve

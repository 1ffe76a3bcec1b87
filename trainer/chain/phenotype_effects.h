// What genotypes tell of phenotypes: one ridge regression for each input of the condition.
#pragma once

#include <Eigen/Dense>
#include <vector>

#include "trainer/chain/relatedness.h"

namespace genoserve {

/// Predictions of the inputs from the codes of a row.
struct PhenotypeEffects {
  Eigen::MatrixXf effects;             ///< [inputs, variants], of one count of a code
  Eigen::VectorXf offsets;             ///< [inputs], the prediction of a row of zeros
  Eigen::MatrixXf residual_precision;  ///< [inputs, inputs], inverse covariance of what the predictions leave
  std::vector<double> accuracy;        ///< [input], correlation of the input with its prediction by cross-validation
};

/// Fits them on `inputs`, [related samples, inputs], as EncodeCondition makes them. GBLUP in its dual form (Habier et
/// al. 2007): a = (G + l I)^-1 (y - mean), effects Z'a / variants; l is chosen for each input by 5-fold
/// cross-validation. Predictions are scaled so that over new people they have the variance r^2 var(y) that an accuracy
/// of r gives: what a fit shows on its own training people is more than it knows of others.
PhenotypeEffects FitPhenotypes(const Relatedness& relatedness, const Eigen::MatrixXd& inputs);

/// The inverse of the covariance of rows of deviations, [rows, inputs], with a hundredth of the mean variance added to
/// the diagonal, so that inputs that sum to one have one too.
Eigen::MatrixXf PrecisionOf(const Eigen::MatrixXd& deviations);

}  // namespace genoserve

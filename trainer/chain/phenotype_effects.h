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
  Eigen::VectorXd means;               ///< [inputs], of the training samples
  Eigen::VectorXd deviations;          ///< [inputs], that predictions of new people have: accuracy x standard deviation
};

/// Fits them on `inputs`, [related samples, inputs], as EncodeCondition makes them. GBLUP in its dual form (Habier et
/// al. 2007): a = (G + l I)^-1 (y - mean), effects Z'a / variants; l is chosen for each input by 5-fold
/// cross-validation. With an accuracy of r, the correlation of an input with its prediction in cross-validation,
/// predictions of new people have the variance r^2 var(y); see ScaleTo.
PhenotypeEffects FitPhenotypes(const Relatedness& relatedness, const Eigen::MatrixXd& inputs);

/// Scales the effects so that the predictions of these rows, [rows, inputs], have the deviations that those of new
/// people have. Rows of a generator are more like its training than new people are, and would follow the phenotypes too
/// well.
void ScaleTo(const Eigen::MatrixXd& predictions, PhenotypeEffects& fitted);

/// The inverse of the covariance of rows of deviations, [rows, inputs], with a hundredth of the mean variance added to
/// the diagonal, so that inputs that sum to one have one too.
Eigen::MatrixXf PrecisionOf(const Eigen::MatrixXd& deviations);

}  // namespace genoserve

#include "trainer/chain/phenotype_effects.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace genoserve {
namespace {

constexpr size_t kSamples = 400;
constexpr size_t kVariants = 120;

double Normal(std::mt19937_64& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random() >> 11) * 0x1p-53;
  return sum;
}

struct Cohort {
  GenotypeMatrix genotypes{Packing::kDiploid2Bit, kSamples, kVariants};
  Eigen::MatrixXd inputs{kSamples, 2};  // one that genotypes make with this heritability, and one of chance
};

Cohort Simulate(double heritability, uint64_t seed) {
  std::mt19937_64 random(seed);
  Cohort cohort;
  std::vector<double> scores(kSamples);
  for (size_t v = 0; v < kVariants; ++v) {
    const double effect = v % 6 == 0 ? 1 : 0;
    for (size_t i = 0; i < kSamples; ++i) {
      cohort.genotypes.Set(i, v, static_cast<int>(random() % 2 + random() % 2));
      scores[i] += effect * (cohort.genotypes.Get(i, v) - 1);
    }
  }
  const double deviation = std::sqrt(kVariants / 6 * 0.5);
  for (size_t i = 0; i < kSamples; ++i) {
    cohort.inputs(i, 0) =
        3 + std::sqrt(heritability) * scores[i] / deviation + std::sqrt(1 - heritability) * Normal(random);
    cohort.inputs(i, 1) = Normal(random);
  }
  return cohort;
}

Eigen::MatrixXd Predict(const PhenotypeEffects& fitted, const GenotypeMatrix& genotypes) {
  Eigen::MatrixXd predicted(genotypes.samples(), fitted.effects.rows());
  for (Eigen::Index i = 0; i < predicted.rows(); ++i) {
    for (Eigen::Index p = 0; p < predicted.cols(); ++p) {
      predicted(i, p) = static_cast<double>(fitted.offsets[p]);
      for (size_t v = 0; v < genotypes.variants(); ++v) {
        predicted(i, p) += static_cast<double>(fitted.effects(p, static_cast<Eigen::Index>(v))) *
                           genotypes.Get(static_cast<size_t>(i), v);
      }
    }
  }
  return predicted;
}

double Deviation(const Eigen::VectorXd& x) {
  return std::sqrt((x.array() - x.mean()).square().sum() / static_cast<double>(x.size()));
}

double Correlation(const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
  return ((x.array() - x.mean()) * (y.array() - y.mean())).mean() / (Deviation(x) * Deviation(y));
}

TEST(PhenotypeEffectsTest, PredictsPeopleThatItDidNotSee) {
  const Cohort training = Simulate(0.8, 1);
  const PhenotypeEffects fitted = FitPhenotypes(Relate(training.genotypes), training.inputs);
  const Cohort others = Simulate(0.8, 2);
  const Eigen::MatrixXd predicted = Predict(fitted, others.genotypes);
  const double accuracy = Correlation(predicted.col(0), others.inputs.col(0));
  EXPECT_GT(accuracy, 0.6);
  // The accuracy that it tells of itself is that for new people.
  EXPECT_NEAR(fitted.deviations[0] / Deviation(training.inputs.col(0)), accuracy, 0.08);
  EXPECT_NEAR(predicted.col(0).mean(), 3, 0.2);
  EXPECT_LT(fitted.deviations[1], 0.25) << "of chance nothing is known";
  EXPECT_NEAR(fitted.means[0], training.inputs.col(0).mean(), 1e-12);
  // What is left has the variance that the accuracy leaves.
  const Eigen::MatrixXd residual = fitted.residual_precision.cast<double>().inverse();
  const double variance = Deviation(training.inputs.col(0)) * Deviation(training.inputs.col(0));
  EXPECT_NEAR(residual(0, 0), variance * (1 - accuracy * accuracy), 0.12 * variance);
}

TEST(PhenotypeEffectsTest, ScalingSetsTheDeviationAndKeepsTheMean) {
  const Cohort training = Simulate(0.8, 1);
  PhenotypeEffects fitted = FitPhenotypes(Relate(training.genotypes), training.inputs);
  const Eigen::MatrixXd own = Predict(fitted, training.genotypes);
  ScaleTo(own, fitted);
  const Eigen::MatrixXd scaled = Predict(fitted, training.genotypes);
  EXPECT_NEAR(Deviation(scaled.col(0)), fitted.deviations[0], 1e-4);
  EXPECT_NEAR(scaled.col(0).mean(), own.col(0).mean(), 1e-3);
}

TEST(PhenotypeEffectsTest, BearsInputsAndGenotypesThatDoNotVary) {
  Cohort training = Simulate(0.5, 3);
  training.inputs.col(1).setZero();  // a phenotype that everyone misses
  for (const GenotypeMatrix& genotypes : {training.genotypes, GenotypeMatrix(Packing::kDiploid2Bit, kSamples, 5)}) {
    PhenotypeEffects fitted = FitPhenotypes(Relate(genotypes), training.inputs);
    ScaleTo(Predict(fitted, genotypes), fitted);
    EXPECT_TRUE(fitted.effects.allFinite());
    EXPECT_TRUE(fitted.offsets.allFinite());
    EXPECT_TRUE(fitted.residual_precision.allFinite());
    EXPECT_EQ(fitted.effects.row(1).norm(), 0);
  }
}

TEST(PhenotypeEffectsTest, BearsFewPeople) {
  for (const int samples : {1, 2, 3}) {
    const GenotypeMatrix genotypes(Packing::kDiploid2Bit, static_cast<size_t>(samples), 5);
    const PhenotypeEffects fitted = FitPhenotypes(Relate(genotypes), Eigen::MatrixXd::Random(samples, 2));
    EXPECT_TRUE(fitted.effects.allFinite()) << samples;
    EXPECT_TRUE(fitted.offsets.allFinite()) << samples;
    EXPECT_TRUE(fitted.residual_precision.allFinite()) << samples;
  }
}

TEST(PhenotypeEffectsTest, PrecisionIsThatOfTheDeviations) {
  Eigen::MatrixXd deviations(4, 2);
  deviations << 1, 1, -1, -1, 2, 0, -2, 0;
  Eigen::MatrixXd covariance(2, 2);
  covariance << 2.5 + 0.015, 0.5, 0.5, 0.5 + 0.015;
  EXPECT_TRUE(PrecisionOf(deviations).cast<double>().isApprox(covariance.inverse(), 1e-5));
  // Levels of a category: their inputs sum to one.
  Eigen::MatrixXd dependent(4, 2);
  dependent << 0.5, -0.5, -0.5, 0.5, 0.5, -0.5, -0.5, 0.5;
  EXPECT_TRUE(PrecisionOf(dependent).allFinite());
  EXPECT_TRUE(PrecisionOf(Eigen::MatrixXd::Zero(3, 2)).allFinite());
}

}  // namespace
}  // namespace genoserve

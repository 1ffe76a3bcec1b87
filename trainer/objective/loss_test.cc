// Objectives against values worked out by hand.
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <vector>

#include "trainer/objective/adversarial_loss.h"
#include "trainer/objective/parameters.h"
#include "trainer/objective/polyloss.h"
#include "trainer/objective/relaxed_draw.h"
#include "trainer/objective/wasserstein.h"

namespace genoserve {
namespace {

at::Tensor Values(const std::vector<float>& values, at::IntArrayRef sizes) {
  return ToTorch(Tensor{sizes.vec(), values}, at::kCPU);
}

at::Tensor Values(const std::vector<float>& values) { return Values(values, {static_cast<int64_t>(values.size())}); }

std::vector<float> List(const at::Tensor& tensor) { return FromTorch(tensor).values; }

TEST(AdversarialLossTest, IsTheCrossEntropyOfSoftTargets) {
  const double loss = BinaryCrossEntropy(Values({0.0F, std::log(3.0F)}), Values({1.0F, 0.25F})).item<double>();
  EXPECT_NEAR(loss, 0.5 * (std::log(2.0) - 0.25 * std::log(0.75) - 0.75 * std::log(0.25)), 1e-6);
}

TEST(PolyLossTest, AddsThePenaltyOfTheSecondSoftmax) {
  const at::Tensor logits = Values({0.0F, std::log(3.0F)}, {1, 2});  // p = .25, .75
  const at::Tensor classes = IndexTensor({0}, at::kCPU);
  const double cross_entropy = -(0.95 * std::log(0.25) + 0.05 * std::log(0.75));
  const double twice = std::exp(0.25) / (std::exp(0.25) + std::exp(0.75));
  const double penalty = 0.95 * (1 - twice) + 0.05 * twice;
  EXPECT_NEAR(PolyLoss(logits, classes, 0.2, 0.1).item<double>(), cross_entropy + 0.2 * penalty, 1e-6);
  EXPECT_NEAR(PolyLoss(logits, classes, 0.0, 0.0).item<double>(), -std::log(0.25), 1e-6);
}

TEST(WassersteinTest, LossesAreDifferencesOfMeans) {
  EXPECT_FLOAT_EQ(CriticLoss(Values({3, 5}), Values({1, 2})).item<float>(), -2.5F);
  EXPECT_FLOAT_EQ(GeneratorLoss(Values({1, 2})).item<float>(), -1.5F);
}

// For f(x) = w x the gradient is w everywhere: the penalty is (|w| - 1)^2 and its slope 2 (|w| - 1) w / |w|.
TEST(WassersteinTest, PenaltyOfALinearCritic) {
  const at::Tensor w = Values({3, 4}, {2, 1}).set_requires_grad(true);
  const auto critic = [&](const at::Tensor& x) { return at::mm(x, w).squeeze(1); };
  const at::Tensor penalty =
      GradientPenalty(critic, Values({1, 0, 0, 1}, {2, 2}), Values({0, 0, 1, 1}, {2, 2}), Values({0.3F, 0.9F}, {2, 1}));
  EXPECT_NEAR(penalty.item<double>(), 16.0, 1e-4);
  const std::vector<float> slope = List(torch::autograd::grad({penalty}, {w})[0]);
  EXPECT_NEAR(slope[0], 2 * 4 * 0.6, 1e-4);
  EXPECT_NEAR(slope[1], 2 * 4 * 0.8, 1e-4);
}

// For f(x) = x^2 / 2 the gradient is x: the point that it is taken at is a real + (1 - a) fake.
TEST(WassersteinTest, PenaltyIsTakenBetweenRealAndFake) {
  const auto critic = [](const at::Tensor& x) { return at::sum(x * x, 1) / 2; };
  const at::Tensor penalty = GradientPenalty(critic, Values({4}, {1, 1}), Values({0}, {1, 1}), Values({0.75F}, {1, 1}));
  EXPECT_NEAR(penalty.item<double>(), (3.0 - 1.0) * (3.0 - 1.0), 1e-5);
}

TEST(RelaxedDrawTest, BernoulliAndItsGradient) {
  const double p = 1 / (1 + std::exp(-3.0));
  for (const bool straight_through : {false, true}) {
    const at::Tensor logits = Values({1}).set_requires_grad(true);
    const at::Tensor draw = RelaxedBernoulli(logits, Values({0.5F}), 0.5, straight_through);
    EXPECT_NEAR(draw.item<double>(), straight_through ? 1.0 : p, 1e-6);
    EXPECT_NEAR(torch::autograd::grad({at::sum(draw)}, {logits})[0].item<double>(), p * (1 - p) / 0.5, 1e-6);
  }
}

TEST(RelaxedDrawTest, GumbelSoftmaxAndItsGradient) {
  // (logits + gumbel) / 0.5 = (0, 2, 1).
  const double sum = 1 + std::exp(2.0) + std::exp(1.0);
  const double p1 = std::exp(2.0) / sum;
  for (const bool straight_through : {false, true}) {
    const at::Tensor logits = Values({0, 0.5F, 1}, {1, 3, 1}).set_requires_grad(true);
    const at::Tensor draw = GumbelSoftmax(logits, Values({0, 0.5F, -0.5F}, {1, 3, 1}), 0.5, straight_through);
    EXPECT_NEAR(draw[0][1][0].item<double>(), straight_through ? 1.0 : p1, 1e-6);
    EXPECT_NEAR(at::sum(draw).item<double>(), 1.0, 1e-6);
    const std::vector<float> slope = List(torch::autograd::grad({draw[0][1][0]}, {logits})[0]);
    EXPECT_NEAR(slope[1], p1 * (1 - p1) / 0.5, 1e-6);
    EXPECT_NEAR(slope[0], -p1 / sum / 0.5, 1e-6);
  }
}

TEST(AverageTest, FollowsTheWeightsFastAtFirst) {
  Parameters weights;
  weights.Add("w", Values({1.0F}));
  Parameters average = weights.Clone();
  {
    const c10::NoGradGuard no_grad;
    weights["w"].fill_(2.0F);
  }
  UpdateAverage(weights, 0.9, 0, average);  // decay 1 / 10
  EXPECT_NEAR(average["w"].item<double>(), 1.9, 1e-6);
  UpdateAverage(weights, 0.9, 1000000, average);  // decay 0.9
  EXPECT_NEAR(average["w"].item<double>(), 1.91, 1e-6);
}

}  // namespace
}  // namespace genoserve

// Optimisers, schedules and clipping against values worked out by hand.
#include "trainer/objective/optimizer.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "trainer/objective/gradient_clip.h"
#include "trainer/objective/learning_rate.h"

namespace genoserve {
namespace {

at::Tensor Values(const std::vector<float>& values) {
  return ToTorch(Tensor{{static_cast<int64_t>(values.size())}, values}, at::kCPU);
}

v1::TrainingRecipe RecipeOf(const std::string& optimizer) {
  v1::TrainingRecipe recipe;
  recipe.set_optimizer(optimizer);
  recipe.set_adam_beta1(0.5);
  recipe.set_adam_beta2(0.9);
  recipe.set_weight_decay(0.25);
  return recipe;
}

TEST(OptimizerTest, FirstTwoSteps) {
  for (const char* name : {"rmsprop", "adam", "adamw"}) {
    Parameters weights;
    weights.Add("w", Values({1.0F}));
    const auto optimizer = MakeOptimizer(RecipeOf(name), 0.1, weights).value();
    optimizer->Step(weights, {Values({2.0F})});
    optimizer->Step(weights, {Values({-1.0F})});
    double wanted = 1.0;
    if (std::string(name) == "rmsprop") {
      wanted -= 0.1 * 2 / std::sqrt(0.4 + 1e-7);
      wanted += 0.1 * 1 / std::sqrt(0.36 + 0.1 + 1e-7);
    } else {
      const double keep = std::string(name) == "adamw" ? 1 - 0.1 * 0.25 : 1.0;
      wanted = keep * wanted - 0.1 * (1.0 / 0.5) / (std::sqrt(0.4 / 0.1) + 1e-8);
      const double mean = 0.5 * 1.0 + 0.5 * -1.0;
      wanted = keep * wanted - 0.1 * (mean / 0.75) / (std::sqrt((0.9 * 0.4 + 0.1) / 0.19) + 1e-8);
    }
    EXPECT_NEAR(weights["w"].item<double>(), wanted, 1e-6) << name;
  }
}

TEST(OptimizerTest, FactorsScaleRateAndGradient) {
  for (const char* name : {"rmsprop", "adam", "adamw"}) {
    Parameters scaled;
    scaled.Add("w", Values({1.0F, -2.0F}));
    Parameters plain;
    plain.Add("w", Values({1.0F, -2.0F}));
    const auto with_factors = MakeOptimizer(RecipeOf(name), 0.1, scaled).value();
    const auto without = MakeOptimizer(RecipeOf(name), 0.05, plain).value();
    with_factors->Step(scaled, {Values({2.0F, 8.0F})}, {.rate = 0.5, .gradient = 0.25});
    without->Step(plain, {Values({0.5F, 2.0F})});
    EXPECT_TRUE(at::equal(scaled["w"], plain["w"])) << name;
  }
}

TEST(OptimizerTest, UnknownNameIsRefusedWithThoseAllowed) {
  const absl::Status status = MakeOptimizer(RecipeOf("sgd"), 0.1, Parameters()).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "setting optimizer is \"sgd\"; it must be rmsprop, adam or adamw");
}

// Sizes that fill no whole vectors or blocks, a matrix whose gradient is laid out by columns, and other numbers of
// threads: the same bits.
TEST(OptimizerTest, ThreadsAndLayoutChangeNothing) {
  const int threads = at::get_num_threads();
  for (const char* name : {"rmsprop", "adam", "adamw"}) {
    std::vector<at::Tensor> results;
    for (const int count : {1, 2}) {
      at::set_num_threads(count);
      Parameters weights;
      weights.Add("a", at::linspace(-1, 1, 40007));
      weights.Add("b", at::linspace(-1, 1, 21 * 33).view({21, 33}));
      const auto optimizer = MakeOptimizer(RecipeOf(name), 0.1, weights).value();
      for (int step = 0; step < 3; ++step) {
        at::Tensor b = at::sin(at::linspace(step, 9, 21 * 33)).view({21, 33});
        if (count == 2) b = b.t().contiguous().t();
        optimizer->Step(weights, {at::cos(at::linspace(0, 5 + step, 40007)), b});
      }
      results.push_back(at::cat({weights["a"].detach(), weights["b"].detach().flatten()}));
    }
    EXPECT_TRUE(at::equal(results[0], results[1])) << name;
  }
  at::set_num_threads(threads);
}

TEST(LearningRateTest, RisesAndFalls) {
  v1::TrainingRecipe recipe;
  EXPECT_EQ(LearningRateFactor(recipe, 0, 10), 1.0);
  EXPECT_EQ(LearningRateFactor(recipe, 99, 10), 1.0);
  recipe.set_warmup_steps(3);
  recipe.set_learning_rate_schedule("linear");
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 0, 13), 0.25);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 2, 13), 0.75);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 3, 13), 1.0);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 8, 13), 0.5);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 12, 13), 0.1);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 13, 13), 0.0);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 500, 13), 0.0);
  recipe.set_learning_rate_schedule("cosine");
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 3, 11), 1.0);
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 5, 11), (1 + std::sqrt(0.5)) / 2);
  EXPECT_NEAR(LearningRateFactor(recipe, 11, 11), 0.0, 1e-15);
  // A run that ends while it still warms up.
  EXPECT_DOUBLE_EQ(LearningRateFactor(recipe, 1, 2), 0.5);
}

TEST(LearningRateTest, RefusesWhatIsUnknown) {
  v1::TrainingRecipe recipe;
  EXPECT_TRUE(CheckLearningRate(recipe).ok());
  recipe.set_learning_rate_schedule("step");
  EXPECT_EQ(CheckLearningRate(recipe).message(),
            "setting learning_rate_schedule is \"step\"; it must be constant, linear or cosine");
  recipe.set_learning_rate_schedule("cosine");
  recipe.set_warmup_steps(-1);
  EXPECT_EQ(CheckLearningRate(recipe).message(), "setting warmup_steps is -1; it must be 0 or more");
}

TEST(GradientClipTest, LimitsTheNormOfAllTogether) {
  const std::vector<at::Tensor> gradients = {Values({3.0F, 0.0F}), Values({4.0F})};  // norm 5
  EXPECT_EQ(ClipFactor(gradients, 0), 1.0);
  EXPECT_EQ(ClipFactor(gradients, 5), 1.0);
  EXPECT_DOUBLE_EQ(ClipFactor(gradients, 2), 0.4);
  EXPECT_EQ(ClipFactor({Values({0.0F})}, 2), 1.0);
  EXPECT_NEAR(ClipFactor({at::ones({100003}), at::ones({7})}, 1), 1 / std::sqrt(100010.0), 1e-9);
}

TEST(GradientClipTest, DoesNotHideADivergence) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_TRUE(std::isnan(ClipFactor({Values({1.0F, bad})}, 2)));
  }
}

}  // namespace
}  // namespace genoserve

// Objectives, their gradients, and what moves weights, against PyTorch: tests/objectives/oracles.py wrote testdata/.
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trainer/objective/adversarial_loss.h"
#include "trainer/objective/critic_loss.h"
#include "trainer/objective/gradient_clip.h"
#include "trainer/objective/learning_rate.h"
#include "trainer/objective/minibatch_deviation.h"
#include "trainer/objective/optimizer.h"
#include "trainer/objective/polyloss.h"
#include "trainer/objective/relaxed_draw.h"
#include "trainer/objective/spectral_norm.h"
#include "trainer/objective/wasserstein.h"
#include "trainer/objective/wgan_gp_networks.h"

namespace genoserve {
namespace {

using nlohmann::json;

json Read(const std::string& name) {
  json cases;
  std::ifstream("trainer/objective/testdata/" + name + ".json") >> cases;
  return cases;
}

at::Tensor Values(const json& list, at::IntArrayRef sizes) {
  return ToTorch(Tensor{sizes.vec(), list.get<std::vector<float>>()}, at::kCPU);
}

at::Tensor Values(const json& list) { return Values(list, {static_cast<int64_t>(list.size())}); }

void ExpectNear(const at::Tensor& tensor, const json& wanted, const std::string& what) {
  const at::Tensor values = Values(wanted);
  ASSERT_EQ(tensor.numel(), values.numel()) << what;
  const double largest = at::max(at::abs(values)).item<double>();
  EXPECT_LT(at::max(at::abs(tensor.detach().flatten() - values)).item<double>(), 2e-5 * largest + 1e-6) << what;
}

// Value and gradient of `loss` are those of the case.
void ExpectLoss(const at::Tensor& loss, const std::vector<at::Tensor>& leaves, const json& wanted,
                const std::string& what) {
  EXPECT_NEAR(loss.item<double>(), wanted["value"].get<double>(), 2e-5 * (1 + std::abs(loss.item<double>()))) << what;
  const auto gradients = torch::autograd::grad({loss}, leaves);
  ASSERT_EQ(gradients.size(), wanted["gradients"].size()) << what;
  for (size_t i = 0; i < gradients.size(); ++i) ExpectNear(gradients[i], wanted["gradients"][i], what);
}

TEST(OracleTest, BinaryCrossEntropy) {
  const json c = Read("classification")["binary_cross_entropy"];
  const at::Tensor logits = Values(c["logits"]).set_requires_grad(true);
  ExpectLoss(BinaryCrossEntropy(logits, Values(c["targets"])), {logits}, c, "binary cross-entropy");
}

TEST(OracleTest, PolyLoss) {
  const json c = Read("classification")["polyloss"];
  const at::Tensor logits = Values(c["logits"], {6, 4}).set_requires_grad(true);
  const at::Tensor classes = IndexTensor(c["classes"].get<std::vector<int64_t>>(), at::kCPU);
  ExpectLoss(PolyLoss(logits, classes, c["epsilon"], c["alpha"]), {logits}, c, "polyloss");
}

TEST(OracleTest, RelaxedDraws) {
  const json cases = Read("draws");
  for (const bool straight_through : {false, true}) {
    const std::string suffix = straight_through ? "_straight_through" : "";
    const json& g = cases["gumbel_softmax" + suffix];
    const at::Tensor states = Values(g["logits"], {2, 3, 5}).set_requires_grad(true);
    const at::Tensor draw = GumbelSoftmax(states, Values(g["noise"], {2, 3, 5}), g["temperature"], straight_through);
    ExpectLoss(at::sum(draw * Values(g["weights"], {2, 3, 5})), {states}, g, "Gumbel-Softmax" + suffix);
    const json& b = cases["relaxed_bernoulli" + suffix];
    const at::Tensor logits = Values(b["logits"]).set_requires_grad(true);
    const at::Tensor alleles = RelaxedBernoulli(logits, Values(b["noise"]), b["temperature"], straight_through);
    ExpectLoss(at::sum(alleles * Values(b["weights"])), {logits}, b, "relaxed Bernoulli" + suffix);
  }
}

TEST(OracleTest, WassersteinWithGradientPenalty) {
  const json cases = Read("wasserstein");
  for (const auto& [name, c] : cases.items()) {
    const int64_t rows = c["rows"];
    const int64_t inputs = 3 * c["variants"].get<int64_t>();
    const int64_t condition_size = c["condition_size"];
    v1::TrainingRecipe recipe;
    for (const int size : c["sizes"]) recipe.add_critic_hidden_sizes(size);
    TrainingNoise noise(1, at::kCPU);
    noise.StartStep(0);
    const Parameters shapes = InitialCritic(recipe, c["variants"], condition_size, noise);
    Parameters critic;
    for (size_t i = 0; i < shapes.items().size(); ++i) {
      ASSERT_EQ(shapes.items()[i].first, c["names"][i]);
      critic.Add(shapes.items()[i].first, Values(c["weights"][i], shapes.items()[i].second.sizes()));
    }
    const at::Tensor real = Values(c["real"], {rows, inputs});
    const at::Tensor fake = Values(c["fake"], {rows, inputs});
    const at::Tensor condition = Values(c["condition"], {rows, condition_size});
    const auto score = [&](const at::Tensor& x) { return Criticise(recipe, c["slope"], critic, x, condition); };
    const at::Tensor penalty = GradientPenalty(score, real, fake, Values(c["mix"], {rows, 1}));
    EXPECT_NEAR(penalty.item<double>(), c["penalty"].get<double>(), 1e-5) << name;
    ExpectLoss(CriticLoss(score(real), score(fake)) + c["penalty_weight"].get<double>() * penalty, critic.tensors(), c,
               name);
    recipe.set_gradient_penalty(c["penalty_weight"]);
    ExpectLoss(CriticLossWithPenalty(recipe, c["slope"], critic, real, fake, condition, Values(c["mix"], {rows, 1})),
               critic.tensors(), c, name + ", in closed form");
    const at::Tensor made = fake.clone().set_requires_grad(true);
    ExpectLoss(GeneratorLoss(score(made)), {made}, c["generator"], name + ", generator");
  }
}

// 16 steps with warm-up, a linear schedule and clipping.
TEST(OracleTest, Optimizers) {
  const json cases = Read("optimisers");
  for (const std::string name : {"rmsprop", "adam", "adamw"}) {
    const json& c = cases[name];
    v1::TrainingRecipe recipe;
    recipe.set_optimizer(name);
    recipe.set_adam_beta1(c["adam_beta1"]);
    recipe.set_adam_beta2(c["adam_beta2"]);
    recipe.set_weight_decay(c["weight_decay"]);
    recipe.set_learning_rate_schedule("linear");
    recipe.set_warmup_steps(c["warmup"]);
    Parameters weights;
    weights.Add("a", Values(c["start"][0], {5, 7}));
    weights.Add("b", Values(c["start"][1]));
    const auto optimizer = MakeOptimizer(recipe, c["learning_rate"], weights).value();
    const auto steps = static_cast<int64_t>(c["gradients"].size());
    for (int64_t step = 0; step < steps; ++step) {
      const json& gradients = c["gradients"][static_cast<size_t>(step)];
      const std::vector<at::Tensor> tensors = {Values(gradients[0], {5, 7}), Values(gradients[1])};
      const double clip = ClipFactor(tensors, c["clip"][static_cast<size_t>(step)]);
      EXPECT_LT(clip, 1.0);
      optimizer->Step(weights, tensors, {.rate = LearningRateFactor(recipe, step, steps), .gradient = clip});
    }
    for (size_t i = 0; i < 2; ++i) ExpectNear(weights.items()[i].second, c["weights"][i], name);
  }
}

TEST(OracleTest, CosineSchedule) {
  const json factors = Read("optimisers")["cosine"]["factors"];
  v1::TrainingRecipe recipe;
  recipe.set_learning_rate_schedule("cosine");
  const auto steps = static_cast<int64_t>(factors.size());
  ASSERT_EQ(steps, 20);
  for (int64_t step = 0; step < steps; ++step) {
    EXPECT_NEAR(LearningRateFactor(recipe, step, steps), factors[static_cast<size_t>(step)].get<double>(), 1e-12);
  }
}

TEST(OracleTest, SpectralNorm) {
  const json c = Read("critic_options")["spectral_norm"];
  Parameters weights;
  weights.Add("w", Values(c["matrix"], {4, 6}));
  TrainingNoise noise(1, at::kCPU);
  noise.StartStep(0);
  SpectralNorm norm(weights, noise);
  for (int i = 0; i < 200; ++i) norm.Update(weights);
  const at::Tensor normalised = norm.Normalised(weights)["w"];
  ExpectNear(normalised, c["normalised"], "normalised weights");
  ExpectLoss(at::sum(normalised * Values(c["weights"], {4, 6})), {weights["w"]}, c, "spectral norm");
}

TEST(OracleTest, MinibatchDeviation) {
  const json c = Read("critic_options")["minibatch_deviation"];
  const at::Tensor features = Values(c["features"], {5, 3}).set_requires_grad(true);
  ExpectLoss(at::sum(AppendMinibatchDeviation(features) * Values(c["weights"], {5, 4})), {features}, c,
             "minibatch deviation");
}

TEST(OracleTest, Average) {
  const json c = Read("critic_options")["average"];
  Parameters weights;
  weights.Add("w", Values(c["start"]));
  Parameters average = weights.Clone();
  for (const json& step : c["steps"]) {
    {
      const c10::NoGradGuard no_grad;
      weights["w"].copy_(Values(step));
    }
    UpdateAverage(weights, c["decay"], 1000000, average);  // past the start, in which the decay is less
  }
  ExpectNear(average["w"], c["average"], "average");
}

}  // namespace
}  // namespace genoserve

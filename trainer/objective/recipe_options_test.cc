// Settings of a recipe that no preset has: each trains, changes what is trained, and restores to the bit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "trainer/objective/recipe.h"
#include "trainer/objective/test_data.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

struct Option {
  std::string name;
  std::string preset;
  std::function<void(v1::TrainingRecipe&)> set;
};

const std::vector<Option>& Options() {
  static const std::vector<Option> options = [] {
    std::vector<Option> all;
    for (const char* preset : {"acgan", "wgan-gp"}) {
      all.push_back({"adamw", preset, [](v1::TrainingRecipe& recipe) {
                       recipe.set_optimizer("adamw");
                       recipe.set_weight_decay(0.1);
                     }});
      all.push_back({"cosine", preset, [](v1::TrainingRecipe& recipe) {
                       recipe.set_learning_rate_schedule("cosine");
                       recipe.set_warmup_steps(4);
                     }});
      // Adam does not feel a factor of all gradients: only that it differs from step to step.
      all.push_back({"clip", preset, [](v1::TrainingRecipe& recipe) { recipe.set_gradient_clip(1e-3); }});
      all.push_back({"spectral norm", preset, [](v1::TrainingRecipe& recipe) { recipe.set_spectral_norm(true); }});
    }
    all.push_back({"bf16", "acgan", [](v1::TrainingRecipe& recipe) { recipe.set_precision("bf16"); }});
    all.push_back({"deviation", "wgan-gp", [](v1::TrainingRecipe& recipe) { recipe.set_minibatch_deviation(true); }});
    return all;
  }();
  return options;
}

TestData DataOf(const std::string& preset) {
  return preset == "acgan" ? SimulateHaplotypes(40, 20) : SimulateGenotypes(60, 20);
}

absl::StatusOr<std::unique_ptr<Recipe>> Make(const TestData& data, const Option& option) {
  v1::Manifest manifest = data.manifest;
  EXPECT_TRUE(ApplyPreset(option.preset, manifest).ok());
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(16);
  // Only what follows the start is of interest here.
  recipe.set_start_from_data(false);
  recipe.set_calibrate(false);
  option.set(recipe);
  return MakeRecipe(manifest, data.set, {.seed = 1, .total_steps = 20});
}

std::string StateAfter(Recipe& recipe, int steps) {
  for (int i = 0; i < steps; ++i) EXPECT_TRUE(recipe.Step().ok());
  return recipe.SaveState().value();
}

TEST(RecipeOptionsTest, EachChangesTheTrainingAndRestoresToTheBit) {
  for (const Option& option : Options()) {
    SCOPED_TRACE(option.preset + ", " + option.name);
    const TestData data = DataOf(option.preset);
    const auto plain = Make(data, {"", option.preset, [](v1::TrainingRecipe&) {}}).value();
    const auto recipe = Make(data, option).value();
    const std::string half = StateAfter(*recipe, 3);
    EXPECT_NE(half, StateAfter(*plain, 3));
    const auto restored = Make(data, option).value();
    ASSERT_TRUE(restored->RestoreState(half).ok());
    EXPECT_EQ(StateAfter(*recipe, 3), StateAfter(*restored, 3));
  }
}

TEST(RecipeOptionsTest, WhatDoesNotFitIsRefusedByName) {
  const std::vector<std::pair<std::string, Option>> refused = {
      {"setting minibatch_deviation",
       {"", "acgan", [](v1::TrainingRecipe& recipe) { recipe.set_minibatch_deviation(true); }}},
      {"setting optimizer", {"", "acgan", [](v1::TrainingRecipe& recipe) { recipe.set_optimizer("sgd"); }}},
      {"setting learning_rate_schedule",
       {"", "wgan-gp", [](v1::TrainingRecipe& recipe) { recipe.set_learning_rate_schedule("step"); }}},
      {"setting warmup_steps", {"", "wgan-gp", [](v1::TrainingRecipe& recipe) { recipe.set_warmup_steps(-1); }}},
      {"setting gradient_clip", {"", "acgan", [](v1::TrainingRecipe& recipe) { recipe.set_gradient_clip(-1); }}},
      {"setting precision", {"", "acgan", [](v1::TrainingRecipe& recipe) { recipe.set_precision("fp16"); }}},
      {"setting precision", {"", "wgan-gp", [](v1::TrainingRecipe& recipe) { recipe.set_precision("bf16"); }}}};
  for (const auto& [setting, option] : refused) {
    const absl::Status status = Make(DataOf(option.preset), option).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << setting;
    EXPECT_THAT(std::string(status.message()), HasSubstr(setting));
  }
}

}  // namespace
}  // namespace genoserve

// Going on after a divergence, the schedule of the temperature, and batches that processes share.
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "trainer/objective/recipe.h"
#include "trainer/objective/test_data.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

v1::Manifest SmallManifest(const TestData& data, const std::string& preset) {
  v1::Manifest manifest = data.manifest;
  EXPECT_TRUE(ApplyPreset(preset, manifest).ok());
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(20);
  for (int i = 0; i < recipe.critic_hidden_sizes_size(); ++i) recipe.set_critic_hidden_sizes(i, 12);
  return manifest;
}

std::unique_ptr<Recipe> Make(const v1::Manifest& manifest, const TestData& data, int64_t steps = 20) {
  auto recipe = MakeRecipe(manifest, data.set, RecipeSetup{3, steps, DeviceKind::kCpu, nullptr});
  EXPECT_TRUE(recipe.ok()) << recipe.status();
  return std::move(recipe).value();
}

std::string Train(Recipe& recipe, int steps) {
  for (int i = 0; i < steps; ++i) EXPECT_TRUE(recipe.Step().ok());
  return recipe.SaveState().value();
}

TensorMap Tensors(const std::string& state) { return ParseSafetensors(absl::string_view(state).substr(16)).value(); }

// The largest change of the generator's weights from one state to another.
double LargestChange(const std::string& from, const std::string& to) {
  const TensorMap before = Tensors(from);
  double largest = 0;
  for (const auto& [name, tensor] : Tensors(to)) {
    if (name.rfind("generator.", 0) != 0) continue;
    for (size_t i = 0; i < tensor.values.size(); ++i) {
      largest = std::max(largest, std::fabs(static_cast<double>(tensor.values[i] - before.at(name).values[i])));
    }
  }
  return largest;
}

class RecoveryTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { at::set_num_threads(1); }

  const TestData data_ = SimulateHaplotypes(60, 30);
  const v1::Manifest manifest_ = SmallManifest(data_, "acgan");
};

// Adam's first step moves every weight by its rate, so that the rate can be read off.
TEST_F(RecoveryTest, RatesHalveWithEachAttempt) {
  double before = 0;
  for (const int attempt : {0, 1, 2}) {
    const auto recipe = Make(manifest_, data_);
    if (attempt > 0) recipe->Recover(attempt);
    const std::string start = recipe->SaveState().value();
    const double change = LargestChange(start, Train(*recipe, 1));
    if (attempt > 0) {
      EXPECT_NEAR(change / before, 0.5, 0.02) << attempt;
    }
    before = change;
  }
}

TEST_F(RecoveryTest, DrawsAreOthersAndOptimisersKeepWhatTheyKnow) {
  const auto recipe = Make(manifest_, data_);
  const std::string good = Train(*recipe, 3);
  const std::string straight = Train(*recipe, 2);
  ASSERT_TRUE(recipe->RestoreState(good).ok());
  recipe->Recover(1);
  const TensorMap kept = Tensors(recipe->SaveState().value());
  for (const auto& [name, tensor] : Tensors(good)) EXPECT_EQ(tensor.values, kept.at(name).values) << name;
  const auto losses = recipe->Step();
  ASSERT_TRUE(losses.ok());
  const auto undisturbed = Make(manifest_, data_);
  ASSERT_TRUE(undisturbed->RestoreState(good).ok());
  const auto others = undisturbed->Step();
  ASSERT_TRUE(others.ok());
  EXPECT_NE((*losses)[0].second, (*others)[0].second) << "the first loss of a step depends on its draws, not on a rate";
  EXPECT_TRUE(Train(*undisturbed, 1) == straight);
}

TEST_F(RecoveryTest, AttemptsAreAPartOfTheState) {
  const auto recipe = Make(manifest_, data_);
  Train(*recipe, 2);
  recipe->Recover(2);
  const std::string state = recipe->SaveState().value();
  const std::string straight = Train(*recipe, 2);
  const auto resumed = Make(manifest_, data_);
  ASSERT_TRUE(resumed->RestoreState(state).ok());
  EXPECT_TRUE(Train(*resumed, 2) == straight);
  std::string damaged = state;
  const int64_t attempt = -1;
  std::memcpy(damaged.data() + 8, &attempt, sizeof(attempt));
  EXPECT_EQ(resumed->RestoreState(damaged).code(), absl::StatusCode::kInvalidArgument);
}

// With 3 batches a pass and 6 steps there are two temperatures; with a step that falls each time there are six.
TEST_F(RecoveryTest, ThePublishedTemperatureFallsOncePerPass) {
  const TestData data = SimulateGenotypes(60, 30);
  v1::Manifest manifest = SmallManifest(data, "wgan-gp-paper");
  EXPECT_TRUE(manifest.training().recipe().temperature_by_pass());
  const auto losses_of = [&](double start, double end, bool by_pass) {
    v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
    recipe.set_temperature_start(start);
    recipe.set_temperature_end(end);
    recipe.set_temperature_by_pass(by_pass);
    const auto made = Make(manifest, data, 6);
    std::vector<double> losses;
    losses.reserve(6);
    for (int i = 0; i < 6; ++i) losses.push_back(made->Step().value()[0].second);
    return losses;
  };
  const std::vector<double> falling = losses_of(1.0, 0.1, true);
  const std::vector<double> warm = losses_of(1.0, 1.0, false);
  const std::vector<double> each_step = losses_of(1.0, 0.1, false);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(falling[i], warm[i]) << "the first pass is all at the first temperature";
  EXPECT_NE(falling[3], warm[3]);
  EXPECT_NE(each_step[1], warm[1]);
}

// A group of many processes of which only one is there.
class ManyProcesses final : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int size() const override { return 21; }
  absl::Status status() const override { return absl::OkStatus(); }
  absl::Status Sum(at::Tensor& /*tensor*/) override { return absl::OkStatus(); }
  absl::StatusOr<int> Largest(int mine) override { return mine; }
  absl::Status Broadcast(std::string& /*bytes*/) override { return absl::OkStatus(); }
};

TEST_F(RecoveryTest, ABatchOfFewerRowsThanProcessesIsRefused) {
  ManyProcesses group;
  const auto recipe = MakeRecipe(manifest_, data_.set, RecipeSetup{3, 20, DeviceKind::kCpu, &group});
  EXPECT_EQ(recipe.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(recipe.status().message()), HasSubstr("batch_size is 20, too small for 21 processes"));
}

}  // namespace
}  // namespace genoserve

// Versions that must not serve, and what is told of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <new>
#include <stdexcept>

#include "core/artifact/allele_frequencies.h"
#include "core/model/test_models.h"
#include "core/quality/gate.h"
#include "server/manager/sample_check.h"
#include "server/manager/test_manager.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

class RefusalTest : public ManagerTest {
 protected:
  RefusalTest() : manifest_(SmallAcgan(60, 3)), weights_(RandomWeights(manifest_, 1)) {
    Publish("model", manifest_, weights_);
    Look();
    EXPECT_EQ(States(), "1:serving*");
  }
  // The newest version is refused for good, for this reason, and the one before it goes on.
  void ExpectRefused(const std::string& reason) {
    Look();
    EXPECT_EQ(States(), "2:failed 1:serving*");
    const VersionStatus status = Status(2);
    EXPECT_TRUE(status.quarantined);
    EXPECT_EQ(status.retry_at, absl::InfiniteFuture());
    EXPECT_THAT(status.reason, HasSubstr(reason));
    EXPECT_THAT(metrics_.Serialize(), HasSubstr("genoserve_quarantined_versions 1\n"));
    clock_.Advance(absl::Hours(24));
    Look();
    EXPECT_EQ(Status(2).attempts, 1) << "it is not tried again";
  }

  v1::Manifest manifest_;
  TensorMap weights_;
};

TEST_F(RefusalTest, WeightsThatAreNoNumbers) {
  weights_["rank.bias"].values[3] = std::numeric_limits<float>::quiet_NaN();
  Publish("model", manifest_, weights_);
  ExpectRefused("tensor rank.bias has values that are not finite");
}

TEST_F(RefusalTest, WeightsWhoseProductsAreNoNumbers) {
  for (float& value : weights_["hidden.0.weight"].values) value = 3e38F;
  for (float& value : weights_["hidden.1.weight"].values) value = 3e38F;
  Publish("model", manifest_, weights_);
  ExpectRefused("finite");
}

TEST_F(RefusalTest, AnArtifactWithWhichTheProcessDiesAgainAndAgain) {
  ModelManager::Options options = TestOptions();
  options.load_marks = JoinPath(testing::TempDir(), absl::StrCat("load_marks_", ::getpid()));
  Publish("model", manifest_, RandomWeights(manifest_, 2));
  const auto serve = [&] {
    manager_ = std::make_unique<ModelManager>(*store_, metrics_, options);
    Look();
  };
  for (int death = 0; death < LoadMarks::kMaxDeaths; ++death) {
    EXPECT_EXIT(
        {
          store_->on_reading_weights = [] { ::_exit(9); };
          serve();
        },
        testing::ExitedWithCode(9), "");
  }
  serve();
  EXPECT_EQ(States(), "2:failed 1:serving*");
  EXPECT_TRUE(Status(2).quarantined);
  EXPECT_THAT(Status(2).reason, HasSubstr("has ended 3 times while it loaded this artifact"));
  EXPECT_TRUE(manager_->Retry("model", 2).ok());
  Settle();
  EXPECT_EQ(States(), "2:serving*") << "it was tried once more, and loaded";
  serve();
  EXPECT_EQ(States(), "2:serving*") << "nothing is held against it";
  EXPECT_TRUE(FileSystem::Posix().Remove(options.load_marks).ok());
}

TEST_F(RefusalTest, OutputThatIsAlwaysTheSame) {
  for (auto& [name, tensor] : weights_) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  std::fill(weights_["output.bias"].values.begin(), weights_["output.bias"].values.end(), -90.0F);
  Publish("model", manifest_, weights_);
  ExpectRefused("its output is constant");
}

TEST_F(RefusalTest, AlleleFrequenciesThatAreNotThoseOfTheManifest) {
  const auto generator = *MakeGenerator(manifest_, weights_, {});
  std::vector<double> frequencies = GenerateForCheck(manifest_, *generator)->frequencies;
  manifest_.mutable_training()->set_samples(1000);
  manifest_.set_allele_frequencies(EncodeAlleleFrequencies(frequencies));
  Publish("model", manifest_, RandomWeights(manifest_, 2));
  ExpectRefused("allele frequencies of");

  Publish("model", manifest_, weights_);
  Look();
  EXPECT_EQ(States(), "3:serving* 2:failed");
}

TEST_F(RefusalTest, AnExceptionIsAReasonButShortMemoryMayPass) {
  store_->on_reading_weights = [] { throw std::runtime_error("a bug"); };
  Publish("model", manifest_, weights_);
  ExpectRefused("a bug");
  store_->on_reading_weights = [] { throw std::bad_alloc(); };
  ASSERT_TRUE(manager_->Retry("model", 2).ok());
  Settle();
  EXPECT_FALSE(Status(2).quarantined);
  EXPECT_THAT(Status(2).reason, HasSubstr("out of memory"));
  store_->on_reading_weights = nullptr;
  clock_.Advance(RetryDelay(1));
  Settle();
  EXPECT_EQ(States(), "2:serving*");
}

TEST_F(RefusalTest, AnotherGateIsAnotherChance) {
  Configure([](ManagerSettings& settings) {
    settings.gate = VersionGate{"strict.gate", ParseGate("limits { figure: 'af.pearson' minimum: 0.95 }").value()};
  });
  Publish("model", manifest_, weights_);
  ExpectRefused("strict.gate");
  Configure([](ManagerSettings& settings) { settings.gate.reset(); });
  Settle();
  EXPECT_EQ(States(), "2:serving*");
  EXPECT_THAT(metrics_.Serialize(), HasSubstr("genoserve_model_swaps_total{model=\"model\"} 2\n"));
}

TEST_F(RefusalTest, WhatMayPassIsTriedAgainAndAgain) {
  store_->failures = 3;
  Publish("model", manifest_, weights_);
  Look();
  for (int attempt = 1; attempt < 3; ++attempt) {
    EXPECT_EQ(Status(2).attempts, attempt);
    EXPECT_FALSE(Status(2).quarantined);
    const absl::Duration wait = Status(2).retry_at - clock_.Now();
    EXPECT_GE(wait, RetryDelay(attempt) / 2);
    EXPECT_LE(wait, RetryDelay(attempt));
    clock_.Advance(wait - absl::Nanoseconds(1));
    Settle();
    EXPECT_EQ(Status(2).attempts, attempt) << "too early";
    clock_.Advance(absl::Nanoseconds(1));
    Settle();
  }
  clock_.Advance(RetryDelay(3));
  Settle();
  EXPECT_EQ(States(), "2:serving*");
  EXPECT_EQ(Status(2).attempts, 0);
}

}  // namespace
}  // namespace genoserve

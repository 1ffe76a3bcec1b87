#include "trainer/telemetry/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genoserve {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class TrainingMetricsTest : public testing::Test {
 protected:
  FakeClock clock_{absl::FromUnixSeconds(1700000000)};
  TrainingMetrics metrics_{{"mice", "wgan-gp", "cpu", "1.2.3", 500, 2000}, clock_};
};

TEST_F(TrainingMetricsTest, ARunThatBeginsTellsWhatItIs) {
  EXPECT_THAT(
      metrics_.Serialize(),
      AllOf(HasSubstr(
                "genoserve_trainer_build_info{model=\"mice\",arch=\"wgan-gp\",device=\"cpu\",version=\"1.2.3\"} 1\n"),
            HasSubstr("genoserve_trainer_step{model=\"mice\"} 500\n"),
            HasSubstr("genoserve_trainer_planned_steps{model=\"mice\"} 2000\n"),
            HasSubstr("genoserve_trainer_last_step_timestamp_seconds{model=\"mice\"} 1700000000\n"),
            HasSubstr("genoserve_trainer_roll_backs_total{model=\"mice\"} 0\n"),
            ContainsRegex("genoserve_trainer_resident_memory_bytes\\{model=\"mice\"\\} [1-9]"),
            Not(HasSubstr("genoserve_trainer_best_score{")), Not(HasSubstr("genoserve_trainer_checkpoint_bytes{"))))
      << "a score or a checkpoint of 0 that never was would mislead";
}

TEST_F(TrainingMetricsTest, StepsAreTimedWithoutTheValidationsAndCheckpointsBetweenThem) {
  clock_.Advance(absl::Seconds(2));
  metrics_.OnStep(501, {{"critic", -1.5}, {"penalty", 0.25}});
  clock_.Advance(absl::Minutes(3));
  metrics_.OnValidation(501, 0.5, {{"coverage.f1", 0.75}}, true);
  clock_.Advance(absl::Seconds(30));
  metrics_.OnCheckpoint(501, 1048576, absl::Seconds(30));
  clock_.Advance(absl::Seconds(2));
  metrics_.OnStep(502, {{"critic", -2}, {"penalty", 0.5}});
  EXPECT_THAT(metrics_.Serialize(),
              AllOf(HasSubstr("genoserve_trainer_step{model=\"mice\"} 502\n"),
                    HasSubstr("genoserve_trainer_step_seconds_count{model=\"mice\"} 2\n"),
                    HasSubstr("genoserve_trainer_step_seconds_sum{model=\"mice\"} 4\n"),
                    HasSubstr("genoserve_trainer_last_step_timestamp_seconds{model=\"mice\"} 1700000214\n"),
                    HasSubstr("genoserve_trainer_loss{model=\"mice\",loss=\"critic\"} -2\n"),
                    HasSubstr("genoserve_trainer_loss{model=\"mice\",loss=\"penalty\"} 0.5\n"),
                    HasSubstr("genoserve_trainer_checkpoint_bytes{model=\"mice\"} 1048576\n"),
                    HasSubstr("genoserve_trainer_checkpoint_seconds{model=\"mice\"} 30\n"),
                    HasSubstr("genoserve_trainer_checkpoint_timestamp_seconds{model=\"mice\"} 1700000212\n")));
}

TEST_F(TrainingMetricsTest, TheBestScoreOutlivesWorseOnes) {
  metrics_.OnValidation(600, 0.5, {{"coverage.f1", 0.75}}, true);
  metrics_.OnValidation(700, 0.25, {{"coverage.f1", 0.5}}, false);
  EXPECT_THAT(metrics_.Serialize(),
              AllOf(HasSubstr("genoserve_trainer_score{model=\"mice\"} 0.25\n"),
                    HasSubstr("genoserve_trainer_best_score{model=\"mice\"} 0.5\n"),
                    HasSubstr("genoserve_trainer_best_step{model=\"mice\"} 600\n"),
                    HasSubstr("genoserve_trainer_validations_total{model=\"mice\"} 2\n"),
                    HasSubstr("genoserve_trainer_validation{model=\"mice\",figure=\"coverage.f1\"} 0.5\n")));
}

TEST_F(TrainingMetricsTest, ARollBackIsCountedAndTheStepGoesBack) {
  metrics_.OnStep(501, {});
  metrics_.OnRollBack(501, 400, "the loss is not finite");
  EXPECT_THAT(metrics_.Serialize(), AllOf(HasSubstr("genoserve_trainer_step{model=\"mice\"} 400\n"),
                                          HasSubstr("genoserve_trainer_roll_backs_total{model=\"mice\"} 1\n")));
}

TEST_F(TrainingMetricsTest, ALongSilenceIsAStallUntilSomethingHappensOrTheLoopEnds) {
  clock_.Advance(TrainingMetrics::kStall - absl::Seconds(1));
  EXPECT_EQ(metrics_.WhyStalled(), "");
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(metrics_.WhyStalled(), "no step, validation or checkpoint for 30 min 00 s");
  metrics_.OnCheckpoint(500, 1, absl::Seconds(1));
  EXPECT_EQ(metrics_.WhyStalled(), "");
  clock_.Advance(absl::Hours(2));
  EXPECT_NE(metrics_.WhyStalled(), "");
  metrics_.OnEnd();
  EXPECT_EQ(metrics_.WhyStalled(), "") << "the figures of the end take as long as they take";
}

}  // namespace
}  // namespace genoserve

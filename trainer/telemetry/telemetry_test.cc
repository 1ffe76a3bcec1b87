#include "trainer/telemetry/telemetry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/http/test_get.h"

namespace genoserve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class TelemetryTest : public testing::Test {
 protected:
  TelemetryTest()
      : folder_(JoinPath(testing::TempDir(), testing::UnitTest::GetInstance()->current_test_info()->name())) {
    EXPECT_TRUE(FileSystem::Posix().Remove(folder_).ok());
  }
  ~TelemetryTest() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  absl::StatusOr<std::unique_ptr<Telemetry>> Start(const v1::TrainSchedule& schedule) {
    return Telemetry::Start(schedule, {"mice", "wgan-gp", "cpu", "1.2.3", 0, 100}, Clock::Real(),
                            [](absl::string_view line) { ADD_FAILURE() << line; });
  }

  // A port that is free.
  static int FreePort() {
    const auto server = HttpServer::Start("127.0.0.1", 0, {});
    return server.ok() ? (*server)->port() : 0;
  }

  const std::string folder_;
};

TEST_F(TelemetryTest, OneStepIsSeenByPrometheusAndTensorBoard) {
  v1::TrainSchedule schedule;
  schedule.set_metrics_port(FreePort());
  schedule.set_tensorboard(folder_);
  const auto telemetry = Start(schedule);
  ASSERT_TRUE(telemetry.ok()) << telemetry.status();
  (*telemetry)->OnStep(1, {{"critic", 3}});
  (*telemetry)->OnEnd();
  EXPECT_THAT(HttpGet(schedule.metrics_port(), "/metrics"),
              AllOf(StartsWith("200\n"), HasSubstr("genoserve_trainer_loss{model=\"mice\",loss=\"critic\"} 3\n")));
  EXPECT_EQ(HttpGet(schedule.metrics_port(), "/livez"), "200\nok\n");
  const auto names = FileSystem::Posix().ListFolder(folder_);
  ASSERT_TRUE(names.ok()) << names.status();
  ASSERT_THAT(*names, SizeIs(1));
  EXPECT_THAT(FileSystem::Posix().ReadFile(JoinPath(folder_, names->front()), 1 << 20).value(),
              AllOf(HasSubstr("brain.Event:2"), HasSubstr("loss/critic")));
}

TEST_F(TelemetryTest, NothingIsOpenedThatNobodyAskedFor) {
  const auto telemetry = Start({});
  ASSERT_TRUE(telemetry.ok()) << telemetry.status();
  (*telemetry)->OnStep(1, {{"critic", 3}});
  EXPECT_FALSE(FileSystem::Posix().Exists(folder_));
}

TEST_F(TelemetryTest, APortThatIsTakenIsToldBeforeTheTraining) {
  const auto taken = HttpServer::Start("127.0.0.1", 0, {});
  ASSERT_TRUE(taken.ok()) << taken.status();
  v1::TrainSchedule schedule;
  schedule.set_metrics_port((*taken)->port());
  const absl::Status status = Start(schedule).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("127.0.0.1:", (*taken)->port())));
}

}  // namespace
}  // namespace genoserve

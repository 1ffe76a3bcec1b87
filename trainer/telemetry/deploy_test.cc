// Dashboards, alerts and the page about them name what a trainer exposes.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/base/file.h"
#include "trainer/telemetry/metrics.h"

namespace genoserve {
namespace {

TEST(DeployTest, DashboardsAlertsAndDocsKnowTheMetrics) {
  FakeClock clock;
  TrainingMetrics metrics({"mice", "wgan-gp", "cpu", "1.2.3", 0, 100}, clock);
  metrics.OnStep(1, {{"critic", 1}});
  metrics.OnValidation(1, 0.5, {{"coverage.f1", 0.5}}, true);
  metrics.OnCheckpoint(1, 1, absl::Seconds(1));
  metrics.OnRollBack(1, 0, "the loss is not finite");
  const std::string path = JoinPath(testing::TempDir(), "trainer.metrics");
  ASSERT_TRUE(FileSystem::Posix().WriteFile(path, metrics.Serialize()).ok());
  EXPECT_EQ(std::system((std::string(GENOSERVE_ORACLES) + " tests/deploy_files.py " + path + " >&2").c_str()), 0);
  FileSystem::Posix().Remove(path).IgnoreError();
}

}  // namespace
}  // namespace genoserve

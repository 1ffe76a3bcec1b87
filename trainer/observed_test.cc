// A training that is watched by a monitor, through the real program: metrics, probe and event files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/http/http_server.h"
#include "core/http/test_get.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ObservedTest : public testing::Test {
 protected:
  ObservedTest() : data_(absl::StrCat("ob-", testing::UnitTest::GetInstance()->current_test_info()->name())) {}

  std::vector<std::string> Training(int port) const {
    std::vector<std::string> arguments = data_.AcganArguments("store", 40, 2);
    arguments.insert(arguments.end(), {"--metrics-port", absl::StrCat(port), "--tensorboard", data_.Path("events")});
    return arguments;
  }

  TestData data_;
};

TEST_F(ObservedTest, MetricsAndProbeAnswerUntilTheVersionIsThere) {
  const int port = FreePort();
  std::string training;
  std::string alive;
  std::string measuring;
  const ProgramResult result =
      RunTrainer(Training(port), {.when = {{"validation after step 20",
                                            [&] {
                                              training = HttpGet(port, "/metrics");
                                              alive = HttpGet(port, "/livez");
                                            }},
                                           {"genoserve-trainer: ", [&] { measuring = HttpGet(port, "/metrics"); }}}});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(training, AllOf(StartsWith("200\n"), HasSubstr("arch=\"acgan\""),
                              HasSubstr("genoserve_trainer_planned_steps{model=\"tiny\"} 40"),
                              ContainsRegex("genoserve_trainer_best_step\\{model=\"tiny\"\\} 20")));
  EXPECT_THAT(alive, StartsWith("200\n"));
  EXPECT_THAT(measuring, AllOf(StartsWith("200\n"), HasSubstr("genoserve_trainer_step{model=\"tiny\"} 40")))
      << "a probe without an answer would have the figures cut off";
  EXPECT_THAT(data_.FilesUnder("events"), ElementsAre(HasSubstr("events.out.tfevents.")));
}

TEST_F(ObservedTest, APortThatIsTakenIsToldBeforeTheFirstStep) {
  const auto other = HttpServer::Start("127.0.0.1", 0, {});
  ASSERT_TRUE(other.ok()) << other.status();
  const int port = (*other)->port();
  const ProgramResult result = RunTrainer(Training(port));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr(absl::StrCat("127.0.0.1:", port)), Not(HasSubstr("step 1/40"))));
}

}  // namespace
}  // namespace genoserve

// Event files as TensorBoard's own reader sees them.
#include "trainer/telemetry/tensorboard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/file.h"

namespace genoserve {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using testing::FieldsAre;
using testing::HasSubstr;
using testing::Key;
using testing::Pair;
using testing::UnorderedElementsAre;

using Points = std::vector<std::pair<int64_t, double>>;

class TensorBoardTest : public testing::Test {
 protected:
  TensorBoardTest()
      : folder_(JoinPath(testing::TempDir(), testing::UnitTest::GetInstance()->current_test_info()->name())) {
    EXPECT_TRUE(FileSystem::Posix().Remove(folder_).ok());
  }
  ~TensorBoardTest() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  std::unique_ptr<TensorBoardWriter> Create(int64_t first_step) {
    auto writer = TensorBoardWriter::Create(folder_, first_step, clock_,
                                            [this](absl::string_view line) { said_.emplace_back(line); });
    EXPECT_TRUE(writer.ok()) << writer.status();
    return writer.ok() ? *std::move(writer) : nullptr;
  }
  // Steps up to `last`, each in `took`, whose loss is the number of the step.
  void Step(TensorBoardWriter& writer, int64_t first, int64_t last, absl::Duration took) {
    for (int64_t step = first; step <= last; ++step) {
      clock_.Advance(took);
      writer.OnStep(step, {{"critic", static_cast<double>(step)}});
    }
  }
  // What TensorBoard shows of the folder.
  std::map<std::string, Points> Read() const {
    const std::string command = std::string(GENOSERVE_ORACLES) + " tests/read_events.py " + folder_;
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return {};
    std::string out;
    std::array<char, 4096> buffer{};
    while (const size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), size);
    EXPECT_EQ(::pclose(pipe), 0);
    const nlohmann::json json = nlohmann::json::parse(out, nullptr, false);
    EXPECT_TRUE(json.is_object()) << out;
    return json.is_object() ? json.get<std::map<std::string, Points>>() : std::map<std::string, Points>();
  }

  const std::string folder_;
  FakeClock clock_{absl::FromUnixSeconds(1700000000)};
  std::vector<std::string> said_;
};

TEST_F(TensorBoardTest, ShowsMeansOfLossesSpeedAndFigures) {
  const auto writer = Create(0);
  ASSERT_NE(writer, nullptr);
  Step(*writer, 1, 25, absl::Milliseconds(100));
  clock_.Advance(absl::Minutes(5));
  writer->OnValidation(25, 0.5, {{"coverage.f1", 0.75}, {"mia.auc", 0.5}}, true);
  Step(*writer, 26, 27, absl::Milliseconds(100));
  writer->OnEnd();
  EXPECT_THAT(Read(),
              UnorderedElementsAre(
                  Pair("loss/critic", ElementsAre(FieldsAre(10, 5.5), FieldsAre(20, 15.5), FieldsAre(27, 24))),
                  Pair("speed/steps_per_second", ElementsAre(FieldsAre(10, 10), FieldsAre(20, 10), FieldsAre(27, 10))),
                  Pair("validation/score", ElementsAre(FieldsAre(25, 0.5))),
                  Pair("validation/coverage.f1", ElementsAre(FieldsAre(25, 0.75))),
                  Pair("validation/mia.auc", ElementsAre(FieldsAre(25, 0.5)))))
      << "the five minutes of the validation are no part of the steps' speed";
}

TEST_F(TensorBoardTest, PointsAreBoundedByTimeHoweverFastOrSlowTheStepsAre) {
  const auto fast = Create(0);
  ASSERT_NE(fast, nullptr);
  Step(*fast, 1, 5000, absl::Milliseconds(1));
  EXPECT_THAT(Read()["loss/critic"], testing::SizeIs(5)) << "one a second, not one in ten steps";
  Step(*fast, 5001, 5002, absl::Seconds(20));
  EXPECT_THAT(Read()["loss/critic"], testing::SizeIs(7)) << "slow steps do not wait for nine others";
}

TEST_F(TensorBoardTest, AResumedRunReplacesWhatWasAfterItsCheckpoint) {
  {
    const auto killed = Create(0);
    ASSERT_NE(killed, nullptr);
    Step(*killed, 1, 40, absl::Milliseconds(100));
  }
  clock_.Advance(absl::Minutes(1));
  const auto resumed = Create(25);
  ASSERT_NE(resumed, nullptr);
  for (int64_t step = 26; step <= 35; ++step) {
    clock_.Advance(absl::Milliseconds(100));
    resumed->OnStep(step, {{"critic", -1}});
  }
  EXPECT_THAT(FileSystem::Posix().ListFolder(folder_).value(), testing::SizeIs(2)) << "a file a run";
  EXPECT_THAT(Read()["loss/critic"], ElementsAre(FieldsAre(10, 5.5), FieldsAre(20, 15.5), FieldsAre(35, -1)));
}

TEST_F(TensorBoardTest, ARollBackReplacesWhatWasAfterItsGoal) {
  const auto writer = Create(0);
  ASSERT_NE(writer, nullptr);
  Step(*writer, 1, 35, absl::Milliseconds(100));
  writer->OnRollBack(35, 15, "the loss is not finite");
  Step(*writer, 16, 25, absl::Milliseconds(200));
  EXPECT_THAT(Read()["loss/critic"], ElementsAre(FieldsAre(10, 5.5), FieldsAre(25, 20.5)));
}

TEST_F(TensorBoardTest, AFullDiskIsToldOnceAndLeavesAGap) {
  const auto writer = Create(0);
  ASSERT_NE(writer, nullptr);
  Step(*writer, 1, 10, absl::Milliseconds(100));
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = 1;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  Step(*writer, 11, 30, absl::Milliseconds(100));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  Step(*writer, 31, 40, absl::Milliseconds(100));
  EXPECT_THAT(said_, ElementsAre(HasSubstr("TensorBoard misses points: ")));
  EXPECT_THAT(Read()["loss/critic"], ElementsAre(FieldsAre(10, 5.5), FieldsAre(40, 35.5)));
}

}  // namespace
}  // namespace genoserve

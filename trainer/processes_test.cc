// Trainings that several processes share, through the real program on this machine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class ProcessesTest : public testing::Test {
 protected:
  ProcessesTest() : data_(absl::StrCat("pr-", testing::UnitTest::GetInstance()->current_test_info()->name())) {}

  std::vector<std::string> Training(const std::string& store) const { return data_.AcganArguments(store, 6, 2); }
  static std::vector<std::string> Plus(std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  // Two processes, by rank. The store of process 1 is another one, which must stay as it is; the signal is for
  // process 0.
  static std::vector<ProgramResult> RunTwo(const std::vector<std::string>& first,
                                           const std::vector<std::string>& second, ProgramOptions options = {}) {
    options.environment = {{"MASTER_ADDR", "127.0.0.1"},
                           {"MASTER_PORT", absl::StrCat(FreePort())},
                           {"WORLD_SIZE", "2"},
                           {"RANK", "0"},
                           {"GENOSERVE_PEER_TIMEOUT", "120"},
                           {"OMP_NUM_THREADS", "1"},
                           {"GLOO_SOCKET_IFNAME", "lo"}};
    ProgramOptions other;
    other.environment = options.environment;
    other.environment["RANK"] = "1";
    std::vector<ProgramResult> results(2);
    std::thread peer([&] { results[1] = RunTrainer(second, other); });
    results[0] = RunTrainer(first, options);
    peer.join();
    return results;
  }

  TestData data_;
};

TEST_F(ProcessesTest, TwoPublishOneVersionAlsoAfterASignal) {
  const ProgramOptions signal = {.signal = SIGTERM, .signal_at = "validating after step 3"};
  std::vector<ProgramResult> both = RunTwo(Training("store"), Training("none"), signal);
  EXPECT_THAT(both, Each(Field(&ProgramResult::exit_code, 130))) << both[0].err << both[1].err;
  EXPECT_THAT(data_.FilesUnder("store"), ElementsAre(".checkpoints/tiny.ckpt"));

  both = RunTwo(Plus(Training("store"), {"--resume"}), Plus(Training("none"), {"--resume"}));
  EXPECT_THAT(both, Each(Field(&ProgramResult::exit_code, 0))) << both[0].err << both[1].err;
  EXPECT_THAT(both[0].err, AllOf(HasSubstr("tiny.ckpt after step 3"), HasSubstr("validation after step 6")));
  EXPECT_THAT(both[0].out, HasSubstr("published tiny version 1 "));
  EXPECT_THAT(both[1].out, IsEmpty());
  EXPECT_THAT(data_.FilesUnder("store"), Each(StartsWith("tiny/1/")));
  EXPECT_THAT(data_.FilesUnder(""), Each(Not(StartsWith("none")))) << "process 1 needs no store";

  both = RunTwo(Plus(Training("store"), {"--watch"}), Plus(Training("none"), {"--watch"}));
  EXPECT_THAT(both, Each(Field(&ProgramResult::exit_code, 0))) << both[0].err << both[1].err;
  EXPECT_THAT(both[0].err, HasSubstr("nothing to train"));
  EXPECT_THAT(data_.FilesUnder("store"), Each(StartsWith("tiny/1/")));
}

TEST_F(ProcessesTest, OtherSettingsAreRefusedByAll) {
  const std::vector<ProgramResult> both = RunTwo(Training("store"), Plus(Training("none"), {"--seed", "9"}));
  EXPECT_THAT(both, Each(AllOf(Field(&ProgramResult::exit_code, 2),
                               Field(&ProgramResult::err, HasSubstr("data or settings")))));
}

TEST_F(ProcessesTest, ChainAndSweepWantOneProcess) {
  const ProgramOptions two = {
      .environment = {
          {"WORLD_SIZE", "2"}, {"RANK", "0"}, {"MASTER_ADDR", "127.0.0.1"}, {"MASTER_PORT", absl::StrCat(FreePort())}}};
  const ProgramResult chain =
      RunTrainer({"train", "--arch", "chain", "--vcf", data_.Path("real.vcf"), "--panel", data_.Path("panel.tsv"),
                  "--label-column", "pop", "--store", data_.Path("store"), "--create-store", "--model", "tiny"},
                 two);
  EXPECT_EQ(chain.exit_code, 2);
  EXPECT_THAT(chain.err, HasSubstr("chain is learned by one process"));
  const std::string config =
      data_.Write("sweep.txtpb", absl::StrCat("arch: 'acgan' input { vcf: '", data_.Path("real.vcf"), "' panel: '",
                                              data_.Path("panel.tsv"), "' label_column: 'pop' } output { store: '",
                                              data_.Path("store"),
                                              "' model: 'tiny' } sweep { field: 'schedule.seed' values: ['1', '2'] }"));
  const ProgramResult sweep = RunTrainer({"sweep", "--config", config, "--out", data_.Path("runs")}, two);
  EXPECT_EQ(sweep.exit_code, 2);
  EXPECT_THAT(sweep.err, HasSubstr("sweep trains one run after another in one process"));
}

}  // namespace
}  // namespace genoserve

#include "client/cli/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "client/cli/end_to_end.h"
#include "client/cli/exit_code.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(FormatStatusTest, TellsStatesReasonsAndTheStore) {
  v1::ServerStatus status;
  v1::VersionStatus& failed = *status.add_versions();
  failed.set_model("five");
  failed.set_version("3");
  failed.set_state(v1::MODEL_STATE_FAILED);
  failed.set_quarantined(true);
  failed.set_attempts(1);
  failed.set_reason("weights.safetensors: its SHA-256 is not that of the manifest");
  v1::VersionStatus& serving = *status.add_versions();
  serving.set_model("five");
  serving.set_version("2");
  serving.set_state(v1::MODEL_STATE_SERVING);
  serving.set_is_default(true);
  serving.add_labels("stable");
  serving.set_pinned(true);
  serving.set_memory_bytes(4'200'000);
  status.set_store_error("the bucket is away");
  status.set_memory_bytes(4'200'000);
  status.set_memory_budget(1'000'000'000);
  const std::string text = FormatStatus(status);
  EXPECT_THAT(text,
              AllOf(HasSubstr("failed, quarantined"), HasSubstr("serving (default)"), HasSubstr("stable,(pinned)"),
                    HasSubstr("five@3 after 1 attempt: weights.safetensors: its SHA-256"),
                    HasSubstr("cannot be read: the bucket is away; last read never"), HasSubstr("4.2 MB of 1.0 GB")));
}

class AdminCommandTest : public EndToEndTest {};

TEST_F(AdminCommandTest, AServerIsToldAndTells) {
  PublishNextVersion();
  EXPECT_THAT(Run({"models", "status"}).out,
              AllOf(HasSubstr(kHaplotypes), HasSubstr(kDiploid), HasSubstr("read at 2")));
  const ProgramResult one = Run({"models", "status", kDiploid});
  EXPECT_THAT(one.out, AllOf(HasSubstr("serving (default)"), Not(HasSubstr(kHaplotypes))));
  const std::string model = kHaplotypes;
  ASSERT_EQ(Run({"admin", "label", model, "stable", "1"}).exit_code, 0);
  EXPECT_THAT(Run({"models", "status", model, "--json"}).out, HasSubstr("\"stable\""));
  ASSERT_EQ(Run({"admin", "label", model, "stable", "--remove"}).exit_code, 0);
  EXPECT_THAT(Run({"admin", "pin", model + "@2"}).out, HasSubstr("stays loaded"));
  const ProgramResult pinned = Run({"admin", "unload", model});
  EXPECT_NE(pinned.exit_code, 0);
  EXPECT_THAT(pinned.err, HasSubstr("pinned"));
  ASSERT_EQ(Run({"admin", "pin", model + "@2", "--remove"}).exit_code, 0);
  ASSERT_EQ(Run({"admin", "unload", model}).exit_code, 0);
  // It comes back for whoever asks, who waits meanwhile.
  EXPECT_EQ(Run({"fetch", model, "-n", "10", "-o", Path("back"), "-q"}).exit_code, 0);
}

TEST_F(AdminCommandTest, WrongWordsAreToldApart) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"admin", "pin", "haplotypes"}, {"admin", "label", "haplotypes", "stable"}, {"admin"}, {"admin", "rety"}}) {
    EXPECT_EQ(Run(words).exit_code, kExitUsage);
  }
  EXPECT_THAT(Run({"admin", "pin", "haplotypes"}).err, HasSubstr("a version is needed too, as in haplotypes@3"));
  const ProgramResult none = Run({"admin", "retry", "nothing@1"});
  EXPECT_THAT(none.err, HasSubstr("nothing"));
  EXPECT_NE(none.exit_code, 0);
  EXPECT_THAT(Run({"admin", "reload"}).err, HasSubstr("without --config"));
}

}  // namespace
}  // namespace genoserve

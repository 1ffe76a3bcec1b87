#include "client/cli/part_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/json_file.h"
#include "core/base/file.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

// 5,000 samples in two ranges, the first of which has 1,024 of 2,048.
v1::CohortPart State() {
  v1::CohortPart state;
  state.set_format_version(kCohortPartVersion);
  state.set_format("bcf");
  v1::StreamCohortRequest& request = *state.mutable_request();
  request.set_model("five");
  request.set_version("2");
  request.set_seed(7);
  request.set_cohort_size(5000);
  v1::CohortHeader& header = *state.mutable_header();
  header.set_model("five");
  header.set_version("2");
  header.set_seed(7);
  header.set_variant_count(10);
  header.set_cohort_size(5000);
  header.set_sample_count(5000);
  v1::CohortPartRange* first = state.add_ranges();
  first->set_sample_count(2048);
  first->set_done(1024);
  first->set_block_digests(std::string(32, 'd'));
  state.add_ranges()->set_sample_count(2952);
  return state;
}

class PartStateTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    part_ = Path("c.bcf.part");
  }

  void WriteText(const std::string& text) {
    ASSERT_TRUE(FileSystem::Posix().WriteFile(PartStatePath(part_), text).ok());
  }
  absl::Status Read(const v1::CohortPart& state) {
    EXPECT_TRUE(WriteJsonFile(state, PartStatePath(part_)).ok());
    return ReadPartState(part_).status();
  }

  std::string part_;
};

TEST_F(PartStateTest, ReadsBackWhatWasWritten) {
  ASSERT_EQ(Read(State()), absl::OkStatus());
  const auto state = ReadPartState(part_);
  EXPECT_EQ(state->SerializeAsString(), State().SerializeAsString());
  EXPECT_EQ(DoneSamples(*state), 1024);
  ASSERT_EQ(BlockDigests(state->ranges(0)).size(), 1u);
  EXPECT_EQ(BlockDigests(state->ranges(0))[0][31], 'd');
  EXPECT_EQ(RemovePart(part_), absl::OkStatus());
  EXPECT_TRUE(absl::IsNotFound(ReadPartState(part_).status()));
}

TEST_F(PartStateTest, TextThatIsNoStateIsToldWithWhatToDo) {
  const std::string whole = [this] {
    EXPECT_TRUE(WriteJsonFile(State(), PartStatePath(part_)).ok());
    return FileSystem::Posix().ReadFile(PartStatePath(part_), 1 << 20).value();
  }();
  std::string wrong_type = whole;
  wrong_type.replace(wrong_type.find("\"1024\""), 6, "\"many\"");
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("null"), std::string("{}"),
        std::string("\xff\xfe{}", 4), std::string(1000, '\0'), whole.substr(0, whole.size() / 2), wrong_type,
        std::string(100'000, '['), absl::StrCat("{\"ranges\":", std::string(100'000, '{')),
        std::string("{\"format_version\":99999999999999999999}")}) {
    WriteText(text);
    const absl::Status status = ReadPartState(part_).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << text.substr(0, 40);
    EXPECT_THAT(Message(status), HasSubstr("c.bcf.part.json: "));
    EXPECT_THAT(Message(status), HasSubstr("--force begins anew"));
  }
}

TEST_F(PartStateTest, StatesThatMakeNoSenseAreRefused) {
  const std::function<void(v1::CohortPart*)> changes[] = {
      [](v1::CohortPart* state) { state->set_format_version(kCohortPartVersion + 1); },
      [](v1::CohortPart* state) { state->set_format_version(0); },
      [](v1::CohortPart* state) { state->clear_header(); },
      [](v1::CohortPart* state) { state->clear_ranges(); },
      [](v1::CohortPart* state) { state->mutable_request()->set_seed(8); },
      [](v1::CohortPart* state) { state->mutable_request()->set_model("six"); },
      [](v1::CohortPart* state) { state->mutable_header()->set_sample_count(4999); },
      [](v1::CohortPart* state) { state->mutable_header()->set_first_sample(1); },
      [](v1::CohortPart* state) { state->mutable_header()->set_first_sample(-1); },
      [](v1::CohortPart* state) { state->mutable_header()->set_variant_count(0); },
      [](v1::CohortPart* state) {
        state->mutable_header()->set_cohort_size(INT64_MAX);
        state->mutable_header()->set_sample_count(INT64_MAX);
      },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->set_sample_count(2000); },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->set_sample_count(INT64_MAX); },
      [](v1::CohortPart* state) { state->mutable_ranges(1)->set_sample_count(-1); },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->set_done(2048); },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->set_done(1000); },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->set_done(-1024); },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->set_done(4096); },
      [](v1::CohortPart* state) { state->mutable_ranges(0)->clear_block_digests(); },
      [](v1::CohortPart* state) { state->mutable_ranges(1)->set_block_digests("x"); },
      [](v1::CohortPart* state) {
        for (int i = 0; i < kMostRanges; ++i) state->add_ranges()->set_sample_count(1);
      },
  };
  for (const auto& change : changes) {
    v1::CohortPart state = State();
    change(&state);
    const absl::Status status = Read(state);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << state.ShortDebugString();
    EXPECT_THAT(Message(status), HasSubstr("--force begins anew"));
  }
}

TEST_F(PartStateTest, AnotherRequestIsNamedByWhatDiffers) {
  const std::pair<std::function<void(v1::CohortPart*)>, const char*> changes[] = {
      {[](v1::CohortPart* asked) { asked->mutable_request()->set_model("six"); }, "the model is six, not five"},
      {[](v1::CohortPart* asked) { asked->mutable_request()->set_version("3"); }, "the version is 3, not 2"},
      {[](v1::CohortPart* asked) { asked->mutable_request()->set_seed(8); }, "--seed is 8, not 7"},
      {[](v1::CohortPart* asked) { asked->mutable_request()->set_cohort_size(10); }, "samples is 10, not 5000"},
      {[](v1::CohortPart* asked) { asked->mutable_request()->add_regions()->set_contig("1"); }, "-r or -R"},
      {[](v1::CohortPart* asked) { asked->set_format("vcf.gz, index tbi"); },
       "the format is vcf.gz, index tbi, not bcf"},
      {[](v1::CohortPart* asked) { asked->set_conditions_digest("d"); }, "--pheno-file"},
      {[](v1::CohortPart* asked) { asked->mutable_request()->mutable_condition()->add_phenotypes()->set_number(3); },
       "--pheno "},
      {[](v1::CohortPart* asked) {
         asked->mutable_request()->mutable_condition()->mutable_label_counts()->add_counts()->set_count(3);
       },
       "--pop"},
      {[](v1::CohortPart* asked) { asked->mutable_request()->mutable_condition()->set_extrapolate(true); },
       "--extrapolate is given"},
      {[](v1::CohortPart* asked) {
         asked->mutable_request()->set_first_sample(1024);
         asked->mutable_request()->set_sample_count(1024);
       },
       "--shard is samples 1024 to 2047, not all samples"},
  };
  EXPECT_EQ(CheckSameRequest(State(), State()), absl::OkStatus());
  for (const auto& [change, message] : changes) {
    v1::CohortPart asked = State();
    change(&asked);
    const absl::Status status = CheckSameRequest(State(), asked);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(Message(status), HasSubstr(message));
  }
}

}  // namespace
}  // namespace genoserve

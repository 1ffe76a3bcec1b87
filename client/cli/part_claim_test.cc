#include "client/cli/part_claim.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "client/cli/json_file.h"
#include "client/cli/part_state.h"
#include "core/base/file.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PartClaimTest : public FolderTest {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    plan_ = *PlanOutput({Path("c.bcf"), "", "", ""});
  }

  // A fetch of 2,000 samples of which this many are kept.
  void WriteState(int64_t done) const {
    v1::CohortPart state;
    state.set_format_version(kCohortPartVersion);
    state.mutable_request()->set_seed(7);
    state.mutable_header()->set_seed(7);
    state.mutable_header()->set_variant_count(10);
    state.mutable_header()->set_cohort_size(2000);
    state.mutable_header()->set_sample_count(2000);
    v1::CohortPartRange* range = state.add_ranges();
    range->set_sample_count(2000);
    range->set_done(done);
    range->set_block_digests(std::string(static_cast<size_t>(32 * DigestBlocks(0, done)), 'd'));
    ASSERT_TRUE(WriteJsonFile(state, PartStatePath(plan_.part)).ok());
  }

  OutputPlan plan_;
};

TEST_F(PartClaimTest, OneProgramAtATimeHasAPart) {
  {
    const auto lock = PartLock::Take(plan_.part);
    ASSERT_TRUE(lock.ok()) << lock.status();
    EXPECT_EQ(PartLock::Take(plan_.part).status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_TRUE(RemovePart(plan_.part).ok());
    // What was removed is no longer the part.
    EXPECT_TRUE(PartLock::Take(plan_.part).ok());
  }
  EXPECT_TRUE(PartLock::Take(plan_.part).ok());
}

TEST_F(PartClaimTest, GoesOnWithWhatIsKeptUntilItIsForgotten) {
  WriteState(1024);
  PartClaim claim(plan_, false);
  ASSERT_EQ(claim.Look(), absl::OkStatus());
  EXPECT_THAT(Names(), ElementsAre("c.bcf.part.json"));
  ASSERT_EQ(claim.Take(), absl::OkStatus());
  ASSERT_NE(claim.kept(), nullptr);
  EXPECT_EQ(DoneSamples(*claim.kept()), 1024);
  EXPECT_EQ(claim.Forget(), absl::OkStatus());
  EXPECT_EQ(claim.kept(), nullptr);
  EXPECT_THAT(Names(), ElementsAre("c.bcf.part.samples"));
}

TEST_F(PartClaimTest, AnewNothingCountsAndTheOldStateGoes) {
  WriteState(1024);
  ASSERT_TRUE(FileSystem::Posix().WriteFile(plan_.path, "old").ok());
  PartClaim claim(plan_, true);
  ASSERT_EQ(claim.Look(), absl::OkStatus());
  ASSERT_EQ(claim.Take(), absl::OkStatus());
  EXPECT_EQ(claim.kept(), nullptr);
  EXPECT_EQ(claim.Forget(), absl::OkStatus());
  EXPECT_THAT(Names(), ElementsAre("c.bcf", "c.bcf.part.samples"));
}

TEST_F(PartClaimTest, WhatOthersChangedSinceTheLookIsSeen) {
  const std::function<void()> changes[] = {
      [this] { WriteState(0); },     // begun
      [this] { WriteState(1024); },  // gone on
      [this] { EXPECT_EQ(RemovePart(plan_.part), absl::OkStatus()); },
  };
  for (const auto& change : changes) {
    PartClaim claim(plan_, false);
    ASSERT_EQ(claim.Look(), absl::OkStatus());
    change();
    const absl::Status status = claim.Take();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("has changed it meanwhile"));
  }
}

TEST_F(PartClaimTest, AFileThatIsThereIsNotReplaced) {
  PartClaim claim(plan_, false);
  ASSERT_EQ(claim.Look(), absl::OkStatus());
  ASSERT_TRUE(FileSystem::Posix().WriteFile(plan_.path, "x").ok());
  EXPECT_EQ(claim.Take().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(PartClaim(plan_, false).Look().code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(PartClaimTest, StandardOutputHasNothingToHold) {
  const OutputPlan out = *PlanOutput({"-", "", "", ""});
  PartClaim claim(out, false);
  EXPECT_EQ(claim.Look(), absl::OkStatus());
  EXPECT_EQ(claim.Take(), absl::OkStatus());
  EXPECT_EQ(claim.Forget(), absl::OkStatus());
  EXPECT_FALSE(claim.taken());
  EXPECT_EQ(claim.fd(), -1);
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace genoserve

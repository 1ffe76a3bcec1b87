#include "trainer/dataset/label_counts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(LabelCountsTest, NamesLabelsWithFewSamples) {
  EXPECT_EQ(CheckLabelCounts({"north", "south"}, {20, 500}, 2).value(), "");
  EXPECT_THAT(CheckLabelCounts({"north", "south", "west"}, {19, 20, 2}, 2).value(),
              AllOf(HasSubstr("north (19), west (2)"), Not(HasSubstr("south"))));
}

TEST(LabelCountsTest, RefusesLabelsWithTooFew) {
  const absl::Status status = CheckLabelCounts({"north", "south", "west"}, {1, 20, 2}, 2).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("fewer than 2 training samples: north (1);"), HasSubstr("min_label_samples")));
}

}  // namespace
}  // namespace genoserve

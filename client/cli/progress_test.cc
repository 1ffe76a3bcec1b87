#include "client/cli/progress.h"

#include <gtest/gtest.h>

namespace genoserve {
namespace {

TEST(ProgressTest, TellsRateAndTimeLeft) {
  EXPECT_EQ(FormatProgress(0, 4200, 10000, 2'100'000, absl::Seconds(4)),
            "4,200 of 10,000 samples (42 %), 1,050 samples/s, 2.1 MB, 0:05 left");
  EXPECT_EQ(FormatProgress(0, 1, 100'000'000, 10, absl::Seconds(1)),
            "1 of 100,000,000 samples (0 %), 1 samples/s, 0.0 MB, 27777:46:39 left");
  // What an earlier run fetched says nothing of the rate of this one.
  EXPECT_EQ(FormatProgress(900, 1000, 2000, 50'000, absl::Seconds(1)),
            "1,000 of 2,000 samples (50 %), 100 samples/s, 0.1 MB, 0:10 left");
  EXPECT_EQ(FormatProgress(0, 10, 10, 1000, absl::ZeroDuration()),
            "10 of 10 samples (100 %), 10,000 samples/s, 0.0 MB");
}

TEST(ProgressTest, WritesALineEveryTenSecondsOffATerminal) {
  FakeClock clock;
  Progress progress(Progress::Style::kLines, 0, 100, clock);
  EXPECT_EQ(progress.Update(1, 10), "");
  clock.Advance(absl::Seconds(9));
  EXPECT_EQ(progress.Update(2, 20), "");
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(progress.Update(50, 500), "50 of 100 samples (50 %), 5 samples/s, 0.0 MB, 0:10 left\n");
  EXPECT_EQ(progress.Update(51, 510), "");
}

TEST(ProgressTest, RewritesOneLineOnATerminalAndNothingWhenQuiet) {
  FakeClock clock;
  Progress progress(Progress::Style::kTerminal, 0, 100, clock);
  Progress quiet(Progress::Style::kNone, 0, 100, clock);
  clock.Advance(absl::Seconds(1));
  EXPECT_EQ(progress.Update(50, 500), "\r\x1b[K50 of 100 samples (50 %), 50 samples/s, 0.0 MB, 0:01 left");
  EXPECT_EQ(progress.Update(51, 500), "");
  clock.Advance(absl::Hours(1));
  EXPECT_EQ(quiet.Update(60, 600), "");
}

}  // namespace
}  // namespace genoserve

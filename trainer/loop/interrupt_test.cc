#include "trainer/loop/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace genoserve {
namespace {

class InterruptDeathTest : public testing::Test {
 protected:
  InterruptDeathTest() { testing::GTEST_FLAG(death_test_style) = "threadsafe"; }
};

TEST_F(InterruptDeathTest, TheFirstSignalAsksAndTheSecondEnds) {
  EXPECT_EXIT(
      {
        CatchInterrupts();
        if (Interrupted()) ::_exit(1);
        std::raise(SIGTERM);
        if (!Interrupted()) ::_exit(2);
        std::raise(SIGINT);
      },
      testing::ExitedWithCode(130), "");
}

TEST_F(InterruptDeathTest, LongWorkIsCutOff) {
  EXPECT_EXIT(
      {
        CatchInterrupts(1);
        std::raise(SIGTERM);
        while (true) ::pause();
      },
      testing::ExitedWithCode(130), "the last checkpoint counts");
}

TEST_F(InterruptDeathTest, ACheckpointThatIsBeingWrittenIsNotCutOff) {
  EXPECT_EXIT(
      {
        CatchInterrupts();
        std::raise(SIGTERM);
        {
          const InterruptPause pause;
          std::raise(SIGALRM);  // the time is over
        }
        ::_exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace genoserve

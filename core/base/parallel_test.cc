#include "core/base/parallel.h"

#include <gmock/gmock.h>

#include <vector>

namespace genoserve {
namespace {

TEST(ParallelForTest, CallsEachOnce) {
  std::vector<int> calls(1000);
  ParallelFor(calls.size(), [&calls](size_t i) { ++calls[i]; });
  EXPECT_THAT(calls, testing::Each(1));
}

TEST(ParallelForTest, NothingToDo) {
  ParallelFor(0, [](size_t) { FAIL(); });
}

}  // namespace
}  // namespace genoserve

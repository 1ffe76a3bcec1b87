#include "core/kernels/latent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/kernels/test_targets.h"

namespace genoserve {
namespace {

TEST(LatentTest, ValuesAreThoseOfTheStreamToTheBit) {
  for (const size_t size : {1UL, 3UL, 8UL, 100UL, 511UL, 513UL, 30001UL}) {
    const PhiloxStream stream(11, size, 1, Purpose::kLatent);
    std::vector<float> wanted(size + 1, 9.0F);
    stream.FillNormal({wanted.data(), size});
    OnEachTarget([&] {
      std::vector<float> found(size + 1, 9.0F);
      FillLatent(stream, {found.data(), size});
      EXPECT_EQ(found, wanted) << size;
    });
  }
}

// Four million numbers reach far into the tails.
TEST(LatentTest, TailsToo) {
  std::vector<float> wanted(1 << 22);
  std::vector<float> found(wanted.size());
  const PhiloxStream stream(12, 0, 0, Purpose::kLatent);
  stream.FillNormal(wanted);
  FillLatent(stream, found);
  EXPECT_TRUE(found == wanted);
  const auto [lowest, highest] = std::minmax_element(found.begin(), found.end());
  EXPECT_LT(*lowest, -4.7F);
  EXPECT_GT(*highest, 4.7F);
}

}  // namespace
}  // namespace genoserve

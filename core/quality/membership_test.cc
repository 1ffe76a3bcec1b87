#include "core/quality/membership.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

TEST(MembershipTest, NearestRowsByHand) {
  const BitPlanes rows = BitPlanes::OfRows(Diploid({{0, 1, 2}, {2, 2, 2}}));
  const BitPlanes cohort = BitPlanes::OfRows(Diploid({{0, 0, 0}, {2, 1, 2}}));
  const BitPlanes reference = BitPlanes::OfRows(Diploid({{0, 1, 2}}));
  const std::vector<uint32_t> to_cohort = ClosestDistances(rows, cohort);
  EXPECT_EQ(to_cohort, (std::vector<uint32_t>{2, 1}));
  EXPECT_EQ(DistanceScores(to_cohort), (std::vector<double>{-2, -1}));
  // To the reference 0 and 3: the first row is nearer to it, the second nearer to the cohort.
  const std::vector<double> ratio = DensityRatioScores(to_cohort, ClosestDistances(rows, reference));
  EXPECT_DOUBLE_EQ(ratio[0], std::log(1.0 / 3.0));
  EXPECT_DOUBLE_EQ(ratio[1], std::log(4.0 / 2.0));
}

TEST(MembershipTest, FrequenciesByHand) {
  const std::vector<double> cohort = {0.75, 0.5};
  const std::vector<double> reference = {0.25, 0.5};
  // Of x = 0, 1/2 and 1 at the first variant: 1/4 - 3/4, 1/4 - 1/4, 3/4 - 1/4; the second tells nothing.
  const std::vector<double> diploid = FrequencyScores(Diploid({{0, 2}, {1, 0}, {2, 1}}), cohort, reference);
  EXPECT_EQ(diploid, (std::vector<double>{-0.5, 0, 0.5}));
  EXPECT_EQ(FrequencyScores(Haplotypes({{1, 0}, {0, 0}}), cohort, reference), (std::vector<double>{0.5, -0.5}));
}

}  // namespace
}  // namespace genoserve

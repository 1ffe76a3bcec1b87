#include "core/quality/distances.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

// Sum of |x - y| by one code after another.
uint32_t PlainDistance(const GenotypeMatrix& a, size_t i, const GenotypeMatrix& b, size_t j) {
  int sum = 0;
  for (size_t v = 0; v < a.variants(); ++v) sum += std::abs(a.Get(i, v) - b.Get(j, v));
  return static_cast<uint32_t>(sum);
}

// All rows of `to` but those of the sample of `row` (where rows_per_sample > 0), nearest first.
std::vector<Neighbour> PlainNearest(const GenotypeMatrix& from, size_t row, const GenotypeMatrix& to,
                                    size_t rows_per_sample) {
  std::vector<Neighbour> all;
  for (size_t j = 0; j < to.rows(); ++j) {
    if (rows_per_sample > 0 && j / rows_per_sample == row / rows_per_sample) continue;
    all.push_back({static_cast<uint32_t>(j), PlainDistance(from, row, to, j)});
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.distance < b.distance; });
  return all;
}

TEST(DistancesTest, HandWorked) {
  const BitPlanes a = BitPlanes::OfRows(Diploid({{0, 1, 2, 0, 0}, {2, 2, 2, 2, 2}, {0, 0, 0, 0, 0}}));
  const BitPlanes b = BitPlanes::OfRows(Diploid({{0, 1, 2, 0, 1}, {2, 1, 0, 0, 0}}));
  std::vector<std::vector<uint32_t>> all(3);
  VisitDistances(a, b, [&](size_t row, std::span<const uint32_t> distances) {
    all[row].assign(distances.begin(), distances.end());
  });
  EXPECT_EQ(all, (std::vector<std::vector<uint32_t>>{{1, 4}, {6, 7}, {4, 3}}));
  const Neighbours nearest = NearestAmong(a, b, 1);
  EXPECT_EQ(nearest.Of(0)[0], (Neighbour{0, 1}));
  EXPECT_EQ(nearest.Of(2)[0], (Neighbour{1, 3}));
  EXPECT_EQ(nearest.Closest(1), 6U);
}

TEST(DistancesTest, TheRowsOfOnesOwnSampleAreLeftOut) {
  const BitPlanes set = BitPlanes::OfRows(Haplotypes({{0, 0, 0}, {0, 0, 0}, {1, 1, 1}, {0, 1, 1}}));
  const Neighbours nearest = NearestOthers(set, 2, 2);
  EXPECT_EQ(nearest.Of(0)[0], (Neighbour{3, 2}));
  EXPECT_EQ(nearest.Of(0)[1], (Neighbour{2, 3}));
  EXPECT_EQ(nearest.Of(3)[0], (Neighbour{0, 2}));
  EXPECT_EQ(nearest.Of(3)[1], (Neighbour{1, 2}));
}

TEST(DistancesTest, EqualsThePlainSearch) {
  for (const bool phased : {false, true}) {
    // More rows than a block has, and more than a tile of the widest rows.
    const GenotypeMatrix a = TestCohort(1, 45, 300, phased).genotypes;
    const GenotypeMatrix b = TestCohort(2, 23, 300, phased).genotypes;
    const size_t per_sample = RowsPerSample(a.packing());
    const Neighbours among = NearestAmong(BitPlanes::OfRows(a), BitPlanes::OfRows(b), 7);
    const Neighbours others = NearestOthers(BitPlanes::OfRows(a), per_sample, 5);
    for (size_t row = 0; row < a.rows(); ++row) {
      const std::vector<Neighbour> to_b = PlainNearest(a, row, b, 0);
      const std::vector<Neighbour> to_a = PlainNearest(a, row, a, per_sample);
      EXPECT_TRUE(std::equal(among.Of(row).begin(), among.Of(row).end(), to_b.begin())) << row;
      EXPECT_TRUE(std::equal(others.Of(row).begin(), others.Of(row).end(), to_a.begin())) << row;
    }
  }
}

TEST(DistancesTest, WideRowsGoTileByTile) {
  const GenotypeMatrix a = TestCohort(1, 10, 20'000, false).genotypes;
  const GenotypeMatrix b = TestCohort(2, 60, 20'000, false).genotypes;
  const Neighbours among = NearestAmong(BitPlanes::OfRows(a), BitPlanes::OfRows(b), 3);
  for (size_t row = 0; row < a.rows(); ++row) {
    const std::vector<Neighbour> plain = PlainNearest(a, row, b, 0);
    EXPECT_TRUE(std::equal(among.Of(row).begin(), among.Of(row).end(), plain.begin())) << row;
  }
}

}  // namespace
}  // namespace genoserve

#include "core/quality/duplicates.h"

#include <gtest/gtest.h>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using Shares = std::vector<double>;

TEST(DuplicatesTest, FoundAmongOtherRows) {
  const GenotypeMatrix rows = Diploid({{0, 1, 2, 0, 1}, {0, 1, 2, 0, 2}, {2, 2, 2, 2, 2}});
  const GenotypeMatrix among = Diploid({{2, 2, 2, 2, 2}, {0, 1, 2, 0, 1}, {0, 0, 0, 0, 0}});
  EXPECT_EQ(FoundAmong(rows, among), (Shares{1, 0, 1}));
}

TEST(DuplicatesTest, TheOtherHaplotypeOfAPersonIsNoRepeat) {
  EXPECT_EQ(Repeated(Diploid({{0, 1}, {2, 2}, {0, 1}})), (Shares{1, 0, 1}));
  EXPECT_EQ(Repeated(Haplotypes({{0, 1}, {0, 1}, {1, 1}, {1, 0}, {1, 1}, {0, 0}})), (Shares{0, 0, 1, 0, 1, 0}));
  EXPECT_EQ(Repeated(Haplotypes({{0, 1}, {0, 1}, {0, 1}, {1, 0}})), (Shares{1, 1, 1, 0}));
}

TEST(DuplicatesTest, WindowsByCountOfVariants) {
  EXPECT_EQ(WindowWidth(1999), 40U);
  EXPECT_EQ(WindowWidth(2000), 200U);
  EXPECT_EQ(WindowCount(30), 1U);
  EXPECT_EQ(WindowCount(119), 2U);
  EXPECT_EQ(WindowCount(2000), 10U);
}

// Two whole windows of 40 variants and ten more, which are in none.
TEST(DuplicatesTest, WindowsAreFoundInTheirPlaceOnly) {
  for (const Packing packing : {Packing::kDiploid2Bit, Packing::kHaplotype1Bit}) {
    GenotypeMatrix rows(packing, 4, 90);
    GenotypeMatrix among(packing, 2, 90);
    for (size_t row = 0; row < 2; ++row) among.Set(row, 0, 1);
    among.Set(1, 45, 1);
    rows.Set(0, 0, 1);   // as row 0 of the others, to the end
    rows.Set(1, 45, 1);  // its second window only
    rows.Set(2, 0, 1);   // both, but of different rows, and the end does not count
    rows.Set(2, 85, 1);
    rows.Set(3, 44, 1);  // neither: what the others have at 45
    EXPECT_EQ(WindowsFoundAmong(rows, among), (Shares{1, 0.5, 1, 0}));
  }
}

TEST(DuplicatesTest, FewVariantsAreOneWindow) {
  const GenotypeMatrix rows = Haplotypes({{0, 1, 1}, {0, 0, 1}});
  EXPECT_EQ(WindowsFoundAmong(rows, Haplotypes({{0, 1, 1}, {1, 1, 1}})), (Shares{1, 0}));
}

}  // namespace
}  // namespace genoserve

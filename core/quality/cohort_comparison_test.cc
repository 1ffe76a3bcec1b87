#include "core/quality/cohort_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

TEST(DuplicatesTest, CountsCopiesAndRepeats) {
  const GenotypeMatrix real = Diploid({{0, 1}, {2, 2}, {2, 2}, {1, 1}});
  const GenotypeMatrix synthetic = Diploid({{2, 2}, {0, 0}, {0, 0}, {0, 0}, {1, 2}});
  const Duplicates duplicates = CountDuplicates(real, synthetic);
  EXPECT_EQ(duplicates.rows, 5);
  EXPECT_EQ(duplicates.found_in_real, 1);
  EXPECT_EQ(duplicates.repeated, 3);
  EXPECT_EQ(duplicates.real_rows, 4);
  EXPECT_EQ(duplicates.repeated_in_real, 2);
}

TEST(CohortComparisonTest, ComparesAllSamplesAndEachGroup) {
  const GenotypeMatrix real = Diploid({{0, 1}, {2, 1}, {1, 2}});
  const GenotypeMatrix synthetic = Diploid({{1, 2}, {2, 0}});
  const CohortComparison comparison =
      CompareCohorts(real, synthetic, VariantsOn({"1", "1"}), {{"north", {0, 1}, {0}}, {"south", {2}, {1}}}).value();
  ASSERT_EQ(comparison.frequencies.size(), 3);
  const FrequencyAgreement& north = comparison.frequencies[1];
  EXPECT_EQ(north.group, "north");
  EXPECT_EQ(north.real_samples, 2);
  EXPECT_EQ(north.synthetic_samples, 1);
  // 0.5 and 0.5 against 0.5 and 1.
  EXPECT_DOUBLE_EQ(north.agreement.max_difference, 0.5);
  // All: 0.5 and 2/3 against 3/4 and 1/2.
  EXPECT_DOUBLE_EQ(comparison.frequencies[0].agreement.max_difference, 0.25);
}

TEST(CohortComparisonTest, HaplotypesAndGenotypesAreComparedAsGenotypes) {
  const GenotypeMatrix real = Haplotypes({{0, 1}, {1, 1}, {0, 0}, {0, 1}});
  const GenotypeMatrix synthetic = Diploid({{1, 2}, {0, 1}, {0, 0}});
  const CohortComparison comparison = CompareCohorts(real, synthetic, VariantsOn({"1", "1"}), {}).value();
  EXPECT_EQ(comparison.duplicates.found_in_real, 2);
  EXPECT_EQ(comparison.duplicates.real_rows, 2);
}

TEST(CohortComparisonTest, RefusesEmptyAndForeignSets) {
  const GenotypeMatrix one = Diploid({{0, 1}});
  const auto message = [](const absl::StatusOr<CohortComparison>& result) {
    return std::string(result.status().message());
  };
  EXPECT_THAT(message(CompareCohorts(one, GenotypeMatrix(Packing::kDiploid2Bit, 0, 2), VariantsOn({"1", "1"}), {})),
              HasSubstr("no synthetic samples"));
  EXPECT_THAT(message(CompareCohorts(one, one, VariantsOn({"1"}), {})), HasSubstr("have 2 variants, not 1"));
}

}  // namespace
}  // namespace genoserve

#include "core/quality/frequency_counts.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::NanSensitiveDoubleEq;

const double kNan = std::nan("");

TEST(FrequencyCountsTest, CountsGenotypesOfAllAndOfEachLabel) {
  Cohort cohort;
  cohort.genotypes = Diploid({{0, 1, 2}, {1, 1, 2}, {2, 0, 2}, {0, 1, 2}});
  cohort.labels = {1, 0, 1, -1};
  const CohortCounts counts = CountGenotypes(cohort, 2);
  EXPECT_EQ(counts.all.samples, 4);
  EXPECT_THAT(counts.all.het, ElementsAre(1, 3, 0));
  EXPECT_THAT(counts.all.hom_alt, ElementsAre(1, 0, 4));
  EXPECT_EQ(counts.labels[0].samples, 1);
  EXPECT_THAT(counts.labels[0].het, ElementsAre(1, 1, 0));
  EXPECT_EQ(counts.labels[1].samples, 2);
  EXPECT_THAT(counts.labels[1].het, ElementsAre(0, 1, 0));
  EXPECT_THAT(counts.labels[1].hom_alt, ElementsAre(1, 0, 2));
  EXPECT_THAT(counts.heterozygosity, ElementsAre(DoubleEq(1.0 / 3), DoubleEq(2.0 / 3), 0.0, DoubleEq(1.0 / 3)));
}

TEST(FrequencyCountsTest, PairsHaplotypes) {
  Cohort cohort;
  cohort.genotypes = Haplotypes({{0, 1}, {1, 1}, {1, 0}, {0, 0}});
  const CohortCounts counts = CountGenotypes(cohort, 0);
  EXPECT_EQ(counts.all.samples, 2);
  EXPECT_THAT(counts.all.het, ElementsAre(2, 0));
  EXPECT_THAT(counts.all.hom_alt, ElementsAre(0, 1));
  EXPECT_THAT(counts.heterozygosity, ElementsAre(0.5, 0.5));
}

TEST(FrequencyCountsTest, MoreSamplesThanBitsOfAWord) {
  Cohort cohort;
  cohort.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, 130, 1);
  for (size_t i = 0; i < 130; ++i) {
    cohort.genotypes.Set(i, 0, static_cast<int>(i % 3));
    cohort.labels.push_back(i < 65 ? 0 : 1);
  }
  const CohortCounts counts = CountGenotypes(cohort, 2);
  EXPECT_THAT(counts.all.het, ElementsAre(43));
  EXPECT_THAT(counts.labels[0].het, ElementsAre(22)) << "1, 4, ..., 64";
  EXPECT_THAT(counts.labels[1].hom_alt, ElementsAre(22)) << "65, 68, ..., 128";
}

TEST(FrequencyCountsTest, RatesAndInbreeding) {
  // p = 0.5 with no heterozygote, p = 0.25 in Hardy-Weinberg excess of heterozygotes, and a fixed variant.
  const VariantCounts counts{4, {0, 2, 0}, {2, 0, 4}};
  EXPECT_THAT(FrequenciesOf(counts), ElementsAre(0.5, 0.25, 1));
  EXPECT_THAT(GenotypeRatesOf(counts), ElementsAre(0, 0.5, 0.5, 0.5, 0, 0.5, 0, 1, 0));
  // 1 - 0 / 0.5; 1 - 0.5 / 0.375.
  EXPECT_THAT(InbreedingOf(counts), ElementsAre(1, DoubleNear(-1.0 / 3, 1e-12), NanSensitiveDoubleEq(kNan)));
}

TEST(FrequencyCountsTest, NobodyHasNoFrequency) {
  const VariantCounts none{0, {0}, {0}};
  EXPECT_THAT(FrequenciesOf(none), ElementsAre(NanSensitiveDoubleEq(kNan)));
  EXPECT_THAT(GenotypeRatesOf(none), ::testing::Each(NanSensitiveDoubleEq(kNan)));
  EXPECT_THAT(InbreedingOf(none), ElementsAre(NanSensitiveDoubleEq(kNan)));
}

}  // namespace
}  // namespace genoserve

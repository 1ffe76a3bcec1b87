#include "core/quality/quality_sets.h"

#include <gmock/gmock.h>

#include <set>

#include "core/base/philox.h"
#include "core/quality/allele_frequency.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

// Samples whose genotypes tell their number, with labels 0 and 1 in turn.
Cohort Numbered(size_t samples, int first, bool labelled) {
  Cohort cohort;
  cohort.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, samples, 12);
  for (size_t i = 0; i < samples; ++i) {
    for (size_t v = 0; v < 12; ++v) cohort.genotypes.Set(i, v, (first + static_cast<int>(i)) >> v & 1);
    if (labelled) cohort.labels.push_back(static_cast<int>(i % 2));
  }
  cohort.phenotypes = {{}};
  for (size_t i = 0; i < samples; ++i) cohort.phenotypes[0].push_back(first + static_cast<int>(i));
  return cohort;
}

int NumberOf(const Cohort& cohort, size_t sample) {
  int number = 0;
  for (size_t v = 0; v < 12; ++v) number |= cohort.genotypes.Get(sample, v) << v;
  return number;
}

QualitySets Sets(bool labelled) {
  QualitySets sets;
  sets.seed = 3;
  if (labelled) sets.labels = {"A", "B"};
  sets.phenotypes = {{"weight", {}}};
  sets.whole_training = Numbered(100, 0, labelled);
  sets.whole_holdout = Numbered(40, 1000, labelled);
  sets.whole_synthetic = Numbered(60, 2000, labelled);
  return sets;
}

TEST(QualitySetsTest, AllHaveTheSameSizeAndLabels) {
  QualitySets sets = Sets(true);
  sets.whole_synthetic = Numbered(60, 2000, true).Select({0, 2, 4,  6,  8,  10, 12, 14, 16, 1,  3, 5,
                                                          7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27});
  ASSERT_TRUE(EqualiseSets({}, &sets).ok());
  EXPECT_EQ(sets.n(), 9U + 14U);
  for (const Cohort* cohort :
       {&sets.members, &sets.holdout, &sets.candidates[0], &sets.candidates[1], &sets.candidates[2]}) {
    EXPECT_EQ(cohort->samples(), sets.n());
    EXPECT_EQ(cohort->WithLabel(0).size(), 9U);
    EXPECT_EQ(cohort->WithLabel(1).size(), 14U);
  }
}

TEST(QualitySetsTest, FloorHasNoMemberAndSamplesKeepTheirPhenotypes) {
  QualitySets sets = Sets(false);
  ASSERT_TRUE(EqualiseSets({}, &sets).ok());
  std::set<int> seen;
  for (const Cohort* cohort : {&sets.members, &sets.candidates[1], &sets.holdout, &sets.candidates[0]}) {
    for (size_t i = 0; i < cohort->samples(); ++i) {
      EXPECT_TRUE(seen.insert(NumberOf(*cohort, i)).second);
      EXPECT_EQ(cohort->phenotypes[0][i], NumberOf(*cohort, i));
    }
  }
}

TEST(QualitySetsTest, FamiliesAreOnOneSide) {
  QualitySets sets = Sets(false);
  std::vector<int> families(100);
  for (size_t i = 0; i < families.size(); ++i) families[i] = static_cast<int>(i / 4);
  ASSERT_TRUE(EqualiseSets(families, &sets).ok());
  std::set<int> of_members;
  for (size_t i = 0; i < sets.n(); ++i) of_members.insert(NumberOf(sets.members, i) / 4);
  for (size_t i = 0; i < sets.n(); ++i) EXPECT_EQ(of_members.count(NumberOf(sets.candidates[1], i) / 4), 0U);
  // 40 samples are of as few families as can be.
  EXPECT_EQ(sets.n(), 40U);
  EXPECT_EQ(of_members.size(), 10U);
}

TEST(QualitySetsTest, TheReferenceIsOfFurtherTrainingSamplesAndOtherFamilies) {
  QualitySets sets = Sets(true);
  sets.whole_holdout = Numbered(24, 1000, true);
  std::vector<int> families(100);
  for (size_t i = 0; i < families.size(); ++i) families[i] = static_cast<int>(i / 4);
  ASSERT_TRUE(EqualiseSets(families, &sets).ok());
  EXPECT_EQ(sets.n(), 24U);
  EXPECT_EQ(sets.reference.samples(), 24U);
  std::set<int> floor;
  std::set<int> of_members;
  for (size_t i = 0; i < sets.n(); ++i) {
    floor.insert(NumberOf(sets.candidates[1], i));
    of_members.insert(NumberOf(sets.members, i) / 4);
  }
  for (size_t i = 0; i < sets.reference.samples(); ++i) {
    EXPECT_EQ(floor.count(NumberOf(sets.reference, i)), 0U);
    EXPECT_EQ(of_members.count(NumberOf(sets.reference, i) / 4), 0U);
    EXPECT_LT(NumberOf(sets.reference, i), 100);
  }
}

TEST(QualitySetsTest, NaiveDrawsHaveTheTrainingsFrequenciesPerLabel) {
  QualitySets sets = Sets(true);
  sets.whole_holdout = Numbered(400, 0, true);
  sets.whole_synthetic = sets.whole_holdout;
  sets.whole_training = Numbered(1000, 0, true);
  ASSERT_TRUE(EqualiseSets({}, &sets).ok());
  const Cohort& naive = sets.candidate(Candidate::kNaive);
  // Variant 0 tells odd numbers from even ones, and so one label from the other.
  const std::vector<double> odd = AlleleFrequencies(naive.genotypes, naive.WithLabel(1));
  const std::vector<double> even = AlleleFrequencies(naive.genotypes, naive.WithLabel(0));
  EXPECT_NEAR(odd[0], 0.5, 0.06);
  EXPECT_EQ(even[0], 0);
  EXPECT_NEAR(odd[1], 0.25, 0.06);
}

TEST(QualitySetsTest, WeightsMakeLabelsAsFrequent) {
  Cohort from = Numbered(6, 0, false);
  from.labels = {0, 0, 0, 0, 1, -1};
  Cohort like = Numbered(4, 0, false);
  like.labels = {0, 1, 1, 2};
  const std::vector<double> weights = WeightsByLabel(from, like);
  EXPECT_DOUBLE_EQ(weights[0] * 4, 2) << "a third of 6";
  EXPECT_DOUBLE_EQ(weights[4], 4);
  EXPECT_EQ(weights[5], 0);
  like.labels.clear();
  EXPECT_THAT(WeightsByLabel(from, like), testing::Each(1.0));
}

TEST(QualitySetsTest, TooFewSamples) {
  QualitySets sets = Sets(false);
  sets.whole_holdout = Numbered(5, 1000, false);
  const absl::Status status = EqualiseSets({}, &sets);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("5 hold-out"));
}

}  // namespace
}  // namespace genoserve

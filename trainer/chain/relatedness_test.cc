#include "trainer/chain/relatedness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

namespace genoserve {
namespace {

double Uniform(std::mt19937_64& random) { return static_cast<double>(random() >> 11) * 0x1p-53; }

// Samples of populations with frequencies of their own; sample i is of population i % populations.
GenotypeMatrix Structured(size_t samples, size_t variants, size_t populations, uint64_t seed) {
  std::mt19937_64 random(seed);
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, samples, variants);
  std::vector<double> frequencies(populations);
  for (size_t v = 0; v < variants; ++v) {
    for (double& p : frequencies) p = 0.05 + 0.9 * Uniform(random);
    for (size_t i = 0; i < samples; ++i) {
      const double p = frequencies[i % populations];
      genotypes.Set(i, v, (Uniform(random) < p ? 1 : 0) + (Uniform(random) < p ? 1 : 0));
    }
  }
  return genotypes;
}

TEST(RelatednessTest, IsVanRadensSecondMethod) {
  GenotypeMatrix genotypes = Structured(12, 40, 1, 1);
  for (size_t i = 0; i < 12; ++i) genotypes.Set(i, 7, 1);  // does not vary
  const Relatedness relatedness = Relate(genotypes);
  ASSERT_EQ(relatedness.samples.size(), 12U);
  for (size_t a = 0; a < 12; ++a) {
    EXPECT_EQ(relatedness.samples[a], a);
    for (size_t b = 0; b < 12; ++b) {
      double sum = 0;
      for (size_t v = 0; v < 40; ++v) {
        double mean = 0;
        double square = 0;
        for (size_t i = 0; i < 12; ++i) mean += genotypes.Get(i, v) / 12.0;
        for (size_t i = 0; i < 12; ++i) square += std::pow(genotypes.Get(i, v) - mean, 2) / 12;
        if (square > 0) sum += (genotypes.Get(a, v) - mean) * (genotypes.Get(b, v) - mean) / square;
      }
      EXPECT_NEAR(relatedness.relationship(static_cast<Eigen::Index>(a), static_cast<Eigen::Index>(b)), sum / 40, 1e-4);
    }
  }
  EXPECT_EQ(relatedness.scales[7], 0);
}

TEST(RelatednessTest, OfManySamplesSomeAreTaken) {
  const Relatedness relatedness = Relate(GenotypeMatrix(Packing::kDiploid2Bit, kMostRelatedSamples + 700, 3));
  ASSERT_EQ(relatedness.samples.size(), kMostRelatedSamples);
  EXPECT_TRUE(std::is_sorted(relatedness.samples.begin(), relatedness.samples.end(), std::less_equal<>()));
  EXPECT_GT(relatedness.samples.back(), kMostRelatedSamples);
  EXPECT_LT(relatedness.samples.back(), kMostRelatedSamples + 700);
}

TEST(RelatednessTest, PopulationsAreFoundAsClasses) {
  constexpr size_t kSamples = 150;
  const Relatedness relatedness = Relate(Structured(kSamples, 300, 3, 2));
  int whole = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    const std::vector<int> classes = FindClasses(relatedness, 3, 30, seed);
    ASSERT_EQ(classes.size(), kSamples);
    // k-means may join populations, but tears none of these apart.
    for (size_t i = 3; i < kSamples; ++i) EXPECT_EQ(classes[i], classes[i % 3]) << i << " with seed " << seed;
    const size_t found = std::set<int>(classes.begin(), classes.end()).size();
    EXPECT_GE(found, 2U);
    whole += found == 3 ? 1 : 0;
    EXPECT_EQ(FindClasses(relatedness, 3, 30, seed), classes) << "again";
  }
  EXPECT_GE(whole, 3);
}

TEST(RelatednessTest, NoClassIsTooSmall) {
  const Relatedness relatedness = Relate(Structured(100, 80, 5, 3));
  for (const size_t least : {1, 10, 21, 40, 101}) {
    for (const size_t asked : {1, 2, 5, 12, 500}) {
      const std::vector<int> classes = FindClasses(relatedness, asked, least, 1);
      const int count = *std::max_element(classes.begin(), classes.end()) + 1;
      ASSERT_LE(static_cast<size_t>(count), asked);
      EXPECT_THAT(classes, testing::Each(testing::Ge(0)));
      for (int kind = 0; kind < count && count > 1; ++kind) {
        EXPECT_GE(std::count(classes.begin(), classes.end(), kind), static_cast<std::ptrdiff_t>(least))
            << asked << " asked, at least " << least;
      }
      EXPECT_LE(static_cast<size_t>(count), std::max<size_t>(1, 100 / least));
    }
  }
}

TEST(RelatednessTest, BearsSamplesThatAreAllAlike) {
  const Relatedness relatedness = Relate(GenotypeMatrix(Packing::kDiploid2Bit, 50, 20));
  EXPECT_TRUE(relatedness.relationship.allFinite());
  EXPECT_THAT(FindClasses(relatedness, 4, 10, 1), testing::Each(0));
}

}  // namespace
}  // namespace genoserve

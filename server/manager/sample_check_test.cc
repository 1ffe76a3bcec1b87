#include "server/manager/sample_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/artifact/allele_frequencies.h"
#include "core/model/test_models.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

// Frequencies of `variants` variants, from rare to common, among people who are drawn at random; with `inbred` both
// alleles of a person are the same.
std::vector<double> Draw(size_t variants, int people, bool inbred, std::mt19937_64& random) {
  std::vector<double> frequencies(variants);
  for (size_t v = 0; v < variants; ++v) {
    const double p = 0.001 + 0.5 * static_cast<double>(v) / static_cast<double>(variants);
    std::binomial_distribution<int> alleles(inbred ? people : 2 * people, p);
    frequencies[v] = alleles(random) / static_cast<double>(inbred ? people : 2 * people);
  }
  return frequencies;
}

TEST(CompareFrequenciesTest, ChanceIsNoReason) {
  std::mt19937_64 random(1);
  for (const int people : {20, 300, 5000}) {
    for (const bool inbred : {false, true}) {
      for (int repetition = 0; repetition < 20; ++repetition) {
        const std::vector<double> a = Draw(2000, people, inbred, random);
        const std::vector<double> b = Draw(2000, 1000, inbred, random);
        EXPECT_TRUE(CompareFrequencies(a, people, b, 1000).ok()) << people << inbred;
      }
    }
  }
}

TEST(CompareFrequenciesTest, OneVariantThatIsFarOffIsSeen) {
  std::mt19937_64 random(2);
  const std::vector<double> a = Draw(2000, 2000, false, random);
  std::vector<double> b = Draw(2000, 1000, false, random);
  b[1234] = std::abs(b[1234] - 0.3);
  const absl::Status status = CompareFrequencies(a, 2000, b, 1000);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("variant 1234 has 0."));
}

TEST(CompareFrequenciesTest, ManyVariantsThatAreALittleOffAreSeen) {
  std::mt19937_64 random(3);
  const std::vector<double> a = Draw(2000, 2000, false, random);
  std::vector<double> b = Draw(2000, 1000, false, random);
  for (size_t v = 0; v < b.size(); ++v) b[v] = std::clamp(b[v] + (v % 2 == 0 ? 0.08 : -0.08), 0.0, 1.0);
  const absl::Status status = CompareFrequencies(a, 2000, b, 1000);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("root mean square"));
  // Variants in another order.
  std::vector<double> reversed(a.rbegin(), a.rend());
  EXPECT_FALSE(CompareFrequencies(a, 2000, reversed, 1000).ok());
}

TEST(CheckTallyTest, WhatIsOfNoUseIsRefused) {
  v1::Manifest manifest;
  SampleTally tally;
  tally.samples = 1000;
  tally.frequencies = {0.2, 0.5};
  EXPECT_TRUE(CheckTally(manifest, tally).ok());
  tally.missing = true;
  EXPECT_THAT(std::string(CheckTally(manifest, tally).message()), HasSubstr("missing genotypes"));
  tally.missing = false;
  tally.all_samples_same = true;
  EXPECT_THAT(std::string(CheckTally(manifest, tally).message()), HasSubstr("1000 samples are all the same"));
  tally.all_genotypes_same = true;
  EXPECT_THAT(std::string(CheckTally(manifest, tally).message()), HasSubstr("one and the same genotype"));
  // Variants so rare that nothing differs among a thousand.
  tally.frequencies = {0, 0};
  manifest.mutable_training()->set_samples(50'000);
  manifest.set_allele_frequencies(EncodeAlleleFrequencies(std::vector<double>{0.0005, 0.001}));
  EXPECT_TRUE(CheckTally(manifest, tally).ok()) << CheckTally(manifest, tally);
  manifest.set_allele_frequencies(EncodeAlleleFrequencies(std::vector<double>{0.0005, 0.1}));
  EXPECT_THAT(std::string(CheckTally(manifest, tally).message()), HasSubstr("constant"));
}

// A generator as a version has it, of a network or of any kind.
TEST(GenerateForCheckTest, CountsWhatARealGeneratorMakesOfTheTraining) {
  for (v1::Manifest manifest : {SmallAcgan(50, 3), SmallWganGp(50)}) {
    const auto generator = *MakeGenerator(manifest, RandomWeights(manifest, 1), {});
    const SampleTally tally = *GenerateForCheck(manifest, *generator);
    EXPECT_GE(tally.samples, kCheckedSamples);
    ASSERT_EQ(tally.frequencies.size(), 50);
    EXPECT_FALSE(tally.missing || tally.all_samples_same || tally.all_genotypes_same);
    EXPECT_TRUE(CheckTally(manifest, tally).ok());
    // Its own frequencies pass, those of other weights do not.
    manifest.mutable_training()->set_samples(tally.samples);
    manifest.set_allele_frequencies(EncodeAlleleFrequencies(tally.frequencies));
    EXPECT_TRUE(CheckTally(manifest, tally).ok());
    const auto other = *MakeGenerator(manifest, RandomWeights(manifest, 2), {});
    const absl::Status status = CheckTally(manifest, *GenerateForCheck(manifest, *other));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  }
}

// Makes each row of each tile by a rule, and counts the tiles of each size.
class RuleGenerator final : public Generator {
 public:
  explicit RuleGenerator(int (*rule)(uint64_t sample, size_t variant)) : rule_(rule) {}
  Packing packing() const override { return Packing::kDiploid2Bit; }
  size_t variant_count() const override { return 7; }
  size_t max_tile_samples() const override { return 96; }
  absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t>,
                        GenotypeMatrix& rows) const override {
    ++tiles[samples.size()];
    for (size_t i = 0; i < samples.size(); ++i) {
      EXPECT_EQ(samples[i].phenotypes.size(), 2);
      for (size_t v = 0; v < 7; ++v) rows.Set(i, v, rule_(samples[i].sample, v));
    }
    return absl::OkStatus();
  }

  mutable std::map<size_t, int> tiles;

 private:
  int (*rule_)(uint64_t sample, size_t variant);
};

TEST(GenerateForCheckTest, EveryShapeOfATileIsMadeTwiceAndConstantsAreSeen) {
  const v1::Manifest manifest = SmallWganGp(7);
  const RuleGenerator varied([](uint64_t sample, size_t variant) { return static_cast<int>((sample + variant) % 3); });
  const SampleTally tally = *GenerateForCheck(manifest, varied);
  EXPECT_THAT(varied.tiles, testing::ElementsAre(testing::Pair(8, 2), testing::Pair(16, 2), testing::Pair(32, 2),
                                                 testing::Pair(64, 2), testing::Pair(96, testing::Ge(2))));
  EXPECT_FALSE(tally.all_samples_same);
  EXPECT_NEAR(tally.frequencies[3], 0.5, 0.01);

  const RuleGenerator same([](uint64_t, size_t variant) { return static_cast<int>(variant % 3); });
  EXPECT_TRUE(GenerateForCheck(manifest, same)->all_samples_same);
  EXPECT_FALSE(GenerateForCheck(manifest, same)->all_genotypes_same);
  const RuleGenerator one([](uint64_t, size_t) { return 1; });
  EXPECT_TRUE(GenerateForCheck(manifest, one)->all_genotypes_same);
  const RuleGenerator missing([](uint64_t sample, size_t) { return sample == 999 ? 3 : 1; });
  EXPECT_TRUE(GenerateForCheck(manifest, missing)->missing);
}

}  // namespace
}  // namespace genoserve

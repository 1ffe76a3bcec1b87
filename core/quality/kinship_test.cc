#include "core/quality/kinship.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/quality/test_cohorts.h"
#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

double KinshipOf(const GenotypeMatrix& genotypes, size_t i, size_t j) {
  const KinshipSet set(genotypes);
  double kinship = 0;
  set.KinshipWith(set, i, j, {&kinship, 1});
  return kinship;
}

// Variants 1 Mb apart, half of them on each of two contigs.
VariantTable TwoContigs(size_t variants) {
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < variants; ++v) {
    records.push_back({v < variants / 2 ? "1" : "2", static_cast<int64_t>(1'000'000 * (v + 1)), "", "A", "C"});
  }
  return VariantTable::Create(std::move(records), {}).value();
}

using Haplotype = std::vector<uint8_t>;
using Person = std::pair<Haplotype, Haplotype>;

// People whose haplotypes are drawn, with variants not linked, or inherited.
class Pedigree {
 public:
  explicit Pedigree(size_t variants) : random_(5), variants_(variants) {}

  Person Founder() { return {Drawn(), Drawn()}; }
  Person Child(const Person& mother, const Person& father) { return {Gamete(mother), Gamete(father)}; }
  GenotypeMatrix Genotypes(const std::vector<Person>& people) const {
    GenotypeMatrix genotypes(Packing::kHaplotype1Bit, 2 * people.size(), variants_);
    for (size_t i = 0; i < people.size(); ++i) {
      genotypes.PackRow(2 * i, people[i].first);
      genotypes.PackRow(2 * i + 1, people[i].second);
    }
    return genotypes;
  }

 private:
  Haplotype Drawn() {
    Haplotype haplotype(variants_);
    for (uint8_t& allele : haplotype) allele = random_.Below(100) < 40 ? 1 : 0;
    return haplotype;
  }
  // Of either haplotype, with a change every 20 variants.
  Haplotype Gamete(const Person& parent) {
    Haplotype gamete(variants_);
    uint64_t side = random_.Below(2);
    for (size_t v = 0; v < variants_; ++v) {
      if (random_.Below(20) == 0) side = 1 - side;
      gamete[v] = side == 0 ? parent.first[v] : parent.second[v];
    }
    return gamete;
  }

  TestRandom random_;
  size_t variants_;
};

TEST(KinshipTest, ByHand) {
  // Both heterozygous at 2 of 6, opposite homozygotes at 1, and one more heterozygote each: (2 - 2) / (2 * 3) + 1/2 -
  // (3 + 3) / (4 * 3) = 0.
  EXPECT_NEAR(KinshipOf(Diploid({{1, 1, 0, 1, 0, 2}, {1, 1, 2, 0, 1, 2}}), 0, 1), 0, 1e-12);
  // The smaller count of heterozygotes: 1 / 2 + 1/2 - (1 + 3) / 4 = 0.
  EXPECT_NEAR(KinshipOf(Diploid({{1, 0, 0}, {1, 1, 1}}), 0, 1), 0, 1e-12);
}

TEST(KinshipTest, SamplesWithoutHeterozygotes) {
  const GenotypeMatrix genotypes = Diploid({{0, 2, 0}, {0, 2, 0}, {0, 2, 2}});
  EXPECT_EQ(KinshipOf(genotypes, 0, 1), 0.5);
  EXPECT_EQ(KinshipOf(genotypes, 0, 2), -HUGE_VAL);
}

TEST(KinshipTest, AsPlink2Computes) {
  nlohmann::json expected;
  std::ifstream("core/quality/testdata/attacks.json") >> expected;
  const GenotypeMatrix genotypes = TestHaplotypes(7, 24, 200).ToDiploid();
  std::vector<size_t> order(24);
  for (size_t i = 0; i < 24; ++i) order[i] = i == 20 ? 3 : i;
  const KinshipSet set(genotypes.SelectSamples(order));
  size_t next = 0;
  for (size_t i = 1; i < 24; ++i) {
    std::vector<double> kinship(i);
    set.KinshipWith(set, i, 0, kinship);
    for (const double value : kinship) {
      const double plink2 = expected["king"][next++];
      EXPECT_NEAR(value, plink2, 1e-6 + 1e-5 * std::abs(plink2)) << i;  // six digits
    }
  }
  EXPECT_EQ(next, expected["king"].size());
}

TEST(KinshipTest, TheNearestAreThoseOfAllPairs) {
  // Related, since each sample takes most of its variants from the one before.
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, 60, 300);
  TestRandom random(11);
  for (size_t i = 0; i < genotypes.rows(); ++i) {
    const uint64_t copied = i % 4 == 0 ? 0 : 10 * (i % 10 + 1);  // of a hundred
    for (size_t v = 0; v < 300; ++v) {
      const bool copy = random.Below(100) < copied;
      genotypes.Set(i, v, copy ? genotypes.Get(i - 1, v) : i == 40 ? 2 : static_cast<int>(random.Below(3)));
    }
  }
  const KinshipSet set(genotypes);
  for (const double least : {kSecondDegreeKinship, kFirstDegreeKinship, 0.5}) {
    size_t near = 0;
    for (size_t i = 1; i < 60; ++i) {
      std::vector<double> all(i);
      set.KinshipWith(set, i, 0, all);
      std::vector<std::pair<size_t, double>> expected;
      for (size_t j = 0; j < i; ++j) {
        if (all[j] >= least) expected.emplace_back(j, all[j]);
      }
      std::vector<std::pair<size_t, double>> found;
      set.NearerThan(least, i, 0, i, [&](size_t j, double kinship) { found.emplace_back(j, kinship); });
      EXPECT_EQ(found, expected);
      near += found.size();
    }
    EXPECT_GT(near, least < 0.5 ? 10U : 0U);
  }
}

TEST(KinshipTest, TheLargestOverMoreThanABlock) {
  const GenotypeMatrix others = TestHaplotypes(8, 700, 130);
  const GenotypeMatrix samples = others.SelectSamples(std::vector<size_t>{699, 300, 0});
  for (const double largest : LargestKinship(KinshipSet(samples), KinshipSet(others))) EXPECT_EQ(largest, 0.5);
}

TEST(KinshipTest, HaplotypesAreAddedUp) {
  const GenotypeMatrix haplotypes = TestHaplotypes(9, 5, 130);
  EXPECT_EQ(KinshipOf(haplotypes, 1, 4), KinshipOf(haplotypes.ToDiploid(), 1, 4));
}

TEST(KinshipVariantsTest, FrequentOnesSpreadEvenly) {
  // Every second variant is rare; of the others every second one repeats the first.
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, 400, 10000);
  TestRandom random(3);
  for (size_t i = 0; i < 400; ++i) {
    const int repeated = static_cast<int>(random.Below(3));
    for (size_t v = 0; v < 10000; v += 2) {
      genotypes.Set(i, v, v % 4 == 0 ? repeated : static_cast<int>(random.Below(3)));
    }
  }
  const std::vector<size_t> picked = KinshipVariants(genotypes);
  ASSERT_EQ(picked.size(), kKinshipVariants);
  EXPECT_EQ(picked[0], 0U);
  for (size_t i = 1; i < picked.size(); ++i) {
    // Runs of two or three of the 5,000 frequent ones.
    EXPECT_EQ(picked[i] % 2, 0U);
    EXPECT_GE(picked[i] / 2, i * 5 / 2);
    EXPECT_LT(picked[i] / 2, (i + 1) * 5 / 2);
    // Of which one does not repeat the previous pick.
    EXPECT_FALSE(picked[i - 1] % 4 == 0 && picked[i] % 4 == 0);
  }
}

TEST(KinshipVariantsTest, FewerWhereFewerAreFrequent) {
  GenotypeMatrix genotypes(Packing::kDiploid2Bit, 40, 3);
  for (size_t i = 0; i < 40; ++i) {
    genotypes.Set(i, 0, i < 3 ? 1 : 0);
    genotypes.Set(i, 1, i < 4 ? 1 : 0);
    genotypes.Set(i, 2, 1);
  }
  EXPECT_THAT(KinshipVariants(genotypes), ::testing::ElementsAre(1));
}

TEST(FamilyClustersTest, SiblingsAndParents) {
  Pedigree pedigree(1200);
  std::vector<Person> people;
  std::vector<int> family;
  for (int f = 0; f < 40; ++f) {
    const Person mother = pedigree.Founder();
    const Person father = pedigree.Founder();
    // A mother and two children; or the children alone; or one of two who are no relatives.
    if (f % 3 == 0) people.push_back(mother);
    people.push_back(f % 3 == 2 ? father : pedigree.Child(mother, father));
    if (f % 3 != 2) people.push_back(pedigree.Child(mother, father));
    family.resize(people.size(), f);
  }
  FamilySearch found;
  const std::vector<int> clusters = FamilyClusters(pedigree.Genotypes(people), TwoContigs(1200), &found);
  ASSERT_EQ(clusters.size(), people.size());
  for (size_t i = 0; i < people.size(); ++i) {
    for (size_t j = 0; j < i; ++j) EXPECT_EQ(clusters[i] == clusters[j], family[i] == family[j]) << i << " " << j;
  }
  EXPECT_EQ(found.families, 27U);
  EXPECT_EQ(found.largest, 3U);
  EXPECT_EQ(found.samples, 14U * 3U + 13U * 2U);
  EXPECT_EQ(found.smallest_kinship, kFirstDegreeKinship);
  EXPECT_THAT(found.note, HasSubstr("68 samples are in 27 families"));
}

TEST(FamilyClustersTest, ChainsThroughEverybodyAreCutAtAHigherKinship) {
  // Twins in 60 pairs; each first twin is the child of the previous pair's, so that one chain joins all.
  Pedigree pedigree(1200);
  std::vector<Person> people;
  Person last = pedigree.Founder();
  for (int pair = 0; pair < 60; ++pair) {
    last = pedigree.Child(last, pedigree.Founder());
    people.push_back(last);
    people.push_back(last);
  }
  FamilySearch found;
  const std::vector<int> clusters = FamilyClusters(pedigree.Genotypes(people), TwoContigs(1200), &found);
  ASSERT_EQ(clusters.size(), people.size());
  EXPECT_GT(found.smallest_kinship, kFirstDegreeKinship);
  EXPECT_LE(found.largest, 12U);
  EXPECT_THAT(found.note, HasSubstr("chain"));
  for (size_t i = 0; i < people.size(); i += 2) EXPECT_EQ(clusters[i], clusters[i + 1]);
}

TEST(FamilyClustersTest, NoneWhereThereAreNone) {
  Pedigree pedigree(1200);
  std::vector<Person> people(50);
  for (Person& person : people) person = pedigree.Founder();
  FamilySearch found;
  EXPECT_TRUE(FamilyClusters(pedigree.Genotypes(people), TwoContigs(1200), &found).empty());
  EXPECT_THAT(found.note, HasSubstr("no relatives were found"));
  EXPECT_EQ(found.families, 0U);
}

TEST(FamilyClustersTest, NoneWhereAllAreTheSame) {
  Pedigree pedigree(1200);
  const std::vector<Person> people(50, pedigree.Founder());
  std::vector<Person> two = people;
  two.resize(60, pedigree.Founder());
  FamilySearch found;
  EXPECT_TRUE(FamilyClusters(pedigree.Genotypes(two), TwoContigs(1200), &found).empty());
  EXPECT_FALSE(found.note.empty());
  EXPECT_EQ(found.families, 0U);
}

TEST(FamilyClustersTest, NotLookedForWhereVariantsCannotShowThem) {
  FamilySearch found;
  Pedigree few(400);
  const std::vector<Person> twins(2, few.Founder());
  EXPECT_TRUE(FamilyClusters(few.Genotypes(twins), TwoContigs(400), &found).empty());
  EXPECT_THAT(found.note, HasSubstr("it takes 500"));

  Pedigree enough(1200);
  std::vector<Person> lines;
  for (int i = 0; i < 20; ++i) {
    const Person founder = enough.Founder();
    lines.emplace_back(founder.first, founder.first);
  }
  EXPECT_TRUE(FamilyClusters(enough.Genotypes(lines), TwoContigs(1200), &found).empty());
  EXPECT_THAT(found.note, HasSubstr("no genotype is heterozygous"));

  std::vector<VariantRecord> stretch;
  stretch.reserve(1200);
  for (int64_t v = 0; v < 1200; ++v) stretch.push_back({"1", 1000 * (v + 1), "", "A", "C"});
  std::vector<Person> people(20);
  for (Person& person : people) person = enough.Founder();
  EXPECT_TRUE(
      FamilyClusters(enough.Genotypes(people), VariantTable::Create(std::move(stretch), {}).value(), &found).empty());
  EXPECT_THAT(found.note, HasSubstr("one stretch"));
}

}  // namespace
}  // namespace genoserve

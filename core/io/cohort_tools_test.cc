// The files of the writers as other programs see them: bcftools, plink2 and plink1.9.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/io/genotype_reader.h"
#include "core/io/test_cohorts.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr size_t kSamples = 301;
constexpr size_t kVariants = 60;

class CohortToolsTest : public FolderTest, public testing::WithParamInterface<Packing> {
 protected:
  void SetUp() override {
    FolderTest::SetUp();
    genotypes_ = TestGenotypes(GetParam(), kSamples, kVariants);
    CohortDescription cohort = TestDescription(genotypes_);
    // Autosomes only: on X the programs count by sex, which synthetic samples do not have.
    std::vector<VariantRecord> variants = cohort.variants.variants();
    for (VariantRecord& v : variants) v.contig = v.contig == "X" ? "2" : v.contig;
    cohort.variants = VariantTable::Create(variants, {{"1", 100'000'000}, {"2", 0}}).value();
    variants_ = cohort.variants;
    for (const auto& [format, name] : {std::pair{CohortFormat::kVcf, "c.vcf"},
                                       {CohortFormat::kVcfGz, "c.vcf.gz"},
                                       {CohortFormat::kBcf, "c.bcf"},
                                       {CohortFormat::kBed, "c.bed"}}) {
      ASSERT_EQ(WriteCohort(format, Path(name), cohort, genotypes_, 50, WithMemory(5'000)), absl::OkStatus());
    }
  }

  /// ALT alleles and called alleles of a variant.
  std::pair<int, int> Counts(size_t variant) const {
    const GenotypeMatrix diploid = genotypes_.ToDiploid();
    std::pair<int, int> counts;
    for (size_t i = 0; i < kSamples; ++i) {
      const int code = diploid.Get(i, variant);
      if (code == kMissingGenotype) continue;
      counts.first += code;
      counts.second += 2;
    }
    return counts;
  }

  /// Checks a table of frequencies: the columns with the id, REF, ALT, frequency and count of alleles.
  void CheckFrequencies(const std::string& name, const std::array<const char*, 5>& columns) const {
    std::vector<std::string> lines = absl::StrSplit(Read(Path(name)), '\n', absl::SkipEmpty());
    ASSERT_EQ(lines.size(), kVariants + 1) << name;
    const auto cells = [](const std::string& line) {
      return std::vector<std::string>(absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty()));
    };
    const std::vector<std::string> header = cells(lines[0]);
    const auto column = [&header](const char* title) {
      return static_cast<size_t>(std::find(header.begin(), header.end(), title) - header.begin());
    };
    for (size_t i = 0; i < kVariants; ++i) {
      const std::vector<std::string> row = cells(lines[i + 1]);
      EXPECT_EQ(row.at(column(columns[0])), variants_[i].id);
      EXPECT_EQ(row.at(column(columns[1])), variants_[i].ref);
      EXPECT_EQ(row.at(column(columns[2])), variants_[i].alt);
      const auto [alt, called] = Counts(i);
      double frequency = 0;
      ASSERT_TRUE(absl::SimpleAtod(row.at(column(columns[3])), &frequency)) << lines[i + 1];
      EXPECT_NEAR(frequency, static_cast<double>(alt) / called, 1e-4);
      EXPECT_EQ(row.at(column(columns[4])), absl::StrCat(called));
    }
  }

  GenotypeMatrix genotypes_;
  VariantTable variants_;
};

TEST_P(CohortToolsTest, BcftoolsSeesTheSameRecordsInAllFiles) {
  const std::string records = Run("bcftools view -H c.vcf");
  EXPECT_EQ(records.size(), Read(Path("c.vcf")).size() - Read(Path("c.vcf")).find("\n1\t") - 1);
  EXPECT_EQ(Run("bcftools view -H c.vcf.gz"), records);
  EXPECT_EQ(Run("bcftools view -H c.bcf"), records);
  const std::string header = Run("bcftools view -h --no-version c.vcf");
  EXPECT_EQ(Run("bcftools view -h --no-version c.bcf"), header);
  EXPECT_THAT(header, HasSubstr("##synthetic=<ID=genoserve,Model=acgan,ModelVersion=3,Seed=7,ManifestSha256=ab12>"));
  EXPECT_EQ(Run("bcftools query -l c.bcf | head -2"), "SYN000001\nSYN000002\n");
  const std::string stats = Run("bcftools stats c.bcf");
  EXPECT_THAT(stats, HasSubstr(absl::StrCat("number of samples:\t", kSamples)));
  EXPECT_THAT(stats, HasSubstr(absl::StrCat("number of records:\t", kVariants)));
}

TEST_P(CohortToolsTest, TheIndexFindsWhatBcftoolsOwnDoes) {
  const std::vector<std::string> regions = {"1",         "2",        "1:200000-200000",   "1:150019-310000",
                                            "2:287-350", "1:1-9999", "1:390000-100000000"};
  const auto answers = [&] {
    std::string all;
    for (const std::string& region : regions) {
      for (const char* file : {"c.vcf.gz", "c.bcf"})
        absl::StrAppend(&all, Run(absl::StrCat("bcftools view -H -r ", region, " ", file)));
    }
    return absl::StrCat(all, Run("bcftools index -s c.vcf.gz"), Run("bcftools index -s c.bcf"),
                        Run("bcftools index -n c.bcf"));
  };
  const std::string ours = answers();
  Run("bcftools index -f -c c.vcf.gz && bcftools index -f -c c.bcf");
  EXPECT_EQ(ours, answers());
  EXPECT_THAT(ours, HasSubstr("60\n"));
}

TEST_P(CohortToolsTest, Plink2ReadsAllFilesAndCountsTheSameAlleles) {
  Run("plink2 --bfile c --validate --out v");
  for (const char* input : {"--vcf c.vcf", "--vcf c.vcf.gz", "--bcf c.bcf", "--bfile c"}) {
    const std::string log = Run(absl::StrCat("plink2 ", input, " --freq --hardy --missing --out f"));
    EXPECT_THAT(log, HasSubstr(absl::StrCat(kSamples, " samples")));
    EXPECT_THAT(log, Not(HasSubstr("Error")));
    CheckFrequencies("f.afreq", {"ID", "REF", "ALT", "ALT_FREQS", "OBS_CT"});
  }
}

TEST_P(CohortToolsTest, Plink2KeepsThePhase) {
  Run("plink2 --bcf c.bcf --export vcf --out p");
  EXPECT_EQ(Run("bcftools query -f '[%GT\\t]\\n' p.vcf"), Run("bcftools query -f '[%GT\\t]\\n' c.bcf"));
}

TEST_P(CohortToolsTest, Plink1CountsTheSameAlleles) {
  for (const char* input : {"--vcf c.vcf.gz", "--bfile c"}) {
    Run(absl::StrCat("plink1.9 --keep-allele-order --allow-no-sex ", input, " --freq --out f"));
    CheckFrequencies("f.frq", {"SNP", "A2", "A1", "MAF", "NCHROBS"});
  }
}

INSTANTIATE_TEST_SUITE_P(Packings, CohortToolsTest, testing::Values(Packing::kDiploid2Bit, Packing::kHaplotype1Bit));

}  // namespace
}  // namespace genoserve

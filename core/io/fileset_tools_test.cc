// PGEN, Oxford and haploid calls as other programs see them: plink2, bcftools and tabix.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/io/cohort_files.h"
#include "core/io/test_cohorts.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr size_t kSamples = 301;
constexpr size_t kVariants = 60;
constexpr char kCalls[] = "bcftools query -f '%CHROM\\t%POS\\t%REF\\t%ALT[\\t%GT]\\n' ";

// A cohort with sexes, populations and phenotypes, on autosomes, or also on X, where males are homozygous.
class FilesetToolsTest : public FolderTest, public testing::WithParamInterface<Packing> {
 protected:
  void Write(bool with_x, const std::vector<CohortFormat>& formats, OxfordLayout oxford = OxfordLayout::kPlink2) {
    GenotypeMatrix genotypes = TestGenotypes(GetParam(), kSamples, kVariants);
    cohort_ = TestDescription(genotypes);
    std::vector<VariantRecord> variants = cohort_.variants.variants();
    for (VariantRecord& v : variants) v.contig = v.contig == "X" && !with_x ? "2" : v.contig;
    cohort_.variants = VariantTable::Create(variants, {{"1", 100'000'000}}).value();
    std::string table = "sample\tSuperPop\tbmi\tCase\n";
    for (size_t i = 0; i < kSamples; ++i) {
      cohort_.sexes.push_back(static_cast<uint8_t>(i % 3));
      absl::StrAppend(&table, SampleName(cohort_, static_cast<int64_t>(i)), "\t", i % 2 == 0 ? "1KG AFR" : "EUR", "\t");
      absl::StrAppend(&table, 0.5 * static_cast<double>(i % 77), "\t",
                      i % 5 == 0   ? "NA"
                      : i % 2 == 0 ? "1"
                                   : "2",
                      "\n");
      for (size_t v = 0; v < kVariants; ++v) {
        if (i % 3 != kMale || variants[v].contig != "X") continue;
        if (GetParam() == Packing::kHaplotype1Bit) {
          genotypes.Set(2 * i + 1, v, genotypes.Get(2 * i, v));
        } else if (genotypes.Get(i, v) == 1) {
          genotypes.Set(i, v, 2);
        }
      }
    }
    cohort_.sample_table = FolderTest::Write("table.tsv", table);
    cohort_.population_column = "SuperPop";
    CohortWriterOptions options = WithMemory(5'000);
    options.oxford = oxford;
    for (const CohortFormat format : formats) {
      ASSERT_EQ(
          WriteCohort(format, Path(absl::StrCat("c.", CohortFormatName(format))), cohort_, genotypes, 50, options),
          absl::OkStatus());
    }
  }

  CohortDescription cohort_;
};

TEST_P(FilesetToolsTest, Plink2TakesAPgenForEverythingThatItDoes) {
  Write(false, {CohortFormat::kPgen, CohortFormat::kBed});
  Run("plink2 --pfile c --validate --out v");
  Run("plink2 --bfile c --freq --hardy --missing --out b");
  const std::string log =
      Run("plink2 --pfile c --freq --hardy --missing --pca 3 --king-cutoff 0.3 --glm allow-no-covars --fst SuperPop "
          "--out p");
  EXPECT_THAT(log, Not(HasSubstr("Warning")));
  EXPECT_THAT(log, HasSubstr("301 samples (100 females, 100 males, 101 ambiguous"));
  EXPECT_THAT(log, HasSubstr("across 2 populations"));
  EXPECT_THAT(log, AllOf(HasSubstr("p.bmi.glm.linear"), HasSubstr("p.Case.glm.logistic")));
  for (const char* table : {"afreq", "hardy", "vmiss"}) {
    EXPECT_EQ(Read(Path(absl::StrCat("p.", table))), Read(Path(absl::StrCat("b.", table)))) << table;
  }
  EXPECT_THAT(
      Read(Path("c.psam")),
      StartsWith("#IID\tSEX\tSuperPop\tbmi\tCase\nSYN000001\tNA\tC1KG_AFR\t0\tNA\nSYN000002\t1\tEUR\t0.5\t2\n"));
}

TEST_P(FilesetToolsTest, Plink2ExportsTheCallsOfAPgenAsTheVcfHasThem) {
  Write(true, {CohortFormat::kPgen, CohortFormat::kVcf, CohortFormat::kBcf});
  EXPECT_THAT(Run("plink2 --pfile c --validate --export vcf --out p"), Not(HasSubstr("Error")));
  const std::string calls = Run(absl::StrCat(kCalls, "c.vcf"));
  EXPECT_EQ(Run(absl::StrCat(kCalls, "p.vcf")), calls);
  EXPECT_EQ(Run(absl::StrCat(kCalls, "c.bcf")), calls);
  EXPECT_EQ(Run("grep '^##synthetic' p.vcf"), Run("grep '^##synthetic' c.vcf"));
}

TEST_P(FilesetToolsTest, MalesHaveOneAlleleOnX) {
  Write(true, {CohortFormat::kVcf, CohortFormat::kBcf});
  for (const char* file : {"c.vcf", "c.bcf"}) {
    // Of 101 samples of unknown sex, 100 males and 100 females in turn.
    const std::string ploidy = Run(absl::StrCat("bcftools query -i 'CHROM=\"X\"' -f '[%SAMPLE %GT\\n]' ", file,
                                                " | awk '{n = substr($1, 4) - 1; print n % 3, ($2 ~ /[\\/|]/)}' | sort"
                                                " | uniq -c | awk '{print $2, $3, $1}'"));
    EXPECT_EQ(ploidy, "0 1 2020\n1 0 2000\n2 1 2000\n");
    Run(absl::StrCat("plink2 --", file[2] == 'v' ? "vcf " : "bcf ", file, " --freq --out f"));
  }
}

TEST_P(FilesetToolsTest, TabixFindsWhatTheCsiFinds) {
  Write(true, {CohortFormat::kVcfGz});
  const auto answers = [this] {
    std::string all;
    for (const char* region : {"1", "X", "1:200000-200000", "1:150019-310000", "X:287-350", "1:390000-100000000"}) {
      absl::StrAppend(&all, Run(absl::StrCat("bcftools view -H -r ", region, " c.vcf.gz | cut -f-5")));
    }
    return absl::StrCat(all, Run("bcftools index -s c.vcf.gz"));
  };
  const std::string csi = answers();
  Run("mv c.vcf.gz.csi away");
  CohortWriterOptions options;
  options.index = VariantIndex::kTbi;
  ASSERT_EQ(WriteCohort(CohortFormat::kVcfGz, Path("c.vcf.gz"), cohort_, TestGenotypes(GetParam(), kSamples, kVariants),
                        1000, options),
            absl::OkStatus());
  EXPECT_EQ(Run("ls c.vcf.gz.*"), "c.vcf.gz.tbi\n");
  const std::string ours = answers();
  EXPECT_EQ(Run("tabix -l c.vcf.gz"), "1\nX\n");
  Run("tabix -f -p vcf c.vcf.gz");
  EXPECT_EQ(ours, answers());
  EXPECT_EQ(ours, csi);
  cohort_.variants = VariantTable::Create({{"1", 600'000'000, "far", "A", "G"}}, {}).value();
  EXPECT_THAT(Message(WriteCohort(CohortFormat::kVcfGz, Path("f.vcf.gz"), cohort_,
                                  TestGenotypes(GetParam(), kSamples, 1), 1000, options)),
              HasSubstr("take CSI"));
}

// Of several chunks of samples and of blocks of the array.
TEST_P(FilesetToolsTest, LibrariesOfOtherMakersReadTheSameOfAllFormats) {
  const std::vector<CohortFormat> formats = {CohortFormat::kVcf, CohortFormat::kNpy, CohortFormat::kPgen,
                                             CohortFormat::kBed, CohortFormat::kZarr};
  Write(true, formats);
  const GenotypeMatrix many = TestGenotypes(GetParam(), 10'050, 7);
  for (const CohortFormat format : formats) {
    ASSERT_EQ(WriteCohort(format, Path(absl::StrCat("m.", CohortFormatName(format))), TestDescription(many), many),
              absl::OkStatus());
  }
  const std::string script = std::filesystem::absolute("tests/read_cohort.py").string();
  EXPECT_EQ(Run(absl::StrCat(GENOSERVE_ORACLES, " ", script, " c m")), "");
  const std::string lazy = std::filesystem::absolute("tests/read_cohort_lazily.py").string();
  EXPECT_EQ(Run(absl::StrCat(GENOSERVE_READERS, " ", lazy, " c m")), "");
}

INSTANTIATE_TEST_SUITE_P(Packings, FilesetToolsTest, testing::Values(Packing::kDiploid2Bit, Packing::kHaplotype1Bit));

class OxfordToolsTest : public FilesetToolsTest {};

TEST_P(OxfordToolsTest, Plink2ReadsHapsAndWritesTheSame) {
  for (const bool with_x : {false, true}) {
    Write(with_x, {CohortFormat::kHaps, CohortFormat::kPgen, CohortFormat::kVcf});
    EXPECT_THAT(Run("plink2 --haps c.haps ref-first --sample c.sample --export vcf --out p"),
                HasSubstr("301 samples (100 females, 100 males, 101 ambiguous"));
    EXPECT_EQ(Run(absl::StrCat(kCalls, "p.vcf")), Run(absl::StrCat(kCalls, "c.vcf")));
    Run("plink2 --pfile c --export haps ref-first --out e");
    EXPECT_EQ(Read(Path("e.haps")), Read(Path("c.haps")));
    cohort_ = {};
  }
}

// What bcftools and plink2 read of .hap and .legend is one contig.
TEST_P(OxfordToolsTest, OneContigOfHapAndLegendIsReadByBoth) {
  for (const OxfordLayout layout : {OxfordLayout::kPlink2, OxfordLayout::kBcftools}) {
    Write(false, {CohortFormat::kHap, CohortFormat::kVcfGz}, layout);
    Run("grep -c '^1:' c.legend > n && head -1 c.legend > o.legend && grep '^1:' c.legend >> o.legend && "
        "head -$(cat n) c.hap > o.hap");
    const std::string calls = Run(absl::StrCat(kCalls, "-r 1 c.vcf.gz"));
    if (layout == OxfordLayout::kPlink2) {
      Run("plink2 --haps o.hap ref-first --legend o.legend 1 --sample c.sample --export vcf --out o");
    } else {
      Run("bcftools convert --haplegendsample2vcf o.hap,o.legend,c.sample -o o.vcf");
      EXPECT_THAT(Read(Path("c.sample")), StartsWith("sample population group sex\nSYN000001 1KG_AFR 1KG_AFR 0\n"));
      EXPECT_EQ(Run("bcftools query -l o.vcf | head -1"), "SYN000001\n");
    }
    EXPECT_EQ(Run(absl::StrCat(kCalls, "o.vcf")), calls);
    Run("bcftools convert --haplegendsample b c.vcf.gz && gunzip b.hap.gz b.legend.gz");
    EXPECT_EQ(Read(Path("b.hap")), Read(Path("c.hap")));
    EXPECT_EQ(Read(Path("b.legend")), Read(Path("c.legend")));
    Run("rm b.*");
    cohort_ = {};
  }
}

TEST_P(OxfordToolsTest, OneContigOfHapsIsReadByBcftools) {
  Write(false, {CohortFormat::kHaps, CohortFormat::kVcfGz}, OxfordLayout::kBcftools);
  Run("grep '^1 ' c.haps > o.haps && bcftools convert --hapsample2vcf o.haps,c.sample -o o.vcf");
  EXPECT_EQ(Run(absl::StrCat(kCalls, "o.vcf")), Run(absl::StrCat(kCalls, "-r 1 c.vcf.gz")));
  EXPECT_EQ(Run("bcftools query -l o.vcf | tail -1"), "SYN000301\n");
}

TEST_P(OxfordToolsTest, HaptHasPopulationsAndTheSameAlleles) {
  Write(false, {CohortFormat::kHapt, CohortFormat::kHap});
  EXPECT_THAT(Read(Path("c.hapt")), StartsWith("1KG_AFR SYN000001_A "));
  EXPECT_THAT(Run("sed -n 3p c.hapt | cut -d' ' -f1,2"), "EUR SYN000002_A\n");
  // A line is a column of the .hap.
  EXPECT_EQ(Run("sed -n 4p c.hapt | cut -d' ' -f3- | tr ' ' '\\n'"), Run("cut -d' ' -f4 c.hap"));
}

INSTANTIATE_TEST_SUITE_P(Haplotypes, OxfordToolsTest, testing::Values(Packing::kHaplotype1Bit));

class SampleTableTest : public FolderTest {};

TEST_F(SampleTableTest, ATableThatDoesNotFollowTheSamplesIsRefused) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kDiploid2Bit, 3, 5);
  CohortDescription cohort = TestDescription(genotypes);
  const auto refused = [&](const std::string& table) {
    cohort.sample_table = Write("t.tsv", table);
    const absl::Status status = WriteCohort(CohortFormat::kPgen, Path("c"), cohort, genotypes);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(Names(), std::vector<std::string>{"t.tsv"});
    return Message(status);
  };
  EXPECT_THAT(refused("sample\tx\nSYN000001\t1\nSYN000003\t1\nSYN000002\t1\n"),
              HasSubstr("t.tsv: line 3 is not that of sample SYN000002"));
  EXPECT_THAT(refused("sample\tx\nSYN000001\t1\nSYN000002\t1\n"), HasSubstr("line 4 is not that of sample SYN000003"));
  EXPECT_THAT(refused("sample\tx\nSYN000001\n"), HasSubstr("line 2"));
  EXPECT_THAT(refused(""), HasSubstr("is empty"));
}

TEST_F(SampleTableTest, NamesOfOtherSamplesAreTaken) {
  const GenotypeMatrix genotypes = TestGenotypes(Packing::kHaplotype1Bit, 3, 5);
  CohortDescription cohort = TestDescription(genotypes);
  cohort.sample_names = {"a", "bcd", "e"};
  cohort.sexes = {kFemale, kMale, kUnknownSex};
  for (const CohortFormat format : {CohortFormat::kBcf, CohortFormat::kBed, CohortFormat::kNpy}) {
    const std::string path = Path(absl::StrCat("c.", CohortFormatName(format)));
    ASSERT_EQ(WriteCohort(format, path, cohort, genotypes), absl::OkStatus());
  }
  EXPECT_EQ(Run("bcftools query -l c.bcf"), "a\nbcd\ne\n");
  EXPECT_EQ(Read(Path("c.fam")), "0\ta\t0\t0\t2\t-9\n0\tbcd\t0\t0\t1\t-9\n0\te\t0\t0\t0\t-9\n");
  EXPECT_EQ(Read(Path("c.samples.tsv")), "sample\tsex\na\t2\nbcd\t1\ne\t0\n");
}

}  // namespace
}  // namespace genoserve

#include "trainer/dataset/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DatasetTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = JoinPath(testing::TempDir(),
                       std::string("dataset-") + testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.genotypes = SourceOfPath(Write("real.vcf", Vcf("0|1", "1|1", "0|0")));
    options_.panel = Write("panel.tsv", "sample\tpop\nann\tnorth\nbob\tsouth\ncat\tnorth\n");
    options_.label_column = "pop";
    options_.min_label_samples = 1;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) const {
    const std::string path = JoinPath(folder_, name);
    EXPECT_TRUE(FileSystem::Posix().WriteFile(path, text).ok());
    return path;
  }

  // Two variants of ann, bob and cat; the first has these calls, the second is 0|0, 0|1, 1|1.
  static std::string Vcf(const std::string& ann, const std::string& bob, const std::string& cat) {
    return "##fileformat=VCFv4.3\n##contig=<ID=1,length=1000>\n"
           "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
           "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tann\tbob\tcat\n"
           "1\t100\ta\tA\tC\t.\t.\t.\tGT\t" +
           ann + "\t" + bob + "\t" + cat + "\n1\t200\tb\tG\tT\t.\t.\t.\tGT\t0|0\t0|1\t1|1\n";
  }

  std::string Refusal() const { return std::string(LoadDataset(options_).status().message()); }

  std::string folder_;
  DatasetOptions options_;
};

TEST_F(DatasetTest, HaplotypesWithLabels) {
  const absl::StatusOr<Dataset> dataset = LoadDataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->training.genotypes.packing(), Packing::kHaplotype1Bit);
  EXPECT_EQ(dataset->training.genotypes.rows(), 6);
  EXPECT_THAT(dataset->training.labels, ElementsAre(0, 1, 0));
  const v1::Manifest& manifest = dataset->manifest;
  EXPECT_TRUE(manifest.phased());
  EXPECT_EQ(manifest.label_column(), "pop");
  ASSERT_EQ(manifest.labels_size(), 2);
  EXPECT_EQ(manifest.labels(0).name(), "north");
  EXPECT_EQ(manifest.labels(0).training_samples(), 2);
  EXPECT_EQ(manifest.variant_count(), 2);
  EXPECT_EQ(manifest.variant_digest(), dataset->variants.Digest());
  EXPECT_EQ(manifest.training().samples(), 3);
  EXPECT_EQ(manifest.training().data_digest().size(), 64);
}

TEST_F(DatasetTest, DiploidGenotypesWithPhenotypes) {
  options_.diploid = true;
  options_.panel.clear();
  options_.phenotypes = Write("pheno.tsv", "IID\tweight\tsex\nbob\t4\t1\nann\t2\t2\n");
  options_.phenotype_names = {"sex", "weight"};
  options_.categorical = {"sex"};
  const absl::StatusOr<Dataset> dataset = LoadDataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->training.genotypes.packing(), Packing::kDiploid2Bit);
  EXPECT_EQ(dataset->training.genotypes.Get(1, 0), 2) << "bob is 1|1";
  EXPECT_FALSE(dataset->manifest.phased());
  ASSERT_EQ(dataset->manifest.phenotypes_size(), 2);
  EXPECT_THAT(dataset->manifest.phenotypes(0).categorical().levels(), ElementsAre("1", "2"));
  EXPECT_EQ(dataset->manifest.phenotypes(1).continuous().mean(), 3);
  EXPECT_EQ(dataset->training.phenotypes[0][0], 1) << "ann's sex is the second level";
  EXPECT_EQ(dataset->training.phenotypes[1][1], 4);
  EXPECT_TRUE(std::isnan(dataset->training.phenotypes[1][2])) << "cat is not in the file";
  EXPECT_TRUE(dataset->manifest.phenotypes(1).continuous().presence_input());
  EXPECT_THAT(dataset->notes,
              ElementsAre("training samples without a value: of 2 of 2 phenotypes, most of sex (1 of 3 samples)"));
}

TEST_F(DatasetTest, HaplotypesOfADiploidGeneratorAreAddedUp) {
  options_.diploid = true;
  options_.panel.clear();
  const absl::StatusOr<Dataset> dataset = LoadDataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  std::vector<int> codes;
  for (size_t v = 0; v < 2; ++v) {
    for (size_t i = 0; i < 3; ++i) codes.push_back(dataset->training.genotypes.Get(i, v));
  }
  EXPECT_THAT(codes, ElementsAre(1, 2, 0, 0, 1, 2));
  EXPECT_THAT(dataset->notes, ElementsAre());
}

TEST_F(DatasetTest, LabelsWithFewSamplesAreNamedOrRefused) {
  EXPECT_THAT(LoadDataset(options_)->notes, ElementsAre(HasSubstr("fewer than 20 training samples")));
  options_.min_label_samples = 2;
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("panel.tsv: labels with fewer than 2 training samples: south (1)")));
}

TEST_F(DatasetTest, ALogScaleOfAPhenotype) {
  options_.diploid = true;
  options_.panel.clear();
  options_.phenotypes = Write("pheno.tsv", "IID\tweight\tlength\nann\t1\t2\nbob\t1\t3\ncat\t0\t4\n");
  options_.phenotype_names = {"length"};
  options_.log_scale = {"length"};
  const absl::StatusOr<Dataset> dataset = LoadDataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_DOUBLE_EQ(dataset->manifest.phenotypes(0).continuous().log().mean(), std::log(24.0) / 3);
  EXPECT_FALSE(dataset->manifest.phenotypes(0).continuous().presence_input()) << "nobody lacks it";
  EXPECT_THAT(dataset->training.phenotypes[0], ElementsAre(2, 3, 4)) << "in their unit";
  options_.log_scale = {"weight"};
  EXPECT_THAT(Refusal(), HasSubstr("\"weight\", which is not among the phenotypes"));
  options_.phenotype_names = {"weight"};
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("pheno.tsv"), HasSubstr("\"weight\" has the value 0")));
}

TEST_F(DatasetTest, TheHoldoutIsNoPartOfTheTraining) {
  std::string header =
      "##fileformat=VCFv4.3\n##contig=<ID=1,length=1000>\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n#"
      "CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
  std::string calls = "1\t100\ta\tA\tC\t.\t.\t.\tGT";
  std::string panel = "sample\tpop\n";
  std::string phenotypes = "IID\tcolour\tnumber\n";
  for (int i = 0; i < 50; ++i) {
    absl::StrAppend(&header, "\tS", i);
    absl::StrAppend(&calls, i % 2 == 0 ? "\t0|0" : "\t1|1");
    absl::StrAppend(&panel, "S", i, i < 40 ? "\tnorth\n" : "\tsouth\n");
    absl::StrAppend(&phenotypes, "S", i, i % 2 == 0 ? "\twhite\t" : "\tblack\t", i, "\n");
  }
  options_.genotypes = SourceOfPath(Write("many.vcf", header + "\n" + calls + "\n"));
  options_.panel = Write("many.tsv", panel);
  options_.phenotypes = Write("many.pheno.tsv", phenotypes);
  options_.phenotype_names = {"colour", "number"};
  options_.holdout_share = 0.2;
  const absl::StatusOr<Dataset> dataset = LoadDataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->manifest.training().samples(), 40);
  EXPECT_EQ(dataset->manifest.training().holdout_samples(), 10);
  EXPECT_EQ(dataset->manifest.labels(0).training_samples(), 32);
  EXPECT_EQ(dataset->manifest.labels(1).training_samples(), 8);
  for (const TrainingSet* set : {&dataset->training, &dataset->holdout}) {
    for (size_t i = 0; i < set->genotypes.samples(); ++i) {
      const int number = static_cast<int>(set->phenotypes[1][i]);
      EXPECT_EQ(set->genotypes.Get(2 * i, 0), number % 2) << "genotypes stay with their sample";
      EXPECT_EQ(set->phenotypes[0][i], number % 2 == 0 ? 1 : 0) << "black is level 0";
      EXPECT_EQ(set->labels[i], number < 40 ? 0 : 1);
    }
  }
}

TEST_F(DatasetTest, FillsInMissingCallsAndSaysHowMany) {
  options_.genotypes = SourceOfPath(Write("missing.vcf", Vcf("0|1", ".|.", "1|1")));
  const absl::StatusOr<Dataset> dataset = LoadDataset(options_);
  ASSERT_TRUE(dataset.ok()) << dataset.status();
  EXPECT_EQ(dataset->manifest.training().imputed_calls(), 1);
}

TEST_F(DatasetTest, TheDigestDependsOnAllContents) {
  const std::string before = LoadDataset(options_)->manifest.training().data_digest();
  EXPECT_EQ(before, LoadDataset(options_)->manifest.training().data_digest());
  options_.panel = Write("other.tsv", "sample\tpop\nann\tsouth\nbob\tsouth\ncat\tnorth\n");
  EXPECT_NE(before, LoadDataset(options_)->manifest.training().data_digest());
}

TEST_F(DatasetTest, SaysWhatIsWrongAndWhere) {
  options_.label_column = "super_pop";
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("panel.tsv"), HasSubstr("no column \"super_pop\"; it has pop")));
  options_.label_column = "pop";
  options_.panel = Write("short.tsv", "sample\tpop\nann\tnorth\nbob\tsouth\n");
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("short.tsv"), HasSubstr("sample cat is not in the panel")));
}

TEST_F(DatasetTest, RefusesUnknownAndEmptyPhenotypes) {
  options_.phenotypes = Write("pheno.tsv", "IID\tweight\tlength\nbob\t4\tNA\n");
  options_.phenotype_names = {"height"};
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("pheno.tsv"), HasSubstr("no phenotype \"height\"; there are weight, length")));
  options_.phenotype_names = {"length"};
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("pheno.tsv"), HasSubstr("has a value of phenotype \"length\"")));
}

TEST_F(DatasetTest, HaplotypesNeedAPhasedFile) {
  options_.genotypes = SourceOfPath(Write("unphased.vcf", Vcf("0/1", "1/1", "0/0")));
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("unphased.vcf"), HasSubstr("is not phased throughout")));
  options_.diploid = true;
  EXPECT_TRUE(LoadDataset(options_).ok());
}

TEST(GenotypeSourceTest, TheSuffixTellsTheFormat) {
  EXPECT_THAT(FilesOf(SourceOfPath("a/b.vcf.gz")), ElementsAre("a/b.vcf.gz"));
  EXPECT_THAT(FilesOf(SourceOfPath("b.bcf")), ElementsAre("b.bcf"));
  EXPECT_THAT(FilesOf(SourceOfPath("a/b")), ElementsAre("a/b.bed", "a/b.bim", "a/b.fam"));
  EXPECT_THAT(FilesOf(SourceOfPath("a/b.bed")), ElementsAre("a/b.bed", "a/b.bim", "a/b.fam"));
}

TEST(GenotypeSourceTest, DigestNamesTheFileThatIsNotThere) {
  EXPECT_THAT(std::string(DigestFiles({"/nowhere/x.vcf"}).status().message()), HasSubstr("/nowhere/x.vcf"));
}

}  // namespace
}  // namespace genoserve

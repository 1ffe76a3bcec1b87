#include "client/cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "core/base/file.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

class OutputTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = JoinPath(testing::TempDir(), "outputXXXXXX");
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  std::vector<std::string> Names() { return *FileSystem::Posix().ListFolder(folder_); }
  std::string Text(const std::string& name) { return *FileSystem::Posix().ReadFile(JoinPath(folder_, name), 1 << 20); }

  std::string folder_;
};

TEST_F(OutputTest, TheSuffixTellsTheFormat) {
  EXPECT_THAT(PlanOutput("a/b.vcf", "")->Files(), ElementsAre("a/b.vcf", "a/b.panel.tsv", "a/b.pheno.tsv"));
  EXPECT_THAT(PlanOutput("b.vcf.gz", "")->Files(),
              ElementsAre("b.vcf.gz", "b.vcf.gz.csi", "b.panel.tsv", "b.pheno.tsv"));
  EXPECT_EQ(PlanOutput("b.bcf", "")->format, CohortFormat::kBcf);
  for (const char* prefix : {"b", "b.bed"}) {
    EXPECT_THAT(PlanOutput(prefix, "")->Files(), ElementsAre("b.bed", "b.bim", "b.fam", "b.panel.tsv", "b.pheno.tsv"));
  }
  EXPECT_EQ(PlanOutput("run.1", "")->path, "run.1");
}

TEST_F(OutputTest, TheTypeOverrulesTheSuffix) {
  EXPECT_EQ(PlanOutput("b.vcf", "bcf")->format, CohortFormat::kBcf);
  EXPECT_EQ(PlanOutput("b.vcf", "bcf")->path, "b.vcf");
  EXPECT_EQ(PlanOutput("b", "vcf.gz")->path, "b");
  EXPECT_EQ(PlanOutput("-", "")->format, CohortFormat::kVcf);
  EXPECT_EQ(PlanOutput("-", "bcf")->format, CohortFormat::kBcf);
  EXPECT_THAT(PlanOutput("-", "bcf")->Files(), IsEmpty());
  EXPECT_THAT(Message(PlanOutput("-", "bed").status()), HasSubstr("standard output"));
  EXPECT_THAT(Message(PlanOutput("b", "pdf").status()), HasSubstr("vcf, vcf.gz, bcf or bed"));
  EXPECT_THAT(Message(PlanOutput("a/", "").status()), HasSubstr("names no file"));
  EXPECT_THAT(Message(PlanOutput("a/.vcf", "").status()), HasSubstr("suffix without a name"));
}

TEST_F(OutputTest, RefusesToOverwriteAnyOfTheFiles) {
  const OutputPlan plan = *PlanOutput(JoinPath(folder_, "c.bcf"), "");
  EXPECT_TRUE(CheckOutput(plan, false).ok());
  for (const std::string& file : plan.Files()) {
    ASSERT_TRUE(FileSystem::Posix().WriteFile(file, "old").ok());
    EXPECT_EQ(CheckOutput(plan, false).code(), absl::StatusCode::kAlreadyExists);
    EXPECT_THAT(Message(CheckOutput(plan, false)), HasSubstr(file));
    EXPECT_TRUE(CheckOutput(plan, true).ok());
    ASSERT_TRUE(FileSystem::Posix().Remove(file).ok());
  }
  EXPECT_EQ(CheckOutput(*PlanOutput(JoinPath(folder_, "no/c.bcf"), ""), false).code(), absl::StatusCode::kNotFound);
}

v1::CohortHeader Header() {
  v1::CohortHeader header;
  header.set_cohort_size(3);
  header.set_label_column("pop");
  header.add_labels("AFR");
  header.add_labels("EUR");
  v1::PhenotypeSchema* weight = header.add_phenotypes();
  weight->set_name("weight");
  weight->mutable_continuous();
  v1::PhenotypeSchema* colour = header.add_phenotypes();
  colour->set_name("colour");
  colour->mutable_categorical()->add_levels("black");
  colour->mutable_categorical()->add_levels("white");
  return header;
}

CohortBatch Batch() {
  CohortBatch batch;
  batch.first_sample = 1;
  batch.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 4, 5);
  batch.labels = {1, 0};
  batch.phenotypes = {{24.5, 0.1}, {1, 0}};
  return batch;
}

TEST_F(OutputTest, TablesAppearWhenTheyAreWhole) {
  const OutputPlan plan = *PlanOutput(JoinPath(folder_, "c.vcf"), "");
  {
    auto tables = SampleTables::Create(plan, Header());
    ASSERT_TRUE(tables.ok()) << tables.status();
    ASSERT_TRUE(tables->Append(Batch()).ok());
    ASSERT_TRUE(tables->Finish().ok());
    ASSERT_TRUE(tables->Commit().ok());
  }
  EXPECT_THAT(Names(), ElementsAre("c.panel.tsv", "c.pheno.tsv"));
  EXPECT_EQ(Text("c.panel.tsv"), "sample\tpop\nSYN000002\tEUR\nSYN000003\tAFR\n");
  EXPECT_EQ(Text("c.pheno.tsv"), "#IID\tweight\tcolour\nSYN000002\t24.5\twhite\nSYN000003\t0.1\tblack\n");
}

TEST_F(OutputTest, TablesThatAreNotCommittedLeaveNothing) {
  const OutputPlan plan = *PlanOutput(JoinPath(folder_, "c.vcf"), "");
  {
    auto tables = SampleTables::Create(plan, Header());
    ASSERT_TRUE(tables.ok()) << tables.status();
    ASSERT_TRUE(tables->Append(Batch()).ok());
    EXPECT_EQ(Names().size(), 2);
  }
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace genoserve

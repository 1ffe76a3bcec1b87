#include "client/cli/output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using OutputTest = FolderTest;

TEST_F(OutputTest, TheSuffixTellsTheFormat) {
  EXPECT_THAT(PlanOutput({"a/b.vcf", "", "", ""})->Files(),
              ElementsAre("a/b.vcf", "a/b.panel.tsv", "a/b.pheno.tsv", "a/b.manifest.json"));
  EXPECT_THAT(PlanOutput({"b.vcf.gz", "", "", ""})->Files(),
              ElementsAre("b.vcf.gz", "b.vcf.gz.csi", "b.panel.tsv", "b.pheno.tsv", "b.manifest.json"));
  EXPECT_EQ(PlanOutput({"b.bcf", "", "", ""})->format, CohortFormat::kBcf);
  for (const char* prefix : {"b", "b.bed"}) {
    EXPECT_THAT(PlanOutput({prefix, "", "", ""})->Files(),
                ElementsAre("b.bed", "b.bim", "b.fam", "b.panel.tsv", "b.pheno.tsv", "b.manifest.json"));
  }
  EXPECT_EQ(PlanOutput({"run.1", "", "", ""})->path, "run.1");
  // Others' suffixes, which are read, are no names of BED filesets.
  EXPECT_THAT(Message(PlanOutput({"b.vcz", "", "", ""}).status()), HasSubstr("b.vcz: the suffix is .zarr"));
  EXPECT_THAT(Message(PlanOutput({"b.vcf.bgz", "", "", ""}).status()), HasSubstr("the suffix is .vcf.gz"));
  EXPECT_EQ(PlanOutput({"b.vcz", "zarr", "", ""})->path, "b.vcz");
}

TEST_F(OutputTest, TheTypeOverrulesTheSuffix) {
  EXPECT_EQ(PlanOutput({"b.vcf", "bcf", "", ""})->format, CohortFormat::kBcf);
  EXPECT_EQ(PlanOutput({"b.vcf", "bcf", "", ""})->path, "b.vcf");
  EXPECT_EQ(PlanOutput({"b", "vcf.gz", "", ""})->path, "b");
  EXPECT_EQ(PlanOutput({"-", "", "", ""})->format, CohortFormat::kVcf);
  EXPECT_EQ(PlanOutput({"-", "bcf", "", ""})->format, CohortFormat::kBcf);
  EXPECT_THAT(PlanOutput({"-", "bcf", "", ""})->Files(), IsEmpty());
  EXPECT_THAT(Message(PlanOutput({"-", "bed", "", ""}).status()), HasSubstr("standard output"));
  EXPECT_THAT(Message(PlanOutput({"b", "pdf", "", ""}).status()),
              HasSubstr("vcf, vcf.gz, bcf, bed, pgen, hap, haps, hapt, npy or zarr"));
  EXPECT_THAT(Message(PlanOutput({"a/", "", "", ""}).status()), HasSubstr("names no file"));
  EXPECT_THAT(Message(PlanOutput({"a/.vcf", "", "", ""}).status()), HasSubstr("suffix without a name"));
}

TEST_F(OutputTest, RefusesToOverwriteAnyOfTheFiles) {
  const OutputPlan plan = *PlanOutput({Path("c.bcf"), "", "", ""});
  EXPECT_TRUE(CheckIsNew(plan).ok());
  for (const std::string& file : plan.Files()) {
    ASSERT_TRUE(FileSystem::Posix().WriteFile(file, "old").ok());
    EXPECT_EQ(CheckIsNew(plan).code(), absl::StatusCode::kAlreadyExists);
    EXPECT_THAT(Message(CheckIsNew(plan)), HasSubstr(file));
    ASSERT_TRUE(FileSystem::Posix().Remove(file).ok());
  }
  EXPECT_EQ(CheckFolder(*PlanOutput({Path("no/c.bcf"), "", "", ""})).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(CheckFolder(plan).ok());
}

TEST_F(OutputTest, WhatBelongsToAFormatIsRefusedOfOthers) {
  EXPECT_THAT(PlanOutput({"b.vcf.gz", "", "tbi", ""})->GenotypeFiles(), ElementsAre("b.vcf.gz", "b.vcf.gz.tbi"));
  EXPECT_EQ(PlanOutput({"b.vcf.gz", "", "tbi", ""})->Describe(), "vcf.gz, index tbi");
  EXPECT_EQ(PlanOutput({"b.haps", "", "", "bcftools"})->Describe(), "haps, as of bcftools");
  EXPECT_THAT(Message(PlanOutput({"b.bcf", "", "tbi", ""}).status()), HasSubstr("only csi"));
  EXPECT_THAT(Message(PlanOutput({"b.vcf", "", "csi", ""}).status()), HasSubstr("vcf.gz has csi or tbi"));
  EXPECT_THAT(Message(PlanOutput({"b.vcf.gz", "", "bai", ""}).status()), HasSubstr("not csi or tbi"));
  EXPECT_THAT(Message(PlanOutput({"b.bed", "", "", "plink2"}).status()), HasSubstr("for hap and haps"));
  EXPECT_THAT(Message(PlanOutput({"b.haps", "", "", "oxford"}).status()), HasSubstr("not plink2 or bcftools"));
}

TEST_F(OutputTest, RemovesWhatKilledProgramsLeftAndNothingElse) {
  const OutputPlan plan = *PlanOutput({Path("c.bcf"), "", "", ""});
  for (const char* name : {"c.bcf.tmp-1-2", "c.bcf.csi.tmp-1-3", "c.panel.tsv.tmp-9-0", "c.bcf.part.json.tmp-1-ab",
                           "c.bcf.part", "d.bcf.tmp-1-2", "c.bcf"}) {
    Write(name, "x");
  }
  EXPECT_EQ(RemoveTemporaries(plan), absl::OkStatus());
  EXPECT_THAT(Names(), ElementsAre("c.bcf", "c.bcf.part", "d.bcf.tmp-1-2"));
}

}  // namespace
}  // namespace genoserve

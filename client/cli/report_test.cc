// genoserve report through its function, on the example panel and on files that do not fit.
#include "client/cli/report.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/cli/report_input.h"
#include "core/base/file.h"
#include "core/io/cohort_writer.h"
#include "core/io/genotype_reader.h"
#include "core/io/sample_tables.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kPanel[] = "examples/five-populations/panel.vcf.gz";
constexpr char kLabels[] = "examples/five-populations/panel.tsv";

bool Never() { return false; }

class ReportTest : public FolderTest {
 protected:
  // The panel as its own synthetic cohort: copies of everybody.
  ReportArguments Copies() const {
    ReportArguments arguments;
    arguments.training = {kPanel, kLabels, ""};
    arguments.synthetic = {kPanel, kLabels, ""};
    arguments.label_column = "pop";
    arguments.quiet = true;
    return arguments;
  }

  // Ten variants of 60 people, unphased: each position is `place` more, and the alleles are these.
  std::string Vcf(const std::string& name, int place, const std::string& ref, const std::string& alt) const {
    std::string text =
        "##fileformat=VCFv4.3\n##contig=<ID=1,length=100000>\n"
        "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
    for (int i = 0; i < 60; ++i) absl::StrAppend(&text, "\tS", i);
    for (int v = 0; v < 10; ++v) {
      absl::StrAppend(&text, "\n1\t", 100 * (v + 1) + place, "\trs", v, "\t", ref, "\t", alt, "\t.\t.\t.\tGT");
      for (int i = 0; i < 60; ++i) absl::StrAppend(&text, (i * 7 + v * 3) % 5 < 2 ? "\t0/1" : "\t0/0");
    }
    return Write(name, text + "\n");
  }

  // The panel's people under other names, as a BED fileset; the prefix.
  std::string Renamed(const std::string& name) const {
    const GenotypeData data = ReadGenotypes(SourceOfPath(kPanel), {}).value();
    CohortDescription description;
    description.variants = data.variants;
    description.packing = data.genotypes.packing();
    description.cohort_size = static_cast<int64_t>(data.samples.size());
    description.sample_count = description.cohort_size;
    auto writer = OpenCohortWriter(CohortFormat::kBed, Path(name), description).value();
    EXPECT_TRUE(writer->Append(data.genotypes).ok());
    EXPECT_TRUE(writer->Close().ok());
    return Path(name);
  }

  // The panel's people, all of a label that it has not.
  static std::string OtherLabels() {
    const Panel panel = ReadPanel(kLabels).value();
    std::string text = "sample\tpop\n";
    for (const std::string& sample : panel.samples()) absl::StrAppend(&text, sample, "\tXXX\n");
    return text;
  }

  std::string ErrorOf(const ReportArguments& arguments) const {
    const absl::Status status = Report(arguments, Never);
    EXPECT_EQ(ExitCodeOf(status), kExitUsage) << status;
    return std::string(status.message());
  }
};

TEST_F(ReportTest, WritesPageAndJsonAndSaysWhenTheGateIsBroken) {
  ReportArguments arguments = Copies();
  arguments.output = Path("report.html");
  arguments.json = Path("quality.json");
  arguments.title = "copies";
  arguments.gate_given = true;
  const absl::Status status = Report(arguments, Never);
  EXPECT_EQ(ExitCodeOf(status), kExitMismatch) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("does not pass the gate default"));
  EXPECT_THAT(Read(arguments.output), AllOf(StartsWith("<!doctype html>"), HasSubstr("copies")));
  const nlohmann::json quality = nlohmann::json::parse(Read(arguments.json));
  EXPECT_EQ(quality["inputs"]["samples_compared"], "120");
  EXPECT_EQ(quality["inputs"]["sets"][0]["samples"], "480");
  EXPECT_EQ(quality["inputs"]["sets"][1]["role"], "holdout");
  EXPECT_EQ(quality["inputs"]["sets"][1]["samples"], "120");
  EXPECT_FALSE(quality["gate"].value("passed", false));

  arguments.gate_given = false;
  EXPECT_THAT(ErrorOf(arguments), HasSubstr("report.html: is there already; --force replaces it"));
  arguments.force = true;
  EXPECT_TRUE(Report(arguments, Never).ok()) << "without --gate the breach is told, not an error";
}

TEST_F(ReportTest, SwappedAllelesAreTurnedRoundAndCounted) {
  ReportArguments arguments;
  arguments.training.genotypes = Vcf("real.vcf", 0, "A", "C");
  arguments.synthetic.genotypes = Vcf("synth.vcf", 0, "C", "A");
  const absl::StatusOr<ReportInput> input = ReadReportInput(arguments);
  ASSERT_TRUE(input.ok()) << input.status();
  EXPECT_EQ(input->inputs.sets(2).role(), "synthetic");
  EXPECT_EQ(input->inputs.sets(2).alleles_swapped(), 10);
  EXPECT_EQ(input->sets.whole_synthetic.genotypes.Get(0, 0), 1);
  EXPECT_EQ(input->sets.whole_synthetic.genotypes.Get(1, 0), 2) << "0/0 of the swapped alleles";
  EXPECT_EQ(input->sets.whole_training.samples() + input->sets.whole_holdout.samples(), 60U);
}

TEST_F(ReportTest, AnInterruptLeavesNoFile) {
  ReportArguments arguments = Copies();
  arguments.output = Path("report.html");
  EXPECT_EQ(ExitCodeOf(Report(arguments, [] { return true; })), kExitInterrupt);
  EXPECT_FALSE(FileSystem::Posix().Exists(arguments.output));
}

TEST_F(ReportTest, BadInputIsOneClearSentence) {
  ReportArguments arguments;
  arguments.quiet = true;
  arguments.training.genotypes = Vcf("real.vcf", 0, "A", "C");
  arguments.synthetic.genotypes = Vcf("moved.vcf", 5, "A", "C");
  EXPECT_THAT(ErrorOf(arguments),
              HasSubstr("real.vcf and moved.vcf name 10 of the same variants but place 10 of them"));
  arguments.synthetic.genotypes = Vcf("other.vcf", 0, "A", "G");
  EXPECT_THAT(ErrorOf(arguments), HasSubstr("10 variants at the same positions with other alleles and 0"));
  arguments.synthetic.genotypes = arguments.training.genotypes;
  EXPECT_THAT(ErrorOf(arguments), AllOf(HasSubstr("48 training, 12 hold-out"), HasSubstr("needs 20 of each")));
  arguments.holdout.genotypes = arguments.training.genotypes;
  EXPECT_THAT(ErrorOf(arguments), HasSubstr("60 samples, such as S0, are both in"));
  // The same people under other names.
  ReportArguments doubles;
  doubles.quiet = true;
  doubles.training.genotypes = kPanel;
  doubles.synthetic.genotypes = kPanel;
  doubles.holdout.genotypes = Renamed("renamed");
  EXPECT_THAT(ErrorOf(doubles), HasSubstr("600 of the 600 samples of renamed have the very genotypes"));
  arguments.holdout.genotypes = Path("none.vcf");
  EXPECT_THAT(ErrorOf(arguments), HasSubstr("none.vcf"));

  ReportArguments copies = Copies();
  copies.label_column = "continent";
  EXPECT_THAT(ErrorOf(copies), HasSubstr("no column \"continent\""));
  copies = Copies();
  copies.synthetic.panel.clear();
  EXPECT_THAT(ErrorOf(copies), HasSubstr("--panel needs --synth-panel"));
  copies = Copies();
  copies.output = copies.json = Path("one");
  EXPECT_THAT(ErrorOf(copies), HasSubstr("two files"));
  copies.output = ".";
  EXPECT_THAT(ErrorOf(copies), HasSubstr("is a folder"));
  copies = Copies();
  copies.holdout.panel = kLabels;
  EXPECT_THAT(ErrorOf(copies), HasSubstr("need --holdout"));
  copies = Copies();
  copies.phenotype_names = {"height"};
  EXPECT_THAT(ErrorOf(copies), HasSubstr("need --pheno"));
  copies = Copies();
  copies.synthetic.panel = Write("other.tsv", OtherLabels());
  EXPECT_THAT(ErrorOf(copies), HasSubstr("no label of other.tsv is among those of"));
  copies = Copies();
  copies.holdout_share = 0.9;
  EXPECT_THAT(ErrorOf(copies), HasSubstr("0.05 to 0.5"));
  copies = Copies();
  copies.gate = Write("bad.gate", "limits { figure: 'af.person' maximum: 1 }");
  EXPECT_THAT(ErrorOf(copies), AllOf(HasSubstr("bad.gate"), HasSubstr("af.person")));
  copies = Copies();
  copies.output = Path("no/such/folder/report.html");
  EXPECT_THAT(ErrorOf(copies), HasSubstr("no/such/folder"));
}

}  // namespace
}  // namespace genoserve

// fetch --simulate-pheno and --preset gwas-ci against a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "client/cli/end_to_end.h"
#include "client/cli/exit_code.h"
#include "client/testing/proxy.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class FetchTraitTest : public EndToEndTest {
 protected:
  static std::vector<std::string> Fetch(const std::string& output, const std::vector<std::string>& more,
                                        const std::string& samples = "3000") {
    std::vector<std::string> arguments = {"fetch", kHaplotypes, "-n", samples, "--seed", "7", "-q", "-o", output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  std::string Error(const std::vector<std::string>& arguments) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, kExitUsage) << result.err;
    EXPECT_THAT(Names(), IsEmpty());
    return result.err;
  }
};

TEST_F(FetchTraitTest, TheTraitIsOneOfTheCohortWhateverWayItCame) {
  const std::vector<std::string> trait = {
      "--simulate-pheno", "--heritability", "0.8", "--prevalence", "0.25", "--causal", "5", "-O", "bed"};
  ASSERT_EQ(Run(Fetch(Path("a"), trait)).exit_code, 0);
  std::vector<std::string> other = trait;
  other.insert(other.end(), {"--max-batch-bytes", "4096", "--parallel", "2"});
  ASSERT_EQ(Run(Fetch(Path("b"), other)).exit_code, 0);
  EXPECT_EQ(Text("a.pheno.tsv"), Text("b.pheno.tsv"));
  EXPECT_EQ(Text("a.truth.tsv"), Text("b.truth.tsv"));
  EXPECT_THAT(Text("a.pheno.tsv"), StartsWith("#IID\tsim_trait\tsim_case\nSYN000001\t"));
  EXPECT_THAT(Names(), UnorderedElementsAre("a.bed", "a.bim", "a.fam", "a.manifest.json", "a.panel.tsv", "a.pheno.tsv",
                                            "a.truth.tsv", "b.bed", "b.bim", "b.fam", "b.manifest.json", "b.panel.tsv",
                                            "b.pheno.tsv", "b.truth.tsv"));
  EXPECT_THAT(Text("a.manifest.json"),
              AllOf(HasSubstr("\"heritability\": 0.8"), HasSubstr("\"causal\": \"5\""), HasSubstr("a.truth.tsv")));
  // The strongest variant is what plink2 finds first.
  Tool({"plink2", "--bfile", Path("a"), "--pheno", Path("a.pheno.tsv"), "--pheno-name", "sim_trait", "--glm",
        "allow-no-covars", "--out", Path("g")});
  std::string strongest;
  double largest = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(Text("a.truth.tsv"), '\n'))) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells.size() != 7 || cells[0] == "#CHROM" || std::stod(cells[6]) <= largest) continue;
    largest = std::stod(cells[6]);
    strongest = cells[2];
  }
  std::string found;
  double smallest = 0;
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(Text("g.sim_trait.glm.linear"), '\n'))) {
    const std::vector<std::string> cells = absl::StrSplit(line, '\t');
    if (cells.size() < 12 || cells[0] == "#CHROM" || cells[10] == "NA") continue;
    if (-std::abs(std::stod(cells[10])) >= smallest) continue;
    smallest = -std::abs(std::stod(cells[10]));
    found = cells[2];
  }
  EXPECT_EQ(found, strongest);
}

TEST_F(FetchTraitTest, AFetchThatBrokeOffGoesOnToTheSameTrait) {
  const std::vector<std::string> trait = {"--simulate-pheno", "--retries", "0"};
  ASSERT_EQ(Run(Fetch(Path("whole"), trait, "40000")).exit_code, 0);
  Proxy proxy(server().port());
  proxy.CutAfter(500'000, 1);
  const ProgramResult broken = RunAt(proxy.address(), Fetch(Path("cut"), trait, "40000"));
  ASSERT_EQ(broken.exit_code, kExitIncomplete) << broken.err;
  ASSERT_THAT(Names(), testing::Contains("cut.part.json")) << broken.err;
  std::vector<std::string> another = trait;
  another.insert(another.end(), {"--simulate-seed", "8"});
  EXPECT_THAT(Run(Fetch(Path("cut"), another, "40000")).err, HasSubstr("asks for another trait"));
  const ProgramResult resumed = Run(Fetch(Path("cut"), trait, "40000"));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(Text("cut.pheno.tsv"), Text("whole.pheno.tsv"));
  EXPECT_EQ(Text("cut.truth.tsv"), Text("whole.truth.tsv"));
}

TEST_F(FetchTraitTest, ThePresetIsOneCohortInThreeFormats) {
  ASSERT_EQ(Run(Fetch(Path("ci"), {"--preset", "gwas-ci", "--pop", "L1:1000,L2:2000"})).exit_code, 0);
  EXPECT_THAT(Names(), UnorderedElementsAre("ci.bed", "ci.bim", "ci.fam", "ci.pgen", "ci.pvar", "ci.psam", "ci.vcf.gz",
                                            "ci.vcf.gz.csi", "ci.panel.tsv", "ci.pheno.tsv", "ci.covar.tsv",
                                            "ci.truth.tsv", "ci.manifest.json"));
  EXPECT_THAT(Text("ci.psam"), StartsWith("#IID\tSEX\tpopulation\tsim_trait\tsim_case\nSYN000001\tNA\tL1\t"));
  EXPECT_THAT(Text("ci.covar.tsv"),
              AllOf(StartsWith("#IID\tpopulation_L2\nSYN000001\t0\n"), HasSubstr("SYN003000\t1\n")));
  // The VCF is the one that is fetched as such, bytes and all.
  ASSERT_EQ(Run(Fetch(Path("plain.vcf.gz"), {"--pop", "L1:1000,L2:2000"})).exit_code, 0);
  EXPECT_EQ(Text("ci.vcf.gz"), Text("plain.vcf.gz"));
  ASSERT_EQ(Run(Fetch(Path("bed"), {"--pop", "L1:1000,L2:2000", "-O", "bed"})).exit_code, 0);
  EXPECT_EQ(Text("ci.bed"), Text("bed.bed"));
  EXPECT_EQ(Run({"verify", Path("ci")}).exit_code, 0);
}

TEST_F(FetchTraitTest, ACohortOfOneLabelOrNoneHasNoCovariates) {
  ASSERT_EQ(Run(Fetch(Path("one"), {"--preset", "gwas-ci", "--pop", "L1:3000"})).exit_code, 0);
  EXPECT_THAT(Names(), Not(testing::Contains("one.covar.tsv")));
  EXPECT_EQ(Run({"verify", Path("one")}).exit_code, 0);
  ASSERT_EQ(Run({"fetch", kDiploid, "-n", "500", "--preset", "gwas-ci", "-o", Path("none"), "-q"}).exit_code, 0);
  EXPECT_THAT(Text("none.pheno.tsv"), StartsWith("#IID\tweight\tcoat\tsim_trait\tsim_case\n"));
  EXPECT_EQ(Run({"verify", Path("none")}).exit_code, 0);
}

TEST_F(FetchTraitTest, RefusesWhatDoesNotGoWithATrait) {
  EXPECT_THAT(Error(Fetch(Path("x"), {"--simulate-pheno", "--shard", "1/2"})), HasSubstr("--shard: a trait is"));
  EXPECT_THAT(Error(Fetch("-", {"--simulate-pheno"})), HasSubstr("-o -: "));
  EXPECT_THAT(Error(Fetch(Path("x"), {"--heritability", "0.5"})), HasSubstr("goes with --simulate-pheno"));
  EXPECT_THAT(Error(Fetch(Path("x"), {"--simulate-pheno", "--heritability", "2"})), HasSubstr("from 0 to 1"));
  EXPECT_THAT(Error(Fetch(Path("x"), {"--simulate-pheno", "--causal", "401"})), HasSubstr("401 of 400 variants"));
  EXPECT_THAT(Error(Fetch(Path("x"), {"--simulate-pheno", "--prevalence", "0.0001"})), HasSubstr("no case"));
  EXPECT_THAT(Error(Fetch(Path("x"), {"--preset", "gwas"})), HasSubstr("\"gwas\" is not gwas-ci"));
  EXPECT_THAT(Error(Fetch(Path("x.vcf"), {"--preset", "gwas-ci"})), HasSubstr("-o is the prefix"));
  EXPECT_THAT(Error(Fetch(Path("x"), {"--preset", "gwas-ci", "-O", "bcf"})), HasSubstr("-O is not for it"));
}

}  // namespace
}  // namespace genoserve

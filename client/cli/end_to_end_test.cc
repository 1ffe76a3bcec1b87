// The program against a real server: what it writes and what it refuses.
#include "client/cli/end_to_end.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/exit_code.h"
#include "core/base/file.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr char kPopulations[] = "L1:2000,L0:2500";
constexpr char kRegion[] = "1:1000-5000";

TEST_F(EndToEndTest, ToolsAcceptEveryFormatAndReadTheSameGenotypes) {
  for (const char* name : {"c.vcf", "c.vcf.gz", "c.bcf"}) {
    const ProgramResult result = Run({"fetch", kHaplotypes, "-n", "300", "--seed", "7", "-o", Path(name), "--force"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("300 samples of model"), HasSubstr("seed 7"), HasSubstr("c.manifest.json")));
    EXPECT_EQ(Genotypes(Path(name)), Genotypes(Path("c.vcf"))) << name;
    EXPECT_THAT(Tool({"bcftools", "stats", Path(name)}), HasSubstr("number of samples:\t300\n"));
    Tool({"plink2", std::string(name) == "c.bcf" ? "--bcf" : "--vcf", Path(name), "--freq", "--out", Path("freq")});
  }
  EXPECT_THAT(Genotypes(Path("c.vcf")), HasSubstr("|"));
  EXPECT_THAT(Tool({"bcftools", "index", "-s", Path("c.bcf")}), Not(IsEmpty()));
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "300", "--seed", "7", "-o", Path("b"), "-q"}).exit_code, 0);
  Tool({"plink2", "--bfile", Path("b"), "--real-ref-alleles", "--freq", "counts", "--out", Path("b")});
  Tool({"plink2", "--vcf", Path("c.vcf"), "--freq", "counts", "--out", Path("v")});
  EXPECT_EQ(Text("b.acount"), Text("v.acount"));
  EXPECT_THAT(Text("b.acount"), Not(IsEmpty()));
}

TEST_F(EndToEndTest, TheSameSeedGivesTheSameBytesWhateverTheBatches) {
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "2000", "--seed", "9", "-o", Path("a.vcf")}).exit_code, 0);
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "2000", "--seed", "9", "-o", Path("b.vcf"), "--max-batch-bytes", "4096"})
                .exit_code,
            0);
  EXPECT_EQ(Text("a.vcf"), Text("b.vcf"));
  const ProgramResult drawn = Run({"fetch", kHaplotypes, "-n", "2000", "-o", Path("c.vcf")});
  ASSERT_EQ(drawn.exit_code, 0);
  EXPECT_NE(Genotypes(Path("a.vcf")), Genotypes(Path("c.vcf")));
}

TEST_F(EndToEndTest, ShardsJoinToTheWhole) {
  const std::vector<std::string> fetch = {"fetch", kHaplotypes, "--pop", kPopulations, "--seed", "3", "-q"};
  const auto with = [&fetch](std::vector<std::string> more) {
    more.insert(more.begin(), fetch.begin(), fetch.end());
    return more;
  };
  ASSERT_EQ(Run(with({"-o", Path("whole.bcf")})).exit_code, 0);
  std::vector<std::string> merge = {"bcftools", "merge", "--no-index"};
  std::string panel = "sample\tpopulation\n";
  for (int i = 1; i <= 3; ++i) {
    const std::string name = absl::StrCat("part", i);
    const ProgramResult part = Run(with({"--shard", absl::StrCat(i, "/3"), "-o", Path(name + ".bcf")}));
    ASSERT_EQ(part.exit_code, 0) << part.err;
    merge.push_back(Path(name + ".bcf"));
    const std::string lines = Text(name + ".panel.tsv");
    panel += lines.substr(lines.find('\n') + 1);
  }
  for (const char* option : {"-Ob", "-o"}) merge.push_back(option);
  merge.push_back(Path("merged.bcf"));
  Tool(merge);
  EXPECT_EQ(Genotypes(Path("merged.bcf")), Genotypes(Path("whole.bcf")));
  EXPECT_EQ(Tool({"bcftools", "query", "-l", Path("merged.bcf")}),
            Tool({"bcftools", "query", "-l", Path("whole.bcf")}));
  EXPECT_EQ(panel, Text("whole.panel.tsv"));
}

TEST_F(EndToEndTest, TablesTellLabelsAndPhenotypes) {
  ASSERT_EQ(Run({"fetch", kHaplotypes, "--pop", "L1:2,L0:1", "-o", Path("p.vcf")}).exit_code, 0);
  EXPECT_EQ(Text("p.panel.tsv"), "sample\tpopulation\nSYN000001\tL1\nSYN000002\tL1\nSYN000003\tL0\n");
  ASSERT_EQ(
      Run({"fetch", kDiploid, "-n", "2", "--pheno", "weight=24.5", "--pheno", "coat=b", "-o", Path("d")}).exit_code, 0);
  EXPECT_EQ(Text("d.pheno.tsv"), "#IID\tweight\tcoat\nSYN000001\t24.5\tb\nSYN000002\t24.5\tb\n");
  EXPECT_THAT(Names(), UnorderedElementsAre("p.vcf", "p.panel.tsv", "p.manifest.json", "d.bed", "d.bim", "d.fam",
                                            "d.pheno.tsv", "d.manifest.json"));
  Tool({"plink2", "--bfile", Path("d"), "--pheno", Path("d.pheno.tsv"), "--freq", "--out", Path("f")});
}

TEST_F(EndToEndTest, APhenotypeFileTellsEachSample) {
  // More samples than one request carries values for.
  std::string lines = "IID\tcoat\tweight\n";
  for (int i = 0; i < 150'000; ++i)
    absl::StrAppend(&lines, "m", i, "\t", i % 3 == 0 ? "a" : "c", "\t", 15 + i % 8, "\n");
  const std::string file = WriteInput("pheno.tsv", lines);
  const ProgramResult result = Run({"fetch", kDiploid, "--pheno-file", file, "--seed", "1", "-o", Path("d")});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::vector<std::string> rows = absl::StrSplit(Text("d.pheno.tsv"), '\n', absl::SkipEmpty());
  ASSERT_EQ(rows.size(), 150'001);
  EXPECT_EQ(rows[1], "SYN000001\t15\ta");
  EXPECT_EQ(rows[150'000], "SYN150000\t22\tc");
  // The last part of the file, as a shard, is what it is in the whole.
  ASSERT_EQ(
      Run({"fetch", kDiploid, "--pheno-file", file, "--seed", "1", "--shard", "69/69", "-o", Path("s.vcf")}).exit_code,
      0);
  Tool({"plink2", "--bfile", Path("d"), "--real-ref-alleles", "--keep", Path("s.pheno.tsv"), "--export", "vcf", "--out",
        Path("kept")});
  EXPECT_EQ(Genotypes(Path("kept.vcf")), Genotypes(Path("s.vcf")));
}

TEST_F(EndToEndTest, RegionsSelectVariants) {
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "50", "--seed", "5", "-o", Path("all.bcf")}).exit_code, 0);
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "50", "--seed", "5", "-r", kRegion, "-o", Path("some.bcf")}).exit_code, 0);
  EXPECT_EQ(Genotypes(Path("some.bcf")),
            Tool({"bcftools", "query", "-r", kRegion, "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", Path("all.bcf")}));
  const ProgramResult none = Run({"fetch", kHaplotypes, "-n", "50", "-r", "nowhere", "-o", Path("none.bcf")});
  EXPECT_EQ(none.exit_code, kExitNotFound);
  EXPECT_THAT(none.err, HasSubstr("nowhere"));
}

struct BadCommand {
  std::vector<std::string> arguments;
  int exit_code;
  std::string message;
};

TEST_F(EndToEndTest, BadInputIsToldInOneLineAndLeavesNothing) {
  const std::string token = WriteInput("empty", "");
  const std::string pheno = WriteInput("bad.tsv", "IID\tweight\nm1\t20\nm2\tNA\n");
  const std::string heavy = WriteInput("heavy.tsv", "IID\tweight\nm1\t20\nm2\t31\n");
  const std::string green = WriteInput("green.tsv", "IID\tcoat\nm1\ta\nm2\tgreen\n");
  const BadCommand commands[] = {
      {{"fetch", "nobody", "-n", "5"}, kExitNotFound, "nobody"},
      {{"fetch", std::string(kHaplotypes) + "@99", "-n", "5"}, kExitNotFound, "99"},
      {{"fetch", kHaplotypes, "-n", "0"}, kExitUsage, "at least 1"},
      {{"fetch", kHaplotypes, "-n", "99999999999"}, kExitUsage, "cohort_size"},
      {{"fetch", kHaplotypes, "-n", "x"}, kExitUsage, "\"x\" is not a whole number"},
      {{"fetch", kHaplotypes, "-n", "99999999999999999999"}, kExitUsage, "not a whole number"},
      {{"fetch", kHaplotypes, "-n", "5", "--seed", "-1"}, kExitUsage, "not a whole number"},
      {{"fetch", kHaplotypes}, kExitUsage, "how many samples"},
      {{"fetch", kHaplotypes, "--pop", "XYZ:5"}, kExitNotFound, "it has L0, L1, L2"},
      {{"fetch", kHaplotypes, "--pop", "L0:5,L0:5"}, kExitUsage, "twice"},
      {{"fetch", kHaplotypes, "--pop", "L0:5", "-n", "6"}, kExitUsage, "6 samples, but --pop for 5"},
      {{"fetch", kHaplotypes, "-n", "5", "--pheno", "height=3"}, kExitNotFound, "height"},
      {{"fetch", kDiploid, "-n", "5", "--pheno", "weight=9000"},
       kExitUsage,
       "10 to 30 g; --extrapolate allows -10 to 50"},
      {{"fetch", kDiploid, "-n", "5", "--pheno", "weight=60", "--extrapolate"},
       kExitUsage,
       "-10 to 50 g; the training"},
      {{"fetch", kDiploid, "-n", "5", "--pheno", "weight=uniform(5,20)"}, kExitUsage, "5 is outside"},
      {{"fetch", kDiploid, "-n", "5", "--extrapolate"}, kExitUsage, "there are none"},
      {{"fetch", kDiploid, "--pheno-file", heavy}, kExitUsage, "sample m2: phenotype weight: 31 is outside"},
      {{"fetch", kDiploid, "--pheno-file", green},
       kExitUsage,
       "\"green\", which the model does not know; it has a, b, c"},
      {{"fetch", kHaplotypes, "-n", "5", "--parallel", "0"}, kExitUsage, "from 1 to 64"},
      {{"fetch", kHaplotypes, "-n", "5", "-W", "bai"}, kExitUsage, "csi or tbi"},
      {{"fetch", kDiploid, "-n", "5", "-O", "haps"}, kExitUsage, "haps"},
      {{"fetch", kDiploid, "-n", "5", "--pheno", "coat=green"}, kExitNotFound, "it has a, b, c"},
      {{"fetch", kDiploid, "--pheno-file", pheno}, kExitUsage, "sample m2 has no weight"},
      {{"fetch", kDiploid, "--pheno-file", "/nowhere/x"}, kExitUsage, "/nowhere/x"},
      {{"fetch", kHaplotypes, "-n", "5", "-r", "1:9-3"}, kExitUsage, "1:9-3"},
      {{"fetch", kHaplotypes, "-n", "5", "-R", "/nowhere/r"}, kExitUsage, "/nowhere/r"},
      {{"fetch", kHaplotypes, "-n", "5", "--shard", "1/2"}, kExitUsage, "--seed"},
      {{"fetch", kHaplotypes, "-n", "5", "--shard", "1/9", "--seed", "1"}, kExitUsage, "9 parts"},
      {{"fetch", kHaplotypes, "-n", "5", "-O", "pdf"}, kExitUsage, "vcf.gz"},
      {{"fetch", kHaplotypes, "-n", "5", "--max-batch-bytes", "3"}, kExitUsage, "max_batch_bytes"},
      {{"fetch", kHaplotypes, "-n", "5", "--sede", "3"}, kExitUsage, "did you mean --seed?"},
      {{"fetch", kHaplotypes, "-n", "5", "--token-file", token}, kExitUsage, "holds no token"},
      {{"fetch", kHaplotypes, "-n", "5", "--tls-ca", "/nowhere/ca"}, kExitUsage, "/nowhere/ca"},
      {{"fetch", kHaplotypes, "-n", "5", "--server", "nonsense"}, kExitUsage, "HOST:PORT"},
  };
  for (const BadCommand& bad : commands) {
    std::vector<std::string> arguments = bad.arguments;
    arguments.push_back("-o");
    arguments.push_back(Path("out.vcf.gz"));
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, bad.exit_code) << result.err;
    EXPECT_THAT(result.err, AllOf(StartsWith("genoserve: "), HasSubstr(bad.message)));
    EXPECT_EQ(std::count(result.err.begin(), result.err.end(), '\n'), 1) << result.err;
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(Names(), IsEmpty()) << bad.message;
  }
}

TEST_F(EndToEndTest, KeepsFilesThatAreThereUnlessForced) {
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("c.panel.tsv"), "mine").ok());
  const ProgramResult refused = Run({"fetch", kHaplotypes, "-n", "5", "-o", Path("c.vcf")});
  EXPECT_EQ(refused.exit_code, kExitUsage);
  EXPECT_THAT(refused.err, HasSubstr("--force"));
  EXPECT_EQ(Text("c.panel.tsv"), "mine");
  EXPECT_THAT(Names(), ElementsAre("c.panel.tsv"));
  EXPECT_EQ(Run({"fetch", kHaplotypes, "-n", "5", "-o", Path("c.vcf"), "--force"}).exit_code, 0);
  EXPECT_THAT(Text("c.panel.tsv"), StartsWith("sample\tpopulation\n"));
}

TEST_F(EndToEndTest, AFolderThatIsNotThereIsRefused) {
  const ProgramResult result = Run({"fetch", kHaplotypes, "-n", "5", "-o", Path("no/c.vcf")});
  EXPECT_EQ(result.exit_code, kExitUsage);
  EXPECT_THAT(result.err, HasSubstr("cannot write"));
}

TEST_F(EndToEndTest, StandardOutputCarriesTheFile) {
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "100", "--seed", "4", "-o", Path("c.vcf")}).exit_code, 0);
  for (const char* type : {"vcf", "vcf.gz", "bcf"}) {
    const std::string path = Path(absl::StrCat("out.", type));
    const ProgramResult piped = Run({"fetch", kHaplotypes, "-n", "100", "--seed", "4", "-o", "-", "-O", type}, path);
    ASSERT_EQ(piped.exit_code, 0) << piped.err;
    EXPECT_EQ(Genotypes(path), Genotypes(Path("c.vcf"))) << type;
  }
}

TEST_F(EndToEndTest, ModelsAreListedAndShown) {
  const ProgramResult list = Run({"models", "list"});
  EXPECT_EQ(list.exit_code, 0) << list.err;
  EXPECT_THAT(list.out, AllOf(HasSubstr(kHaplotypes), HasSubstr(kDiploid), HasSubstr("serving")));
  EXPECT_THAT(Run({"models", "list", "--json"}).out, HasSubstr("\"isDefault\": true"));
  const ProgramResult show = Run({"models", "show", std::string(kDiploid) + "@1"});
  EXPECT_THAT(show.out, AllOf(HasSubstr("phenotype   weight: 10 to 30 g"), HasSubstr("generator   wgan-gp")));
  EXPECT_THAT(Run({"models", "show", kDiploid, "--json"}).out, HasSubstr("\"categorical\""));
  const ProgramResult missing = Run({"models", "show", "nobody"});
  EXPECT_EQ(missing.exit_code, kExitNotFound);
  EXPECT_THAT(missing.err, HasSubstr(kDiploid));
  const ProgramResult variants = Run({"variants", kHaplotypes, "-r", kRegion});
  EXPECT_EQ(variants.exit_code, 0) << variants.err;
  EXPECT_THAT(variants.out, StartsWith("##fileformat=VCFv4.3"));
  EXPECT_EQ(Run({"variants", kHaplotypes}, "/dev/full").exit_code, kExitExhausted);
  EXPECT_THAT(Run({"version"}).out, StartsWith("genoserve "));
}

TEST_F(EndToEndTest, HelpTellsExamplesAndExitCodes) {
  const ProgramResult help = Run({"fetch", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("Examples:"), HasSubstr("Exit codes:"), HasSubstr("--pheno-file")));
  EXPECT_LT(std::count(help.out.begin(), help.out.end(), '\n'), 70);  // two screens
  EXPECT_EQ(Run({}).exit_code, kExitUsage);
}

}  // namespace
}  // namespace genoserve

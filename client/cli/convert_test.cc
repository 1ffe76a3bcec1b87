// genoserve convert as its users run it.
#include "client/cli/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/exit_code.h"
#include "client/testing/subprocess.h"
#include "core/base/file.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kPanel[] = "examples/five-populations/panel.vcf.gz";

class ConvertTest : public FolderTest {
 protected:
  static ProgramResult Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {GENOSERVE_PROGRAM, "convert"});
    return RunProgram(arguments);
  }
  /// What must succeed; what it says on standard error.
  static std::string MustRun(const std::vector<std::string>& arguments) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, kExitOk) << result.err;
    return result.err;
  }
  static std::string MustFail(const std::vector<std::string>& arguments, int exit_code = kExitUsage) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    return result.err;
  }
  static std::string Query(const std::string& path) {
    const ProgramResult result = RunProgram({"bcftools", "query", "-f", "%CHROM:%POS:%REF:%ALT[ %GT]\n", path});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return result.out;
  }
};

TEST_F(ConvertTest, ThereAndBackByEveryFormatIsTheSame) {
  const std::string original = Query(kPanel);
  for (const char* file : {"a.pgen", "a.bcf", "a.hap", "b.haps", "c.hapt", "a.npy", "a.zarr"}) {
    EXPECT_EQ(MustRun({kPanel, Path(file)}),
              absl::StrCat("genoserve: read 1,000 variants of 600 samples from ", kPanel,
                           "\ngenoserve: wrote 1,000 variants of 600 samples, phased, to ", Path(file), "\n"));
    MustRun({Path(file), Path("back.vcf"), "--force", "-q"});
    EXPECT_EQ(Query(Path("back.vcf")), original) << file;
  }
  EXPECT_THAT(MustRun({kPanel, Path("p")}), HasSubstr("the phase was dropped"));
  // plink2 makes the same BED of the same panel.
  EXPECT_EQ(RunProgram({"plink2", "--vcf", kPanel, "--make-bed", "--out", Path("q")}).exit_code, 0);
  EXPECT_EQ(RunProgram({"cmp", Path("p.bed"), Path("q.bed")}).exit_code, 0);
}

TEST_F(ConvertTest, FiltersTellWhatTheyDropped) {
  MustRun({kPanel, Path("x.pgen"), "-q"});
  Write("keep.txt", "#FID\tIID\n0\tLOW001\n");
  const ProgramResult first = RunProgram({"bcftools", "query", "-l", kPanel});
  const std::string names = first.out.substr(0, first.out.find('\n', 400));
  std::string list;
  for (const char c : names) list += c == '\n' ? ',' : c;
  const std::string err = MustRun({Path("x.pgen"), Path("y.bcf"), "-s", list, "-r", "1:1-50000000", "--maf", "0.05"});
  EXPECT_THAT(err, AllOf(HasSubstr("not asked for"), HasSubstr("outside the regions"),
                         HasSubstr("with a rarer allele below 0.05"), HasSubstr("genoserve: wrote ")));
  const ProgramResult oracle = RunProgram(
      {"bcftools", "view", "-s", list, "-t", "1:1-50000000", "-q", "0.05:minor", "-o", Path("z.vcf"), kPanel});
  EXPECT_EQ(oracle.exit_code, 0) << oracle.err;
  EXPECT_EQ(Query(Path("y.bcf")), Query(Path("z.vcf")));
  EXPECT_THAT(MustFail({Path("x.pgen"), Path("w.vcf"), "--keep", Path("keep.txt")}),
              HasSubstr("there is no sample LOW001 among the 600 of the files"));
}

TEST_F(ConvertTest, StandardOutputTakesOneFile) {
  const ProgramResult result = Run({kPanel, "-", "-O", "vcf"});
  EXPECT_EQ(result.exit_code, kExitOk) << result.err;
  Write("out.vcf", result.out);
  EXPECT_EQ(Query(Path("out.vcf")), Query(kPanel));
  EXPECT_THAT(MustFail({kPanel, "-", "-O", "bed"}), HasSubstr("standard output"));
  EXPECT_THAT(MustFail({"-", Path("x.vcf")}), HasSubstr("standard input cannot be read twice"));
}

TEST_F(ConvertTest, WhatCannotBeDoneIsSaidAndLeavesNothing) {
  MustRun({kPanel, Path("x.bcf"), "-q"});
  EXPECT_THAT(MustFail({kPanel, Path("x.bcf")}), HasSubstr("x.bcf: is there already; --force replaces it"));
  MustRun({kPanel, Path("x.bcf"), "--force", "-q"});
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  EXPECT_THAT(MustFail({"none.vcf", Path("x.bcf")}), HasSubstr("none.vcf: there is no such file"));
  EXPECT_THAT(MustFail({kPanel, Path("no/x.bcf")}), HasSubstr("no"));
  EXPECT_THAT(MustFail({kPanel, Path("x.bcf"), "--missing", "drop"}),
              HasSubstr("--missing: \"drop\" is none of keep, impute, refuse"));
  EXPECT_THAT(MustFail({kPanel, Path("x.bcf"), "--mising", "keep"}), HasSubstr("did you mean --missing?"));
  EXPECT_THAT(MustFail({kPanel, Path("x.bcf"), "--maf", "1.5"}), HasSubstr("--maf"));
  EXPECT_THAT(MustFail({kPanel, Path("x.bcf"), "-s", "a", "--keep", "b"}), HasSubstr("give only one of -s, -S and"));
  EXPECT_THAT(MustFail({kPanel, Path("x.hap"), "--unphased"}), HasSubstr("haplotypes"));
  EXPECT_THAT(MustFail({kPanel, Path("x.bcf"), "-r", "9:1-5"}), HasSubstr("region 9:1-5: holds no variant of"));
  Write("cut.vcf.gz", FileSystem::Posix().ReadFile(kPanel, 1 << 26)->substr(0, 20'000));
  EXPECT_THAT(MustFail({Path("cut.vcf.gz"), Path("x.bcf")}), HasSubstr("cut.vcf.gz: is truncated"));
  EXPECT_THAT(Names(), ElementsAre("cut.vcf.gz"));
}

}  // namespace
}  // namespace genoserve

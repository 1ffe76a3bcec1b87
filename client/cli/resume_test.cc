// The program stopped in the middle of a fetch, and run again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/end_to_end.h"
#include "client/cli/exit_code.h"
#include "client/testing/proxy.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// Bytes to the client after which a transfer of 40,000 samples of kHaplotypes, 4 MB, is under way.
constexpr int64_t kMidStream = 1'000'000;

class ResumeTest : public EndToEndTest {
 protected:
  static std::vector<std::string> FetchTo(const std::string& path, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"fetch",  kHaplotypes, "--pop", "L0:20000,L1:20000",
                                          "--seed", "8",         "-o",    path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  // Runs a fetch until so many bytes have come, and ends it with a signal. Whenever a connection breaks the program
  // notes what it has, so that something is kept whatever the signal.
  ProgramResult Stop(const std::vector<std::string>& arguments, int signal) {
    Proxy proxy(server().port());
    proxy.CutAfter(kMidStream / 4, 3);
    proxy.StallAfter(kMidStream);
    Subprocess program(Command(arguments), {{"GENOSERVE_SERVER", proxy.address()}});
    proxy.AwaitStall();
    program.Signal(signal);
    return program.Wait();
  }

  // All files of a prefix in the folder, by what comes after the prefix, manifests without the prefix in names.
  std::map<std::string, std::string> Files(const std::string& prefix) const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(out_folder())) {
      const std::string name = std::filesystem::relative(entry.path(), out_folder()).string();
      if (!entry.is_regular_file() || name.rfind(prefix + ".", 0) != 0) continue;
      std::string& text = files[name.substr(prefix.size())] = Text(name);
      if (absl::EndsWith(name, ".manifest.json")) {
        text = absl::StrReplaceAll(text, {{absl::StrCat("\"", prefix, "."), "\"PREFIX."}});
      }
    }
    return files;
  }
};

TEST_F(ResumeTest, TheSameCommandGoesOnAfterAnInterruptAndAKill) {
  for (const char* suffix : {".bcf", ".vcf.gz", ".bed", ".pgen", ".npy", ".zarr"}) {
    ASSERT_EQ(Run(FetchTo(Path(absl::StrCat("whole", suffix)))).exit_code, 0);
    const std::vector<std::string> fetch = FetchTo(Path(absl::StrCat("cut", suffix)));
    const ProgramResult stopped = Stop(fetch, SIGTERM);
    EXPECT_EQ(stopped.exit_code, kExitInterrupt) << stopped.err;
    EXPECT_THAT(stopped.err, AllOf(HasSubstr("of 40,000 samples are kept in"), HasSubstr("the same command goes on")));
    EXPECT_THAT(Names(), Not(Contains(absl::StrCat("cut", suffix))));
    EXPECT_EQ(Stop(fetch, SIGKILL).signal, SIGKILL);
    const ProgramResult done = Run(fetch);
    ASSERT_EQ(done.exit_code, 0) << done.err;
    EXPECT_THAT(done.err, HasSubstr("going on after"));
    EXPECT_TRUE(Files("cut") == Files("whole")) << suffix;
    EXPECT_THAT(Files("cut"), Contains(testing::Key(".manifest.json")));
    for (const std::string& name : Names()) FileSystem::Posix().Remove(Path(name)).IgnoreError();
  }
}

TEST_F(ResumeTest, SeedAndVersionThatWereNotAskedForStay) {
  const std::vector<std::string> fetch = {"fetch", kHaplotypes, "-n", "40000", "-o", Path("c.bcf")};
  ASSERT_EQ(Stop(fetch, SIGINT).exit_code, kExitInterrupt);
  PublishNextVersion();
  const ProgramResult done = Run(fetch);
  // The first version is still there to go on with, or the user is told what to do; never a mixture.
  if (done.exit_code == 0) {
    EXPECT_THAT(Tool({"bcftools", "view", "-h", Path("c.bcf")}), HasSubstr("ModelVersion=1"));
    return;
  }
  EXPECT_EQ(done.exit_code, kExitIncomplete) << done.err;
  EXPECT_THAT(done.err, AllOf(HasSubstr("genoserve admin pin haplotypes@1"), HasSubstr("--force")));
  EXPECT_EQ(Run({"fetch", kHaplotypes, "-n", "40000", "-o", Path("c.bcf"), "--force"}).exit_code, 0);
}

TEST_F(ResumeTest, AnotherRequestDoesNotTouchAPart) {
  ASSERT_EQ(Stop(FetchTo(Path("c.bcf")), SIGINT).exit_code, kExitInterrupt);
  const std::string state = Text("c.bcf.part.json");
  const auto refused = [&](const std::vector<std::string>& arguments, const std::string& difference) {
    const ProgramResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, kExitUsage);
    EXPECT_THAT(result.err, AllOf(HasSubstr("c.bcf.part is of another request"), HasSubstr(difference),
                                  HasSubstr("--force begins anew")));
    EXPECT_EQ(Text("c.bcf.part.json"), state);
  };
  refused({"fetch", kHaplotypes, "--pop", "L0:20000,L1:20000", "--seed", "9", "-o", Path("c.bcf")},
          "--seed is 9, not 8");
  refused({"fetch", kHaplotypes, "--pop", "L0:20000,L2:20000", "--seed", "8", "-o", Path("c.bcf")}, "--pop");
  refused({"fetch", kHaplotypes, "-n", "40000", "--seed", "8", "-o", Path("c.bcf")}, "--pop");
  refused(FetchTo(Path("c.bcf"), {"-r", "1"}), "-r or -R");
  refused(FetchTo(Path("c.bcf"), {"-O", "vcf"}), "the format is vcf, not bcf");
  refused(FetchTo(Path("c.bcf"), {"--shard", "1/2"}), "--shard");
  refused({"fetch", kDiploid, "-n", "40000", "--seed", "8", "-o", Path("c.bcf")}, "the model is diploid");
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "100", "--seed", "9", "-o", Path("c.bcf"), "--force"}).exit_code, 0);
  EXPECT_THAT(Names(), ElementsAre("c.bcf", "c.bcf.csi", "c.manifest.json", "c.panel.tsv"));
}

TEST_F(ResumeTest, DamagedPartsAreNeverTakenForWhole) {
  const std::vector<std::string> fetch = FetchTo(Path("c.bcf"));
  ASSERT_EQ(Run(FetchTo(Path("whole.bcf"))).exit_code, 0);
  for (const char* name : {"c.bcf.part", "c.bcf.part.samples", "c.bcf.part.json"}) {
    ASSERT_EQ(Stop(FetchTo(Path("c.bcf"), {"--force"}), SIGINT).exit_code, kExitInterrupt);
    std::filesystem::resize_file(Path(name), std::filesystem::file_size(Path(name)) / 2);
    const ProgramResult result = Run(fetch);
    EXPECT_EQ(result.exit_code, kExitUsage) << name << result.err;
    EXPECT_THAT(result.err, HasSubstr("--force begins anew")) << name;
    EXPECT_THAT(Names(), Not(Contains("c.bcf")));
  }
  // A part without its genotypes is none.
  ASSERT_EQ(Stop(FetchTo(Path("c.bcf"), {"--force"}), SIGINT).exit_code, kExitInterrupt);
  ASSERT_TRUE(FileSystem::Posix().Remove(Path("c.bcf.part")).ok());
  const ProgramResult anew = Run(fetch);
  ASSERT_EQ(anew.exit_code, 0) << anew.err;
  EXPECT_THAT(anew.err, HasSubstr("c.bcf.part is gone; beginning anew"));
  EXPECT_TRUE(Files("c") == Files("whole"));
}

TEST_F(ResumeTest, OnlyOneProgramWritesAnOutput) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  Subprocess first(Command(FetchTo(Path("c.bcf"))), {{"GENOSERVE_SERVER", proxy.address()}});
  proxy.AwaitStall();
  const ProgramResult second = Run(FetchTo(Path("c.bcf"), {"--force"}));
  EXPECT_EQ(second.exit_code, kExitUsage);
  EXPECT_THAT(second.err, HasSubstr("another genoserve fetch is writing it"));
  proxy.CutNow();
  EXPECT_EQ(first.Wait().exit_code, 0);
}

TEST_F(ResumeTest, WhatForceBeganIsNotTakenForWhatWasThereBefore) {
  const std::vector<std::string> fetch = FetchTo(Path("c.bcf"));
  const std::vector<std::string> anew = FetchTo(Path("c.bcf"), {"--force"});
  ASSERT_EQ(Run(FetchTo(Path("whole.bcf"))).exit_code, 0);
  ASSERT_EQ(Stop(fetch, SIGINT).exit_code, kExitInterrupt);
  const std::string before = Text("c.bcf.part.json");
  {
    // Killed before it has noted anything.
    Proxy proxy(server().port());
    proxy.StallAfter(kMidStream / 4);
    Subprocess program(Command(anew), {{"GENOSERVE_SERVER", proxy.address()}});
    proxy.AwaitStall();
    program.Signal(SIGKILL);
    ASSERT_EQ(program.Wait().signal, SIGKILL);
  }
  const ProgramResult done = Run(fetch);
  ASSERT_EQ(done.exit_code, 0) << done.err;
  EXPECT_TRUE(Files("c") == Files("whole"));
  // Even where the state of another run lies beside a part of the same request.
  ASSERT_EQ(Stop(anew, SIGINT).exit_code, kExitInterrupt);
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("c.bcf.part.json"), before).ok());
  const ProgramResult mixed = Run(fetch);
  EXPECT_EQ(mixed.exit_code, kExitUsage);
  EXPECT_THAT(mixed.err, AllOf(HasSubstr("is the part of another cohort"), HasSubstr("--force begins anew")));
}

TEST_F(ResumeTest, WhatAnotherProgramDoesMeanwhileIsSeen) {
  // Both have seen the same before one is held up on its way to the server.
  {
    Proxy proxy(server().port());
    proxy.StallAfter(0);
    Subprocess late(Command(FetchTo(Path("c.bcf"))), {{"GENOSERVE_SERVER", proxy.address()}});
    proxy.AwaitStall();
    ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "100", "--seed", "9", "-o", Path("c.bcf")}).exit_code, 0);
    const std::map<std::string, std::string> files = Files("c");
    proxy.CutNow();
    const ProgramResult result = late.Wait();
    EXPECT_EQ(result.exit_code, kExitUsage) << result.err;
    EXPECT_THAT(result.err, HasSubstr("c.bcf: is there already"));
    EXPECT_TRUE(Files("c") == files);
  }
  const std::vector<std::string> fetch = FetchTo(Path("d.bcf"));
  ASSERT_EQ(Stop(fetch, SIGINT).exit_code, kExitInterrupt);
  Proxy proxy(server().port());
  proxy.StallAfter(0);
  Subprocess late(Command(fetch), {{"GENOSERVE_SERVER", proxy.address()}});
  proxy.AwaitStall();
  ASSERT_EQ(Stop(fetch, SIGINT).exit_code, kExitInterrupt);
  const std::string state = Text("d.bcf.part.json");
  proxy.CutNow();
  const ProgramResult result = late.Wait();
  EXPECT_EQ(result.exit_code, kExitUsage) << result.err;
  EXPECT_THAT(result.err, HasSubstr("another genoserve fetch has changed it meanwhile"));
  EXPECT_EQ(Text("d.bcf.part.json"), state);
  EXPECT_EQ(Run(fetch).exit_code, 0);
}

TEST_F(ResumeTest, RangesFromReplicasMakeTheSameFiles) {
  ASSERT_EQ(Run(FetchTo(Path("whole.bcf"))).exit_code, 0);
  Proxy lost(server().port());
  lost.CutAfter(kMidStream / 4, 3);
  const std::string servers = absl::StrCat(lost.address(), ",", address());
  const ProgramResult result = RunAt(servers, FetchTo(Path("many.bcf"), {"--parallel", "5"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(Files("many") == Files("whole"));
  // What several calls began, one can end.
  ASSERT_EQ(Stop(FetchTo(Path("mixed.bcf"), {"--parallel", "3"}), SIGINT).exit_code, kExitInterrupt);
  ASSERT_EQ(Run(FetchTo(Path("mixed.bcf"))).exit_code, 0);
  EXPECT_TRUE(Files("mixed") == Files("whole"));
  // Values of single samples are cut to the ranges.
  std::string lines = "IID\tcoat\tweight\n";
  for (int i = 0; i < 5000; ++i) absl::StrAppend(&lines, "m", i, "\t", i % 3 == 0 ? "a" : "c", "\t", 15 + i % 8, "\n");
  const std::string file = WriteInput("pheno.tsv", lines);
  for (const auto& [name, parallel] : {std::pair("one", "1"), std::pair("three", "3")}) {
    ASSERT_EQ(Run({"fetch", kDiploid, "--pheno-file", file, "--seed", "1", "-o", Path(name), "--parallel", parallel})
                  .exit_code,
              0);
  }
  EXPECT_TRUE(Files("one") == Files("three"));
  EXPECT_THAT(Text("one.manifest.json"), HasSubstr("\"conditions_digest\": \""));
}

TEST_F(ResumeTest, VerifyNamesWhatIsWrong) {
  ASSERT_EQ(Run(FetchTo(Path("c"))).exit_code, 0);
  for (const char* name : {"c", "c.bed", "c.fam", "c.panel.tsv", "c.manifest.json"}) {
    const ProgramResult good = Run({"verify", Path(name)});
    EXPECT_EQ(good.exit_code, 0) << name << good.err;
    EXPECT_THAT(good.out, AllOf(HasSubstr("c.bed: OK\n"), HasSubstr("c.panel.tsv: OK\n")));
  }
  EXPECT_THAT(Run({"verify", Path("c"), "-q"}).out, IsEmpty());
  for (const char* name : {"c.bed", "c", "c.manifest.json"}) {
    const ProgramResult doubled = Run({"verify", absl::StrCat(out_folder(), "//", name)});
    EXPECT_EQ(doubled.exit_code, 0) << name << doubled.err;
  }
  ASSERT_EQ(Run({"fetch", kHaplotypes, "-n", "100", "-o", Path("z.zarr")}).exit_code, 0);
  for (const char* name : {"z.zarr", "z.zarr/", "z.zarr//"}) {
    const ProgramResult folder = Run({"verify", Path(name)});
    EXPECT_EQ(folder.exit_code, 0) << name << folder.err;
  }
  const auto bad = [this](const std::string& path, const std::string& message) {
    const ProgramResult result = Run({"verify", Path(path)});
    EXPECT_EQ(result.exit_code, kExitMismatch) << result.err;
    EXPECT_THAT(result.out + result.err, HasSubstr(message));
  };
  const std::string fam = Text("c.fam");
  std::filesystem::resize_file(Path("c.fam"), fam.size() - 1);
  bad("c", absl::StrCat("c.fam: is truncated: "));
  std::string other = fam;
  other[5] = 'X';
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("c.fam"), other).ok());
  bad("c.bed", "c.fam: differs from what was written");
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("c.fam"), fam + "x").ok());
  bad("c", "c.fam: has ");
  ASSERT_TRUE(FileSystem::Posix().Remove(Path("c.fam")).ok());
  bad("c", "c.fam: is missing");
  ASSERT_TRUE(FileSystem::Posix().MakeFolder(Path("c.fam")).ok());
  bad("c", "c.fam: is no file");
  ASSERT_TRUE(FileSystem::Posix().Remove(Path("c.fam")).ok());
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("c.fam"), fam).ok());
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("c.vcf"), "x").ok());
  bad("c.vcf", "c.vcf: is not among the files");
  ASSERT_EQ(Stop(FetchTo(Path("d.bcf")), SIGINT).exit_code, kExitInterrupt);
  for (const char* name : {"d", "d.bcf", "d.bcf.part", "d.bcf.part.json"}) bad(name, "is a part: ");
  ASSERT_EQ(Stop(FetchTo(Path("f.bed")), SIGINT).exit_code, kExitInterrupt);
  for (const char* name : {"f", "f.bed", "f.part"}) bad(name, "is a part: ");
  for (const char* text :
       {"{", "{}", R"({"schema_version":1,"files":[{"name":"../c.bed","size":"1","sha256":"00"}]})"}) {
    ASSERT_TRUE(FileSystem::Posix().WriteFile(Path("e.manifest.json"), text).ok());
    bad("e", "e.manifest.json: ");
  }
  EXPECT_EQ(Run({"verify", Path("nothing")}).exit_code, kExitUsage);
}

TEST_F(ResumeTest, ADryRunTellsAndMakesNothing) {
  const ProgramResult result = Run(FetchTo(Path("c.bcf"), {"--dry-run"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("samples     40,000\n"), HasSubstr("variants    400\n"),
                                HasSubstr("seed        8\n"), HasSubstr("transfer    4.0 MB\n")));
  EXPECT_THAT(result.err, IsEmpty());
  EXPECT_THAT(Names(), IsEmpty());
}

}  // namespace
}  // namespace genoserve

// The program when the connection, the server, the disk or the reader of its output goes away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "client/cli/end_to_end.h"
#include "client/cli/exit_code.h"
#include "client/testing/proxy.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// Bytes to the client after which a transfer of 40,000 samples of kHaplotypes, 4 MB, is under way.
constexpr int64_t kMidStream = 300'000;

using FaultsTest = EndToEndTest;

TEST_F(FaultsTest, AFullDiskLeavesNothing) {
  // Standard output on a full device, and files on a disk that takes 64 KiB a file.
  const ProgramResult full = Run({"fetch", kHaplotypes, "-n", "2000", "-o", "-"}, "/dev/full");
  EXPECT_EQ(full.exit_code, kExitExhausted) << full.err;
  for (const char* name : {"c.vcf", "c.bcf", "c.vcf.gz", "c"}) {
    const ProgramResult limited = RunProgram({"bash", "-c", "ulimit -f 64; \"$@\"", "bash", GENOSERVE_PROGRAM, "fetch",
                                              kHaplotypes, "-n", "100000", "-o", Path(name)},
                                             {{"GENOSERVE_SERVER", address()}, {"TMPDIR", out_folder()}});
    EXPECT_EQ(limited.exit_code, kExitExhausted) << name << limited.err;
    EXPECT_THAT(Names(), IsEmpty()) << name;
  }
}

TEST_F(FaultsTest, AReaderThatGoesAwayEndsItQuietly) {
  const ProgramResult result = RunProgram({"bash", "-c", "\"$@\" | head -c 100 > /dev/null; exit ${PIPESTATUS[0]}",
                                           "bash", GENOSERVE_PROGRAM, "fetch", kHaplotypes, "-n", "100000", "-o", "-"},
                                          {{"GENOSERVE_SERVER", address()}});
  EXPECT_EQ(result.exit_code, kExitPipe);
  EXPECT_THAT(result.err, IsEmpty());
}

// The arguments with a path after them.
std::vector<std::string> To(std::vector<std::string> arguments, const std::string& path) {
  arguments.push_back(path);
  return arguments;
}

TEST_F(FaultsTest, ResumesWhereTheConnectionBroke) {
  const std::vector<std::string> fetch = {"fetch", kHaplotypes, "--pop", "L0:20000,L1:20000", "--seed", "8", "-o"};
  ASSERT_EQ(Run(To(fetch, Path("whole.bcf"))).exit_code, 0);
  Proxy proxy(server().port());
  proxy.CutAfter(kMidStream, 4);
  const ProgramResult result = RunAt(proxy.address(), To(fetch, Path("cut.bcf")));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(proxy.cuts(), 4);
  EXPECT_THAT(result.err, HasSubstr("trying again"));
  EXPECT_TRUE(Text("cut.bcf") == Text("whole.bcf"));
  EXPECT_EQ(Text("cut.panel.tsv"), Text("whole.panel.tsv"));
}

TEST_F(FaultsTest, ResumesAfterTheServerWasRestarted) {
  const std::vector<std::string> fetch = {"fetch", kHaplotypes, "-n", "40000", "--seed", "8", "-o"};
  ASSERT_EQ(Run(To(fetch, Path("whole.bcf"))).exit_code, 0);
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  Subprocess program(Command(To(fetch, Path("cut.bcf"))), {{"GENOSERVE_SERVER", proxy.address()}});
  proxy.AwaitStall();
  RestartServer();
  proxy.SetServer(server().port());
  proxy.CutNow();
  const ProgramResult result = program.Wait();
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(Text("cut.bcf") == Text("whole.bcf"));
}

TEST_F(FaultsTest, AServerThatDoesNotComeBackIsAnIncompleteTransfer) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  Subprocess program(Command({"fetch", kHaplotypes, "-n", "40000", "-o", Path("c.bcf"), "--retries", "2"}),
                     {{"GENOSERVE_SERVER", proxy.address()}});
  proxy.AwaitStall();
  StopServer();
  proxy.CutNow();
  const ProgramResult result = program.Wait();
  EXPECT_EQ(result.exit_code, kExitIncomplete);
  EXPECT_THAT(result.err, AllOf(HasSubstr("ended after"), HasSubstr("of 40000 samples"), HasSubstr("are kept in"),
                                HasSubstr("the same command goes on")));
  EXPECT_THAT(Names(), UnorderedElementsAre("c.bcf.part", "c.bcf.part.json", "c.bcf.part.samples"));
}

TEST_F(FaultsTest, ANewVersionDoesNotTakeOverAStreamThatBroke) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  Subprocess program(Command({"fetch", kHaplotypes, "-n", "40000", "--seed", "8", "-o", Path("c.bcf")}),
                     {{"GENOSERVE_SERVER", proxy.address()}});
  proxy.AwaitStall();
  PublishNextVersion();
  proxy.CutNow();
  const ProgramResult result = program.Wait();
  // Either the first version is still there to end the stream, or it is told that it is not; never a mixture.
  if (result.exit_code == 0) {
    EXPECT_THAT(Tool({"bcftools", "view", "-h", Path("c.bcf")}), HasSubstr("ModelVersion=1"));
  } else {
    EXPECT_EQ(result.exit_code, kExitIncomplete) << result.err;
    EXPECT_THAT(result.err, AllOf(HasSubstr("genoserve admin pin haplotypes@1"), HasSubstr("--force")));
    EXPECT_THAT(Names(), Not(Contains("c.bcf")));
  }
}

TEST_F(FaultsTest, AnInterruptedStreamToStandardOutputLeavesNothing) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Proxy proxy(server().port());
    proxy.StallAfter(kMidStream);
    Subprocess program(Command({"fetch", kHaplotypes, "-n", "40000", "-o", "-"}),
                       {{"GENOSERVE_SERVER", proxy.address()}, {"TMPDIR", out_folder()}});
    proxy.AwaitStall();
    program.Signal(signal);
    const ProgramResult result = program.Wait();
    EXPECT_EQ(result.exit_code, kExitInterrupt) << result.err;
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(Names(), IsEmpty());
  }
}

TEST_F(FaultsTest, TheTimeLimitEndsAStalledTransfer) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  const ProgramResult result =
      RunAt(proxy.address(), {"fetch", kHaplotypes, "-n", "40000", "-o", Path("c.bcf"), "--timeout", "1"});
  EXPECT_EQ(result.exit_code, kExitIncomplete) << result.err;
  EXPECT_THAT(Names(), Not(Contains("c.bcf")));
}

}  // namespace
}  // namespace genoserve

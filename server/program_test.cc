// genoserve-server as a process: signals and exit codes.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/sha256.h"
#include "server/test_server.h"

extern char** environ;  // NOLINT: POSIX wants it declared

namespace genoserve {
namespace {

using testing::HasSubstr;

// A run of the program; what it writes to standard error and output comes by one pipe.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments, const std::string& input = "/dev/null") {
    arguments.insert(arguments.begin(), GENOSERVE_SERVER_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::array<int, 2> ends{};
    EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    EXPECT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    out_ = fdopen(ends[0], "r");
  }
  ~Program() {
    fclose(out_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      Wait();
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  // Reads lines until one holds the text; false at the end of the output.
  bool ReadUntil(const std::string& text) {
    std::array<char, 4096> line{};
    while (fgets(line.data(), line.size(), out_) != nullptr) {
      read_ += line.data();
      if (std::string(line.data()).find(text) != std::string::npos) return true;
    }
    return false;
  }
  // What has been read.
  const std::string& read() const { return read_; }
  void Signal(int signal) const { kill(pid_, signal); }
  // The exit code; -1 where a signal ended it.
  int Wait() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  // Reads all, then waits.
  int Finish() {
    ReadUntil("\n\n");
    return Wait();
  }

 private:
  pid_t pid_ = -1;
  FILE* out_ = nullptr;
  std::string read_;
};

class ProgramTest : public ServerTest {
 protected:
  ProgramTest() { PublishTestAcgan(store_, "model", 1); }
  std::vector<std::string> Arguments(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"--store", store_, "--port", "0", "--http-port", "0", "--device", "cpu"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(ProgramTest, SigtermDrainsAndEndsWithZero) {
  Program program(Arguments({"--drain-delay", "0"}));
  ASSERT_TRUE(program.ReadUntil("\"event\":\"listening\"")) << program.read();
  EXPECT_THAT(program.read(), HasSubstr("\"port\":"));
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.ReadUntil("\"event\":\"stopped\"")) << program.read();
  EXPECT_EQ(program.Finish(), 0);
}

TEST_F(ProgramTest, ASecondSigtermCutsTheDrainShort) {
  Program program(Arguments({"--drain-delay", "3600"}));
  ASSERT_TRUE(program.ReadUntil("\"event\":\"listening\"")) << program.read();
  program.Signal(SIGTERM);
  ASSERT_TRUE(program.ReadUntil("\"event\":\"draining\"")) << program.read();
  program.Signal(SIGTERM);
  EXPECT_TRUE(program.ReadUntil("\"event\":\"stopped\"")) << program.read();
  EXPECT_EQ(program.Finish(), 0);
}

TEST_F(ProgramTest, ExitCodesAndOneSentenceTellWhatIsWrong) {
  const struct {
    std::vector<std::string> arguments;
    int code;
    const char* message;
  } cases[] = {
      {{"--store", folder_ + "/none"}, 3, "there is no such folder"},
      {Arguments({"--token-hashes", folder_ + "/none"}), 3, "/none"},
      {Arguments({"--host", "0.0.0.0"}), 2, "--insecure"},
      {Arguments({"--threads", "many"}), 2, "--threads"},
      {{}, 2, "--store"},
      {Arguments({"--host", "192.0.2.1", "--insecure"}), 1, "cannot listen on 192.0.2.1"},
  };
  for (const auto& each : cases) {
    Program program(each.arguments);
    EXPECT_EQ(program.Finish(), each.code) << each.message;
    EXPECT_THAT(program.read(), HasSubstr(each.message));
  }
}

TEST_F(ProgramTest, HashTokenPrintsWhatTheHashesFileHolds) {
  Program program({"hash-token"}, Write("token", "secret\n"));
  EXPECT_EQ(program.Finish(), 0);
  EXPECT_EQ(program.read(), Sha256Hex("secret") + "\n");
}

}  // namespace
}  // namespace genoserve

// Trainings by several real processes on this machine.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/artifact/safetensors.h"
#include "trainer/exit_code.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Environment = std::map<std::string, std::string>;

struct Ended {
  int exit_code = -1;  // minus the signal that ended it
  std::string text;    // of both outputs
};

// A port that was free a moment ago.
int FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ::close(socket);
  return ntohs(address.sin_port);
}

// A process of the worker, whose outputs go to a file.
class Worker {
 public:
  Worker(const std::vector<std::string>& arguments, const Environment& environment, const std::string& log)
      : log_(log) {
    const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe");
    const std::string program = self.parent_path() / "genoserve_distributed_worker";
    process_ = ::fork();
    if (process_ != 0) return;
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    if (::freopen(log.c_str(), "w", stdout) == nullptr) ::_exit(126);
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    std::vector<char*> argv = {const_cast<char*>(program.c_str())};
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(program.c_str(), argv.data());
    ::_exit(126);
  }

  void Kill() const { ::kill(process_, SIGKILL); }

  Ended Wait() const {
    int status = 0;
    ::waitpid(process_, &status, 0);
    std::stringstream text;
    text << std::ifstream(log_).rdbuf();
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status), text.str()};
  }

 private:
  pid_t process_ = 0;
  std::string log_;
};

class DistributedTest : public testing::TestWithParam<const char*> {
 protected:
  DistributedTest() : folder_(testing::TempDir() + "distributed_" + std::to_string(::getpid())) {
    std::filesystem::create_directories(folder_);
  }
  ~DistributedTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string Read(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(Path(name), std::ios::binary).rdbuf();
    return text.str();
  }

  // The environment that torchrun gives to the processes of one machine.
  static Environment Place(int rank, int size, int port) {
    return {{"MASTER_ADDR", "127.0.0.1"},         {"MASTER_PORT", std::to_string(port)},
            {"RANK", std::to_string(rank)},       {"LOCAL_RANK", std::to_string(rank)},
            {"WORLD_SIZE", std::to_string(size)}, {"GENOSERVE_PEER_TIMEOUT", "20"}};
  }

  std::vector<std::unique_ptr<Worker>> Start(int size, const std::vector<std::string>& arguments,
                                             const Environment& more = {}) {
    const int port = FreePort();
    std::vector<std::unique_ptr<Worker>> workers;
    for (int rank = 0; rank < size; ++rank) {
      Environment environment = size == 1 ? Environment{} : Place(rank, size, port);
      for (const auto& [name, value] : more) environment[name] = value;
      workers.push_back(std::make_unique<Worker>(arguments, environment, Path(absl::StrCat("log.", rank))));
    }
    return workers;
  }

  // Trains with `size` processes, which must all succeed.
  void Train(int size, const std::vector<std::string>& arguments) {
    for (const auto& worker : Start(size, arguments)) {
      const Ended end = worker->Wait();
      ASSERT_EQ(end.exit_code, 0) << end.text;
    }
  }

  // Of a state as a file has it: what stands after the numbers of steps and recoveries.
  TensorMap Tensors(const std::string& name) const {
    const std::string state = Read(name);
    if (state.size() < 16) return {};
    auto tensors = ParseSafetensors(absl::string_view(state).substr(16));
    EXPECT_TRUE(tensors.ok()) << tensors.status();
    return tensors.ok() ? *std::move(tensors) : TensorMap();
  }

  // Root mean square of the differences of the generator's and critic's weights.
  double Distance(const std::string& a, const std::string& b) const {
    const TensorMap first = Tensors(a);
    const TensorMap second = Tensors(b);
    EXPECT_FALSE(first.empty());
    EXPECT_EQ(first.size(), second.size());
    double sum = 0;
    double count = 0;
    for (const auto& [name, tensor] : first) {
      if (name.find("optimizer") != std::string::npos) continue;
      for (size_t i = 0; i < tensor.values.size(); ++i) {
        const double difference = tensor.values[i] - second.at(name).values[i];
        sum += difference * difference;
        ++count;
      }
    }
    return std::sqrt(sum / count);
  }

  std::vector<double> Losses(const std::string& name) const {
    std::vector<double> losses;
    for (const auto& line : absl::StrSplit(Read(name), '\n', absl::SkipEmpty())) {
      losses.push_back(std::stod(std::string(line)));
    }
    return losses;
  }

 private:
  std::string folder_;
};

// Several processes make the steps of one: a batch's rows, draws, mean loss and statistics are those of the whole
// batch.
TEST_P(DistributedTest, SeveralProcessesTrainAsOneDoes) {
  const std::string preset = GetParam();
  Train(1, {preset, "6", Path("one")});
  const std::vector<double> losses = Losses("one.losses");
  ASSERT_EQ(losses.size(), 12U);
  for (const int size : {2, 4}) {
    SCOPED_TRACE(size);
    const std::string name = absl::StrCat("of", size);
    Train(size, {preset, "6", Path(name)});
    const std::vector<double> same = Losses(name + ".losses");
    ASSERT_EQ(same.size(), losses.size());
    for (size_t i = 0; i < losses.size(); i += 2) {
      EXPECT_NEAR(same[i], losses[i], 1e-4 * (1 + std::fabs(losses[i]))) << "of the critic, step " << i / 2;
      // The gradient of a wgan-gp critic's last bias is 0 but for rounding, which Adam scales up: it wanders by a rate
      // of 1e-4 a step, in one process as in several, and a generator's loss with it.
      EXPECT_NEAR(same[i + 1], losses[i + 1], 2e-3) << "of the generator, step " << i / 2;
    }
    EXPECT_LT(Distance("one.0", name + ".0"), 1e-5);
    for (int rank = 1; rank < size; ++rank) {
      EXPECT_TRUE(Read(name + ".0") == Read(absl::StrCat(name, ".", rank)))
          << "process " << rank << " has other weights";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Presets, DistributedTest, testing::Values("acgan", "acgan-paper", "wgan-gp", "wgan-gp-paper"));

// kill -9 in the midst: the others say so and end; all start again from the last checkpoint, and nothing was lost.
TEST_F(DistributedTest, AKilledProcessEndsTheOthersAndTheRunGoesOn) {
  Train(2, {"wgan-gp", "6", Path("undisturbed")});
  const std::string checkpoint = "checkpoint=" + Path("checkpoint");
  const auto workers = Start(2, {"wgan-gp", "6", Path("killed"), checkpoint, "signal=1,3,9"});
  EXPECT_EQ(workers[1]->Wait().exit_code, -SIGKILL);
  const Ended end = workers[0]->Wait();
  EXPECT_EQ(end.exit_code, kExitLost);
  EXPECT_THAT(end.text,
              AllOf(HasSubstr("process 0 of 2 lost the others: "), HasSubstr("--resume"), Not(HasSubstr("/pytorch/"))));
  Train(2, {"wgan-gp", "6", Path("resumed"), checkpoint});
  EXPECT_EQ(Losses("resumed.losses").size(), 6U) << "three steps were left";
  EXPECT_TRUE(Read("resumed.0") == Read("undisturbed.0"));
}

TEST_F(DistributedTest, ARunGoesOnWithAnotherNumberOfProcesses) {
  Train(1, {"acgan", "6", Path("one")});
  const std::string checkpoint = "checkpoint=" + Path("checkpoint");
  const auto workers = Start(4, {"acgan", "6", Path("four"), checkpoint, "signal=2,2,15"});
  for (const auto& worker : workers) EXPECT_EQ(worker->Wait().exit_code, 0);
  Train(2, {"acgan", "6", Path("two"), checkpoint});
  EXPECT_EQ(Losses("two.losses").size(), 8U);
  EXPECT_LT(Distance("one.0", "two.0"), 1e-5);
}

// SIGTERM to one process: all end after the same step, with the state that process 0 saves.
TEST_F(DistributedTest, ASignalToOneStopsAllAtTheSameStep) {
  const auto workers = Start(4, {"acgan", "1000", Path("stopped"), "signal=3,5,15"});
  for (const auto& worker : workers) {
    const Ended end = worker->Wait();
    EXPECT_EQ(end.exit_code, 0) << end.text;
    EXPECT_EQ(end.text, "stopped after step 5\n");
  }
  for (int rank = 1; rank < 4; ++rank) EXPECT_TRUE(Read("stopped.0") == Read(absl::StrCat("stopped.", rank)));
}

// A process that stands still, but whose connections live.
TEST_F(DistributedTest, AProcessThatHangsIsGivenUp) {
  const auto workers = Start(2, {"acgan", "1000", Path("hung"), absl::StrCat("signal=1,2,", SIGSTOP)},
                             {{"GENOSERVE_PEER_TIMEOUT", "2"}});
  const Ended end = workers[0]->Wait();
  EXPECT_EQ(end.exit_code, kExitLost);
  EXPECT_THAT(end.text, HasSubstr("process 0 of 2 lost the others"));
  workers[1]->Kill();
  EXPECT_EQ(workers[1]->Wait().exit_code, -SIGKILL);
}

TEST_F(DistributedTest, AProcessThatNeverComesIsNotWaitedForForEver) {
  const int port = FreePort();
  for (const int rank : {0, 1}) {
    Environment place = Place(rank, 2, port);
    place["GENOSERVE_PEER_TIMEOUT"] = "1";
    const Ended end = Worker({"acgan", "6", Path("alone")}, place, Path("log")).Wait();
    EXPECT_EQ(end.exit_code, kExitLost) << end.text;
    EXPECT_THAT(end.text,
                HasSubstr(absl::StrCat("process ", rank, " of 2 did not find the others at 127.0.0.1:", port)));
  }
}

}  // namespace
}  // namespace genoserve

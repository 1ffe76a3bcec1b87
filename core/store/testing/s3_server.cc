#include "core/store/testing/s3_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "core/base/file.h"
#include "core/store/s3_client.h"

extern char** environ;  // NOLINT: POSIX asks the program to declare it

namespace genoserve {
namespace {

constexpr char kMotoPython[] = GENOSERVE_MOTO_PYTHON;
constexpr char kMotoProgram[] = GENOSERVE_MOTO_PROGRAM;
constexpr char kMinio[] = GENOSERVE_MINIO;
constexpr char kUser[] = "genoserve-test";
constexpr char kSecret[] = "not-a-secret";
// Before the place where a server listens.
constexpr char kListensAt[] = "://127.0.0.1:";
// What a server said last is the part that tells most.
constexpr size_t kShownLog = 4000;
// A port that was free may be taken before a server gets it.
constexpr int kMaxStarts = 5;

int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  const bool bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  return bound ? ntohs(address.sin_port) : 0;
}

std::string NewFolder() {
  std::string path = absl::StrCat(testing::TempDir(), "s3-server-XXXXXX");
  return ::mkdtemp(path.data()) == nullptr ? "" : path;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

std::string MakeName(S3Server::Make make) { return make == S3Server::Make::kMoto ? "moto" : "minio"; }

std::vector<S3Server::Make> S3Server::Installed() {
  std::vector<Make> makes = {Make::kMoto};
  if (FileSystem::Posix().Exists(kMinio)) makes.push_back(Make::kMinio);
  return makes;
}

S3Server& S3Server::Shared(Make make) {
  static std::array<std::unique_ptr<S3Server>, 2> servers;
  std::unique_ptr<S3Server>& server = servers[static_cast<size_t>(make)];
  if (server == nullptr) server = std::make_unique<S3Server>(make);
  return *server;
}

S3Server::S3Server(Make make, const Tls& tls) : make_(make), tls_(tls), folder_(NewFolder()) {
  for (int i = 0; i < kMaxStarts; ++i) {
    if (Start()) return;
    Stop();
  }
  const absl::MutexLock lock(&mutex_);
  std::cerr << MakeName(make_) << " does not start (scripts/setup installs it):\n" << log_ << std::endl;
  std::abort();
}

S3Server::~S3Server() {
  Stop();
  FileSystem::Posix().Remove(folder_).IgnoreError();
  const absl::MutexLock lock(&mutex_);
  if (!testing::UnitTest::GetInstance()->Failed()) return;
  std::cerr << MakeName(make_) << " said:\n"
            << log_.substr(log_.size() - std::min(log_.size(), kShownLog)) << std::endl;
}

bool S3Server::Start() {
  std::vector<std::string> arguments = {kMotoPython, kMotoProgram};
  if (!tls_.key.empty()) arguments.insert(arguments.end(), {tls_.certificate, tls_.key});
  if (make_ == Make::kMinio) {
    arguments = {kMinio, "server", "--address", absl::StrCat("127.0.0.1:", FreePort()), JoinPath(folder_, "data")};
  }
  // Parts of a few KiB make tests of parts fast. HOME: where MinIO would keep its settings.
  std::vector<std::string> environment = {"S3_UPLOAD_PART_MIN_SIZE=1024",
                                          absl::StrCat("HOME=", folder_),
                                          absl::StrCat("MINIO_ROOT_USER=", kUser),
                                          absl::StrCat("MINIO_ROOT_PASSWORD=", kSecret),
                                          "MINIO_BROWSER=off",
                                          "MINIO_UPDATE=off"};
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (absl::StartsWith(*entry, "PATH=") || absl::StartsWith(*entry, "TMPDIR=")) environment.emplace_back(*entry);
  }
  const std::vector<char*> argv = Pointers(&arguments);
  const std::vector<char*> env = Pointers(&environment);
  std::array<int, 2> output{};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) return false;
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(output[1], STDOUT_FILENO);
    ::dup2(output[1], STDERR_FILENO);
    ::execve(argv[0], argv.data(), env.data());
    ::_exit(127);
  }
  ::close(output[1]);
  listener_ = std::thread(&S3Server::Listen, this, output[0]);

  const absl::MutexLock lock(&mutex_);
  const auto said = [this] {
    mutex_.AssertHeld();
    return ended_ || absl::StrContains(log_, kListensAt);
  };
  mutex_.AwaitWithTimeout(absl::Condition(&said), absl::Minutes(2));
  const size_t at = log_.find(kListensAt);
  if (at == std::string::npos) return false;
  const std::vector<std::string> words =
      absl::StrSplit(log_.substr(at + sizeof(kListensAt) - 1), absl::ByAnyChar(" \r\n"));
  return absl::SimpleAtoi(words[0], &port_);
}

void S3Server::Stop() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  pid_ = -1;
  if (listener_.joinable()) listener_.join();
  const absl::MutexLock lock(&mutex_);
  ended_ = false;
}

void S3Server::Listen(int output) {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t count = ::read(output, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    const absl::MutexLock lock(&mutex_);
    if (count <= 0) {
      ended_ = true;
      break;
    }
    log_.append(buffer.data(), static_cast<size_t>(count));
  }
  ::close(output);
}

std::string S3Server::endpoint() const {
  return absl::StrCat(tls_.key.empty() ? "http" : "https", "://127.0.0.1:", port_);
}

std::vector<std::pair<std::string, std::string>> S3Server::variables() const {
  return {{"AWS_ACCESS_KEY_ID", kUser}, {"AWS_SECRET_ACCESS_KEY", kSecret}};
}

Environment S3Server::environment() const {
  return [variables = variables()](const std::string& name) {
    const auto found = std::find_if(variables.begin(), variables.end(), [&](const auto& v) { return v.first == name; });
    return found == variables.end() ? std::string() : found->second;
  };
}

void S3Server::MakeBucket(const std::string& bucket) {
  const S3Location location{bucket, "", endpoint(), "us-east-1", /*path_style=*/true, tls_.certificate};
  const auto client = S3Client::Create(location, environment(), S3Limits());
  S3Request request;
  request.method = "PUT";
  const S3Result result = (*client)->Send(request);
  EXPECT_TRUE(result.status.ok() || result.code == "BucketAlreadyOwnedByYou") << result.status;
}

}  // namespace genoserve

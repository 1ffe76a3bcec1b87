#include "core/store/testing/store_place.h"

#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/store/s3_store.h"
#include "core/store/testing/s3_server.h"

extern char** environ;  // NOLINT: POSIX asks the program to declare it

namespace genoserve {
namespace {

S3Server& Server(PlaceKind kind) {
  return S3Server::Shared(kind == PlaceKind::kMoto ? S3Server::Make::kMoto : S3Server::Make::kMinio);
}

pid_t Spawn(std::vector<std::string> arguments, std::vector<std::string> environment) {
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> all;
    all.reserve(texts.size() + 1);
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  };
  pid_t pid = -1;
  return ::posix_spawn(&pid, arguments[0].c_str(), nullptr, nullptr, pointers(arguments).data(),
                       pointers(environment).data()) == 0
             ? pid
             : -1;
}

}  // namespace

std::vector<PlaceKind> InstalledPlaces() {
  std::vector<PlaceKind> kinds = {PlaceKind::kFolder};
  for (const S3Server::Make make : S3Server::Installed()) {
    kinds.push_back(make == S3Server::Make::kMoto ? PlaceKind::kMoto : PlaceKind::kMinio);
  }
  return kinds;
}

std::string PlaceName(PlaceKind kind) {
  return kind == PlaceKind::kFolder ? "Folder" : kind == PlaceKind::kMoto ? "Moto" : "Minio";
}

StorePlace::StorePlace(PlaceKind kind) : kind_(kind) {
  static std::atomic<int> count = 0;
  const std::string name = absl::StrCat("store-", ::getpid(), "-", ++count);
  if (kind == PlaceKind::kFolder) {
    url_ = absl::StrCat(testing::TempDir(), name);
    EXPECT_TRUE(FileSystem::Posix().Remove(url_).ok());
    return;
  }
  S3Server& server = Server(kind);
  server.MakeBucket(name);
  url_ = absl::StrCat("s3://", name, "/some/prefix?endpoint=", server.endpoint());
  client_ = S3Client::Create(*ParseS3Url(url_, server.environment()), server.environment(), S3Limits()).value();
}

StorePlace::~StorePlace() {
  if (kind_ != PlaceKind::kFolder) return;
  EXPECT_TRUE(FileSystem::Posix().Remove(url_).ok());
}

absl::StatusOr<std::unique_ptr<CheckpointStore>> StorePlace::Open(bool create) {
  return kind_ == PlaceKind::kFolder ? OpenStore(url_, create) : OpenS3Store(url_, create, Server(kind_).environment());
}

void StorePlace::Plant(absl::string_view path, absl::string_view bytes) {
  if (kind_ != PlaceKind::kFolder) {
    ASSERT_TRUE(client_->Put(absl::StrCat(client_->location().prefix, path), bytes).ok());
    return;
  }
  const std::string file = JoinPath(url_, path);
  std::filesystem::create_directories(std::filesystem::path(file).parent_path());
  std::ofstream out(file, std::ios::binary);  // not synced, for there may be many
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.flush().good());
}

std::vector<std::string> StorePlace::Everything() {
  std::vector<std::string> paths;
  if (kind_ == PlaceKind::kFolder) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(url_)) {
      paths.push_back(std::filesystem::relative(entry.path(), url_).string());
    }
    return paths;
  }
  const std::vector<S3Object> objects = client_->List(client_->location().prefix).value();
  for (const S3Object& object : objects) {
    const std::string path(absl::StripPrefix(object.key, client_->location().prefix));
    if (path != ".write-check") paths.push_back(path);
  }
  return paths;
}

std::vector<int> StorePlace::RunPublishers(int processes, const std::string& model, int count) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  if (kind_ != PlaceKind::kFolder) {
    for (const auto& [name, value] : Server(kind_).variables()) environment.push_back(absl::StrCat(name, "=", value));
  }
  std::vector<pid_t> pids;
  pids.reserve(static_cast<size_t>(processes));
  for (int i = 0; i < processes; ++i) {
    pids.push_back(Spawn({GENOSERVE_STORE_PUBLISHER, url_, model, absl::StrCat(count)}, environment));
  }
  std::vector<int> codes;
  for (const pid_t pid : pids) {
    int status = -1;
    if (pid > 0) ::waitpid(pid, &status, 0);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  }
  return codes;
}

}  // namespace genoserve

#include "client/testing/served_models.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "server/config.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

constexpr int64_t kHaplotypeVariants = 400;
constexpr int64_t kDiploidVariants = 90;

}  // namespace

ServedModelsTest::ServedModelsTest() : folder_(NewTestFolder()) {
  out_folder_ = JoinPath(folder_, "out");
  EXPECT_TRUE(FileSystem::Posix().MakeFolder(out_folder_).ok());
  EXPECT_TRUE(FileSystem::Posix().MakeFolder(JoinPath(folder_, "in")).ok());
  Publish();
}

ServedModelsTest::~ServedModelsTest() {
  server_.reset();
  FileSystem::Posix().Remove(folder_).IgnoreError();
}

const Server& ServedModelsTest::server() {
  if (server_ == nullptr) StartServer({});
  return *server_;
}

std::string ServedModelsTest::address() { return absl::StrCat("127.0.0.1:", server().port()); }

void ServedModelsTest::StartServer(const v1::ServerConfig& config) {
  v1::ServerConfig all = DefaultConfig();
  all.set_store(JoinPath(folder_, "store"));
  all.set_port(0);
  all.set_http_port(0);
  all.set_device("cpu");
  all.set_poll_seconds(0.05);
  all.MergeFrom(config);
  auto server = Server::Start(all, {});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  ASSERT_TRUE(server_->models().WaitUntil(
      [](const std::vector<VersionStatus>& versions) {
        return versions.size() >= 2 && std::all_of(versions.begin(), versions.end(), [](const VersionStatus& version) {
                 return version.state == v1::MODEL_STATE_SERVING;
               });
      },
      absl::Seconds(60)));
}

void ServedModelsTest::StopServer() { server_.reset(); }

void ServedModelsTest::RestartServer() {
  StopServer();
  StartServer({});
}

void ServedModelsTest::PublishNextVersion() {
  Publish();
  ASSERT_TRUE(server().models().WaitUntil(
      [](const std::vector<VersionStatus>& versions) {
        return std::count_if(versions.begin(), versions.end(), [](const VersionStatus& version) {
                 return version.version == 2 && version.is_default && version.state == v1::MODEL_STATE_SERVING;
               }) == 2;
      },
      absl::Seconds(60)));
}

std::string ServedModelsTest::Input(const std::string& name) const { return JoinPath(JoinPath(folder_, "in"), name); }

std::string ServedModelsTest::WriteInput(const std::string& name, const std::string& text) const {
  EXPECT_TRUE(FileSystem::Posix().WriteFile(Input(name), text).ok());
  return Input(name);
}

void ServedModelsTest::Publish() {
  const std::string store = JoinPath(folder_, "store");
  ASSERT_GT(PublishTestAcgan(store, kHaplotypes, next_seed_++, kHaplotypeVariants), 0);
  ASSERT_GT(PublishTestWganGp(store, kDiploid, next_seed_++, kDiploidVariants), 0);
}

}  // namespace genoserve

#include "client/testing/served_models.h"

#include <stdlib.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/base/file.h"
#include "core/model/test_models.h"
#include "core/store/checkpoint_store.h"
#include "server/config.h"

namespace genoserve {
namespace {

constexpr int64_t kHaplotypeVariants = 400;
constexpr int64_t kDiploidVariants = 90;

VariantTable Variants(int64_t count) {
  std::vector<VariantRecord> variants;
  for (int64_t i = 0; i < count; ++i) {
    const bool first = i < count / 2;
    variants.push_back({first ? "1" : "2", 100 * (first ? i + 1 : i + 1 - count / 2), absl::StrCat("rs", i + 1),
                        i % 2 == 0 ? "A" : "C", i % 2 == 0 ? "G" : "T"});
  }
  return *VariantTable::Create(std::move(variants), {{"1", 1'000'000}, {"2", 1'000'000}});
}

}  // namespace

ServedModelsTest::ServedModelsTest() : folder_(JoinPath(testing::TempDir(), "servedXXXXXX")) {
  EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
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
  auto store = OpenStore(JoinPath(folder_, "store"), /*create=*/true);
  ASSERT_TRUE(store.ok()) << store.status();
  for (const auto& [name, manifest] : {std::make_pair(kHaplotypes, SmallAcgan(kHaplotypeVariants, 2)),
                                       std::make_pair(kDiploid, SmallWganGp(kDiploidVariants))}) {
    const auto version = PublishArtifact(**store, name, manifest, RandomWeights(manifest, next_seed_++),
                                         Variants(manifest.variant_count()));
    ASSERT_TRUE(version.ok()) << version.status();
  }
}

}  // namespace genoserve

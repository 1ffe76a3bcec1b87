#include "server/manager/test_manager.h"

#include <google/protobuf/text_format.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/base/file.h"
#include "tests/support/artifacts.h"

namespace genoserve {

absl::StatusOr<std::vector<int64_t>> UnreliableStore::ListVersions(absl::string_view model) const {
  if (model == unreadable) return absl::PermissionDeniedError("cannot list");
  return store().ListVersions(model);
}

absl::StatusOr<std::string> UnreliableStore::Read(absl::string_view model, int64_t version, absl::string_view file,
                                                  uint64_t limit) const {
  if (file == kWeightsFile) {
    if (on_reading_weights) on_reading_weights();
    if (failures > 0) {
      --failures;
      return absl::UnavailableError("the disk is slow");
    }
  }
  return store().Read(model, version, file, limit);
}

ManagerTest::ManagerTest() : folder_(NewTestFolder()), store_(std::make_unique<UnreliableStore>(folder_)) {
  Restart(settings_);
}

ManagerTest::~ManagerTest() {
  manager_.reset();
  FileSystem::Posix().Remove(folder_).IgnoreError();
}

ModelManager::Options ManagerTest::TestOptions() {
  ModelManager::Options options;
  options.settings = settings_;
  options.clock = &clock_;
  options.executor = [](const std::function<void()>& task) { task(); };
  options.seed = 1;
  return options;
}

void ManagerTest::Restart(ManagerSettings settings) {
  settings_ = std::move(settings);
  manager_ = std::make_unique<ModelManager>(*store_, metrics_, TestOptions());
}

void ManagerTest::Configure(const std::function<void(ManagerSettings&)>& change) {
  change(settings_);
  manager_->Configure(settings_);
}

void ManagerTest::SetPolicy(const std::string& model_config) {
  v1::ModelConfig config;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(model_config, &config)) << model_config;
  Configure([&config](ManagerSettings& settings) { settings.models = {config}; });
}

int64_t ManagerTest::Publish(const std::string& model, const v1::Manifest& manifest, const TensorMap& weights) {
  const auto version = PublishArtifact(*store_, model, manifest, weights, TestVariants(manifest.variant_count()), {});
  EXPECT_TRUE(version.ok()) << version.status();
  return version.value_or(0);
}

void ManagerTest::Look() {
  clock_.Advance(absl::Seconds(2));
  Settle();
}

void ManagerTest::Settle() {
  // More than there are versions to load or free in any test.
  for (int i = 0; i < 12; ++i) manager_->Step();
}

void ManagerTest::Ask(std::vector<absl::Status>& told) {
  manager_->LookNow([&told](const absl::Status& status) { told.push_back(status); });
}

std::string ManagerTest::States(const std::string& model) const {
  std::string text;
  for (const VersionStatus& status : manager_->List()) {
    if (status.model != model) continue;
    absl::StrAppend(&text, text.empty() ? "" : " ", status.version, ":", StateName(status.state),
                    status.is_default ? "*" : "", status.is_canary ? "+" : "");
  }
  return text;
}

VersionStatus ManagerTest::Status(int64_t version, const std::string& model) const {
  for (VersionStatus& status : manager_->List()) {
    if (status.model == model && status.version == version) return std::move(status);
  }
  ADD_FAILURE() << "there is no version " << version << " of " << model;
  return {};
}

absl::StatusOr<ModelHandle> ManagerTest::Find(const std::string& version, const std::string& digest,
                                              const std::string& model) const {
  absl::StatusOr<ModelManager::Choice> found = manager_->Find(model, version, digest, "");
  if (!found.ok()) return found.status();
  return std::move(found->handle);
}

std::string ManagerTest::Path(int64_t version, const std::string& file) const {
  return absl::StrCat(folder_, "/model/", version, "/", file);
}

void ManagerTest::Corrupt(int64_t version, const std::string& file) const {
  std::string bytes = FileSystem::Posix().ReadFile(Path(version, file), 1 << 30).value();
  bytes[bytes.size() / 2] ^= 1;
  ASSERT_TRUE(FileSystem::Posix().WriteFile(Path(version, file), bytes).ok());
}

}  // namespace genoserve

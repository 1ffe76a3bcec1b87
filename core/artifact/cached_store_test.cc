#include "core/artifact/cached_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/artifact/test_artifact.h"
#include "core/base/status.h"
#include "core/store/posix_store.h"
#include "core/store/testing/s3_server.h"

namespace genoserve {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kModel[] = "five";
constexpr uint64_t kLarge = uint64_t{1} << 30;

const FileSystem& Files() { return FileSystem::Posix(); }

// Whose disk is full, or that is read-only, while told so.
class FullDisk final : public FileSystem {
 public:
  std::atomic<bool> full = false;

  absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit) const override {
    return Files().ReadFile(path, limit);
  }
  absl::Status WriteFile(const std::string& path, absl::string_view bytes) const override {
    if (!full) return Files().WriteFile(path, bytes);
    Files().WriteFile(path, bytes.substr(0, bytes.size() / 2)).IgnoreError();
    return absl::ResourceExhaustedError(absl::StrCat(path, ": cannot write: No space left on device"));
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return Files().Rename(from, to);
  }
  absl::Status SyncFolder(const std::string& path) const override { return Files().SyncFolder(path); }
  absl::Status MakeFolder(const std::string& path) const override { return Files().MakeFolder(path); }
  absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) const override {
    return Files().ListFolder(path);
  }
  bool Exists(const std::string& path) const override { return Files().Exists(path); }
  absl::StatusOr<absl::Time> LastChange(const std::string& path) const override { return Files().LastChange(path); }
  absl::Status Remove(const std::string& path) const override { return Files().Remove(path); }
};

// A store that is asked through a line that may break at any question.
class BrokenLine final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  std::function<bool(const std::string& question)> breaks = [](const std::string&) { return false; };
  mutable std::vector<std::string> questions;

  absl::StatusOr<std::vector<std::string>> ListModels() const override {
    GENOSERVE_RETURN_IF_ERROR(Ask("models"));
    return ForwardingStore::ListModels();
  }
  absl::StatusOr<std::vector<int64_t>> ListVersions(absl::string_view model) const override {
    GENOSERVE_RETURN_IF_ERROR(Ask(absl::StrCat("versions of ", model)));
    return ForwardingStore::ListVersions(model);
  }
  absl::StatusOr<std::map<std::string, Label>> ListLabels(absl::string_view model) const override {
    GENOSERVE_RETURN_IF_ERROR(Ask(absl::StrCat("labels of ", model)));
    return ForwardingStore::ListLabels(model);
  }
  absl::StatusOr<std::string> Read(absl::string_view model, int64_t version, absl::string_view file,
                                   uint64_t limit) const override {
    GENOSERVE_RETURN_IF_ERROR(Ask(absl::StrCat(file, " of ", version)));
    return ForwardingStore::Read(model, version, file, limit);
  }

 private:
  absl::Status Ask(const std::string& question) const {
    questions.push_back(question);
    return breaks(question) ? absl::UnavailableError("the line is broken") : absl::OkStatus();
  }
};

class CachedStoreTest : public testing::Test {
 protected:
  CachedStoreTest() {
    std::string folder = JoinPath(testing::TempDir(), "cachedXXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    store_ = *OpenStore(StoreFolder(), /*create=*/true);
  }
  ~CachedStoreTest() override { Files().Remove(folder_).IgnoreError(); }

  std::string StoreFolder() const { return JoinPath(folder_, "store"); }
  std::string CacheFolder() const { return JoinPath(folder_, "cache"); }
  std::string BlobFolder() const { return JoinPath(CacheFolder(), "blobs"); }

  // A version whose weights nobody else has, of `numbers` numbers.
  int64_t Publish(const std::string& model, int64_t numbers = 10) {
    const TensorMap weights = {{"w", {{numbers}, std::vector<float>(static_cast<size_t>(numbers), ++next_weight_)}}};
    return PublishArtifact(*store_, model, TestManifest(), weights, TestVariants(), TestParts()).value();
  }
  void StoreGoes() { std::filesystem::rename(StoreFolder(), JoinPath(folder_, "away")); }
  void StoreComes() { std::filesystem::rename(JoinPath(folder_, "away"), StoreFolder()); }

  std::unique_ptr<CachedStore> Open(uint64_t max_bytes = kLarge) {
    auto cached = OpenCachedStore(StoreFolder(), CacheFolder(), max_bytes);
    EXPECT_TRUE(cached.ok()) << cached.status();
    return *std::move(cached);
  }
  // With the store behind a line of the test's.
  std::unique_ptr<CachedStore> OpenOver(BrokenLine** line) {
    auto store = std::make_unique<BrokenLine>(PosixStoreThatMayBeAway(Files(), StoreFolder()));
    *line = store.get();
    return std::make_unique<CachedStore>(std::move(store), StoreFolder(), CacheFolder(), kLarge, Files(),
                                         Clock::Real());
  }
  // What a server does at each look, and then with each version.
  static void LoadAll(const CachedStore& cached) {
    const std::vector<std::string> models = cached.ListModels().value();
    for (const std::string& model : models) {
      const std::vector<int64_t> versions = cached.ListVersions(model).value();
      for (const int64_t version : versions) Load(cached, model, version);
      ASSERT_TRUE(cached.ListLabels(model).ok());
    }
  }
  static void Load(const CachedStore& cached, const std::string& model, int64_t version) {
    const auto artifact = ReadArtifact(cached, model, version);
    ASSERT_TRUE(artifact.ok()) << artifact.status();
  }
  uint64_t BytesOfBlobs() const {
    uint64_t bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(BlobFolder())) bytes += file.file_size();
    return bytes;
  }
  // The blob of the weights of a version.
  std::string WeightsBlob(int64_t version) const {
    std::string digest;
    const v1::Manifest manifest = ReadManifest(*store_, kModel, version, &digest).value();
    for (const v1::ArtifactFile& file : manifest.files()) {
      if (file.name() == kWeightsFile) return JoinPath(BlobFolder(), file.sha256());
    }
    return "";
  }

  std::string folder_;
  std::unique_ptr<CheckpointStore> store_;
  float next_weight_ = 0;
};

TEST_F(CachedStoreTest, DownloadsNothingTwice) {
  Publish(kModel);
  {
    const auto cached = Open();
    Load(*cached, kModel, 1);
    EXPECT_EQ(cached->counts().misses, 3);
    EXPECT_EQ(cached->counts().hits, 0);
    Load(*cached, kModel, 1);
    EXPECT_EQ(cached->counts().hits, 3);
    EXPECT_EQ(cached->counts().misses, 3);
  }
  // Also after a restart; what two versions share, once.
  Publish(kModel);
  const auto cached = Open();
  Load(*cached, kModel, 1);
  EXPECT_EQ(cached->counts().misses, 0);
  Load(*cached, kModel, 2);
  EXPECT_EQ(cached->counts().misses, 1);
  EXPECT_EQ(cached->counts().held_bytes, BytesOfBlobs());
}

TEST_F(CachedStoreTest, RestartsWhileTheStoreIsAway) {
  Publish(kModel);
  Publish(kModel);
  Publish("mice");
  ASSERT_TRUE(store_->SetLabel(kModel, kStableLabel, 2).ok());
  ASSERT_TRUE(store_->SetLabel(kModel, kStableLabel, 1).ok());
  const Artifact before = ReadArtifact(*store_, kModel, 2).value();
  LoadAll(*Open());
  StoreGoes();

  const auto cached = Open();
  EXPECT_THAT(cached->ListModels().value(), ElementsAre(kModel, "mice"));
  EXPECT_THAT(cached->ListVersions(kModel).value(), ElementsAre(1, 2));
  EXPECT_EQ(cached->ListLabels(kModel).value().at("stable"), (Label{1, 2}));
  EXPECT_THAT(cached->ListLabels("mice").value(), IsEmpty());
  const Artifact after = ReadArtifact(*cached, kModel, 2).value();
  EXPECT_EQ(after.digest, before.digest);
  EXPECT_EQ(after.weights.at("w").values, before.weights.at("w").values);
  EXPECT_THAT(std::string(cached->store_error().message()), HasSubstr(StoreFolder()));

  StoreComes();
  Publish(kModel);
  EXPECT_THAT(cached->ListModels().value(), ElementsAre(kModel, "mice"));
  EXPECT_THAT(cached->ListVersions(kModel).value(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(cached->store_error().ok());
}

TEST_F(CachedStoreTest, RestartsWhileABucketIsAway) {
  const auto makes = S3Server::Installed();
  ASSERT_FALSE(makes.empty()) << "scripts/setup installs an S3 server";
  auto server = std::make_unique<S3Server>(makes.front());
  server->MakeBucket("bucket");
  for (const auto& [name, value] : server->variables()) setenv(name.c_str(), value.c_str(), 1);
  const std::string url = absl::StrCat("s3://bucket/models?endpoint=", server->endpoint());
  store_ = *OpenStore(url, /*create=*/true);
  Publish(kModel);
  const std::string digest = ReadArtifact(*store_, kModel, 1)->digest;
  LoadAll(**OpenCachedStore(url, CacheFolder(), kLarge));
  server.reset();
  const auto cached = *OpenCachedStore(url, CacheFolder(), kLarge);
  EXPECT_THAT(cached->ListModels().value(), ElementsAre(kModel));
  EXPECT_THAT(cached->ListVersions(kModel).value(), ElementsAre(1));
  EXPECT_EQ(ReadArtifact(*cached, kModel, 1)->digest, digest);
  EXPECT_TRUE(absl::IsUnavailable(cached->store_error())) << cached->store_error();
}

TEST_F(CachedStoreTest, ListsOnlyWholeVersionsWhileTheStoreIsAway) {
  for (int i = 0; i < 3; ++i) Publish(kModel);
  Publish("mice");
  const auto first = Open();
  for (const int64_t version : {1, 2}) Load(*first, kModel, version);
  std::string digest;
  ASSERT_TRUE(ReadManifest(*first, "mice", 1, &digest).ok());
  ASSERT_TRUE(Files().Remove(WeightsBlob(2)).ok());
  StoreGoes();
  const auto cached = Open();
  EXPECT_THAT(cached->ListModels().value(), ElementsAre(kModel));
  EXPECT_THAT(cached->ListVersions(kModel).value(), ElementsAre(1));
  EXPECT_THAT(cached->ListVersions("mice").value(), IsEmpty());
}

TEST_F(CachedStoreTest, NothingInTheCacheIsNoStore) {
  Publish(kModel);
  StoreGoes();
  const auto cached = OpenCachedStore(StoreFolder(), CacheFolder(), kLarge);
  EXPECT_TRUE(absl::IsNotFound(cached.status())) << cached.status();
  EXPECT_TRUE(absl::IsInvalidArgument(OpenCachedStore("gs://bucket", CacheFolder(), kLarge).status()));
}

TEST_F(CachedStoreTest, OnceTheStoreWasThereItsErrorsAreErrors) {
  Publish(kModel);
  const auto cached = Open();
  LoadAll(*cached);
  StoreGoes();
  EXPECT_FALSE(cached->ListModels().ok());
  EXPECT_FALSE(cached->ListVersions(kModel).ok());
  EXPECT_FALSE(cached->store_error().ok());
  // What was read before is still to be had.
  Load(*cached, kModel, 1);
}

TEST_F(CachedStoreTest, ALineThatBreaksAtTheFirstLookLosesNothing) {
  Publish(kModel);
  Publish("mice");
  LoadAll(*Open());
  for (const std::string breaks_at : {"models", "versions of five", "labels of five", "versions of mice"}) {
    BrokenLine* line = nullptr;
    const auto cached = OpenOver(&line);
    bool broken = false;
    line->breaks = [&](const std::string& question) { return broken |= question == breaks_at; };
    for (int look = 0; look < 2; ++look) {
      const auto models = cached->ListModels();
      // Only what was answered may fail: whoever asked has the answer still.
      EXPECT_TRUE(models.ok() || look == 1) << breaks_at;
      if (!models.ok()) continue;
      EXPECT_THAT(*models, ElementsAre(kModel, "mice"));
      for (const std::string& model : *models) {
        EXPECT_THAT(cached->ListVersions(model).value(), ElementsAre(1)) << breaks_at;
        EXPECT_TRUE(cached->ListLabels(model).ok()) << breaks_at;
      }
    }
    Load(*cached, kModel, 1);
    EXPECT_FALSE(cached->store_error().ok());
  }
}

TEST_F(CachedStoreTest, AsksAStoreThatIsAwayOncePerLook) {
  Publish(kModel);
  Publish("mice");
  LoadAll(*Open());
  BrokenLine* line = nullptr;
  const auto cached = OpenOver(&line);
  line->breaks = [](const std::string&) { return true; };
  LoadAll(*cached);
  EXPECT_THAT(line->questions, ElementsAre("models"));
}

TEST_F(CachedStoreTest, AnEmptyMountPointIsNoEmptyStore) {
  Publish(kModel);
  ASSERT_TRUE(store_->SetLabel(kModel, kStableLabel, 1).ok());
  LoadAll(*Open());
  StoreGoes();
  ASSERT_TRUE(Files().MakeFolder(StoreFolder()).ok());
  for (int first = 0; first < 2; ++first) {
    const auto cached = Open();
    if (first == 0) {
      EXPECT_THAT(cached->ListModels().value(), ElementsAre(kModel));
    }
    EXPECT_THAT(cached->ListVersions(kModel).value(), ElementsAre(1));
    EXPECT_EQ(cached->ListLabels(kModel).value().at("stable").version, 1);
    EXPECT_THAT(std::string(cached->store_error().message()), HasSubstr("not mounted"));
    Load(*cached, kModel, 1);
  }
  std::filesystem::remove(StoreFolder());
}

TEST_F(CachedStoreTest, DamagedFilesAreFetchedAnew) {
  Publish(kModel);
  const auto cached = Open();
  Load(*cached, kModel, 1);
  const std::string blob = WeightsBlob(1);
  std::string bytes = Files().ReadFile(blob, kLarge).value();
  for (const size_t size : {bytes.size(), bytes.size() / 2, size_t{0}}) {
    bytes.back() ^= 1;
    ASSERT_TRUE(Files().WriteFile(blob, bytes.substr(0, size)).ok());
    Load(*cached, kModel, 1);
  }
  EXPECT_EQ(cached->counts().damaged, 3);
  EXPECT_EQ(cached->counts().misses, 3 + 3);
  // Without the store they are no bytes at all.
  ASSERT_TRUE(Files().WriteFile(blob, "").ok());
  StoreGoes();
  EXPECT_TRUE(absl::IsUnavailable(ReadArtifact(*cached, kModel, 1).status()));
}

TEST_F(CachedStoreTest, ADamagedManifestIsNotServed) {
  Publish(kModel);
  std::string digest;
  LoadAll(*Open());
  ASSERT_TRUE(ReadManifest(*store_, kModel, 1, &digest).ok());
  const std::string blob = JoinPath(BlobFolder(), digest);
  std::string bytes = Files().ReadFile(blob, kLarge).value();
  bytes[bytes.find("latent_size") + 1] = 'A';
  ASSERT_TRUE(Files().WriteFile(blob, bytes).ok());
  StoreGoes();
  EXPECT_FALSE(OpenCachedStore(StoreFolder(), CacheFolder(), kLarge).ok());
  StoreComes();
  LoadAll(*Open());
  StoreGoes();
  LoadAll(*Open());
}

TEST_F(CachedStoreTest, BytesWithoutTheirDigestAreNotKept) {
  Publish(kModel);
  const std::string weights = JoinPath(JoinPath(StoreFolder(), "five/1"), kWeightsFile);
  const std::string good = Files().ReadFile(weights, kLarge).value();
  std::string bad = good;
  bad.back() ^= 1;
  ASSERT_TRUE(Files().WriteFile(weights, bad).ok());
  const auto cached = Open();
  EXPECT_TRUE(absl::IsDataLoss(ReadArtifact(*cached, kModel, 1).status()));
  EXPECT_FALSE(Files().Exists(WeightsBlob(1)));
  ASSERT_TRUE(Files().WriteFile(weights, good).ok());
  Load(*cached, kModel, 1);
}

TEST_F(CachedStoreTest, AManifestThatIsReplacedWins) {
  Publish(kModel);
  Publish(kModel);
  const auto cached = Open();
  LoadAll(*cached);
  // Version 1 gets the manifest and files of version 2.
  const std::vector<std::string> names = Files().ListFolder(JoinPath(StoreFolder(), "five/2")).value();
  for (const std::string& name : names) {
    std::filesystem::copy_file(JoinPath(JoinPath(StoreFolder(), "five/2"), name),
                               JoinPath(JoinPath(StoreFolder(), "five/1"), name),
                               std::filesystem::copy_options::overwrite_existing);
  }
  const std::string second = ReadArtifact(*store_, kModel, 2)->digest;
  EXPECT_EQ(ReadArtifact(*cached, kModel, 1)->digest, second);
  StoreGoes();
  EXPECT_EQ(ReadArtifact(*Open(), kModel, 1)->digest, second);
}

TEST_F(CachedStoreTest, WhatIsGoneFromTheStoreDoesNotComeBack) {
  for (int i = 0; i < 3; ++i) Publish(kModel);
  Publish("mice");
  const auto cached = Open();
  LoadAll(*cached);
  ASSERT_TRUE(store_->RemoveVersion(kModel, 3).ok());
  ASSERT_TRUE(store_->RemoveVersion("mice", 1).ok());
  EXPECT_TRUE(absl::IsNotFound(ReadArtifact(*cached, kModel, 3).status()));
  for (int look = 0; look < 2; ++look) {
    EXPECT_THAT(cached->ListModels().value(), ElementsAre(kModel));
    EXPECT_THAT(cached->ListVersions(kModel).value(), ElementsAre(1, 2));
  }
  StoreGoes();
  const auto restarted = Open();
  EXPECT_THAT(restarted->ListModels().value(), ElementsAre(kModel));
  EXPECT_THAT(restarted->ListVersions(kModel).value(), ElementsAre(1, 2));
}

TEST_F(CachedStoreTest, AStoreThatGoesWhileAVersionIsReadIsNoDamage) {
  Publish(kModel);
  BrokenLine* line = nullptr;
  const auto cached = OpenOver(&line);
  line->breaks = [&](const std::string& question) {
    if (absl::StartsWith(question, std::string(kVariantsFile))) StoreGoes();
    return false;
  };
  const absl::Status status = ReadArtifact(*cached, kModel, 1).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
}

TEST_F(CachedStoreTest, StaysBelowItsBoundAndKeepsTheNewestAndTheLabelled) {
  for (int i = 0; i < 12; ++i) Publish(kModel, 10'000);
  ASSERT_TRUE(store_->SetLabel(kModel, kStableLabel, 2).ok());
  constexpr uint64_t kBound = 200'000;  // four versions and a half
  const auto cached = Open(kBound);
  for (int64_t version = 1; version <= 12; ++version) {
    ASSERT_TRUE(cached->ListLabels(kModel).ok());
    Load(*cached, kModel, version);
    EXPECT_LE(BytesOfBlobs(), kBound);
  }
  EXPECT_GT(cached->counts().evictions, 0);
  StoreGoes();
  EXPECT_THAT(Open(kBound)->ListVersions(kModel).value(), ElementsAre(2, 10, 11, 12));
}

TEST_F(CachedStoreTest, AnOldVersionDoesNotPushOutTheNewest) {
  for (int i = 0; i < 3; ++i) Publish(kModel, 10'000);
  constexpr uint64_t kBound = 100'000;  // two versions and a bit
  const auto cached = Open(kBound);
  for (const int64_t version : {2, 3, 1, 1}) Load(*cached, kModel, version);
  StoreGoes();
  EXPECT_THAT(Open(kBound)->ListVersions(kModel).value(), ElementsAre(2, 3));
}

TEST_F(CachedStoreTest, AVersionLargerThanTheCacheIsServedAndNotKept) {
  Publish(kModel);
  Publish(kModel, 10'000);
  const auto cached = Open(20'000);
  LoadAll(*cached);
  StoreGoes();
  EXPECT_THAT(Open(20'000)->ListVersions(kModel).value(), ElementsAre(1));
}

TEST_F(CachedStoreTest, AFolderThatCannotBeWrittenToCostsNothing) {
  Publish(kModel);
  // A file is where the cache ought to be: so nobody can write there, root neither.
  ASSERT_TRUE(Files().WriteFile(CacheFolder(), "").ok());
  const auto cached = Open();
  LoadAll(*cached);
  LoadAll(*cached);
  EXPECT_EQ(cached->counts().misses, 6);
}

TEST_F(CachedStoreTest, AFullDiskCostsNothing) {
  Publish(kModel);
  FullDisk disk;
  const auto cached = OpenCachedStore(StoreFolder(), CacheFolder(), kLarge, disk).value();
  disk.full = true;
  LoadAll(*cached);
  EXPECT_THAT(Files().ListFolder(BlobFolder()).value(), IsEmpty());
  disk.full = false;
  LoadAll(*cached);
  LoadAll(*cached);
  EXPECT_EQ(cached->counts().hits, 3);
}

TEST_F(CachedStoreTest, SeveralServersShareAFolder) {
  constexpr int kVersions = 8;
  constexpr uint64_t kBound = 200'000;
  std::vector<std::string> digests = {""};
  for (int i = 1; i <= kVersions; ++i) {
    Publish(kModel, 10'000);
    digests.push_back(ReadArtifact(*store_, kModel, i)->digest);
  }
  std::vector<std::thread> servers;
  for (int server = 0; server < 4; ++server) {
    servers.emplace_back([&, server] {
      const auto cached = Open(kBound);
      for (int i = 0; i < 40; ++i) {
        const int64_t version = 1 + (i * (2 * server + 1) + server) % kVersions;
        EXPECT_THAT(cached->ListVersions(kModel).value(), SizeIs(kVersions));
        const auto artifact = ReadArtifact(*cached, kModel, version);
        ASSERT_TRUE(artifact.ok()) << artifact.status();
        EXPECT_EQ(artifact->digest, digests[static_cast<size_t>(version)]);
      }
      EXPECT_EQ(cached->counts().damaged, 0);
    });
  }
  for (std::thread& server : servers) server.join();
  // One writer alone keeps the bound; they all may have written a file at the same moment.
  EXPECT_LE(BytesOfBlobs(), kBound + 3 * 45'000);
  EXPECT_THAT(Files().ListFolder(BlobFolder()).value(), Each(SizeIs(64)));
  StoreGoes();
  LoadAll(*Open(kBound));
}

}  // namespace
}  // namespace genoserve

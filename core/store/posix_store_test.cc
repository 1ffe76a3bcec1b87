#include "core/store/posix_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Fails the operation with this number, counted from 0 over everything that changes the disk, and, as after a crash,
// all that follow it.
class CrashingFileSystem final : public FileSystem {
 public:
  explicit CrashingFileSystem(int crash_at) : left_(crash_at) {}
  bool crashed() const { return left_ < 0; }

  absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit) const override {
    return real_.ReadFile(path, limit);
  }
  absl::Status WriteFile(const std::string& path, absl::string_view bytes) const override {
    // A crash in the middle of a write leaves half of the bytes.
    if (Crashes()) {
      if (left_ == -1) real_.WriteFile(path, bytes.substr(0, bytes.size() / 2)).IgnoreError();
      return absl::UnavailableError("crashed");
    }
    return real_.WriteFile(path, bytes);
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return Crashes() ? absl::UnavailableError("crashed") : real_.Rename(from, to);
  }
  absl::Status SyncFolder(const std::string& path) const override {
    return Crashes() ? absl::UnavailableError("crashed") : real_.SyncFolder(path);
  }
  absl::Status MakeFolder(const std::string& path) const override {
    return Crashes() ? absl::UnavailableError("crashed") : real_.MakeFolder(path);
  }
  absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) const override {
    return real_.ListFolder(path);
  }
  bool Exists(const std::string& path) const override { return real_.Exists(path); }
  absl::Status Remove(const std::string& path) const override {
    return Crashes() ? absl::UnavailableError("crashed") : real_.Remove(path);
  }

 private:
  bool Crashes() const { return --left_ < 0; }

  const FileSystem& real_ = FileSystem::Posix();
  mutable int left_;
};

class PosixStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = absl::StrCat(testing::TempDir(), "store_test_", ::getpid(), "_",
                         testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(files_.Remove(root_).ok());
    store_ = OpenStore(root_, true).value();
  }
  void TearDown() override { ASSERT_TRUE(files_.Remove(root_).ok()); }

  static absl::Status PublishOne(CheckpointStore& store) {
    auto publication = store.Publish("m");
    if (!publication.ok()) return publication.status();
    if (absl::Status put = (*publication)->Put("weights", "0123456789"); !put.ok()) return put;
    return (*publication)->Commit("{}");
  }

  const FileSystem& files_ = FileSystem::Posix();
  std::string root_;
  std::unique_ptr<CheckpointStore> store_;
};

TEST_F(PosixStoreTest, AVersionExistsOnceItsManifestDoes) {
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  auto publication = store_->Publish("m").value();
  EXPECT_EQ(publication->version(), 1);
  ASSERT_TRUE(publication->Put("weights", "bytes").ok());
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  EXPECT_THAT(store_->ListVersions("m").value(), IsEmpty());
  ASSERT_TRUE(publication->Commit("{}").ok());
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1));
  EXPECT_EQ(store_->Read("m", 1, "weights", 100).value(), "bytes");
  EXPECT_EQ(store_->Read("m", 1, kManifestFile, 100).value(), "{}");
  EXPECT_FALSE(publication->Put("late", "x").ok());
}

TEST_F(PosixStoreTest, AnAbandonedPublicationLeavesNothingAndItsNumberIsFreeAgain) {
  { ASSERT_TRUE(store_->Publish("m").value()->Put("weights", "bytes").ok()); }
  EXPECT_THAT(files_.ListFolder(JoinPath(root_, "m")).value(), IsEmpty());
  ASSERT_TRUE(PublishOne(*store_).ok());
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1));
}

TEST_F(PosixStoreTest, TwoPublishersGetDifferentVersions) {
  auto first = store_->Publish("m").value();
  auto second = store_->Publish("m").value();
  ASSERT_TRUE(second->Commit("{}").ok());
  ASSERT_TRUE(first->Commit("{}").ok());
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1, 2));
}

TEST_F(PosixStoreTest, ManyPublishersAtOnceAllSucceed) {
  absl::Mutex mutex;
  std::set<int64_t> versions;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      auto publication = store_->Publish("m").value();
      const absl::Status committed = publication->Commit("{}");
      const absl::MutexLock lock(&mutex);
      if (committed.ok()) versions.insert(publication->version());
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(versions.size(), 8u);
  EXPECT_EQ(store_->ListVersions("m").value().size(), 8u);
}

TEST_F(PosixStoreTest, ACrashAtAnyOperationLeavesTheWholeVersionOrNone) {
  ASSERT_TRUE(PublishOne(*store_).ok());
  int published = 1;
  for (int crash_at = 0;; ++crash_at) {
    const CrashingFileSystem crashing(crash_at);
    PosixStore store(crashing, root_);
    const absl::Status status = PublishOne(store);
    if (!crashing.crashed()) break;
    ASSERT_LT(crash_at, 100);
    const std::vector<int64_t> versions = store_->ListVersions("m").value();
    if (status.ok()) ++published;
    EXPECT_GE(versions.size(), static_cast<size_t>(published)) << crash_at;
    published = static_cast<int>(versions.size());
    for (const int64_t version : versions) {
      EXPECT_EQ(store_->Read("m", version, "weights", 100).value(), "0123456789") << crash_at;
      EXPECT_EQ(store_->Read("m", version, kManifestFile, 100).value(), "{}") << crash_at;
    }
    ASSERT_TRUE(PublishOne(*store_).ok()) << crash_at;
    ++published;
  }
  EXPECT_EQ(store_->ListVersions("m").value().size(), static_cast<size_t>(published) + 1);
}

TEST_F(PosixStoreTest, NamesCannotLeaveTheStore) {
  for (const char* name : {"", ".", "..", "../x", "a/b", "a b", ".hidden", "_x"}) {
    EXPECT_EQ(store_->Publish(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->ListVersions(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
  auto publication = store_->Publish("m").value();
  EXPECT_EQ(publication->Put("../x", "").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(publication->Put(kManifestFile, "").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->Read("m", 1, "../../x", 1).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PosixStoreTest, StrangersInTheStoreAreNoVersions) {
  ASSERT_TRUE(PublishOne(*store_).ok());
  for (const char* name : {"02", "x", "-1", "3"}) {
    ASSERT_TRUE(files_.MakeFolder(JoinPath(JoinPath(root_, "m"), name)).ok());
  }
  ASSERT_TRUE(files_.WriteFile(JoinPath(root_, "readme"), "").ok());
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1));
  EXPECT_EQ(store_->Publish("m").value()->version(), 4) << "3 is claimed by somebody";
}

TEST_F(PosixStoreTest, SaysWhatIsWrongWithTheFolder) {
  const auto missing = OpenStore(root_ + "/missing", false);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("missing: there is no such folder"));
  ASSERT_TRUE(files_.WriteFile(root_ + "/file", "").ok());
  EXPECT_FALSE(OpenStore(root_ + "/file", false).ok());
  EXPECT_FALSE(OpenStore("", false).ok());
  ASSERT_TRUE(files_.Remove(root_).ok());
  EXPECT_FALSE(store_->ListModels().ok()) << "a store that has gone is an error, not an empty store";
  EXPECT_FALSE(store_->ListVersions("m").ok());
  ASSERT_TRUE(files_.MakeFolder(root_).ok());
}

}  // namespace
}  // namespace genoserve

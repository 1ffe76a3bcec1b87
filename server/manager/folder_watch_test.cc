#include "server/manager/folder_watch.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

#include "absl/synchronization/mutex.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

// Counts calls and waits for what they are to bring.
class Calls {
 public:
  void Add() {
    absl::MutexLock lock(&mutex_);
    ++calls_;
  }
  // Whether a call comes, after this one begins, at or after which `condition` holds.
  bool Await(const std::function<bool()>& condition) {
    absl::MutexLock lock(&mutex_);
    seen_ = -1;
    const auto changed = [&] {
      if (seen_ == calls_) return false;
      seen_ = calls_;
      return condition();
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&changed), absl::Seconds(60));
  }

 private:
  absl::Mutex mutex_;
  int calls_ = 0;
  int seen_ = -1;
};

TEST(FolderWatchTest, TellsOfPublicationsAndLabels) {
  const std::string folder = NewTestFolder();
  Calls calls;
  const auto watch = FolderWatch::Start(folder, [&calls] { calls.Add(); });
  ASSERT_NE(watch, nullptr);
  const auto store = OpenStore(folder, /*create=*/false).value();
  const auto newest = [&](int64_t version) {
    return [&store, version] {
      const auto versions = store->ListVersions("model");
      return versions.ok() && !versions->empty() && versions->back() == version;
    };
  };
  // A model that the watch did not know, then one that it does.
  for (const int64_t version : {1, 2}) {
    PublishTestAcgan(folder, "model", static_cast<uint64_t>(version));
    EXPECT_TRUE(calls.Await(newest(version)));
  }
  ASSERT_TRUE(store->SetLabel("model", "stable", 1).ok());
  EXPECT_TRUE(calls.Await([&] { return store->ListLabels("model").value().contains("stable"); }));
  ASSERT_TRUE(store->SetLabel("model", "stable", 2).ok());
  EXPECT_TRUE(calls.Await([&] { return store->ListLabels("model").value().at("stable").version == 2; }));
  FileSystem::Posix().Remove(folder).IgnoreError();
}

TEST(FolderWatchTest, OtherStoresHaveNoFolder) {
  EXPECT_EQ(FolderWatch::Start("s3://bucket/prefix", [] {}), nullptr);
}

}  // namespace
}  // namespace genoserve

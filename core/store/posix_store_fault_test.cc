// A publisher that fails, or dies, at any of its file operations: readers see nothing or the whole version.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/store/posix_store.h"

namespace genoserve {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enum class Fault {
  kFail,      // the operation is not done; later ones work
  kTorn,      // it fails when half done, as a write on a full disk; later ones work
  kDoneLate,  // it is done but reported as failed, as over a network file system; later ones work
  kCrash,     // it is half done, and none follows
};

// The real file system, but for operation number `at` (from 1).
class FaultyFileSystem : public FileSystem {
 public:
  FaultyFileSystem(Fault fault, int at) : fault_(fault), at_(at) {}

  int operations() const { return operations_; }

  absl::StatusOr<std::string> ReadFile(const std::string& path, uint64_t limit) const override {
    if (Strikes()) return Injected();
    return real_.ReadFile(path, limit);
  }
  absl::Status WriteFile(const std::string& path, absl::string_view bytes) const override {
    if (!Strikes()) return real_.WriteFile(path, bytes);
    if (operations_ == at_ && fault_ != Fault::kFail) {
      const size_t size = fault_ == Fault::kDoneLate ? bytes.size() : bytes.size() / 2;
      EXPECT_TRUE(real_.WriteFile(path, bytes.substr(0, size)).ok());
    }
    return Injected();
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return Run([&] { return real_.Rename(from, to); });
  }
  absl::Status SyncFolder(const std::string& path) const override {
    return Run([&] { return real_.SyncFolder(path); });
  }
  absl::Status MakeFolder(const std::string& path) const override {
    return Run([&] { return real_.MakeFolder(path); });
  }
  absl::StatusOr<std::vector<std::string>> ListFolder(const std::string& path) const override {
    if (Strikes()) return Injected();
    return real_.ListFolder(path);
  }
  bool Exists(const std::string& path) const override {
    return !(fault_ == Fault::kCrash && operations_ >= at_) && real_.Exists(path);
  }
  absl::StatusOr<absl::Time> LastChange(const std::string& path) const override { return real_.LastChange(path); }
  absl::Status Remove(const std::string& path) const override {
    return Run([&] { return real_.Remove(path); });
  }

 private:
  bool Strikes() const {
    ++operations_;
    return operations_ == at_ || (fault_ == Fault::kCrash && operations_ > at_);
  }
  template <typename Operation>
  absl::Status Run(const Operation& operation) const {
    if (!Strikes()) return operation();
    if (operations_ == at_ && fault_ == Fault::kDoneLate) operation().IgnoreError();
    return Injected();
  }
  static absl::Status Injected() { return absl::ResourceExhaustedError("injected"); }

  const FileSystem& real_ = FileSystem::Posix();
  const Fault fault_;
  const int at_;
  mutable int operations_ = 0;
};

absl::Status PublishTwoFiles(const FileSystem& files, const std::string& folder, const std::string& content) {
  GENOSERVE_ASSIGN_OR_RETURN(auto store, OpenPosixStore(files, folder, true));
  GENOSERVE_ASSIGN_OR_RETURN(auto publication, store->Publish("m"));
  GENOSERVE_RETURN_IF_ERROR(publication->Put("a.bin", content));
  GENOSERVE_RETURN_IF_ERROR(publication->Put("b.bin", content));
  return publication->Commit(content);
}

class PosixStoreFaultTest : public testing::TestWithParam<Fault> {
 protected:
  void SetUp() override {
    folder_ =
        absl::StrCat(testing::TempDir(), "posix_store_fault_test_", ::getpid(), "_", static_cast<int>(GetParam()));
  }
  void TearDown() override { ASSERT_TRUE(files_.Remove(folder_).ok()); }

  void StartAnew() {
    ASSERT_TRUE(files_.Remove(folder_).ok());
    ASSERT_TRUE(files_.MakeFolder(folder_).ok());
  }

  static void ClearDebris(CheckpointStore& store) {
    const std::vector<Debris> all = store.ListDebris().value();
    for (const Debris& debris : all) EXPECT_TRUE(store.RemoveDebris(debris).ok()) << debris.path;
    EXPECT_THAT(store.ListDebris().value(), IsEmpty());
  }

  const FileSystem& files_ = FileSystem::Posix();
  std::string folder_;
};

TEST_P(PosixStoreFaultTest, ReadersSeeNothingOrTheWholeVersion) {
  const std::string content = "first, of some length";
  int at = 1;
  for (bool struck = true; struck; ++at) {
    SCOPED_TRACE(absl::StrCat("operation ", at));
    StartAnew();
    const FaultyFileSystem faulty(GetParam(), at);
    const absl::Status published = PublishTwoFiles(faulty, folder_, content);
    struck = faulty.operations() >= at;
    EXPECT_TRUE(struck || published.ok()) << published;

    const auto store = OpenStore(folder_, true).value();
    const std::vector<int64_t> seen = store->ListVersions("m").value();
    if (published.ok()) {
      EXPECT_THAT(seen, ElementsAre(1));
    }
    if (!seen.empty()) {
      for (const absl::string_view name : {absl::string_view("a.bin"), absl::string_view("b.bin"), kManifestFile}) {
        EXPECT_EQ(store->Read("m", 1, name, 100).value(), content) << name;
      }
    }
    // A publisher that lives says whether the version exists, and cleans up. (It cannot know of a folder that was made
    // although that was reported as failed.)
    if (GetParam() != Fault::kCrash && !published.ok()) {
      EXPECT_EQ(published.message().find("version 1 is published but") == 0, !seen.empty()) << published;
    }
    if ((GetParam() == Fault::kFail || GetParam() == Fault::kTorn) && seen.empty()) {
      EXPECT_THAT(files_.ListFolder(folder_).value(), IsEmpty()) << "no folder of a model without versions is left";
    }

    // Whatever is left, the next publisher gets through and overwrites nothing.
    ASSERT_TRUE(PublishTwoFiles(files_, folder_, "second").ok());
    const std::vector<int64_t> after = store->ListVersions("m").value();
    ASSERT_EQ(after.size(), seen.size() + 1);
    EXPECT_EQ(store->Read("m", after.back(), "a.bin", 100).value(), "second");
    EXPECT_EQ(store->Read("m", after.front(), "a.bin", 100).value(), seen.empty() ? "second" : content);
    ClearDebris(*store);
    EXPECT_EQ(store->ListVersions("m").value(), after);
  }
  EXPECT_GT(at, 12) << "the test no longer reaches the operations of a publication";
}

TEST_P(PosixStoreFaultTest, ALabelIsWhereItWasOrWhereItIsMovedTo) {
  int at = 1;
  for (bool struck = true; struck; ++at) {
    SCOPED_TRACE(absl::StrCat("operation ", at));
    StartAnew();
    const auto store = OpenStore(folder_, true).value();
    ASSERT_TRUE(store->SetLabel("m", "stable", 1).ok());
    const FaultyFileSystem faulty(GetParam(), at);
    const auto opened = OpenPosixStore(faulty, folder_, false);
    const absl::Status moved = opened.ok() ? (*opened)->SetLabel("m", "stable", 2) : opened.status();
    struck = faulty.operations() >= at;
    EXPECT_TRUE(struck || moved.ok()) << moved;

    const Label label = store->ListLabels("m").value().at("stable");
    EXPECT_THAT(label, AnyOf(Label{1, 0}, Label{2, 1}));
    if (moved.ok()) {
      EXPECT_EQ(label, (Label{2, 1}));
    }
    ASSERT_TRUE(store->SetLabel("m", "stable", 3).ok());
    EXPECT_EQ(store->ListLabels("m").value().at("stable"), (Label{3, label.version}));
    ClearDebris(*store);
    EXPECT_THAT(files_.ListFolder(JoinPath(folder_, "m/labels")).value(), ElementsAre("stable"));
  }
  EXPECT_GT(at, 8) << "the test no longer reaches the operations of a label";
}

TEST_P(PosixStoreFaultTest, AVersionThatIsRemovedIsWholeOrGone) {
  int at = 1;
  for (bool struck = true; struck; ++at) {
    SCOPED_TRACE(absl::StrCat("operation ", at));
    StartAnew();
    ASSERT_TRUE(PublishTwoFiles(files_, folder_, "first").ok());
    ASSERT_TRUE(PublishTwoFiles(files_, folder_, "second").ok());
    const FaultyFileSystem faulty(GetParam(), at);
    const auto opened = OpenPosixStore(faulty, folder_, false);
    const absl::Status removed = opened.ok() ? (*opened)->RemoveVersion("m", 1) : opened.status();
    struck = faulty.operations() >= at;
    EXPECT_TRUE(struck || removed.ok()) << removed;

    const auto store = OpenStore(folder_, true).value();
    const std::vector<int64_t> seen = store->ListVersions("m").value();
    EXPECT_THAT(seen, AnyOf(ElementsAre(2), ElementsAre(1, 2)));
    if (removed.ok()) {
      EXPECT_THAT(seen, ElementsAre(2));
    }
    for (const int64_t version : seen) {
      for (const absl::string_view name : {absl::string_view("a.bin"), absl::string_view("b.bin"), kManifestFile}) {
        EXPECT_EQ(store->Read("m", version, name, 100).value(), version == 1 ? "first" : "second") << name;
      }
    }
    ClearDebris(*store);
    EXPECT_EQ(files_.Exists(JoinPath(folder_, "m/1")), seen.size() == 2);
  }
  EXPECT_GT(at, 4) << "the test no longer reaches the operations of a removal";
}

INSTANTIATE_TEST_SUITE_P(Faults, PosixStoreFaultTest,
                         testing::Values(Fault::kFail, Fault::kTorn, Fault::kDoneLate, Fault::kCrash));

// A mount that has gone stale: nothing can be told of its files.
class StaleFiles final : public FaultyFileSystem {
 public:
  StaleFiles() : FaultyFileSystem(Fault::kFail, -1) {}
  absl::StatusOr<absl::Time> LastChange(const std::string& path) const override {
    return absl::UnknownError(absl::StrCat(path, ": cannot stat: Stale file handle"));
  }
};

TEST(PosixStoreStaleTest, VersionsOfWhichNothingCanBeToldHaveNotGone) {
  const FileSystem& files = FileSystem::Posix();
  const std::string folder = absl::StrCat(testing::TempDir(), "posix_store_stale_test_", ::getpid());
  ASSERT_TRUE(files.MakeFolder(folder).ok());
  ASSERT_TRUE(PublishTwoFiles(files, folder, "content").ok());
  const StaleFiles stale;
  const auto store = OpenPosixStore(stale, folder, false).value();
  EXPECT_EQ(store->ListVersions("m").status().code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(store->Read("m", 1, "a.bin", 100).status().code(), absl::StatusCode::kUnknown);
  ASSERT_TRUE(files.Remove(folder).ok());
}

TEST(PosixStoreWritableTest, AStoreThatCannotBeWrittenIsRefusedBeforeAnythingIsDone) {
  const FileSystem& files = FileSystem::Posix();
  const std::string folder = absl::StrCat(testing::TempDir(), "posix_store_writable_test_", ::getpid());
  ASSERT_TRUE(files.MakeFolder(folder).ok());
  // Operations: make the folder (there already), list it, write the probe.
  const FaultyFileSystem faulty(Fault::kFail, 3);
  const absl::Status status = OpenPosixStore(faulty, folder, true).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("store ", folder, " is not writable")));
  EXPECT_TRUE(OpenPosixStore(faulty, folder, false).ok()) << "readers need no right to write";
  ASSERT_TRUE(files.Remove(folder).ok());
}

}  // namespace
}  // namespace genoserve

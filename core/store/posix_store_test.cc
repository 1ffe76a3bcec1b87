#include "core/store/posix_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PosixStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "posix_store_test_", ::getpid(), "_",
                           testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(files_.Remove(folder_).ok());
    ASSERT_TRUE(files_.MakeFolder(folder_).ok());
    store_ = OpenStore(folder_, false).value();
  }
  void TearDown() override { ASSERT_TRUE(files_.Remove(folder_).ok()); }

  // Publishes a version with one file and returns its number.
  int64_t PublishOne(const std::string& model, const std::string& bytes) {
    auto publication = store_->Publish(model).value();
    EXPECT_TRUE(publication->Put("a.bin", bytes).ok());
    EXPECT_TRUE(publication->Commit("{}").ok());
    return publication->version();
  }

  const FileSystem& files_ = FileSystem::Posix();
  std::string folder_;
  std::unique_ptr<CheckpointStore> store_;
};

TEST_F(PosixStoreTest, OtherThingsInTheFolderAreNotModelsOrVersions) {
  PublishOne("m", "x");
  ASSERT_TRUE(files_.WriteFile(JoinPath(folder_, "README"), "a file").ok());
  for (const char* name : {"lost+found", ".snapshot", "empty", "m/007", "m/0", "m/-3", "m/99999999999999999999", "m/x"})
    ASSERT_TRUE(files_.MakeFolder(JoinPath(folder_, name)).ok()) << name;
  ASSERT_TRUE(files_.WriteFile(JoinPath(folder_, "m/007/manifest.json"), "{}").ok());
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1));
  EXPECT_EQ(PublishOne("m", "y"), 2);
}

TEST_F(PosixStoreTest, AModelThatCannotBeReadHidesNoOther) {
  PublishOne("good", "x");
  // A link to itself cannot be opened, by root either.
  ASSERT_EQ(::symlink("loop", JoinPath(folder_, "loop").c_str()), 0);
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("good", "loop"));
  EXPECT_FALSE(store_->ListVersions("loop").ok());
  EXPECT_THAT(store_->ListVersions("good").value(), ElementsAre(1));
}

TEST_F(PosixStoreTest, OpenSaysWhatIsWrong) {
  const std::string missing = JoinPath(folder_, "missing");
  const std::string file = JoinPath(folder_, "file");
  ASSERT_TRUE(files_.WriteFile(file, "x").ok());

  const absl::Status not_found = OpenStore(missing, false).status();
  EXPECT_EQ(not_found.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(not_found.message(), absl::StrCat("store ", missing, ": there is no such folder"));
  for (const bool create : {false, true}) {
    const absl::Status not_folder = OpenStore(file, create).status();
    EXPECT_EQ(not_folder.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(not_folder.message(), absl::StrCat("store ", file, ": is not a folder"));
  }
  EXPECT_EQ(OpenStore(JoinPath(missing, "store"), true).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(OpenStore("", true).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(OpenStore("gs://bucket/models", true).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PosixStoreTest, CreateMakesTheFolderAndLeavesNoProbe) {
  const std::string created = JoinPath(folder_, "created");
  ASSERT_TRUE(OpenStore(created, true).ok());
  ASSERT_TRUE(OpenStore(created, true).ok()) << "it may be there already";
  EXPECT_THAT(files_.ListFolder(created).value(), IsEmpty());
}

}  // namespace
}  // namespace genoserve

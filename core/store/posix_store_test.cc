#include "core/store/posix_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

TEST_F(PosixStoreTest, AnEmptyStoreHasNothing) {
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  EXPECT_THAT(store_->ListVersions("m").value(), IsEmpty());
  const auto read = store_->Read("m", 1, "a.bin", 10);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("model m has no version 1"));
}

TEST_F(PosixStoreTest, PublishesAndReadsBack) {
  const std::string bytes("\0\1two", 5);
  EXPECT_EQ(PublishOne("m", bytes), 1);
  EXPECT_EQ(PublishOne("m", "later"), 2);
  EXPECT_EQ(PublishOne("a-model.v2", "x"), 1);
  EXPECT_THAT(store_->ListModels().value(), ElementsAre("a-model.v2", "m"));
  EXPECT_THAT(store_->ListVersions("m").value(), ElementsAre(1, 2));
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 5).value(), bytes);
  EXPECT_EQ(store_->Read("m", 1, kManifestFile, 5).value(), "{}");
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(files_.ListFolder(JoinPath(folder_, "m/1")).value(), ElementsAre("a.bin", "manifest.json"));
}

TEST_F(PosixStoreTest, AVersionDoesNotExistBeforeItsManifest) {
  auto publication = store_->Publish("m").value();
  ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  EXPECT_THAT(store_->ListModels().value(), IsEmpty());
  EXPECT_THAT(store_->ListVersions("m").value(), IsEmpty());
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(PosixStoreTest, GivingUpRemovesWhatWasPut) {
  {
    auto publication = store_->Publish("m").value();
    ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  }
  EXPECT_THAT(files_.ListFolder(folder_).value(), IsEmpty()) << "the folder of the model goes with its only version";
  EXPECT_EQ(PublishOne("m", "x"), 1);
}

TEST_F(PosixStoreTest, APublishedVersionNeverChanges) {
  auto publication = store_->Publish("m").value();
  ASSERT_TRUE(publication->Put("a.bin", "x").ok());
  EXPECT_EQ(publication->Put("a.bin", "y").code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(publication->Put(kManifestFile, "y").code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(publication->Commit("{}").ok());
  EXPECT_EQ(publication->Put("b.bin", "y").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(publication->Commit("{ }").code(), absl::StatusCode::kFailedPrecondition);
  publication.reset();
  EXPECT_EQ(store_->Read("m", 1, "a.bin", 10).value(), "x");
}

TEST_F(PosixStoreTest, PublishersAtOnceGetDifferentVersions) {
  constexpr int kThreads = 8;
  constexpr int kEach = 4;
  std::vector<std::thread> threads;
  std::vector<std::string> failures(kThreads);
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([this, t, &failures] {
      for (int i = 0; i < kEach; ++i) {
        auto publication = store_->Publish("m");
        absl::Status status = publication.status();
        if (status.ok()) status = (*publication)->Put("a.bin", absl::StrCat((*publication)->version()));
        if (status.ok()) status = (*publication)->Commit("{}");
        if (!status.ok()) failures[t] = status.ToString();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(failures, testing::Each(""));
  const std::vector<int64_t> versions = store_->ListVersions("m").value();
  ASSERT_EQ(versions.size(), kThreads * kEach);
  for (size_t i = 0; i < versions.size(); ++i) {
    EXPECT_EQ(versions[i], static_cast<int64_t>(i) + 1);
    EXPECT_EQ(store_->Read("m", versions[i], "a.bin", 10).value(), absl::StrCat(versions[i]));
  }
}

TEST_F(PosixStoreTest, NamesThatLeaveTheFolderAreRefused) {
  const std::vector<std::string> bad = {"",
                                        ".",
                                        "..",
                                        "../m",
                                        "m/../m",
                                        "/m",
                                        ".hidden",
                                        "a b",
                                        "a\nb",
                                        "-m",
                                        "é",
                                        "m\\n",
                                        "m/",
                                        "*",
                                        std::string(129, 'm'),
                                        std::string("m\0x", 3)};
  auto publication = store_->Publish("good").value();
  for (const std::string& name : bad) {
    EXPECT_EQ(store_->Publish(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->ListVersions(name).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->Read(name, 1, "a", 1).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(store_->Read("good", 1, name, 1).status().code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(publication->Put(name, "x").code(), absl::StatusCode::kInvalidArgument) << name;
  }
  EXPECT_TRUE(ValidateModelName(std::string(128, 'm')).ok());
  EXPECT_THAT(std::string(ValidateModelName("../m").message()), HasSubstr("model name \"../m\": allowed are letters"));
}

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
  EXPECT_EQ(OpenStore("s3://bucket/models", true).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PosixStoreTest, CreateMakesTheFolderAndLeavesNoProbe) {
  const std::string created = JoinPath(folder_, "created");
  ASSERT_TRUE(OpenStore(created, true).ok());
  ASSERT_TRUE(OpenStore(created, true).ok()) << "it may be there already";
  EXPECT_THAT(files_.ListFolder(created).value(), IsEmpty());
}

}  // namespace
}  // namespace genoserve

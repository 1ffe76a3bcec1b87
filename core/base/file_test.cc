#include "core/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(testing::TempDir(), "file_test_", ::getpid(), "_",
                           testing::UnitTest::GetInstance()->current_test_info()->name());
    ASSERT_TRUE(files_.Remove(folder_).ok());
    ASSERT_TRUE(files_.MakeFolder(folder_).ok());
  }
  void TearDown() override { ASSERT_TRUE(files_.Remove(folder_).ok()); }

  const FileSystem& files_ = FileSystem::Posix();
  std::string folder_;
};

TEST_F(FileTest, WritesAndReadsBack) {
  const std::string path = JoinPath(folder_, "a");
  const std::string bytes("with\0zero", 9);
  ASSERT_TRUE(WriteFileAtomically(files_, path, bytes).ok());
  EXPECT_EQ(files_.ReadFile(path, 9).value(), bytes);
  EXPECT_THAT(files_.ListFolder(folder_).value(), ElementsAre("a"));
}

TEST_F(FileTest, RefusesMoreThanTheLimit) {
  const std::string path = JoinPath(folder_, "a");
  ASSERT_TRUE(files_.WriteFile(path, "12345").ok());
  const auto read = files_.ReadFile(path, 4);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(read.status().message()), HasSubstr(path));
}

TEST_F(FileTest, ErrorsNameThePath) {
  const std::string path = JoinPath(folder_, "missing");
  const auto read = files_.ReadFile(path, 4);
  EXPECT_EQ(read.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(read.status().message()), HasSubstr(path));
  EXPECT_EQ(files_.ListFolder(path).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.MakeFolder(folder_).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(files_.ReadFile(folder_, 4).ok()) << "a folder is not a file";
}

TEST_F(FileTest, AFullDiskIsToldAndLeavesNothing) {
  EXPECT_EQ(files_.WriteFile("/dev/full", "x").code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(WriteFileAtomically(files_, JoinPath(folder_, "no/such/folder"), "x").ok());
  EXPECT_THAT(files_.ListFolder(folder_).value(), IsEmpty());
}

TEST(StatusTest, AFailureWithoutErrnoIsAFailure) {
  errno = 0;
  EXPECT_EQ(ErrnoStatus("f: cannot write"), absl::InternalError("f: cannot write"));
}

TEST(StatusTest, AnnotateKeepsCodeAndPayload) {
  absl::Status status = absl::NotFoundError("gone");
  status.SetPayload("url", absl::Cord("payload"));
  const absl::Status annotated = Annotate(status, "a/b");
  EXPECT_EQ(annotated.message(), "a/b: gone");
  EXPECT_EQ(annotated.code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(annotated.GetPayload("url").has_value());
  EXPECT_TRUE(Annotate(absl::OkStatus(), "x").ok());
}

}  // namespace
}  // namespace genoserve

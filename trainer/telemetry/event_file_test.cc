#include "trainer/telemetry/event_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "core/base/file.h"

namespace genoserve {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class EventFileTest : public testing::Test {
 protected:
  EventFileTest()
      : folder_(JoinPath(testing::TempDir(), testing::UnitTest::GetInstance()->current_test_info()->name())) {
    EXPECT_TRUE(FileSystem::Posix().Remove(folder_).ok());
  }
  ~EventFileTest() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  std::unique_ptr<EventFile> Create() const {
    absl::StatusOr<std::unique_ptr<EventFile>> file = EventFile::Create(folder_, absl::FromUnixSeconds(1700000000));
    EXPECT_TRUE(file.ok()) << file.status();
    return file.ok() ? *std::move(file) : nullptr;
  }
  static std::string Read(const std::string& path) { return FileSystem::Posix().ReadFile(path, 1 << 20).value(); }

  const std::string folder_;
};

TEST(MaskedCrc32cTest, IsWhatTfRecordHas) {
  // The CRC-32C of "123456789" is 0xe3069283 (RFC 3720's polynomial, check value of the catalogue of CRCs); rotated
  // right by 15 that is 0x2507c60d, and 0xc78ab0e5 with the constant added.
  EXPECT_EQ(MaskedCrc32c("123456789"), 0xc78ab0e5);
}

TEST_F(EventFileTest, FramesRecords) {
  const auto file = Create();
  ASSERT_NE(file, nullptr);
  EXPECT_THAT(file->path(), HasSubstr("/events.out.tfevents.1700000000."));
  ASSERT_TRUE(file->Append("123456789").ok());
  ASSERT_TRUE(file->Append("").ok());
  const std::string bytes = Read(file->path());
  ASSERT_THAT(bytes, SizeIs((8 + 4 + 9 + 4) + (8 + 4 + 0 + 4)));
  EXPECT_EQ(bytes.substr(0, 8), std::string("\x09\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(bytes.substr(12, 9), "123456789");
  EXPECT_EQ(bytes.substr(21, 4), "\xe5\xb0\x8a\xc7");
  EXPECT_EQ(bytes.substr(25, 8), std::string(8, '\0'));
}

TEST_F(EventFileTest, EachRunHasAFileOfItsOwn) {
  const auto first = Create();
  ASSERT_TRUE(first->Append("first").ok());
  const auto second = Create();
  EXPECT_NE(first->path(), second->path());
  EXPECT_THAT(FileSystem::Posix().ListFolder(folder_).value(), SizeIs(2));
  EXPECT_THAT(Read(first->path()), HasSubstr("first"));
}

TEST_F(EventFileTest, AFullDiskLeavesWholeRecords) {
  const auto file = Create();
  ASSERT_TRUE(file->Append("a record that fits").ok());
  const std::string before = Read(file->path());
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  rlimit small = old;
  small.rlim_cur = before.size() + 20;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const absl::Status status = file->Append("a record that is too long for what is left");
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(file->path()));
  EXPECT_EQ(Read(file->path()), before);
  ASSERT_TRUE(file->Append("later").ok()) << "there is room again";
  EXPECT_EQ(Read(file->path()).size(), before.size() + 16 + 5);
}

TEST_F(EventFileTest, MakesFoldersAndNamesTheOneThatItCannot) {
  const auto file = EventFile::Create(JoinPath(folder_, "runs/mice"), absl::UnixEpoch());
  ASSERT_TRUE(file.ok()) << file.status();
  const auto below_a_file = EventFile::Create(JoinPath((*file)->path(), "runs"), absl::UnixEpoch());
  EXPECT_FALSE(below_a_file.ok());
  EXPECT_THAT(std::string(below_a_file.status().message()), HasSubstr((*file)->path()));
}

}  // namespace
}  // namespace genoserve

#include "core/artifact/blob_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const FileSystem& Files() { return FileSystem::Posix(); }

class BlobCacheTest : public testing::Test {
 protected:
  BlobCacheTest() {
    std::string folder = JoinPath(testing::TempDir(), "blobsXXXXXX");
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  ~BlobCacheTest() override { Files().Remove(folder_).IgnoreError(); }

  // Ten bytes that differ by `i`.
  static std::string Bytes(int i) { return absl::StrCat("blob ", 10000 + i); }
  static std::string Name(int i) { return Sha256Hex(Bytes(i)); }
  static absl::Status Put(const BlobCache& cache, int i, const BlobWorth& worth = {}) {
    return cache.Put(Name(i), Bytes(i), worth);
  }
  static bool Has(const BlobCache& cache, int i) { return cache.Has(Name(i), Bytes(i).size()); }

  std::string folder_;
};

TEST_F(BlobCacheTest, GivesBackWhatItWasGiven) {
  const BlobCache cache(Files(), JoinPath(folder_, "new"), 100);
  EXPECT_TRUE(absl::IsNotFound(cache.Get(Name(1), 10).status()));
  ASSERT_TRUE(Put(cache, 1).ok());
  EXPECT_EQ(cache.Get(Name(1), 10).value(), Bytes(1));
  EXPECT_TRUE(Has(cache, 1));
  EXPECT_FALSE(cache.Has(Name(1), 9));
  EXPECT_EQ(cache.held_bytes(), 10u);
  EXPECT_EQ(BlobCache(Files(), JoinPath(folder_, "new"), 100).held_bytes(), 10u);
}

TEST_F(BlobCacheTest, RemovesWhatIsDamaged) {
  const BlobCache cache(Files(), folder_, 100);
  int64_t damaged = 0;
  for (const std::string& bytes :
       {std::string("blob 10002"), std::string("blob"), std::string("blob 10001 and more")}) {
    ASSERT_TRUE(Put(cache, 1).ok());
    ASSERT_TRUE(Files().WriteFile(JoinPath(folder_, Name(1)), bytes).ok());
    EXPECT_TRUE(absl::IsNotFound(cache.Get(Name(1), 10).status()));
    EXPECT_EQ(cache.damaged(), ++damaged);
    EXPECT_THAT(*Files().ListFolder(folder_), IsEmpty());
  }
}

TEST_F(BlobCacheTest, RemovesWhatWasNotUsedForLongest) {
  const BlobCache cache(Files(), folder_, 30);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Put(cache, i).ok());
  ASSERT_TRUE(cache.Get(Name(0), 10).ok());
  cache.Touch(Name(1));
  ASSERT_TRUE(Put(cache, 3).ok());
  EXPECT_FALSE(Has(cache, 2));
  ASSERT_TRUE(Put(cache, 4).ok());
  EXPECT_FALSE(Has(cache, 0));
  EXPECT_TRUE(Has(cache, 1) && Has(cache, 3) && Has(cache, 4));
  EXPECT_EQ(cache.evictions(), 2);
  EXPECT_EQ(cache.held_bytes(), 30u);
}

TEST_F(BlobCacheTest, KeepsWhatIsWorthMore) {
  const BlobCache cache(Files(), folder_, 30);
  const BlobWorth worth = {{Name(0), 2}, {Name(1), 1}, {Name(3), 1}};
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Put(cache, i, worth).ok());
  ASSERT_TRUE(Put(cache, 3, worth).ok());
  EXPECT_FALSE(Has(cache, 2));
  const absl::Status refused = Put(cache, 4, worth);
  EXPECT_TRUE(absl::IsResourceExhausted(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("30 bytes"));
  EXPECT_TRUE(Has(cache, 0) && Has(cache, 1) && Has(cache, 3));
}

TEST_F(BlobCacheTest, RemovesNothingForWhatCannotFit) {
  const BlobCache cache(Files(), folder_, 15);
  ASSERT_TRUE(Put(cache, 1).ok());
  const std::string large(16, 'x');
  EXPECT_TRUE(absl::IsResourceExhausted(cache.Put(Sha256Hex(large), large, {})));
  EXPECT_TRUE(Has(cache, 1));
}

TEST_F(BlobCacheTest, RemovesWhatDeadWritersLeft) {
  const std::string dead = absl::StrCat(Name(7), ".tmp-1-0");
  const std::string alive = absl::StrCat(Name(8), ".tmp-1-1");
  for (const std::string& name : {dead, alive}) {
    ASSERT_TRUE(Files().WriteFile(JoinPath(folder_, name), "half").ok());
  }
  namespace fs = std::filesystem;
  fs::last_write_time(JoinPath(folder_, dead), fs::file_time_type::clock::now() - std::chrono::hours(2));
  const BlobCache cache(Files(), folder_, 14);
  ASSERT_TRUE(Put(cache, 1).ok());
  EXPECT_EQ(cache.held_bytes(), 14u);
  EXPECT_TRUE(Files().Exists(JoinPath(folder_, alive)));
  EXPECT_FALSE(Files().Exists(JoinPath(folder_, dead)));
}

}  // namespace
}  // namespace genoserve

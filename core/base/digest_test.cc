#include <gtest/gtest.h>

#include <string>

#include "core/base/crc32c.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

TEST(Crc32cTest, KnownAnswers) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);    // RFC 3720, B.4
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43u);  // RFC 3720, B.4
}

TEST(Sha256Test, KnownAnswers) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256Test, PiecesMakeTheWholeAndFinishStartsAnew) {
  Sha256 sha;
  sha.Update("ab");
  sha.Update("c");
  EXPECT_EQ(ToHex(sha.Finish()), Sha256Hex("abc"));
  EXPECT_EQ(ToHex(sha.Finish()), Sha256Hex(""));
}

}  // namespace
}  // namespace genoserve

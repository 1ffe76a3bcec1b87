#include "core/genotype/stream_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace genoserve {
namespace {

std::vector<uint8_t> Bytes(size_t n) {
  std::vector<uint8_t> bytes(n);
  std::iota(bytes.begin(), bytes.end(), uint8_t{3});
  return bytes;
}

TEST(StreamDigestTest, IsTheDigestOfTheDigestsOfBlocks) {
  const std::vector<uint8_t> bytes = Bytes(3 * 2500);
  Sha256 blocks;
  Sha256 block;
  for (size_t first = 0; first < 2500; first += kDigestBlock) {
    const size_t count = std::min<size_t>(kDigestBlock, 2500 - first);
    block.Update(std::span(bytes).subspan(3 * first, 3 * count));
    blocks.Update(block.Finish());
  }
  StreamDigest digest(0, 3);
  digest.Update(bytes);
  EXPECT_EQ(digest.Finish(), blocks.Finish());
}

TEST(StreamDigestTest, DoesNotDependOnTheBatches) {
  const std::vector<uint8_t> bytes = Bytes(2 * 3000);
  StreamDigest whole(500, 2);
  whole.Update(bytes);
  StreamDigest pieces(500, 2);
  for (size_t at = 0, step = 2; at < bytes.size(); at += step, step += 2) {
    step = std::min(step, bytes.size() - at);
    pieces.Update(std::span(bytes).subspan(at, step));
  }
  EXPECT_EQ(whole.Finish(), pieces.Finish());
}

TEST(StreamDigestTest, GoesOnFromTheBlocksThatAreDone) {
  const std::vector<uint8_t> bytes = Bytes(3000);
  StreamDigest whole(500, 1);
  whole.Update(bytes);
  StreamDigest first(500, 1);
  first.Update(std::span(bytes).first(1600));
  ASSERT_EQ(first.blocks().size(), 2u);
  StreamDigest rest(2 * kDigestBlock, 1, first.blocks());
  rest.Update(std::span(bytes).subspan(2 * kDigestBlock - 500));
  EXPECT_EQ(rest.Finish(), whole.Finish());
  EXPECT_EQ(rest.blocks(), whole.blocks());
  EXPECT_EQ(whole.blocks().size(), 4u);
}

TEST(StreamDigestTest, BlocksAreAlignedToTheCohort) {
  const std::vector<uint8_t> bytes = Bytes(100);
  StreamDigest inside(0, 1);
  inside.Update(bytes);
  StreamDigest across(1000, 1);
  across.Update(bytes);
  EXPECT_NE(inside.Finish(), across.Finish());
}

}  // namespace
}  // namespace genoserve

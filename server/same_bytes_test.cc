// The same request gives the same bytes, whatever else is different.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "server/test_server.h"

namespace genoserve {
namespace {

constexpr int64_t kSamples = 3000;

class SameBytesTest : public ServerTest, public testing::WithParamInterface<const char*> {
 protected:
  SameBytesTest() {
    PublishTestAcgan(store_, "haplotypes", 1);
    PublishTestWganGp(store_, "diploid", 2);
  }
  v1::StreamCohortRequest Request() const { return CohortRequest(GetParam(), kSamples); }
  std::string Bytes(const v1::StreamCohortRequest& request) const {
    const auto cohort = Fetch(request);
    EXPECT_TRUE(cohort.ok()) << cohort.status();
    return cohort.ok() ? cohort->bytes() : "";
  }
};

INSTANTIATE_TEST_SUITE_P(Models, SameBytesTest, testing::Values("haplotypes", "diploid"));

TEST_P(SameBytesTest, WithOneAndTwoThreadsAndAfterARestart) {
  Start();
  const std::string two = Bytes(Request());
  EXPECT_FALSE(two.empty());
  v1::ServerConfig config = TestConfig();
  config.set_threads(1);
  Start(config);
  EXPECT_TRUE(Bytes(Request()) == two);
}

TEST_P(SameBytesTest, InBatchesOfAnySize) {
  Start();
  const std::string usual = Bytes(Request());
  for (const int bytes : {4 << 10, 64 << 10, 1 << 20}) {
    v1::StreamCohortRequest request = Request();
    request.set_max_batch_bytes(bytes);
    EXPECT_TRUE(Bytes(request) == usual) << bytes;
  }
}

TEST_P(SameBytesTest, AloneAndBesideEightStreams) {
  Start();
  const std::string alone = Bytes(Request());
  std::vector<std::thread> others;
  for (uint64_t seed = 100; seed < 108; ++seed) {
    others.emplace_back([this, seed] {
      v1::StreamCohortRequest request = CohortRequest(seed % 2 == 0 ? "haplotypes" : GetParam(), kSamples + 37);
      request.set_seed(seed);
      EXPECT_TRUE(Fetch(request).ok());
    });
  }
  EXPECT_TRUE(Bytes(Request()) == alone);
  for (std::thread& other : others) other.join();
}

TEST_P(SameBytesTest, InOnePieceAndInThreeShards) {
  Start();
  const std::string whole = Bytes(Request());
  std::string shards;
  for (const auto& [first, count] : {std::pair{0, 1001}, {1001, 7}, {1008, kSamples - 1008}}) {
    v1::StreamCohortRequest request = Request();
    request.set_first_sample(first);
    request.set_sample_count(count);
    shards += Bytes(request);
  }
  EXPECT_TRUE(shards == whole);
}

TEST_P(SameBytesTest, ARegionIsTheColumnsOfTheWhole) {
  Start();
  v1::StreamCohortRequest request = Request();
  request.set_encoding(v1::GENOTYPE_ENCODING_INT8);
  const auto whole = Fetch(request);
  auto* region = request.add_regions();
  region->set_contig("1");
  region->set_start(300);
  region->set_end(1200);
  request.add_regions()->set_contig("2");
  const auto part = Fetch(request);
  ASSERT_TRUE(whole.ok() && part.ok()) << part.status();
  // 10 variants of the 50 on contig 1, from index 2 on, and all 50 of contig 2.
  ASSERT_EQ(part->header.variant_count(), 60);
  std::string columns;
  const std::string bytes = whole->bytes();
  for (size_t row = 0; row < bytes.size() / 100; ++row) {
    columns += bytes.substr(row * 100 + 2, 10) + bytes.substr(row * 100 + 50, 50);
  }
  EXPECT_TRUE(part->bytes() == columns);
  EXPECT_NE(part->header.variant_digest(), whole->header.variant_digest());
}

TEST_P(SameBytesTest, ASeedThatTheServerDrewCanBeAskedForAgain) {
  Start();
  v1::StreamCohortRequest request = Request();
  request.clear_seed();
  const auto first = Fetch(request);
  const auto second = Fetch(request);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_NE(first->header.seed(), second->header.seed());
  EXPECT_FALSE(first->bytes() == second->bytes());
  request.set_seed(first->header.seed());
  EXPECT_TRUE(Bytes(request) == first->bytes());
}

}  // namespace
}  // namespace genoserve

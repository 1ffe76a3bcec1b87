// The same request gives the same bytes, whatever else is different.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/model/test_models.h"
#include "core/store/checkpoint_store.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

constexpr int64_t kSamples = 3000;
constexpr int64_t kVariants = 1200;  // two blocks and a part of a third; half of them on each of two contigs

struct Served {
  const char* model;
  const char* precision;
};

class SameBytesTest : public ServerTest, public testing::WithParamInterface<Served> {
 protected:
  SameBytesTest() {
    Publish("haplotypes", SmallAcgan(kVariants, 3));
    Publish("diploid", SmallWganGp(kVariants));
  }
  // The output layer is weak, so that few genotypes change by rounding, as in a trained network.
  void Publish(const char* model, const v1::Manifest& manifest) const {
    TensorMap weights = RandomWeights(manifest, 1);
    for (float& value : weights["output.weight"].values) value *= 0.02F;
    const auto store = OpenStore(store_, /*create=*/true);
    ASSERT_TRUE(store.ok()) << store.status();
    const auto version = PublishArtifact(**store, model, manifest, weights, TestVariants(kVariants),
                                         {{std::string(kQualityFile), "{}\n"}});
    ASSERT_TRUE(version.ok()) << version.status();
  }
  v1::ServerConfig Config() const {
    v1::ServerConfig config = TestConfig();
    config.set_precision(GetParam().precision);
    return config;
  }
  v1::StreamCohortRequest Request() const { return CohortRequest(GetParam().model, kSamples); }
  std::string Bytes(const v1::StreamCohortRequest& request) const {
    const auto cohort = Fetch(request);
    EXPECT_TRUE(cohort.ok()) << cohort.status();
    return cohort.ok() ? cohort->bytes() : "";
  }
};

INSTANTIATE_TEST_SUITE_P(All, SameBytesTest,
                         testing::Values(Served{"haplotypes", "fp32"}, Served{"haplotypes", "bf16"},
                                         Served{"haplotypes", "int8"}, Served{"diploid", "int8"},
                                         Served{"diploid", "fp32"}, Served{"diploid", "bf16"}),
                         [](const auto& served) {
                           return absl::StrCat(served.param.model, "_", served.param.precision);
                         });

TEST_P(SameBytesTest, WithOneAndTwoThreadsAndAfterARestart) {
  Start(Config());
  const std::string two = Bytes(Request());
  EXPECT_FALSE(two.empty());
  v1::ServerConfig config = Config();
  config.set_threads(1);
  Start(config);
  EXPECT_TRUE(Bytes(Request()) == two);
}

TEST_P(SameBytesTest, InBatchesOfAnySize) {
  Start(Config());
  const std::string usual = Bytes(Request());
  for (const int bytes : {4 << 10, 64 << 10, 1 << 20}) {
    v1::StreamCohortRequest request = Request();
    request.set_max_batch_bytes(bytes);
    EXPECT_TRUE(Bytes(request) == usual) << bytes;
  }
}

TEST_P(SameBytesTest, AloneAndBesideEightStreams) {
  Start(Config());
  const std::string alone = Bytes(Request());
  std::vector<std::thread> others;
  for (uint64_t seed = 100; seed < 108; ++seed) {
    others.emplace_back([this, seed] {
      v1::StreamCohortRequest request = CohortRequest(seed % 2 == 0 ? "haplotypes" : GetParam().model, kSamples + 37);
      request.set_seed(seed);
      EXPECT_TRUE(Fetch(request).ok());
    });
  }
  EXPECT_TRUE(Bytes(Request()) == alone);
  for (std::thread& other : others) other.join();
}

TEST_P(SameBytesTest, InOnePieceAndInThreeShards) {
  Start(Config());
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

TEST_P(SameBytesTest, RegionsAreColumnsOfTheWholeInWhicheverBlocksTheyLie) {
  Start(Config());
  v1::StreamCohortRequest request = Request();
  request.set_encoding(v1::GENOTYPE_ENCODING_INT8);
  const auto whole = Fetch(request);
  ASSERT_TRUE(whole.ok()) << whole.status();
  const std::string all = whole->bytes();
  // Columns from and to; contig 2 begins at column 600, and blocks at 0, 512 and 1,024.
  using Columns = std::vector<std::pair<size_t, size_t>>;
  for (const Columns& regions : {Columns{{2, 12}}, Columns{{500, 530}}, Columns{{1010, 1200}}, Columns{{600, 1200}},
                                 Columns{{7, 8}, {1199, 1200}}, Columns{{510, 514}, {1023, 1026}, {0, 1}}}) {
    request.clear_regions();
    std::vector<bool> chosen(kVariants);
    for (const auto& [from, to] : regions) {
      auto* region = request.add_regions();
      const size_t contig_begin = from < 600 ? 0 : 600;
      region->set_contig(contig_begin == 0 ? "1" : "2");
      region->set_start(static_cast<int64_t>(100 * (from - contig_begin + 1)));
      region->set_end(static_cast<int64_t>(100 * (to - contig_begin)));
      std::fill(chosen.begin() + static_cast<ptrdiff_t>(from), chosen.begin() + static_cast<ptrdiff_t>(to), true);
    }
    std::string columns;
    for (size_t i = 0; i < all.size(); ++i) {
      if (chosen[i % kVariants]) columns += all[i];
    }
    const auto part = Fetch(request);
    ASSERT_TRUE(part.ok()) << part.status();
    EXPECT_EQ(part->header.variant_count(), std::count(chosen.begin(), chosen.end(), true));
    EXPECT_TRUE(part->bytes() == columns) << regions[0].first;
    EXPECT_NE(part->header.variant_digest(), whole->header.variant_digest());
  }
}

TEST_P(SameBytesTest, AResumeIsTakenUpOnlyByTheEngineThatBegan) {
  Start(Config());
  const auto whole = Fetch(Request());
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->header.engine().precision(), GetParam().precision);
  v1::StreamCohortRequest rest = Request();
  rest.set_first_sample(2000);
  rest.set_artifact_digest(whole->header.artifact_digest());
  *rest.mutable_engine() = whole->header.engine();
  const std::string bytes = whole->bytes();
  EXPECT_TRUE(Bytes(rest) == bytes.substr(bytes.size() / kSamples * 2000));

  v1::ServerConfig other = Config();
  other.set_precision(other.precision() == "fp32" ? "bf16" : "fp32");
  Start(other);
  const grpc::Status refused = StatusOf(rest);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), testing::HasSubstr(absl::StrCat("/", GetParam().precision, "/")));
}

TEST_P(SameBytesTest, ASeedThatTheServerDrewCanBeAskedForAgain) {
  Start(Config());
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

#include "client/lib/stream_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/base/crc32c.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

constexpr int kVariants = 11;  // 3 bytes a diploid row, with 2 padding bits

v1::StreamCohortRequest Request(int64_t first, int64_t count) {
  v1::StreamCohortRequest request;
  request.set_model("five");
  request.set_seed(7);
  request.set_cohort_size(3000);
  request.set_first_sample(first);
  request.set_sample_count(count);
  return request;
}

v1::CohortHeader Header(int64_t first, int64_t count) {
  v1::CohortHeader header;
  header.set_model("five");
  header.set_version("2");
  header.set_artifact_digest(std::string(64, 'a'));
  header.set_seed(7);
  header.mutable_engine()->set_device("cpu");
  header.set_ploidy(2);
  header.set_variant_count(kVariants);
  header.set_variant_digest(std::string(64, 'b'));
  header.set_cohort_size(3000);
  header.set_first_sample(first);
  header.set_sample_count(count);
  header.set_encoding(v1::GENOTYPE_ENCODING_DIPLOID_2BIT);
  header.set_label_column("pop");
  header.add_labels("AFR");
  header.add_labels("EUR");
  v1::PhenotypeSchema* weight = header.add_phenotypes();
  weight->set_name("weight");
  weight->mutable_continuous();
  return header;
}

v1::GenotypeBatch Batch(int64_t first, int count) {
  v1::GenotypeBatch batch;
  batch.set_first_sample(first);
  batch.set_sample_count(count);
  for (int64_t i = first; i < first + count; ++i) {
    batch.mutable_genotypes()->append({static_cast<char>(i), static_cast<char>(i >> 8), static_cast<char>(i % 64)});
    batch.add_label_indices(static_cast<uint32_t>(i % 2));
  }
  batch.set_crc32c(Crc32c(batch.genotypes()));
  v1::PhenotypeValues* values = batch.add_phenotypes();
  for (int i = 0; i < count; ++i) values->add_values(20.5);
  return batch;
}

v1::CohortFooter Footer(int64_t first, int count) {
  const v1::GenotypeBatch batch = Batch(first, count);
  StreamDigest digest(first, 3);
  digest.Update({reinterpret_cast<const uint8_t*>(batch.genotypes().data()), batch.genotypes().size()});
  v1::CohortFooter footer;
  footer.set_sample_count(count);
  const Sha256Digest sha256 = digest.Finish();
  footer.set_sha256(sha256.data(), sha256.size());
  return footer;
}

std::string DigestOf(const v1::CohortFooter& footer) { return footer.sha256(); }

std::string DigestOf(const StreamChecker& checker) {
  return std::string(checker.digest()->begin(), checker.digest()->end());
}

TEST(StreamCheckerTest, TakesAWholeStream) {
  StreamChecker checker(0);
  ASSERT_TRUE(checker.Header(Request(0, 3000), Header(0, 3000)).ok());
  EXPECT_EQ(checker.packing(), Packing::kDiploid2Bit);
  ASSERT_TRUE(checker.Batch(Batch(0, 1)).ok());
  ASSERT_TRUE(checker.Batch(Batch(1, 2999)).ok());
  EXPECT_FALSE(checker.digest().has_value());
  ASSERT_TRUE(checker.Footer(Footer(0, 3000)).ok());
  EXPECT_EQ(DigestOf(checker), DigestOf(Footer(0, 3000)));
}

TEST(StreamCheckerTest, AResumedStreamHasTheDigestOfAWholeOne) {
  StreamChecker checker(0);
  ASSERT_TRUE(checker.Header(Request(0, 3000), Header(0, 3000)).ok());
  ASSERT_TRUE(checker.Batch(Batch(0, 1500)).ok());
  ASSERT_TRUE(checker.Header(Request(1500, 1500), Header(1500, 1500)).ok());
  EXPECT_EQ(checker.header().sample_count(), 3000);
  ASSERT_TRUE(checker.Batch(Batch(1500, 1500)).ok());
  ASSERT_TRUE(checker.Footer(Footer(1500, 1500)).ok());
  EXPECT_EQ(DigestOf(checker), DigestOf(Footer(0, 3000)));
}

TEST(StreamCheckerTest, AnotherCheckerGoesOnAtABlock) {
  StreamChecker first(0);
  ASSERT_TRUE(first.Header(Request(0, 3000), Header(0, 3000)).ok());
  ASSERT_TRUE(first.Batch(Batch(0, 1500)).ok());
  ASSERT_EQ(first.blocks().size(), 1u);
  StreamChecker second(0);
  ASSERT_EQ(second.GoOn(Request(0, 3000), {first.header(), 1024, first.blocks()}), absl::OkStatus());
  EXPECT_EQ(second.next_sample(), 1024);
  ASSERT_TRUE(second.Header(Request(1024, 1976), Header(1024, 1976)).ok());
  ASSERT_TRUE(second.Batch(Batch(1024, 1976)).ok());
  ASSERT_TRUE(second.Footer(Footer(1024, 1976)).ok());
  EXPECT_EQ(DigestOf(second), DigestOf(Footer(0, 3000)));
  // Where nothing is left there is no call.
  StreamChecker third(0);
  ASSERT_EQ(third.GoOn(Request(0, 3000), {second.header(), 3000, second.blocks()}), absl::OkStatus());
  EXPECT_EQ(DigestOf(third), DigestOf(Footer(0, 3000)));
  // What stands pinned before the first sample is compared.
  StreamChecker fourth(0);
  ASSERT_EQ(fourth.GoOn(Request(0, 3000), {first.header(), 0, {}}), absl::OkStatus());
  v1::CohortHeader other = Header(0, 3000);
  other.mutable_engine()->set_device("cuda");
  EXPECT_EQ(fourth.Header(Request(0, 3000), other).code(), absl::StatusCode::kDataLoss);
}

TEST(StreamCheckerTest, ProgressThatNoStreamComesToIsRefused) {
  const std::vector<Sha256Digest> two(2);
  const CohortProgress cases[] = {
      {Header(0, 3000), 1024, two}, {Header(0, 3000), 1500, two}, {Header(0, 3000), 3072, two},
      {Header(0, 3000), -1, {}},    {Header(0, 3000), 2048, {}},  {Header(0, 2000), 2000, two},
      {Header(5, 3000), 0, {}},     {v1::CohortHeader(), 0, {}},
  };
  for (const CohortProgress& progress : cases) {
    StreamChecker checker(0);
    const absl::Status status = checker.GoOn(Request(0, 3000), progress);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << progress.received;
    EXPECT_THAT(std::string(status.message()), HasSubstr("progress to go on from"));
  }
}

TEST(StreamCheckerTest, APlannedSplitHasTheDigestOfAWholeOne) {
  StreamChecker checker(3000);
  ASSERT_TRUE(checker.Header(Request(0, 1100), Header(0, 1100)).ok());
  EXPECT_EQ(checker.header().sample_count(), 3000);
  ASSERT_TRUE(checker.Batch(Batch(0, 1100)).ok());
  ASSERT_TRUE(checker.Footer(Footer(0, 1100)).ok());
  EXPECT_FALSE(checker.digest().has_value());
  ASSERT_TRUE(checker.Header(Request(1100, 1900), Header(1100, 1900)).ok());
  ASSERT_TRUE(checker.Batch(Batch(1100, 1900)).ok());
  ASSERT_TRUE(checker.Footer(Footer(1100, 1900)).ok());
  EXPECT_EQ(DigestOf(checker), DigestOf(Footer(0, 3000)));
}

TEST(StreamCheckerTest, RefusesAFooterThatDoesNotFit) {
  const std::pair<v1::CohortFooter, const char*> cases[] = {
      {Footer(0, 29), "29 samples"}, {Footer(1, 30), "digest"}, {v1::CohortFooter(), "0 samples"}};
  for (const auto& [footer, message] : cases) {
    StreamChecker checker(0);
    ASSERT_TRUE(checker.Header(Request(0, 30), Header(0, 30)).ok());
    ASSERT_TRUE(checker.Batch(Batch(0, 30)).ok());
    const absl::Status status = checker.Footer(footer);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
    EXPECT_FALSE(checker.digest().has_value());
  }
}

TEST(StreamCheckerTest, RefusesAFooterBeforeTheLastSample) {
  StreamChecker checker(0);
  ASSERT_TRUE(checker.Header(Request(0, 30), Header(0, 30)).ok());
  ASSERT_TRUE(checker.Batch(Batch(0, 20)).ok());
  EXPECT_EQ(checker.Footer(Footer(0, 20)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(checker.Footer(Footer(0, 30)).code(), absl::StatusCode::kDataLoss);
}

struct BadBatch {
  const char* message;
  std::function<void(v1::GenotypeBatch*)> spoil;
};

class BadBatchTest : public testing::TestWithParam<BadBatch> {};

TEST_P(BadBatchTest, IsRefused) {
  StreamChecker checker(0);
  ASSERT_TRUE(checker.Header(Request(100, 30), Header(100, 30)).ok());
  ASSERT_TRUE(checker.Batch(Batch(100, 10)).ok());
  v1::GenotypeBatch batch = Batch(110, 10);
  GetParam().spoil(&batch);
  const absl::Status status = checker.Batch(batch);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
  EXPECT_EQ(checker.received(), 10);
  // The checker is where it was: the right batch is still welcome.
  EXPECT_TRUE(checker.Batch(Batch(110, 10)).ok());
}

INSTANTIATE_TEST_SUITE_P(
    All, BadBatchTest,
    testing::Values(
        BadBatch{"begins at sample 109, not at sample 110", [](auto* batch) { batch->set_first_sample(109); }},
        BadBatch{"begins at sample 111, not at sample 110", [](auto* batch) { batch->set_first_sample(111); }},
        BadBatch{"holds 0 samples", [](auto* batch) { batch->set_sample_count(0); }},
        BadBatch{"holds 21 samples, 20 are left", [](auto* batch) { *batch = Batch(110, 21); }},
        BadBatch{"29 bytes of genotypes, not 30", [](auto* batch) { batch->mutable_genotypes()->pop_back(); }},
        BadBatch{"checksum", [](auto* batch) { (*batch->mutable_genotypes())[5] ^= 1; }},
        BadBatch{"pad a row",
                 [](auto* batch) {
                   (*batch->mutable_genotypes())[5] |= '\x40';
                   batch->set_crc32c(Crc32c(batch->genotypes()));
                 }},
        BadBatch{"labels", [](auto* batch) { batch->mutable_label_indices()->RemoveLast(); }},
        BadBatch{"labels", [](auto* batch) { batch->set_label_indices(3, 2); }},
        BadBatch{"0 phenotypes, not 1", [](auto* batch) { batch->clear_phenotypes(); }},
        BadBatch{"phenotype weight", [](auto* batch) { batch->mutable_phenotypes(0)->mutable_values()->RemoveLast(); }},
        BadBatch{"phenotype weight", [](auto* batch) {
                   batch->mutable_phenotypes(0)->set_values(0, std::numeric_limits<double>::quiet_NaN());
                 }}));

struct BadHeader {
  const char* message;
  std::function<void(v1::CohortHeader*)> spoil;
};

class BadHeaderTest : public testing::TestWithParam<BadHeader> {};

TEST_P(BadHeaderTest, IsRefused) {
  StreamChecker checker(0);
  v1::StreamCohortRequest request = Request(100, 30);
  request.set_version("2");
  request.set_artifact_digest(std::string(64, 'a'));
  *request.mutable_engine() = Header(100, 30).engine();
  v1::CohortHeader header = Header(100, 30);
  GetParam().spoil(&header);
  const absl::Status status = checker.Header(request, header);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().message));
  EXPECT_FALSE(checker.begun());
}

INSTANTIATE_TEST_SUITE_P(
    All, BadHeaderTest,
    testing::Values(
        BadHeader{"model is six, not five", [](auto* header) { header->set_model("six"); }},
        BadHeader{"version is 3, not 2", [](auto* header) { header->set_version("3"); }},
        BadHeader{"artifact digest is", [](auto* header) { header->set_artifact_digest(std::string(64, 'c')); }},
        BadHeader{"seed is 8, not 7", [](auto* header) { header->set_seed(8); }},
        BadHeader{"engine is", [](auto* header) { header->mutable_engine()->set_device("cuda"); }},
        BadHeader{"cohort size is", [](auto* header) { header->set_cohort_size(2999); }},
        BadHeader{"first sample is", [](auto* header) { header->set_first_sample(0); }},
        BadHeader{"sample count is 31, not 30", [](auto* header) { header->set_sample_count(31); }},
        BadHeader{"digest", [](auto* header) { header->set_variant_digest("b"); }},
        BadHeader{"ploidy", [](auto* header) { header->set_ploidy(1); }},
        BadHeader{"0 variants", [](auto* header) { header->set_variant_count(0); }},
        BadHeader{"encoding", [](auto* header) { header->set_encoding(v1::GENOTYPE_ENCODING_INT8); }},
        BadHeader{"encoding", [](auto* header) { header->set_encoding(v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT); }}));

TEST(StreamCheckerTest, RefusesToGoOnWithAnotherCohort) {
  StreamChecker checker(0);
  ASSERT_TRUE(checker.Header(Request(0, 3000), Header(0, 3000)).ok());
  ASSERT_TRUE(checker.Batch(Batch(0, 10)).ok());
  v1::CohortHeader other = Header(10, 2990);
  other.set_variant_digest(std::string(64, 'c'));
  EXPECT_THAT(std::string(checker.Header(Request(10, 2990), other).message()), HasSubstr("another cohort"));
  EXPECT_THAT(std::string(checker.Header(Request(11, 2989), Header(11, 2989)).message()), HasSubstr("11, not 10"));
}

}  // namespace
}  // namespace genoserve

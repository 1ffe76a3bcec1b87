// What requests ask for and what they get: models, variants, conditions, encodings, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::Ge;
using testing::HasSubstr;
using testing::Le;

// The detail of this type in a status; empty where there is none.
template <typename Detail>
Detail DetailOf(const grpc::Status& status) {
  google::rpc::Status rich;
  EXPECT_TRUE(rich.ParseFromString(status.error_details()));
  Detail detail;
  for (const auto& any : rich.details()) {
    if (any.UnpackTo(&detail)) return detail;
  }
  ADD_FAILURE() << "no " << Detail::descriptor()->full_name() << " in \"" << status.error_message() << "\"";
  return detail;
}

class RequestsTest : public ServerTest {
 protected:
  RequestsTest() {
    PublishTestAcgan(store_, "haplotypes", 1);
    PublishTestWganGp(store_, "diploid", 2);
    Start();
  }
};

TEST_F(RequestsTest, ModelsAreListedAndToldOneByOne) {
  grpc::ClientContext list_context;
  v1::ListModelsResponse list;
  ASSERT_TRUE(stub_->ListModels(&list_context, {}, &list).ok());
  ASSERT_EQ(list.models_size(), 2);
  EXPECT_EQ(list.models(0).name(), "diploid");
  const v1::Model& haplotypes = list.models(1);
  EXPECT_EQ(haplotypes.name(), "haplotypes");
  EXPECT_EQ(haplotypes.version(), "1");
  EXPECT_TRUE(haplotypes.is_default());
  EXPECT_EQ(haplotypes.state(), v1::MODEL_STATE_SERVING);
  EXPECT_EQ(haplotypes.artifact_digest().size(), 64);
  EXPECT_EQ(haplotypes.manifest().variant_count(), 100);
  EXPECT_EQ(haplotypes.engine().device(), "cpu");

  grpc::ClientContext get_context;
  v1::GetModelRequest request;
  request.set_model("haplotypes");
  v1::Model model;
  ASSERT_TRUE(stub_->GetModel(&get_context, request, &model).ok());
  EXPECT_EQ(model.artifact_digest(), haplotypes.artifact_digest());

  grpc::ClientContext missing_context;
  request.set_version("9");
  const grpc::Status missing = stub_->GetModel(&missing_context, request, &model);
  EXPECT_EQ(missing.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(missing.error_message(), HasSubstr("served are 1"));
}

TEST_F(RequestsTest, VariantsComeInFileOrderWithContigsFirst) {
  PublishTestAcgan(store_, "wide", 3, 10'000);
  AwaitDefault("wide", 1);
  grpc::ClientContext context;
  v1::ListVariantsRequest request;
  request.set_model("wide");
  const auto reader = stub_->ListVariants(&context, request);
  v1::ListVariantsResponse response;
  int messages = 0;
  int64_t variants = 0;
  while (reader->Read(&response)) {
    EXPECT_EQ(response.contigs_size(), messages == 0 ? 2 : 0);
    EXPECT_LE(response.variants_size(), 4096);
    if (messages++ == 0) {
      EXPECT_EQ(response.variants(0).position(), 100);
    }
    variants += response.variants_size();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(messages, 3);
  EXPECT_EQ(variants, 10'000);
}

TEST_F(RequestsTest, TheHeaderTellsWhatTheStreamIs) {
  v1::StreamCohortRequest request = CohortRequest("haplotypes", 20);
  request.set_first_sample(5);
  const auto cohort = Fetch(request);
  ASSERT_TRUE(cohort.ok()) << cohort.status();
  const v1::CohortHeader& header = cohort->header;
  EXPECT_EQ(header.model(), "haplotypes");
  EXPECT_EQ(header.version(), "1");
  EXPECT_EQ(header.seed(), 7);
  EXPECT_EQ(header.ploidy(), 2);
  EXPECT_TRUE(header.phased());
  EXPECT_EQ(header.variant_count(), 100);
  EXPECT_EQ(header.variant_digest(), TestVariants(100).Digest());
  EXPECT_EQ(header.cohort_size(), 20);
  EXPECT_EQ(header.first_sample(), 5);
  EXPECT_EQ(header.sample_count(), 15);
  EXPECT_EQ(header.encoding(), v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT);
  EXPECT_EQ(header.label_column(), "population");
  EXPECT_THAT(header.labels(), ElementsAre("L0", "L1", "L2"));
  EXPECT_EQ(cohort->bytes().size(), 15 * 2 * 13);
}

TEST_F(RequestsTest, LabelBlocksFollowTheOrderGiven) {
  v1::StreamCohortRequest request = CohortRequest("haplotypes", 0);
  for (const auto& [label, count] : {std::pair{"L2", 2}, {"L0", 3}}) {
    auto* term = request.mutable_condition()->mutable_label_counts()->add_counts();
    term->set_label(label);
    term->set_count(count);
  }
  const auto cohort = Fetch(request);
  ASSERT_TRUE(cohort.ok()) << cohort.status();
  EXPECT_THAT(cohort->labels(), ElementsAre(2, 2, 0, 0, 0));
}

TEST_F(RequestsTest, PhenotypesAreFixedOrDrawnInTheirUnits) {
  v1::StreamCohortRequest request = CohortRequest("diploid", 500);
  auto* coat = request.mutable_condition()->add_phenotypes();
  coat->set_name("coat");
  coat->set_level("b");
  const auto cohort = Fetch(request);
  ASSERT_TRUE(cohort.ok()) << cohort.status();
  EXPECT_THAT(cohort->phenotype(0), Each(AllOf(Ge(10), Le(30))));
  EXPECT_THAT(cohort->phenotype(1), Each(1));
  EXPECT_EQ(cohort->header.phenotypes(0).continuous().unit(), "g");
}

TEST_F(RequestsTest, DiploidIsTheSumOfTheHaplotypes) {
  v1::StreamCohortRequest request = CohortRequest("haplotypes", 50);
  request.set_encoding(v1::GENOTYPE_ENCODING_INT8);
  const auto alleles = Fetch(request);
  request.set_encoding(v1::GENOTYPE_ENCODING_DIPLOID_2BIT);
  const auto diploid = Fetch(request);
  ASSERT_TRUE(alleles.ok() && diploid.ok());
  const std::string a = alleles->bytes();
  const std::string d = diploid->bytes();
  for (size_t sample = 0; sample < 50; ++sample) {
    for (size_t variant = 0; variant < 100; ++variant) {
      const int sum = a[2 * sample * 100 + variant] + a[(2 * sample + 1) * 100 + variant];
      ASSERT_EQ((static_cast<uint8_t>(d[sample * 25 + variant / 4]) >> (variant % 4 * 2)) & 3, sum);
    }
  }
}

// A sample of one variant is a byte or two, and its label and phenotypes are more.
TEST_F(RequestsTest, ABatchIsBoundedWithItsConditions) {
  for (const char* model : {"haplotypes", "diploid"}) {
    constexpr size_t kLimit = 4 << 10;
    // Nor is one of few bytes a sample so large that it takes many tiles.
    constexpr int kMostSamples = 8 * 256;
    for (const int asked : {0, static_cast<int>(kLimit)}) {
      v1::StreamCohortRequest request = CohortRequest(model, 60'000);
      request.set_max_batch_bytes(asked);
      auto* region = request.add_regions();
      region->set_contig("1");
      region->set_start(100);
      region->set_end(100);
      const auto cohort = Fetch(request);
      ASSERT_TRUE(cohort.ok()) << cohort.status();
      ASSERT_EQ(cohort->header.variant_count(), 1);
      size_t most = 0;
      int most_samples = 0;
      for (const v1::GenotypeBatch& batch : cohort->batches) {
        most_samples = std::max(most_samples, batch.sample_count());
        size_t bytes = batch.genotypes().size() + 4 * static_cast<size_t>(batch.label_indices_size());
        for (const auto& phenotype : batch.phenotypes()) bytes += 8 * static_cast<size_t>(phenotype.values_size());
        most = std::max(most, bytes);
      }
      EXPECT_LE(most_samples, kMostSamples) << model;
      if (asked == 0) continue;
      EXPECT_LE(most, kLimit) << model;
      EXPECT_GT(most, kLimit / 2) << model;
    }
  }
}

struct BadRequest {
  const char* name;
  std::function<void(v1::StreamCohortRequest&)> spoil;
  grpc::StatusCode code;
  const char* message;
};

class BadRequestTest : public RequestsTest, public testing::WithParamInterface<BadRequest> {};

TEST_P(BadRequestTest, IsRefusedWithWhatIsAllowed) {
  v1::StreamCohortRequest request = CohortRequest("haplotypes", 10);
  GetParam().spoil(request);
  const grpc::Status status = StatusOf(request);
  EXPECT_EQ(status.error_code(), GetParam().code);
  EXPECT_THAT(status.error_message(), HasSubstr(GetParam().message));
  if (GetParam().code == grpc::StatusCode::INVALID_ARGUMENT) {
    EXPECT_FALSE(DetailOf<google::rpc::BadRequest>(status).field_violations(0).field().empty());
  } else if (GetParam().code == grpc::StatusCode::NOT_FOUND) {
    EXPECT_FALSE(DetailOf<google::rpc::ResourceInfo>(status).resource_type().empty());
  } else {
    EXPECT_FALSE(DetailOf<google::rpc::PreconditionFailure>(status).violations(0).subject().empty());
  }
  AwaitNoStreams();
}

constexpr grpc::StatusCode kInvalid = grpc::StatusCode::INVALID_ARGUMENT;
constexpr grpc::StatusCode kMissing = grpc::StatusCode::NOT_FOUND;
constexpr grpc::StatusCode kUnmet = grpc::StatusCode::FAILED_PRECONDITION;
using Request = v1::StreamCohortRequest;

INSTANTIATE_TEST_SUITE_P(
    All, BadRequestTest,
    testing::ValuesIn(std::vector<BadRequest>{
        {"Model", [](Request& r) { r.set_model("x"); }, kMissing, "there are diploid, haplotypes"},
        {"NoModel", [](Request& r) { r.set_model(""); }, kMissing, "there is no model \"\""},
        {"Version", [](Request& r) { r.set_version("2"); }, kMissing, "served are 1"},
        {"VersionText", [](Request& r) { r.set_version("new"); }, kInvalid, "decimal numbers"},
        {"NoSize", [](Request& r) { r.set_cohort_size(0); }, kInvalid, "1 to 100000000"},
        {"NegativeSize", [](Request& r) { r.set_cohort_size(-1); }, kInvalid, "1 to 100000000"},
        {"LargeSize", [](Request& r) { r.set_cohort_size(int64_t{1} << 60); }, kInvalid, "1 to 100000000"},
        {"First", [](Request& r) { r.set_first_sample(10); }, kInvalid, "0 to 9"},
        {"NoCount", [](Request& r) { r.set_sample_count(0); }, kInvalid, "1 to 10"},
        {"LargeCount", [](Request& r) { r.set_sample_count(11); }, kInvalid, "1 to 10"},
        {"Contig", [](Request& r) { r.add_regions()->set_contig("3"); }, kMissing, "3"},
        {"EmptyRegion",
         [](Request& r) {
           r.add_regions()->set_contig("1");
           r.mutable_regions(0)->set_start(900'000);
         },
         kMissing, "900000"},
        {"BackwardRegion",
         [](Request& r) {
           r.add_regions()->set_contig("1");
           r.mutable_regions(0)->set_start(9);
           r.mutable_regions(0)->set_end(8);
         },
         kInvalid, "after end"},
        {"BatchBytes", [](Request& r) { r.set_max_batch_bytes(1); }, kInvalid, "4096 to 1048576"},
        {"Encoding", [](Request& r) { r.set_encoding(static_cast<v1::GenotypeEncoding>(99)); }, kInvalid, "INT8"},
        {"HaplotypesOfDiploid",
         [](Request& r) {
           r.set_model("diploid");
           r.set_encoding(v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT);
         },
         kInvalid, "haplotype model"},
        {"Digest", [](Request& r) { r.set_artifact_digest(std::string(64, '0')); }, kUnmet, "has the digest"},
        {"Engine", [](Request& r) { r.mutable_engine()->set_device("abacus"); }, kUnmet, "abacus"},
    }),
    [](const auto& bad) { return bad.param.name; });

TEST_F(RequestsTest, TooLargeAMessageIsRefused) {
  v1::StreamCohortRequest request = CohortRequest("haplotypes", 10);
  request.set_artifact_digest(std::string(2 << 20, '0'));
  EXPECT_EQ(StatusOf(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(RequestsTest, AResumeGetsTheRestOfTheSameBytes) {
  const auto whole = Fetch(CohortRequest("diploid", 2000));
  ASSERT_TRUE(whole.ok());
  v1::StreamCohortRequest request = CohortRequest("diploid", 2000);
  request.set_first_sample(1500);
  request.set_version(whole->header.version());
  request.set_artifact_digest(whole->header.artifact_digest());
  *request.mutable_engine() = whole->header.engine();
  const auto rest = Fetch(request);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_TRUE(rest->bytes() == whole->bytes().substr(1500 * 25));
}

}  // namespace
}  // namespace genoserve

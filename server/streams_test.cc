// Streams against everything that happens while they run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

constexpr int64_t kLong = 50'000'000;  // samples; more than any test waits for

class StreamsTest : public ServerTest {
 protected:
  StreamsTest() { PublishTestAcgan(store_, "model", 1, 1000); }
};

TEST_F(StreamsTest, ACancelledStreamFreesItsJob) {
  Start();
  const auto open = OpenStream(*stub_, CohortRequest("model", kLong));
  EXPECT_EQ(server_->streams(), 1);
  open->context.TryCancel();
  EXPECT_EQ(open->reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  AwaitNoStreams();
}

TEST_F(StreamsTest, DroppedConnectionsFreeTheirJobs) {
  Start();
  std::vector<std::thread> clients;
  for (int i = 0; i < 8; ++i) {
    clients.emplace_back([this] {
      const auto stub = v1::CohortService::NewStub(Connect());
      OpenStream(*stub, CohortRequest("model", kLong));
    });
  }
  for (std::thread& client : clients) client.join();
  AwaitNoStreams();
}

TEST_F(StreamsTest, APassedDeadlineEndsTheStream) {
  Start();
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  const auto reader = stub_->StreamCohort(&context, CohortRequest("model", kLong));
  v1::StreamCohortResponse response;
  while (reader->Read(&response)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  AwaitNoStreams();
}

TEST_F(StreamsTest, AReaderThatStopsCostsNoCompute) {
  Start();
  const auto stalled = OpenStream(*stub_, CohortRequest("model", kLong));
  const auto stub = v1::CohortService::NewStub(Connect());
  // Others get all of the workers meanwhile, and what the stalled one had made ahead stays bounded.
  constexpr int64_t kOther = 200'000;
  const auto other = OpenStream(*stub, CohortRequest("model", kOther));
  while (other->reader->Read(&other->response)) {
  }
  EXPECT_TRUE(other->reader->Finish().ok());
  const int64_t ahead = server_->scheduler_stats().generated_samples - kOther;
  EXPECT_LT(ahead, 150'000);  // 250 bytes each: the ring and gRPC's own buffers
  stalled->context.TryCancel();
  stalled->reader->Finish();
  AwaitNoStreams();
}

TEST_F(StreamsTest, AStreamFinishesOnTheVersionThatItBeganWith) {
  Start();
  constexpr int64_t kSamples = 100'000;
  const auto quiet = Fetch(CohortRequest("model", kSamples));
  ASSERT_TRUE(quiet.ok());
  const auto open = OpenStream(*stub_, CohortRequest("model", kSamples));
  PublishTestAcgan(store_, "model", 2, 1000);
  AwaitDefault("model", 2);
  const auto next = Fetch(CohortRequest("model", 10));
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->header.version(), "2");
  EXPECT_EQ(open->response.header().version(), "1");
  std::string bytes = open->response.batch().genotypes();
  while (open->reader->Read(&open->response)) bytes += open->response.batch().genotypes();
  EXPECT_TRUE(open->reader->Finish().ok());
  EXPECT_TRUE(bytes == quiet->bytes());
  // The old version is freed once the stream has ended.
  EXPECT_TRUE(server_->models().WaitUntil(
      [](const auto& versions) { return versions.size() == 1 && versions[0].version == 2; }, absl::Seconds(60)));
}

TEST_F(StreamsTest, ADrainingVersionCanBeAskedForByDigest) {
  Start();
  const auto open = OpenStream(*stub_, CohortRequest("model", kLong));
  PublishTestAcgan(store_, "model", 2, 1000);
  AwaitDefault("model", 2);
  v1::StreamCohortRequest request = CohortRequest("model", 10);
  request.set_artifact_digest(open->response.header().artifact_digest());
  const auto old = Fetch(request);
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->header.version(), "1");
  open->context.TryCancel();
  open->reader->Finish();
}

TEST_F(StreamsTest, ACorruptArtifactIsNotServed) {
  Start();
  // Version 2 loses a byte of its weights before its manifest appears.
  const int64_t version = PublishTestAcgan(JoinPath(folder_, "aside"), "model", 2, 1000);
  ASSERT_EQ(version, 1);
  const std::string from = JoinPath(folder_, "aside/model/1");
  const std::string to = JoinPath(store_, "model/2");
  const FileSystem& files = FileSystem::Posix();
  ASSERT_TRUE(files.MakeFolder(to).ok());
  for (const char* name : {"weights.safetensors", "variants.vcf", "quality.json", "manifest.json"}) {
    std::string bytes = files.ReadFile(JoinPath(from, name), 1 << 30).value();
    if (std::string(name) == "weights.safetensors") bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(files.WriteFile(JoinPath(to, name), bytes).ok());
  }
  EXPECT_TRUE(server_->models().WaitUntil(
      [](const auto& versions) {
        return versions.size() == 2 && versions[0].state == v1::MODEL_STATE_FAILED && versions[1].is_default;
      },
      absl::Seconds(60)));
  const auto cohort = Fetch(CohortRequest("model", 10));
  ASSERT_TRUE(cohort.ok());
  EXPECT_EQ(cohort->header.version(), "1");
  v1::StreamCohortRequest request = CohortRequest("model", 10);
  request.set_version("2");
  const grpc::Status status = StatusOf(request);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("weights.safetensors"));
}

TEST_F(StreamsTest, AVanishedStoreChangesNothing) {
  Start();
  ASSERT_TRUE(FileSystem::Posix().Rename(store_, store_ + ".away").ok());
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Fetch(CohortRequest("model", 1000)).ok());
  ASSERT_TRUE(FileSystem::Posix().Rename(store_ + ".away", store_).ok());
  PublishTestAcgan(store_, "model", 2, 1000);
  AwaitDefault("model", 2);
}

TEST_F(StreamsTest, TooMuchWorkIsRefusedWithATimeToRetry) {
  v1::ServerConfig config = TestConfig();
  config.set_max_cohort_size(kLong);
  config.set_max_queued_samples(kLong + kLong / 2);
  config.set_max_streams(2);
  Start(config);
  const auto open = OpenStream(*stub_, CohortRequest("model", kLong));
  const auto expect_refused = [this](const v1::StreamCohortRequest& request) {
    const grpc::Status status = StatusOf(request);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
    google::rpc::Status rich;
    google::rpc::RetryInfo retry;
    ASSERT_TRUE(rich.ParseFromString(status.error_details()));
    ASSERT_EQ(rich.details_size(), 1);
    EXPECT_TRUE(rich.details(0).UnpackTo(&retry));
    EXPECT_GT(retry.retry_delay().seconds() + retry.retry_delay().nanos(), 0);
  };
  expect_refused(CohortRequest("model", kLong));
  const auto stub = v1::CohortService::NewStub(Connect());
  const auto second = OpenStream(*stub, CohortRequest("model", kLong / 4));
  // Two streams run, which is all that may; a small one finds a place of its own.
  expect_refused(CohortRequest("model", 1000));
  EXPECT_TRUE(Fetch(CohortRequest("model", 1)).ok());
  for (const auto& stream : {open.get(), second.get()}) {
    stream->context.TryCancel();
    stream->reader->Finish();
  }
  AwaitNoStreams();
  EXPECT_TRUE(Fetch(CohortRequest("model", 1000)).ok());
}

TEST_F(StreamsTest, WhatIsSoonOverFindsAPlaceBesideLongStreams) {
  v1::ServerConfig config = TestConfig();
  config.set_max_streams(1);
  Start(config);
  const auto open = OpenStream(*stub_, CohortRequest("model", kLong));
  // A place is given back when the server is done with a stream, a moment after the client is.
  const auto code_of = [this](const v1::StreamCohortRequest& request) {
    while (server_->streams() > 1) std::this_thread::yield();
    return StatusOf(request).error_code();
  };
  const auto add_count = [](v1::StreamCohortRequest& request, const char* label, int64_t count) {
    auto* term = request.mutable_condition()->mutable_label_counts()->add_counts();
    term->set_label(label);
    term->set_count(count);
  };
  // As genoserve fetch does it: the variants, then the cohort.
  grpc::ClientContext context;
  v1::ListVariantsRequest variants;
  variants.set_model("model");
  const auto reader = stub_->ListVariants(&context, variants);
  v1::ListVariantsResponse response;
  while (reader->Read(&response)) {
  }
  const grpc::Status listed = reader->Finish();
  EXPECT_TRUE(listed.ok()) << listed.error_message();
  EXPECT_EQ(code_of(CohortRequest("model", 10)), grpc::StatusCode::OK);
  v1::StreamCohortRequest end = CohortRequest("model", kLong);
  end.set_first_sample(kLong - 10);
  EXPECT_EQ(code_of(end), grpc::StatusCode::OK);
  v1::StreamCohortRequest counts = CohortRequest("model", 0);
  add_count(counts, "L0", 6);
  add_count(counts, "L2", 4);
  EXPECT_EQ(code_of(counts), grpc::StatusCode::OK);
  add_count(counts, "L1", 1000);
  EXPECT_EQ(code_of(counts), grpc::StatusCode::RESOURCE_EXHAUSTED);
  counts.set_first_sample(1000);
  EXPECT_EQ(code_of(counts), grpc::StatusCode::OK);
  EXPECT_EQ(code_of(CohortRequest("model", 1000)), grpc::StatusCode::RESOURCE_EXHAUSTED);
  open->context.TryCancel();
  open->reader->Finish();
  AwaitNoStreams();
}

}  // namespace
}  // namespace genoserve

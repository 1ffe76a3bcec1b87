// More work than there is room for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/http/test_get.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/test_server.h"
#include "tests/support/repetitions.h"

namespace genoserve {
namespace {

using testing::HasSubstr;
using testing::Not;

bool HasRetryInfo(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::RetryInfo retry;
  if (!rich.ParseFromString(status.error_details())) return false;
  for (const auto& detail : rich.details()) {
    if (detail.UnpackTo(&retry)) return true;
  }
  return false;
}

class OverloadTest : public ServerTest {
 protected:
  OverloadTest() { PublishTestAcgan(store_, "model", 1, 1000); }

  std::string MetricsPage() const { return HttpGet(server_->http_port(), "/metrics"); }
};

TEST_F(OverloadTest, WhatDoesNotFitIsToldToRetryAndWhatWasTakenIsServed) {
  constexpr int kStreams = 4;              // that fit
  constexpr int kClients = 5 * kStreams;   // at the same time
  constexpr int kCalls = Repetitions(10);  // of each
  constexpr int64_t kCohort = 20'000;      // samples of 250 bytes
  constexpr int64_t kMostBytes = 4 << 20;  // that one stream may hold
  Start();
  const auto quiet = Fetch(CohortRequest("model", kCohort));
  ASSERT_TRUE(quiet.ok());
  const std::string expected = quiet->bytes();
  v1::ServerConfig config = TestConfig();
  config.set_max_streams(kStreams);
  config.set_max_cohort_size(kCohort);
  config.set_max_queued_samples(kCohort * kStreams / 2);
  Start(config);
  std::atomic<int> served = 0;
  std::atomic<int> refused = 0;
  std::atomic<int> running = kClients;
  std::vector<std::thread> clients;
  for (int client = 0; client < kClients; ++client) {
    clients.emplace_back([&] {
      const auto stub = v1::CohortService::NewStub(Connect());
      for (int call = 0; call < kCalls; ++call) {
        grpc::ClientContext context;
        const auto reader = stub->StreamCohort(&context, CohortRequest("model", kCohort));
        v1::StreamCohortResponse response;
        std::string bytes;
        while (reader->Read(&response)) bytes += response.batch().genotypes();
        const grpc::Status status = reader->Finish();
        if (status.ok()) {
          ++served;
          EXPECT_TRUE(bytes == expected);
        } else {
          ++refused;
          EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << status.error_message();
          EXPECT_TRUE(HasRetryInfo(status)) << status.error_message();
          EXPECT_EQ(bytes, "");
        }
      }
      --running;
    });
  }
  int64_t most = 0;
  while (running > 0) {
    most = std::max(most, server_->live().buffered_bytes);
    EXPECT_LE(server_->scheduler_stats().queued_samples, config.max_queued_samples());
    std::this_thread::yield();
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(served + refused, kClients * kCalls);
  EXPECT_GT(served, 0);
  EXPECT_GT(refused, 0);
  EXPECT_LE(most, kStreams * kMostBytes);
  AwaitNothingLives();
}

TEST_F(OverloadTest, APrincipalHasTheRoomThatTheConfigurationGivesIt) {
  constexpr int64_t kRoom = 1'000'000;  // samples of alice
  v1::ServerConfig config = TestConfig();
  ASSERT_TRUE(ReadConfigFile(
                  Write("config", absl::StrCat("principals { name: 'alice' max_queued_samples: ", kRoom, " }")), config)
                  .ok());
  config.set_token_hashes(
      Write("tokens", absl::StrCat("alice ", Sha256Hex("secret-a"), "\nbob ", Sha256Hex("secret-b"), "\n")));
  Start(config);
  const auto open = [this](grpc::ClientContext& context, const char* token, int64_t samples) {
    context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    return stub_->StreamCohort(&context, CohortRequest("model", samples));
  };
  const auto status_of = [&](const char* token, int64_t samples) {
    grpc::ClientContext context;
    const auto reader = open(context, token, samples);
    v1::StreamCohortResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  };
  // What can never fit is a wrong request and no matter of load.
  const grpc::Status never = status_of("secret-a", kRoom + 1);
  EXPECT_EQ(never.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(never.error_message(), HasSubstr("\"alice\" may queue at most 1000000"));
  EXPECT_THAT(MetricsPage(), Not(HasSubstr("genoserve_refusals_total{")));

  grpc::ClientContext context;
  const auto runs = open(context, "secret-a", kRoom);
  v1::StreamCohortResponse response;
  ASSERT_TRUE(runs->Read(&response)) << runs->Finish().error_message();
  const grpc::Status full = status_of("secret-a", kRoom);
  EXPECT_EQ(full.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(full.error_message(), HasSubstr("of this principal"));
  EXPECT_TRUE(HasRetryInfo(full));
  EXPECT_THAT(MetricsPage(), HasSubstr("genoserve_refusals_total{reason=\"queue\"} 1"));
  // Others have the room of the server.
  grpc::ClientContext other_context;
  const auto other = open(other_context, "secret-b", 2 * kRoom);
  EXPECT_TRUE(other->Read(&response)) << other->Finish().error_message();
  other_context.TryCancel();
  other->Finish();
  context.TryCancel();
  runs->Finish();
  AwaitNothingLives();
  EXPECT_TRUE(status_of("secret-a", 10).ok());
}

TEST_F(OverloadTest, ADeadlineThatCannotBeMetIsToldBeforeAnythingIsSent) {
  Start();
  // Enough full tiles to know how fast they are.
  ASSERT_TRUE(Fetch(CohortRequest("model", 20'000)).ok());
  const auto open = [this](grpc::ClientContext& context, int64_t samples) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return stub_->StreamCohort(&context, CohortRequest("model", samples));
  };
  v1::StreamCohortResponse response;
  grpc::ClientContext late;
  const auto refused = open(late, 100'000'000);
  EXPECT_FALSE(refused->Read(&response));
  const grpc::Status status = refused->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(status.error_message(), HasSubstr("100000000 samples take about"));
  EXPECT_THAT(MetricsPage(), HasSubstr("genoserve_refusals_total{reason=\"deadline\"} 1"));
  grpc::ClientContext early;
  const auto served = open(early, 100);
  while (served->Read(&response)) {
  }
  EXPECT_TRUE(served->Finish().ok());
  AwaitNothingLives();
}

}  // namespace
}  // namespace genoserve

// More work than there is room for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

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
};

TEST_F(OverloadTest, WhatDoesNotFitIsToldToRetryAndWhatWasTakenIsServed) {
  constexpr int kStreams = 4;              // that fit
  constexpr int kClients = 5 * kStreams;   // at the same time
  constexpr int kCalls = 10;               // of each
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

}  // namespace
}  // namespace genoserve

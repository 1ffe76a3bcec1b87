// How a server stops, and what health and probes tell meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/http/test_get.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

class DrainTest : public ServerTest {
 protected:
  DrainTest() { PublishTestAcgan(store_, "model", 1, 1000); }

  // grpc.health.v1.Health/Check: 1 = SERVING, 2 = NOT_SERVING; -1 = an error.
  int Health(const std::string& name) const {
    // HealthCheckRequest.service is field 1; so is HealthCheckResponse.status.
    const std::string text =
        name.empty() ? "" : absl::StrCat("\x0a", std::string(1, static_cast<char>(name.size())), name);
    std::string reply;
    if (!CallRaw("/grpc.health.v1.Health/Check", text, &reply).ok()) return -1;
    return reply.size() < 2 ? 0 : reply[1];
  }
  // Health follows the state of a model within a step of the manager.
  void AwaitHealthy(const std::string& name) const {
    const absl::Time end = absl::Now() + absl::Seconds(60);
    while (Health(name) != 1 && absl::Now() < end) {
    }
    EXPECT_EQ(Health(name), 1) << name;
  }
};

TEST_F(DrainTest, HealthIsToldPerServerAndPerModel) {
  Start();
  AwaitHealthy("model");
  AwaitHealthy("");
  EXPECT_EQ(Health("other"), -1);
  EXPECT_THAT(HttpGet(server_->http_port(), "/readyz"), HasSubstr("200\nok"));
  EXPECT_THAT(HttpGet(server_->http_port(), "/livez"), HasSubstr("200\nok"));
  EXPECT_THAT(HttpGet(server_->http_port(), "/other"), HasSubstr("404"));
}

TEST_F(DrainTest, AnEmptyStoreIsReadyAndAnswersThatThereIsNothing) {
  v1::ServerConfig config = TestConfig();
  config.set_store(folder_);
  auto server = Server::Start(config, {});
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  stub_ = v1::CohortService::NewStub(Connect());
  EXPECT_THAT(HttpGet(server_->http_port(), "/readyz"), HasSubstr("200"));
  const grpc::Status status = StatusOf(CohortRequest("model", 1));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), HasSubstr("no models"));
}

TEST_F(DrainTest, MetricsTellWhatWasSent) {
  Start();
  ASSERT_TRUE(Fetch(CohortRequest("model", 1234)).ok());
  AwaitNoStreams();
  const std::string metrics = HttpGet(server_->http_port(), "/metrics");
  EXPECT_THAT(metrics, HasSubstr("genoserve_samples_sent_total{model=\"model\",version=\"1\"} 1234"));
  EXPECT_THAT(metrics, HasSubstr("genoserve_genotype_bytes_sent_total{model=\"model\",version=\"1\"} 308500"));
  EXPECT_THAT(metrics, HasSubstr("genoserve_version_state{model=\"model\",state=\"serving\",version=\"1\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("genoserve_build_info{"));
  EXPECT_THAT(metrics, HasSubstr("genoserve_request_seconds_bucket"));
  EXPECT_THAT(metrics, HasSubstr("genoserve_in_flight_streams 0"));
}

TEST_F(DrainTest, ADrainRefusesNewRequestsAndLetsStreamsFinish) {
  v1::ServerConfig config = TestConfig();
  config.set_drain_timeout_seconds(3600);  // longer than the stream takes on any machine
  Start(config);
  AwaitHealthy("model");
  const auto open = OpenStream(*stub_, CohortRequest("model", 100'000));
  std::thread drain([this] { server_->Drain(); });
  // New requests are refused once the drain has got that far.
  const auto stub = v1::CohortService::NewStub(Connect());
  grpc::Status refused;
  do {
    grpc::ClientContext other;
    const auto next = stub->StreamCohort(&other, CohortRequest("model", 1));
    v1::StreamCohortResponse unused;
    while (next->Read(&unused)) {
    }
    refused = next->Finish();
  } while (refused.ok());
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(refused.error_details(), HasSubstr("google.rpc.RetryInfo"));
  EXPECT_THAT(HttpGet(server_->http_port(), "/readyz"), HasSubstr("503\ndraining"));
  EXPECT_THAT(HttpGet(server_->http_port(), "/livez"), HasSubstr("200"));
  EXPECT_EQ(Health(""), 2);
  EXPECT_EQ(Health("model"), 2);
  while (open->reader->Read(&open->response)) {
  }
  EXPECT_TRUE(open->reader->Finish().ok());
  EXPECT_EQ(open->response.footer().sample_count(), 100'000);
  drain.join();
}

TEST_F(DrainTest, StreamsThatDoNotFinishAreToldThatTheServerGoes) {
  v1::ServerConfig config = TestConfig();
  config.set_drain_delay_seconds(3600);
  config.set_drain_timeout_seconds(3600);
  Start(config);
  const auto open = OpenStream(*stub_, CohortRequest("model", 90'000'000));
  std::thread drain([this] { server_->Drain(); });
  // In the drain delay requests are still taken.
  const absl::Time end = absl::Now() + absl::Seconds(60);
  while (Health("") != 2 && absl::Now() < end) {
  }
  EXPECT_EQ(Health(""), 2);
  EXPECT_TRUE(Fetch(CohortRequest("model", 10)).ok());
  server_->HurryUp();
  while (open->reader->Read(&open->response)) {
  }
  EXPECT_EQ(open->reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();
  EXPECT_EQ(server_->streams(), 0);
}

TEST_F(DrainTest, AStreamThatIsCutShortSaysHowToGoOn) {
  v1::ServerConfig config = TestConfig();
  config.set_drain_timeout_seconds(0);
  Start(config);
  constexpr int64_t kFirst = 1000;
  v1::StreamCohortRequest request = CohortRequest("model", 90'000'000);
  request.set_first_sample(kFirst);
  const auto open = OpenStream(*stub_, request);
  const v1::CohortHeader header = open->response.header();
  const std::string first_batch = open->response.batch().genotypes();
  int64_t received = open->response.batch().sample_count();
  std::thread drain([this] { server_->Drain(); });
  while (open->reader->Read(&open->response)) received += open->response.batch().sample_count();
  EXPECT_EQ(open->reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  drain.join();
  const auto& trailers = open->context.GetServerTrailingMetadata();
  const auto token = trailers.find("genoserve-resume");
  ASSERT_NE(token, trailers.end());
  const v1::Engine& engine = header.engine();
  EXPECT_EQ(
      std::string(token->second.data(), token->second.size()),
      absl::StrCat("digest=", header.artifact_digest(), ";engine=", engine.device(), "/", engine.instruction_set(), "/",
                   engine.precision(), "/", engine.kernel_revision(), ";seed=7;next=", kFirst + received));
  // Another server sends the rest.
  Start();
  request.set_first_sample(kFirst + received);
  request.set_sample_count(10);
  request.set_artifact_digest(header.artifact_digest());
  *request.mutable_engine() = engine;
  EXPECT_TRUE(Fetch(request).ok());
  request.set_first_sample(kFirst);
  const auto again = Fetch(request);
  ASSERT_TRUE(again.ok());
  const size_t both = std::min(first_batch.size(), again->bytes().size());
  EXPECT_TRUE(again->bytes().substr(0, both) == first_batch.substr(0, both));
}

TEST_F(DrainTest, StreamsThatEndWellHaveNothingToResume) {
  Start();
  grpc::ClientContext context;
  const auto reader = stub_->StreamCohort(&context, CohortRequest("model", 10));
  v1::StreamCohortResponse response;
  while (reader->Read(&response)) {
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(context.GetServerTrailingMetadata().count("genoserve-resume"), 0U);
}

TEST_F(DrainTest, APortInUseIsToldInOneSentence) {
  Start();
  v1::ServerConfig config = TestConfig();
  config.set_port(server_->port());
  const auto second = Server::Start(config, {});
  EXPECT_EQ(second.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(absl::StrCat("127.0.0.1:", server_->port())));
  config.set_port(0);
  config.set_http_port(server_->http_port());
  const auto third = Server::Start(config, {});
  EXPECT_EQ(third.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(third.status().message()), HasSubstr(absl::StrCat(server_->http_port())));
}

}  // namespace
}  // namespace genoserve

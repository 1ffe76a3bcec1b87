// What a server tells of its requests: metrics, log lines and traces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/http/test_get.h"
#include "server/telemetry/request_log.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kCaller[] = "00f067aa0ba902b7";

class TelemetryTest : public ServerTest {
 protected:
  TelemetryTest() { PublishTestAcgan(store_, "model", 1, 1000); }

  std::string MetricsPage() const { return HttpGet(server_->http_port(), "/metrics"); }
};

// Takes the log for itself for as long as it lives.
class LogCapture {
 public:
  LogCapture() : before_(spdlog::default_logger()) {
    auto logger = std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_));
    logger->set_pattern("%l %v");
    spdlog::set_default_logger(std::move(logger));
  }
  ~LogCapture() { spdlog::set_default_logger(before_); }
  LogCapture(const LogCapture&) = delete;
  LogCapture& operator=(const LogCapture&) = delete;

  // What was written of requests, with the level as a field. Only where no server runs any more.
  std::vector<nlohmann::json> Requests() const {
    std::vector<nlohmann::json> requests;
    std::istringstream lines(lines_.str());
    for (std::string line; std::getline(lines, line);) {
      const size_t space = line.find(' ');
      auto json = nlohmann::json::parse(line.substr(space + 1));
      if (json.value("event", "") != "request") continue;
      json["level"] = line.substr(0, space);
      requests.push_back(std::move(json));
    }
    return requests;
  }
  std::string text() const { return lines_.str(); }

 private:
  const std::shared_ptr<spdlog::logger> before_;
  std::ostringstream lines_;
};

TEST_F(TelemetryTest, MetricsTellTimesSizesAndWhatLives) {
  Start();
  ASSERT_TRUE(Fetch(CohortRequest("model", 1234)).ok());
  EXPECT_EQ(StatusOf(CohortRequest("other", 1)).error_code(), grpc::StatusCode::NOT_FOUND);
  AwaitNothingLives();
  const std::string page = MetricsPage();
  const std::string of_version = "model=\"model\",version=\"1\"";
  EXPECT_THAT(page, HasSubstr("genoserve_requests_total{code=\"OK\",method=\"StreamCohort\"," + of_version + "} 1"));
  EXPECT_THAT(page,
              HasSubstr("genoserve_request_seconds_count{code=\"OK\",method=\"StreamCohort\"," + of_version + "} 1"));
  EXPECT_THAT(page, HasSubstr("genoserve_queue_seconds_count{" + of_version + "} 1"));
  EXPECT_THAT(page, HasSubstr("genoserve_first_batch_seconds_count{" + of_version + "} 1"));
  EXPECT_THAT(page, HasSubstr("genoserve_tile_samples_sum 1234"));
  EXPECT_THAT(page, HasSubstr("genoserve_queued_samples{class=\"interactive\"} 0"));
  EXPECT_THAT(page, HasSubstr("genoserve_buffered_bytes 0"));
  for (const char* kind : {"job", "batch", "stream", "handle"}) {
    EXPECT_THAT(page, HasSubstr(absl::StrCat("genoserve_live_objects{kind=\"", kind, "\"} 0")));
  }
  EXPECT_THAT(page, HasSubstr("genoserve_live_objects{kind=\"version\"} 1"));
  // What callers make up does not become a label.
  EXPECT_THAT(page, Not(HasSubstr("other")));
}

TEST_F(TelemetryTest, AStreamThatRunsIsSeen) {
  Start();
  const auto open = OpenStream(*stub_, CohortRequest("model", 50'000'000));
  ASSERT_TRUE(open->reader->Read(&open->response));
  const std::string page = MetricsPage();
  EXPECT_THAT(page, HasSubstr("genoserve_live_objects{kind=\"job\"} 1"));
  EXPECT_THAT(page, HasSubstr("genoserve_live_objects{kind=\"stream\"} 1"));
  EXPECT_THAT(page, Not(HasSubstr("genoserve_live_objects{kind=\"handle\"} 0")));
  open->context.TryCancel();
  open->reader->Finish();
  AwaitNothingLives();
}

TEST_F(TelemetryTest, RefusalsAreCountedByReason) {
  v1::ServerConfig config = TestConfig();
  config.set_max_streams(1);
  config.set_token_hashes(Write("tokens", absl::StrCat("alice ", Sha256Hex("secret"), "\n")));
  Start(config);
  EXPECT_EQ(StatusOf(CohortRequest("model", 1)).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const auto open = [this](grpc::ClientContext& context) {
    context.AddMetadata("authorization", "Bearer secret");
    return stub_->StreamCohort(&context, CohortRequest("model", 50'000'000));
  };
  grpc::ClientContext first;
  const auto runs = open(first);
  v1::StreamCohortResponse response;
  ASSERT_TRUE(runs->Read(&response));
  grpc::ClientContext second;
  const auto refused = open(second);
  EXPECT_FALSE(refused->Read(&response));
  EXPECT_EQ(refused->Finish().error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first.TryCancel();
  runs->Finish();
  const std::string page = MetricsPage();
  EXPECT_THAT(page, HasSubstr("genoserve_refusals_total{reason=\"authentication\"} 1"));
  EXPECT_THAT(page, HasSubstr("genoserve_refusals_total{reason=\"streams\"} 1"));
}

TEST_F(TelemetryTest, TheTimeFromPublicationToTheFirstBatchIsMeasuredOnce) {
  Start();
  const std::string count = "genoserve_publish_to_first_batch_seconds_count{model=\"model\"}";
  // What was there before the server is no measure of it.
  ASSERT_TRUE(Fetch(CohortRequest("model", 1)).ok());
  EXPECT_THAT(MetricsPage(), Not(HasSubstr(count)));
  PublishTestAcgan(store_, "model", 2);
  AwaitDefault("model", 2);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Fetch(CohortRequest("model", 1)).ok());
  EXPECT_THAT(MetricsPage(), HasSubstr(count + " 1"));
}

TEST_F(TelemetryTest, TheSeriesOfAVersionGoWithIt) {
  Start();
  ASSERT_TRUE(Fetch(CohortRequest("model", 10)).ok());
  EXPECT_THAT(MetricsPage(), HasSubstr("model=\"model\",version=\"1\""));
  PublishTestAcgan(store_, "model", 2, 1000);
  AwaitDefault("model", 2);
  ASSERT_TRUE(Fetch(CohortRequest("model", 10)).ok());
  ASSERT_TRUE(server_->models().WaitUntil(
      [](const auto& versions) { return versions.size() == 1 && versions[0].version == 2; }, absl::Seconds(60)));
  const std::string page = MetricsPage();
  EXPECT_THAT(page, Not(HasSubstr("version=\"1\"")));
  EXPECT_THAT(page, HasSubstr("genoserve_samples_sent_total{model=\"model\",version=\"2\"} 10"));
}

TEST_F(TelemetryTest, EachRequestHasOneLineWithoutSecrets) {
  LogCapture log;
  v1::ServerConfig config = TestConfig();
  config.set_token_hashes(Write("tokens", absl::StrCat("alice ", Sha256Hex("secret"), "\n")));
  Start(config);
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer secret");
  const auto reader = stub_->StreamCohort(&context, CohortRequest("model", 1234));
  v1::StreamCohortResponse response;
  while (reader->Read(&response)) {
  }
  ASSERT_TRUE(reader->Finish().ok());
  AwaitNothingLives();
  EXPECT_EQ(StatusOf(CohortRequest("model", 1)).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  AwaitNothingLives();
  Stop();
  const auto requests = log.Requests();
  ASSERT_EQ(requests.size(), 2U);
  const nlohmann::json& line = requests[0];
  EXPECT_EQ(line["method"], "StreamCohort");
  EXPECT_EQ(line["model"], "model");
  EXPECT_EQ(line["version"], "1");
  EXPECT_EQ(line["code"], "OK");
  EXPECT_EQ(line["principal"], "alice");
  EXPECT_EQ(line["seed"], 7);
  EXPECT_EQ(line["samples"], 1234);
  EXPECT_EQ(line["bytes"], 308500);
  EXPECT_THAT(line["peer"].get<std::string>(), HasSubstr("127.0.0.1"));
  const double queue = line["queue_seconds"];
  const double first_batch = line["first_batch_seconds"];
  EXPECT_GE(queue, 0);
  EXPECT_GE(first_batch, queue);
  EXPECT_GE(line["seconds"].get<double>(), first_batch);
  EXPECT_FALSE(line.contains("trace_id"));
  EXPECT_EQ(requests[1]["code"], "UNAUTHENTICATED");
  EXPECT_FALSE(requests[1].contains("first_batch_seconds"));
  EXPECT_THAT(log.text(), AllOf(Not(HasSubstr("secret")), Not(HasSubstr(Sha256Hex("secret")))));
}

TEST_F(TelemetryTest, OnlyWhatIsOurFaultIsAnError) {
  LogCapture log;
  const auto level_of = [&log](const absl::Status& status) {
    RequestRecord record;
    record.method = "StreamCohort";
    record.status = status;
    LogRequest(record);
    return log.Requests().back()["level"].get<std::string>();
  };
  EXPECT_EQ(level_of(absl::UnavailableError("the device is broken")), "error");
  EXPECT_EQ(level_of(absl::ResourceExhaustedError("out of memory")), "error");
  EXPECT_EQ(level_of(absl::InternalError("a bug")), "error");
  EXPECT_EQ(level_of(absl::OkStatus()), "info");
  EXPECT_EQ(level_of(absl::CancelledError("the client has gone")), "info");
}

TEST_F(TelemetryTest, OverloadAndADrainAreNoErrors) {
  LogCapture log;
  v1::ServerConfig config = TestConfig();
  config.set_max_streams(1);
  config.set_drain_timeout_seconds(0);
  Start(config);
  const auto open = OpenStream(*stub_, CohortRequest("model", 50'000'000));
  EXPECT_EQ(StatusOf(CohortRequest("model", 1000)).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  std::thread drain([this] { server_->Drain(); });
  while (open->reader->Read(&open->response)) {
  }
  const grpc::Status cut = open->reader->Finish();
  EXPECT_EQ(cut.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(cut.error_details(), HasSubstr("google.rpc.RetryInfo"));
  drain.join();
  Stop();
  const auto requests = log.Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0]["code"], "RESOURCE_EXHAUSTED");
  EXPECT_EQ(requests[0]["level"], "info");
  EXPECT_EQ(requests[1]["code"], "UNAVAILABLE");
  EXPECT_EQ(requests[1]["level"], "info");
}

TEST_F(TelemetryTest, ATraceIsContinued) {
  LogCapture log;
  Start();
  std::string returned;
  const auto call = [&](const std::string& traceparent) {
    grpc::ClientContext context;
    context.AddMetadata("traceparent", traceparent);
    const auto reader = stub_->StreamCohort(&context, CohortRequest("model", 10));
    v1::StreamCohortResponse response;
    while (reader->Read(&response)) {
    }
    EXPECT_TRUE(reader->Finish().ok());
    const auto& metadata = context.GetServerInitialMetadata();
    const auto found = metadata.find("traceparent");
    returned = found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
    AwaitNothingLives();
  };
  call(absl::StrCat("00-", kTrace, "-", kCaller, "-01"));
  const std::string continued = returned;
  call(absl::StrCat("00-", kTrace, "-no-span-id-at-all-01"));
  EXPECT_EQ(returned, "");
  Stop();
  const auto requests = log.Requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0]["trace_id"], kTrace);
  EXPECT_EQ(requests[0]["parent_span_id"], kCaller);
  EXPECT_EQ(continued, absl::StrCat("00-", kTrace, "-", requests[0]["span_id"].get<std::string>(), "-01"));
  EXPECT_FALSE(requests[1].contains("trace_id"));
}

}  // namespace
}  // namespace genoserve

#include "server/test_server.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/base/crc32c.h"
#include "core/base/file.h"
#include "core/genotype/stream_digest.h"
#include "core/model/generator.h"

namespace genoserve {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(60);

}  // namespace

std::string ReceivedCohort::bytes() const {
  std::string all;
  for (const auto& batch : batches) all += batch.genotypes();
  return all;
}

std::vector<uint32_t> ReceivedCohort::labels() const {
  std::vector<uint32_t> all;
  for (const auto& batch : batches) all.insert(all.end(), batch.label_indices().begin(), batch.label_indices().end());
  return all;
}

std::vector<double> ReceivedCohort::phenotype(int index) const {
  std::vector<double> all;
  for (const auto& batch : batches) {
    const auto& values = batch.phenotypes(index).values();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

ServerTest::ServerTest() : folder_(NewTestFolder()), store_(JoinPath(folder_, "store")) {}

ServerTest::~ServerTest() {
  Stop();
  FileSystem::Posix().Remove(folder_).IgnoreError();
}

v1::ServerConfig ServerTest::TestConfig() const {
  v1::ServerConfig config = DefaultConfig();
  config.set_store(store_);
  config.set_port(0);
  config.set_http_port(0);
  config.set_device("cpu");
  config.set_threads(2);
  config.set_poll_seconds(0.05);
  config.set_drain_delay_seconds(0);
  return config;
}

void ServerTest::Start(const v1::ServerConfig& config, const Server::Options& options) {
  Stop();
  auto server = Server::Start(config, options);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
  const StoreLook look = LookAtStore(**OpenStore(store_, /*create=*/false), {});
  ASSERT_TRUE(look.status.ok()) << look.status;
  for (const auto& [model, listing] : look.listing) AwaitDefault(model, listing.versions.back());
  stub_ = v1::CohortService::NewStub(Connect());
}

void ServerTest::Stop() {
  stub_.reset();
  server_.reset();
}

std::shared_ptr<grpc::Channel> ServerTest::Connect(const std::shared_ptr<grpc::ChannelCredentials>& credentials) const {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(absl::StrCat("127.0.0.1:", server_->port()), credentials, arguments);
}

void ServerTest::AwaitDefault(const std::string& model, int64_t version) const {
  ASSERT_TRUE(server_->models().WaitUntil(
      [&](const auto& versions) {
        return std::any_of(versions.begin(), versions.end(), [&](const VersionStatus& status) {
          return status.model == model && status.version == version && status.is_default;
        });
      },
      kPatience));
}

void ServerTest::AwaitNoStreams() const {
  const absl::Time end = absl::Now() + kPatience;
  while ((server_->streams() > 0 || server_->scheduler_stats().live_jobs > 0) && absl::Now() < end) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_->streams(), 0);
  EXPECT_EQ(server_->scheduler_stats().live_jobs, 0);
  EXPECT_EQ(server_->scheduler_stats().queued_samples, 0);
}

void ServerTest::AwaitNothingLives() const {
  AwaitNoStreams();
  const auto any = [this] {
    const Metrics::Live live = server_->live();
    return live.jobs + live.batches + live.streams + live.handles + live.buffered_bytes > 0;
  };
  const absl::Time end = absl::Now() + kPatience;
  while (any() && absl::Now() < end) std::this_thread::yield();
  const Metrics::Live live = server_->live();
  EXPECT_EQ(live.jobs, 0);
  EXPECT_EQ(live.batches, 0);
  EXPECT_EQ(live.streams, 0);
  EXPECT_EQ(live.handles, 0);
  EXPECT_EQ(live.buffered_bytes, 0);
}

std::unique_ptr<ServerTest::Open> ServerTest::OpenStream(v1::CohortService::Stub& stub,
                                                         const v1::StreamCohortRequest& request) {
  auto open = std::make_unique<Open>();
  open->reader = stub.StreamCohort(&open->context, request);
  EXPECT_TRUE(open->reader->Read(&open->response)) << open->reader->Finish().error_message();
  return open;
}

absl::StatusOr<ReceivedCohort> ServerTest::Fetch(const v1::StreamCohortRequest& request) const {
  grpc::ClientContext context;
  const auto reader = stub_->StreamCohort(&context, request);
  ReceivedCohort received;
  v1::StreamCohortResponse response;
  int64_t next = 0;
  int64_t samples = 0;
  std::unique_ptr<StreamDigest> digest;
  for (int message = 0; reader->Read(&response); ++message) {
    EXPECT_EQ(response.has_header(), message == 0);
    if (response.has_header()) {
      received.header = response.header();
      next = received.header.first_sample();
    }
    const v1::GenotypeBatch& batch = response.batch();
    EXPECT_EQ(batch.first_sample(), next);
    EXPECT_EQ(batch.crc32c(), Crc32c(batch.genotypes()));
    const auto size = static_cast<int64_t>(batch.genotypes().size());
    if (digest == nullptr) digest = std::make_unique<StreamDigest>(next, size / batch.sample_count());
    digest->Update({reinterpret_cast<const uint8_t*>(batch.genotypes().data()), batch.genotypes().size()});
    next += batch.sample_count();
    samples += batch.sample_count();
    EXPECT_EQ(response.has_footer(), samples == received.header.sample_count());
    received.batches.push_back(batch);
    received.footer = response.footer();
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  EXPECT_EQ(received.footer.sample_count(), samples);
  EXPECT_EQ(received.header.sample_count(), samples);
  const Sha256Digest sha256 = digest->Finish();
  EXPECT_EQ(received.footer.sha256(), std::string(sha256.begin(), sha256.end()));
  return received;
}

grpc::Status ServerTest::StatusOf(const v1::StreamCohortRequest& request) const {
  grpc::ClientContext context;
  const auto reader = stub_->StreamCohort(&context, request);
  v1::StreamCohortResponse response;
  while (reader->Read(&response)) {
  }
  return reader->Finish();
}

grpc::Status ServerTest::CallRaw(const std::string& method, const std::string& message, std::string* reply) const {
  grpc::GenericStub stub(Connect());
  const grpc::Slice slice(message);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ClientContext context;
  grpc::ByteBuffer response;
  grpc::Status status;
  absl::Notification done;
  stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &response, [&](grpc::Status result) {
    status = std::move(result);
    done.Notify();
  });
  done.WaitForNotification();
  std::vector<grpc::Slice> slices;
  (void)response.Dump(&slices);
  reply->clear();
  for (const grpc::Slice& each : slices) reply->append(each.begin(), each.end());
  return status;
}

std::string ServerTest::Write(const std::string& name, const std::string& text) const {
  std::string path = JoinPath(folder_, name);
  EXPECT_TRUE(FileSystem::Posix().WriteFile(path, text).ok());
  return path;
}

v1::StreamCohortRequest CohortRequest(const std::string& model, int64_t size) {
  v1::StreamCohortRequest request;
  request.set_model(model);
  request.set_cohort_size(size);
  request.set_seed(7);
  return request;
}

}  // namespace genoserve

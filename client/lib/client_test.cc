// The library against a real server.
#include "client/lib/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "client/testing/proxy.h"
#include "client/testing/served_models.h"
#include "core/base/sha256.h"
#include "core/genotype/stream_digest.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMidStream = 300'000;  // bytes

class ClientTest : public ServedModelsTest {
 protected:
  std::unique_ptr<Client> Connect(const std::string& server) {
    ClientOptions options;
    options.server = server;
    options.first_backoff = absl::Milliseconds(10);
    return *Client::Connect(options);
  }

  static v1::StreamCohortRequest Request(int64_t samples) {
    v1::StreamCohortRequest request;
    request.set_model(kHaplotypes);
    request.set_seed(11);
    request.set_cohort_size(samples);
    return request;
  }

  // All genotype bytes of a stream, and the status that it ends with.
  static absl::Status ReadAll(CohortReader* stream, std::string* genotypes) {
    while (true) {
      const auto batch = stream->Next();
      if (!batch.ok()) return batch.status();
      if (*batch == nullptr) return absl::OkStatus();
      EXPECT_EQ((*batch)->labels.size(), (*batch)->genotypes.samples());
      const auto bytes = (*batch)->genotypes.bytes();
      genotypes->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
  }
};

TEST_F(ClientTest, StreamsACohort) {
  const auto client = Connect(address());
  const auto stream = client->StreamCohort(Request(3000));
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_EQ((*stream)->header().version(), "1");
  std::string genotypes;
  ASSERT_TRUE(ReadAll(stream->get(), &genotypes).ok());
  EXPECT_EQ(genotypes.size(), 3000u * 2 * 50);
  EXPECT_EQ((*stream)->footer().sample_count(), 3000);
  // At the end it stays at the end.
  EXPECT_EQ(*(*stream)->Next(), nullptr);
  StreamDigest digest(0, 100);
  digest.Update({reinterpret_cast<const uint8_t*>(genotypes.data()), genotypes.size()});
  const Sha256Digest sha256 = digest.Finish();
  EXPECT_EQ((*stream)->footer().sha256(), std::string(sha256.begin(), sha256.end()));
}

TEST_F(ClientTest, DrawsASeedWhereNoneIsGiven) {
  const auto client = Connect(address());
  v1::StreamCohortRequest request = Request(10);
  request.clear_seed();
  const auto one = client->StreamCohort(request);
  const auto two = client->StreamCohort(request);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE((*one)->header().seed(), (*two)->header().seed());
}

TEST_F(ClientTest, ResumesWithTheSameBytes) {
  std::string whole;
  ASSERT_TRUE(ReadAll((*Connect(address())->StreamCohort(Request(40'000))).get(), &whole).ok());
  Proxy proxy(server().port());
  proxy.CutAfter(kMidStream, 5);
  const auto stream = Connect(proxy.address())->StreamCohort(Request(40'000));
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::string resumed;
  const absl::Status status = ReadAll(stream->get(), &resumed);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(proxy.cuts(), 5);
  EXPECT_EQ(Sha256Hex(resumed), Sha256Hex(whole));
  EXPECT_EQ((*stream)->footer().sample_count(), 40'000);
}

TEST_F(ClientTest, AnotherReaderGoesOnWhereOneStood) {
  std::string whole;
  const auto undisturbed = Connect(address())->StreamCohort(Request(5000));
  ASSERT_TRUE(ReadAll(undisturbed->get(), &whole).ok());
  StreamOptions options;
  {
    const auto stream = Connect(address())->StreamCohort(Request(5000));
    ASSERT_TRUE(stream.ok()) << stream.status();
    while ((*stream)->blocks().size() < 2) ASSERT_TRUE((*stream)->Next().ok());
    options.from =
        CohortProgress{(*stream)->header(), 2048, {(*stream)->blocks().begin(), (*stream)->blocks().begin() + 2}};
  }
  const auto rest = Connect(address())->StreamCohort(Request(5000), options);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_EQ((*rest)->received(), 2048);
  std::string genotypes;
  ASSERT_TRUE(ReadAll(rest->get(), &genotypes).ok());
  EXPECT_EQ(Sha256Hex(genotypes), Sha256Hex(whole.substr(size_t{2048} * 100)));
  EXPECT_EQ((*rest)->footer().sha256(), (*undisturbed)->footer().sha256());
  // A seed that is another one is another stream.
  v1::StreamCohortRequest other = Request(5000);
  other.set_seed(12);
  EXPECT_EQ(Connect(address())->StreamCohort(other, options).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ClientTest, AReplicaTakesOverFromOneThatIsLost) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  const auto client = Connect(proxy.address() + "," + address());
  const auto stream = client->StreamCohort(Request(40'000));
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::thread fault([&] {
    proxy.AwaitStall();
    proxy.SetServer(1);  // where nobody listens
    proxy.CutNow();
  });
  std::string genotypes;
  const absl::Status status = ReadAll(stream->get(), &genotypes);
  fault.join();
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ((*stream)->received(), 40'000);
  EXPECT_EQ(client->GetModel(kHaplotypes, "")->version(), "1");
  EXPECT_EQ(client->ReloadConfig().status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ClientTest, ReplicasMustHaveTheSameArtifact) {
  const auto client = Connect(address() + ",127.0.0.1:1");
  auto model = client->GetModel(kHaplotypes, "");
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ(client->CheckReplicas(*model), absl::OkStatus());
  model->set_artifact_digest(std::string(64, '0'));
  const absl::Status status = client->CheckReplicas(*model);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr(address()));
}

TEST_F(ClientTest, TellsWhereAStreamEndedForGood) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  const auto stream = Connect(proxy.address())->StreamCohort(Request(40'000));
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::thread fault([&] {
    proxy.AwaitStall();
    StopServer();
    proxy.CutNow();
  });
  std::string genotypes;
  const absl::Status status = ReadAll(stream->get(), &genotypes);
  fault.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr(absl::StrCat("ended after ", genotypes.size() / 100, " of 40000 samples")));
  EXPECT_EQ((*stream)->Next().status(), status);
}

TEST_F(ClientTest, CancelEndsABlockedStream) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  const auto client = Connect(proxy.address());
  const auto stream = client->StreamCohort(Request(40'000));
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::thread canceller([&] {
    proxy.AwaitStall();
    client->Cancel();
  });
  std::string genotypes;
  EXPECT_EQ(ReadAll(stream->get(), &genotypes).code(), absl::StatusCode::kCancelled);
  canceller.join();
  EXPECT_EQ(client->ListModels().status().code(), absl::StatusCode::kCancelled);
}

TEST_F(ClientTest, CancelOfOneStreamLeavesTheOthers) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  const auto client = Connect(proxy.address());
  const auto other = Connect(address());
  const auto stalled = client->StreamCohort(Request(40'000));
  ASSERT_TRUE(stalled.ok()) << stalled.status();
  std::thread canceller([&] {
    proxy.AwaitStall();
    (*stalled)->Cancel();
  });
  std::string genotypes;
  const absl::Status status = ReadAll(stalled->get(), &genotypes);
  canceller.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(std::string(status.message()), HasSubstr("of 40000 samples"));
  EXPECT_EQ((*stalled)->Next().status(), status);
  const auto one = other->StreamCohort(Request(10));
  const auto two = other->StreamCohort(Request(10));
  ASSERT_TRUE(one.ok() && two.ok());
  (*one)->Cancel();
  EXPECT_EQ((*one)->Next().status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(ReadAll(two->get(), &genotypes).ok());
}

TEST_F(ClientTest, AStreamHasItsOwnDeadline) {
  Proxy proxy(server().port());
  proxy.StallAfter(kMidStream);
  StreamOptions options;
  options.timeout = absl::Seconds(2);
  const auto stream = Connect(proxy.address())->StreamCohort(Request(40'000), options);
  ASSERT_TRUE(stream.ok()) << stream.status();
  std::string genotypes;
  EXPECT_EQ(ReadAll(stream->get(), &genotypes).code(), absl::StatusCode::kDeadlineExceeded);
}

TEST_F(ClientTest, AStreamThatIsDroppedMakesRoomForAnother) {
  v1::ServerConfig config;
  config.set_max_streams(1);
  StartServer(config);
  const auto client = Connect(address());
  {
    const auto stream = client->StreamCohort(Request(100'000'000));
    ASSERT_TRUE(stream.ok()) << stream.status();
    EXPECT_TRUE((*stream)->Next().ok());
  }
  std::string genotypes;
  const auto stream = client->StreamCohort(Request(10));
  ASSERT_TRUE(stream.ok()) << stream.status();
  EXPECT_TRUE(ReadAll(stream->get(), &genotypes).ok());
}

TEST_F(ClientTest, AReaderThatPausesForLongGetsTheRest) {
  v1::ServerConfig config;
  config.set_stall_timeout_seconds(0.5);
  StartServer(config);
  const auto stream = Connect(address())->StreamCohort(Request(400'000));
  ASSERT_TRUE(stream.ok()) << stream.status();
  const auto first = (*stream)->Next();
  ASSERT_TRUE(first.ok()) << first.status();
  while (server().streams() > 0) std::this_thread::yield();  // the server gave it up
  std::string rest;
  ASSERT_EQ(ReadAll(stream->get(), &rest), absl::OkStatus());
  EXPECT_EQ((*stream)->received(), 400'000);
}

TEST_F(ClientTest, TellsWhatTheServerSays) {
  const auto client = Connect(address());
  v1::StreamCohortRequest request = Request(10);
  request.set_model("nobody");
  EXPECT_EQ(client->StreamCohort(request).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(client->StreamCohort(Request(0)).status().code(), absl::StatusCode::kInvalidArgument);
  request = Request(10);
  request.set_encoding(v1::GENOTYPE_ENCODING_INT8);
  EXPECT_THAT(std::string(client->StreamCohort(request).status().message()), HasSubstr("packed"));
  request = Request(10);
  request.set_artifact_digest(std::string(64, '0'));
  EXPECT_FALSE(client->StreamCohort(request).ok());
}

TEST_F(ClientTest, ListsModelsAndTheirVariants) {
  const auto client = Connect(address());
  EXPECT_EQ(client->ListModels()->models_size(), 2);
  const auto model = client->GetModel(kHaplotypes, "");
  ASSERT_TRUE(model.ok()) << model.status();
  v1::ListVariantsRequest request;
  request.set_model(kHaplotypes);
  const auto variants = client->ListVariants(request);
  ASSERT_TRUE(variants.ok()) << variants.status();
  EXPECT_EQ(variants->Digest(), model->manifest().variant_digest());
}

}  // namespace
}  // namespace genoserve

// A real server and a real client on loopback, for the tests of this room.
#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/cohort.grpc.pb.h"
#include "server/config.h"
#include "server/server.h"
#include "tests/support/artifacts.h"

namespace genoserve {

/// All that a stream sent.
struct ReceivedCohort {
  v1::CohortHeader header;
  std::vector<v1::GenotypeBatch> batches;
  v1::CohortFooter footer;

  /// The genotypes of all batches.
  std::string bytes() const;
  /// The label indices of all batches.
  std::vector<uint32_t> labels() const;
  /// The values of one phenotype of all batches.
  std::vector<double> phenotype(int index) const;
};

/// Makes a store folder, starts servers on it, and calls them.
class ServerTest : public testing::Test {
 protected:
  ServerTest();
  ~ServerTest() override;

  /// The defaults with free ports, no drain delay, and fast looks at the store.
  v1::ServerConfig TestConfig() const;
  /// Starts a server, waits until it is ready, and connects. The server before it is stopped.
  void Start(const v1::ServerConfig& config, const Server::Options& options = {});
  /// Starts with TestConfig.
  void Start() { Start(TestConfig()); }
  void Stop();

  /// A new channel to the server, with a connection of its own.
  std::shared_ptr<grpc::Channel> Connect(
      const std::shared_ptr<grpc::ChannelCredentials>& credentials = grpc::InsecureChannelCredentials()) const;
  /// Waits until a version is the default one.
  void AwaitDefault(const std::string& model, int64_t version) const;
  /// Waits until no stream runs and no job is alive.
  void AwaitNoStreams() const;
  /// The same, and until no request has left anything: no job, batch, stream, handle or byte of a buffer.
  void AwaitNothingLives() const;

  /// A stream that has sent its header and first batch, which stand in `response`.
  struct Open {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::StreamCohortResponse>> reader;
    v1::StreamCohortResponse response;
  };
  static std::unique_ptr<Open> OpenStream(v1::CohortService::Stub& stub, const v1::StreamCohortRequest& request);

  /// Reads a whole stream; checks order, checksums, footer and digest.
  absl::StatusOr<ReceivedCohort> Fetch(const v1::StreamCohortRequest& request) const;
  /// The status that a request ends with, with its details.
  grpc::Status StatusOf(const v1::StreamCohortRequest& request) const;

  /// Calls a method, "/package.Service/Method", with these bytes as its message. `reply` has those of the answer.
  grpc::Status CallRaw(const std::string& method, const std::string& message, std::string* reply) const;

  /// Writes a file into the test's folder and returns its path.
  std::string Write(const std::string& name, const std::string& text) const;

  const std::string folder_;
  std::string store_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<v1::CohortService::Stub> stub_;
};

/// A request for `size` samples with seed 7.
v1::StreamCohortRequest CohortRequest(const std::string& model, int64_t size);

}  // namespace genoserve

// The stream of a cohort over gRPC.
#pragma once

#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/lib/backoff.h"
#include "client/lib/call_set.h"
#include "client/lib/client_state.h"
#include "client/lib/cohort_reader.h"
#include "client/lib/stream_checker.h"
#include "genoserve/v1/cohort.grpc.pb.h"

namespace genoserve {

/// See CohortReader.
class GrpcCohortReader final : public CohortReader {
 public:
  /// The request must have a seed.
  GrpcCohortReader(std::shared_ptr<ClientState> client, v1::StreamCohortRequest request, StreamOptions options);
  ~GrpcCohortReader() override;
  GrpcCohortReader(const GrpcCohortReader&) = delete;
  GrpcCohortReader& operator=(const GrpcCohortReader&) = delete;

  /// Begins the first call and reads its header; call once, first. Where all samples were received before there is no
  /// call. INVALID_ARGUMENT where the request asks for an encoding that is not packed or holds unequal numbers of
  /// values per sample, or the progress to go on from is of no such stream; else as the server answers.
  absl::Status Open();

  const v1::CohortHeader& header() const override { return checker_.header(); }
  absl::StatusOr<const CohortBatch*> Next() override;
  void Cancel() override { calls_.Cancel(); }
  int64_t received() const override { return checker_.received(); }
  const std::vector<Sha256Digest>& blocks() const override { return checker_.blocks(); }
  v1::CohortFooter footer() const override;

 private:
  // Begins a call for the samples that are still due and reads its header.
  absl::Status Begin();
  // One message of the call in flight; after the last one there is no call.
  absl::StatusOr<const CohortBatch*> Read();
  // Ends the call in flight with what the server says of it.
  absl::Status End();
  // Waits before another attempt after `status`, or ends the stream with an error.
  absl::Status Recover(const absl::Status& status);

  const std::shared_ptr<ClientState> client_;
  CallSet calls_;  // the call in flight
  const v1::StreamCohortRequest request_;
  const StreamOptions options_;
  const absl::Time deadline_;
  size_t replica_;  // that is called next
  StreamChecker checker_;
  Backoff backoff_;
  const Replica* called_ = nullptr;  // of the call in flight
  std::unique_ptr<grpc::ClientContext> context_;
  std::unique_ptr<grpc::ClientReader<v1::StreamCohortResponse>> reader_;
  v1::StreamCohortResponse message_;
  bool unread_ = false;  // of the message only the header has been looked at
  CohortBatch batch_;
  absl::Status error_;  // what the stream ended with
};

}  // namespace genoserve

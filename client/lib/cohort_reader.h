// A cohort as it arrives: batch by batch, checked, over as many calls as it takes.
#pragma once

#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/lib/backoff.h"
#include "client/lib/client_state.h"
#include "client/lib/stream_checker.h"
#include "core/genotype/genotype_matrix.h"
#include "genoserve/v1/cohort.grpc.pb.h"

namespace genoserve {

/// Some samples of a cohort, in order.
struct CohortBatch {
  int64_t first_sample = 0;                     ///< index in the cohort
  GenotypeMatrix genotypes;                     ///< rows of the samples, packed as the header tells
  std::vector<uint32_t> labels;                 ///< one a sample, indices into header().labels(); empty = no labels
  std::vector<std::vector<double>> phenotypes;  ///< [position in header().phenotypes()][sample]
};

/// Where and from where a stream is read.
struct StreamOptions {
  /// How far another reader of the same request came, in another process maybe: this one goes on there, with artifact
  /// and engine of that stream. Nothing received yet just pins these.
  std::optional<CohortProgress> from;
  /// Which of the client's servers is called first, modulo their number; the next ones follow where it fails.
  size_t replica = 0;
};

/// Gives the batches of a cohort one by one. One message is held at a time beside what HTTP/2 flow control lets in, so
/// that a slow reader slows the server instead of filling memory. A call that breaks off is resumed at the next sample
/// with artifact, engine and seed pinned, so that the samples are those that an unbroken call would have sent.
/// Not thread-safe; to end a blocked Next from another thread use Client::Cancel.
class CohortReader {
 public:
  /// Use Client::StreamCohort. The request must have a seed.
  CohortReader(std::shared_ptr<ClientState> client, v1::StreamCohortRequest request, StreamOptions options);
  /// Cancels the call where the end was not reached.
  ~CohortReader();
  CohortReader(const CohortReader&) = delete;
  CohortReader& operator=(const CohortReader&) = delete;

  /// Begins the first call and reads its header; call once, first. Where all samples were received before there is no
  /// call. INVALID_ARGUMENT where the request asks for an encoding that is not packed or holds unequal numbers of
  /// values per sample, or the progress to go on from is of no such stream; else as the server answers.
  absl::Status Open();

  /// Of the whole stream, however many calls it takes.
  const v1::CohortHeader& header() const { return checker_.header(); }

  /// The next batch, good until the next call, or null at the end, when count and digest have been found right.
  /// "... ended after N of M samples": UNAVAILABLE where retries are used up, DEADLINE_EXCEEDED, FAILED_PRECONDITION
  /// where no server has the artifact or engine that the stream began with, DATA_LOSS where a message does not fit,
  /// CANCELLED after Client::Cancel. An error is final.
  absl::StatusOr<const CohortBatch*> Next();

  /// Samples received so far, before it went on included.
  int64_t received() const { return checker_.received(); }
  /// The digests of all blocks of the stream digest that were received whole.
  const std::vector<Sha256Digest>& blocks() const { return checker_.blocks(); }
  /// Count and digest of all samples, over all calls. Only after Next gave null.
  v1::CohortFooter footer() const;

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

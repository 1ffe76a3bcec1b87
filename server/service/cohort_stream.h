// One StreamCohort call.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/genotype/stream_digest.h"
#include "genoserve/v1/cohort.pb.h"
#include "server/service/request_scope.h"
#include "server/service/resolve_request.h"

namespace genoserve {

/// Writes batches, the first one with the header and the last one with the footer, one write at a time. Whoever has the
/// turn, which is never more than one thread, pops the next batch and writes it, or ends the stream; with nothing to do
/// it puts the turn down, and the scheduler's signal or the client's cancellation picks it up again. Hence no lock is
/// held across calls of gRPC, and there is exactly one Finish. An error that ends a stream that was admitted comes with
/// a resume token, unless its client takes nothing more.
class CohortStream final : public grpc::ServerWriteReactor<v1::StreamCohortResponse>,
                           public std::enable_shared_from_this<CohortStream> {
 public:
  using Reactor = grpc::ServerWriteReactor<v1::StreamCohortResponse>;

  /// Begins a call; the reactor deletes itself when it is done.
  static Reactor* Start(const ServiceParts& parts, grpc::CallbackServerContext& context,
                        const v1::StreamCohortRequest& request);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  CohortStream(const ServiceParts& parts, RequestScope scope, StreamGate::Ticket ticket,
               grpc::CallbackServerContext& context, const ResolvedCohort& cohort);

  // The job has something new.
  void OnReady();
  // Does what is next. The caller has the turn; `this` may be gone afterwards.
  void Advance();
  void WriteBatch(v1::GenotypeBatch batch);
  void End(const absl::Status& status);

  // Says in the trailers how to ask for the samples that were not sent.
  void AddResumeToken();

  const ServiceParts& parts_;
  grpc::CallbackServerContext& context_;
  Metrics::VersionSeries series_;
  const std::string resume_;  // the resume token without the next sample
  const int64_t first_sample_;
  // Of the one who has the turn.
  LiveStream live_;
  RequestScope scope_;
  StreamGate::Ticket ticket_;
  std::shared_ptr<GenerationJob> job_;
  std::shared_ptr<CohortStream> self_;  // until OnDone
  StreamDigest digest_;
  const int64_t sample_count_;
  int64_t sent_ = 0;  // samples
  v1::StreamCohortResponse response_;
  absl::Status status_;

  absl::Mutex mutex_;
  bool idle_ ABSL_GUARDED_BY(mutex_) = false;  // nobody has the turn
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace genoserve

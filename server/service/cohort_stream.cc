#include "server/service/cohort_stream.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "core/base/clock.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr size_t kMostRequestId = 128;  // bytes
constexpr char kResumeTrailer[] = "genoserve-resume";
constexpr int64_t kSmallSamples = 256;

// Samples of the cohort as the request tells them, which nobody has checked yet; at most the largest integer.
int64_t ToldSize(const v1::StreamCohortRequest& request) {
  if (request.cohort_size() != 0) return request.cohort_size();
  int64_t size = 0;
  for (const v1::LabelCount& term : request.condition().label_counts().counts()) {
    const int64_t count = std::max<int64_t>(0, term.count());
    size += std::min(count, std::numeric_limits<int64_t>::max() - size);
  }
  return size;
}

// Whether it is over soon. Said before the request is looked into, so that one that finds no place costs nothing.
bool IsSmall(const v1::StreamCohortRequest& request) {
  if (request.has_sample_count()) return request.sample_count() <= kSmallSamples;
  const int64_t size = ToldSize(request);
  const int64_t first = request.first_sample();
  // A range that is not in the cohort is refused later on, and its length may be no integer.
  return first >= 0 && first < size && size - first <= kSmallSamples;
}

std::string ResumePrefix(const v1::CohortHeader& header) {
  const v1::Engine& engine = header.engine();
  return absl::StrCat("digest=", header.artifact_digest(), ";engine=", engine.device(), "/", engine.instruction_set(),
                      "/", engine.precision(), "/", engine.kernel_revision(), ";seed=", header.seed(), ";next=");
}

// Counts a request that the scheduler did not take. One that it can never take is a wrong one like others.
void CountRefusal(const absl::Status& status, Metrics& metrics) {
  if (absl::IsResourceExhausted(status)) metrics.CountRefusal("queue");
  if (absl::IsDeadlineExceeded(status)) metrics.CountRefusal("deadline");
  if (absl::IsUnavailable(status)) metrics.CountRefusal("draining");
}

}  // namespace

CohortStream::Reactor* CohortStream::Start(const ServiceParts& parts, grpc::CallbackServerContext& context,
                                           const v1::StreamCohortRequest& request) {
  RequestScope scope(parts, "StreamCohort", context);
  std::shared_ptr<CohortStream> stream;
  const auto begin = [&]() -> absl::Status {
    GENOSERVE_RETURN_IF_ERROR(scope.Authenticate(context));
    GENOSERVE_ASSIGN_OR_RETURN(StreamGate::Ticket ticket, parts.gate.Enter(IsSmall(request)));
    if (request.request_id().size() > kMostRequestId) {
      return FieldError("request_id",
                        absl::StrCat(request.request_id().size(), " bytes; at most ", kMostRequestId, " are allowed"));
    }
    absl::BitGen random;
    const uint64_t seed = request.has_seed() ? request.seed() : absl::Uniform<uint64_t>(random);
    const std::string sticky = request.request_id().empty() ? absl::StrCat(seed) : request.request_id();
    GENOSERVE_ASSIGN_OR_RETURN(ModelManager::Choice choice, parts.manager.Find(request.model(), request.version(),
                                                                               request.artifact_digest(), sticky));
    scope.SetVersion(choice.handle);
    GENOSERVE_ASSIGN_OR_RETURN(ResolvedCohort cohort,
                               ResolveCohort(request, std::move(choice.handle), parts.config.max_cohort_size(), seed));
    cohort.header.set_canary(choice.canary);
    // The scheduler's clock does not jump when the machine's is set.
    cohort.job.deadline = Clock::Steady().Now() + (absl::FromChrono(context.deadline()) - absl::Now());
    cohort.job.principal = scope.record().principal;
    scope.record().seed = cohort.header.seed();
    stream.reset(new CohortStream(parts, scope, std::move(ticket), context, cohort));
    cohort.job.on_ready = [weak = std::weak_ptr<CohortStream>(stream)] {
      if (const auto alive = weak.lock()) alive->OnReady();
    };
    auto job = parts.scheduler.Submit(std::move(cohort.job));
    if (!job.ok()) {
      CountRefusal(job.status(), parts.metrics);
      return std::move(job).status();
    }
    stream->job_ = *std::move(job);
    *stream->response_.mutable_header() = std::move(cohort.header);
    return absl::OkStatus();
  };
  if (const absl::Status status = begin(); !status.ok()) {
    return RefusedStream<v1::StreamCohortResponse>::Start(parts, scope, status);
  }
  stream->self_ = stream;
  stream->Advance();
  return stream.get();
}

CohortStream::CohortStream(const ServiceParts& parts, RequestScope scope, StreamGate::Ticket ticket,
                           grpc::CallbackServerContext& context, const ResolvedCohort& cohort)
    : parts_(parts),
      context_(context),
      series_(parts.metrics.OfVersion(cohort.header.model(), cohort.header.version())),
      resume_(ResumePrefix(cohort.header)),
      first_sample_(cohort.header.first_sample()),
      live_(parts.live, [&context] { context.TryCancel(); }),
      scope_(std::move(scope)),
      ticket_(std::move(ticket)),
      digest_(cohort.header.first_sample(), static_cast<int64_t>(cohort.job.encoder.sample_bytes())),
      sample_count_(cohort.header.sample_count()) {}

void CohortStream::OnReady() {
  {
    absl::MutexLock lock(&mutex_);
    if (!idle_) {
      ready_ = true;
      return;
    }
    idle_ = false;
  }
  Advance();
}

void CohortStream::OnWriteDone(bool ok) {
  live_.EndWrite();
  response_.clear_header();
  if (!ok) return End(absl::CancelledError("the client has gone"));
  Advance();
}

void CohortStream::OnCancel() {
  // The work ends at once, whoever has the turn; the stream ends when the turn comes round.
  parts_.scheduler.Cancel(*job_);
  {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
    if (!idle_) return;
    idle_ = false;
  }
  Advance();
}

void CohortStream::Advance() {
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      ready_ = false;
      if (cancelled_) break;
    }
    absl::StatusOr<std::optional<v1::GenotypeBatch>> next = parts_.scheduler.Pop(job_);
    if (!next.ok()) return End(next.status());
    if (next->has_value()) return WriteBatch(**std::move(next));
    absl::MutexLock lock(&mutex_);
    if (!ready_ && !cancelled_) {
      idle_ = true;
      return;
    }
  }
  End(absl::CancelledError("the client has gone"));
}

void CohortStream::WriteBatch(v1::GenotypeBatch batch) {
  RequestRecord& record = scope_.record();
  if (sent_ == 0) {
    record.first_batch = scope_.elapsed();
    record.queue = job_->queued();
    series_.first_batch->Observe(absl::ToDoubleSeconds(record.first_batch));
    series_.queue->Observe(absl::ToDoubleSeconds(record.queue));
    const ServingVersion& version = *job_->spec().version;
    if (!version.answered.exchange(true) && version.published != absl::InfinitePast()) {
      parts_.metrics.ObservePublishToFirstBatch(version.model, absl::Now() - version.published);
    }
  }
  const std::string& bytes = batch.genotypes();
  digest_.Update({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
  sent_ += batch.sample_count();
  series_.samples->Increment(batch.sample_count());
  record.bytes += static_cast<int64_t>(bytes.size());
  series_.bytes->Increment(static_cast<double>(bytes.size()));
  live_.BeginWrite(static_cast<int64_t>(bytes.size()));
  *response_.mutable_batch() = std::move(batch);
  if (sent_ < sample_count_) return StartWrite(&response_);
  const Sha256Digest digest = digest_.Finish();
  response_.mutable_footer()->set_sample_count(sent_);
  response_.mutable_footer()->set_sha256(digest.data(), digest.size());
  StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
}

void CohortStream::End(const absl::Status& status) {
  parts_.scheduler.Cancel(*job_);
  AddResumeToken();
  status_ = status;
  Finish(ToGrpcStatus(status_));
}

void CohortStream::AddResumeToken() {
  if (sent_ < sample_count_) context_.AddTrailingMetadata(kResumeTrailer, absl::StrCat(resume_, first_sample_ + sent_));
}

void CohortStream::OnDone() {
  live_.EndCall();
  scope_.record().samples = sent_;
  if (status_.ok() && context_.IsCancelled()) status_ = absl::CancelledError("the client went before the footer");
  // gRPC tells a passed deadline as a cancellation.
  if (absl::IsCancelled(status_) && absl::FromChrono(context_.deadline()) <= absl::Now()) {
    status_ = absl::DeadlineExceededError("the deadline passed before the last sample");
  }
  if (const absl::Status stalled = live_.stalled(); !stalled.ok() && !status_.ok()) status_ = stalled;
  scope_.End(status_);
  // Workers may hold the stream for a moment longer; the version and the place are given back now.
  parts_.scheduler.Cancel(*job_);
  const std::shared_ptr<CohortStream> self = std::move(self_);
  job_.reset();
  ticket_.reset();
}

}  // namespace genoserve

#include "client/lib/grpc_cohort_reader.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/lib/rpc_call.h"
#include "client/lib/sample_conditions.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// Bytes of a request that carries values for single samples; the server takes requests of at most 1 MiB.
constexpr size_t kLargestRequest = 512 << 10;

int64_t PlannedSamples(const v1::StreamCohortRequest& request) {
  return request.condition().has_per_sample() ? SampleCountOf(request.condition().per_sample()) : 0;
}

}  // namespace

GrpcCohortReader::GrpcCohortReader(std::shared_ptr<ClientState> client, v1::StreamCohortRequest request,
                                   StreamOptions options)
    : client_(std::move(client)),
      calls_(&client_->calls),
      request_(std::move(request)),
      options_(std::move(options)),
      deadline_(absl::Now() + std::min(options_.timeout, client_->options.timeout)),
      replica_(options_.replica),
      checker_(std::max<int64_t>(0, PlannedSamples(request_))),
      backoff_(client_->options.retries, client_->options.first_backoff) {}

GrpcCohortReader::~GrpcCohortReader() {
  if (reader_ == nullptr) return;
  context_->TryCancel();
  End().IgnoreError();
}

absl::Status GrpcCohortReader::Open() {
  if (request_.encoding() == v1::GENOTYPE_ENCODING_INT8) {
    return absl::InvalidArgumentError("encoding: a stream takes the packed forms only");
  }
  if (request_.condition().has_per_sample()) {
    const int64_t samples = PlannedSamples(request_);
    if (samples < 1 || (request_.has_sample_count() && request_.sample_count() != samples)) {
      return absl::InvalidArgumentError("condition.per_sample: needs one value of each column for each sample");
    }
  }
  if (options_.from.has_value()) GENOSERVE_RETURN_IF_ERROR(checker_.GoOn(request_, *options_.from));
  while (!checker_.digest().has_value()) {
    absl::Status status = Begin();
    if (status.ok()) return status;
    GENOSERVE_RETURN_IF_ERROR(WaitForRetry(client_->options, &calls_, deadline_, status, &backoff_));
  }
  return absl::OkStatus();
}

absl::Status GrpcCohortReader::Begin() {
  v1::StreamCohortRequest request = request_;
  int64_t done = 0;
  if (checker_.begun()) {
    const v1::CohortHeader& header = checker_.header();
    done = checker_.received();
    request.set_version(header.version());
    request.set_artifact_digest(header.artifact_digest());
    *request.mutable_engine() = header.engine();
    request.set_cohort_size(header.cohort_size());
    request.set_first_sample(checker_.next_sample());
    request.set_sample_count(header.sample_count() - done);
  }
  if (request.condition().has_per_sample()) {
    v1::SampleConditions* conditions = request.mutable_condition()->mutable_per_sample();
    int64_t count = SampleCountOf(*conditions) - done;
    SliceSamples(done, count, conditions);
    while (count > 1 && request.ByteSizeLong() > kLargestRequest) {
      count /= 2;
      SliceSamples(0, count, conditions);
    }
    request.set_sample_count(count);
  }
  // Where this call fails, now or later, the next one goes to another server.
  called_ = &client_->replicas[replica_++ % client_->replicas.size()];
  context_ = std::make_unique<grpc::ClientContext>();
  PrepareCall(*called_, deadline_, context_.get());
  calls_.Add(context_.get());
  reader_ = called_->stub->StreamCohort(context_.get(), request);
  if (!reader_->Read(&message_)) {
    const absl::Status ended = End();
    return ended.ok() ? absl::UnavailableError("the stream ended before its header") : ended;
  }
  unread_ = true;
  absl::Status status = message_.has_header() ? checker_.Header(request, message_.header())
                                              : absl::DataLossError("the stream does not begin with its header");
  if (!status.ok()) {
    context_->TryCancel();
    End().IgnoreError();
  }
  return status;
}

absl::StatusOr<const CohortBatch*> GrpcCohortReader::Read() {
  if (!std::exchange(unread_, false) && !reader_->Read(&message_)) {
    const absl::Status ended = End();
    return ended.ok() ? absl::UnavailableError("the server sent no footer") : ended;
  }
  if (!message_.has_batch()) return absl::DataLossError("a message has no batch");
  v1::GenotypeBatch& batch = *message_.mutable_batch();
  GENOSERVE_RETURN_IF_ERROR(checker_.Batch(batch));
  batch_.first_sample = batch.first_sample();
  const auto samples = static_cast<size_t>(batch.sample_count());
  if (batch_.genotypes.samples() != samples) {
    batch_.genotypes = GenotypeMatrix(checker_.packing(), samples * RowsPerSample(checker_.packing()),
                                      static_cast<size_t>(header().variant_count()));
  }
  std::copy(batch.genotypes().begin(), batch.genotypes().end(), batch_.genotypes.mutable_bytes().begin());
  batch_.labels.assign(batch.label_indices().begin(), batch.label_indices().end());
  batch_.phenotypes.resize(static_cast<size_t>(batch.phenotypes_size()));
  for (size_t i = 0; i < batch_.phenotypes.size(); ++i) {
    const auto& values = batch.phenotypes(static_cast<int>(i)).values();
    batch_.phenotypes[i].assign(values.begin(), values.end());
  }
  if (message_.has_footer()) {
    GENOSERVE_RETURN_IF_ERROR(checker_.Footer(message_.footer()));
    // All that was asked for is here and right, so that what the call ends with no longer matters.
    if (reader_->Read(&message_)) return absl::DataLossError("a message came after the footer");
    End().IgnoreError();
  }
  return &batch_;
}

absl::Status GrpcCohortReader::End() {
  const grpc::Status status = reader_->Finish();
  calls_.Remove(context_.get());
  reader_.reset();
  context_.reset();
  return CallStatus(calls_, *called_, status);
}

absl::Status GrpcCohortReader::Recover(const absl::Status& status) {
  absl::Status waited = WaitForRetry(client_->options, &calls_, deadline_, status, &backoff_);
  if (waited.ok()) return waited;
  if (reader_ != nullptr) {
    context_->TryCancel();
    End().IgnoreError();
  }
  error_ = Annotate(waited, absl::StrFormat("stream of %s ended after %d of %d samples", header().model(), received(),
                                            header().sample_count()));
  return error_;
}

absl::StatusOr<const CohortBatch*> GrpcCohortReader::Next() {
  GENOSERVE_RETURN_IF_ERROR(error_);
  while (!checker_.digest().has_value()) {
    absl::Status status;
    if (calls_.cancelled()) {
      status = absl::CancelledError("it was stopped");  // what has come already is not given either
    } else if (reader_ == nullptr) {
      status = Begin();  // a call may be for a part only
    }
    if (status.ok()) {
      absl::StatusOr<const CohortBatch*> batch = Read();
      if (batch.ok()) {
        backoff_.Reset();
        return batch;
      }
      status = batch.status();
    }
    GENOSERVE_RETURN_IF_ERROR(Recover(status));
  }
  return nullptr;
}

v1::CohortFooter GrpcCohortReader::footer() const {
  v1::CohortFooter footer;
  footer.set_sample_count(received());
  if (checker_.digest().has_value()) footer.set_sha256(checker_.digest()->data(), checker_.digest()->size());
  return footer;
}

}  // namespace genoserve

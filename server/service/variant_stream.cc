#include "server/service/variant_stream.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "server/service/resolve_request.h"

namespace genoserve {
namespace {

constexpr size_t kMostVariants = 4096;  // in one message

}  // namespace

VariantStream::Reactor* VariantStream::Start(const ServiceParts& parts, grpc::CallbackServerContext& context,
                                             const v1::ListVariantsRequest& request) {
  RequestScope scope(parts, "ListVariants", context);
  VariantStream* stream = nullptr;
  const auto begin = [&]() -> absl::Status {
    GENOSERVE_RETURN_IF_ERROR(scope.Authenticate(context));
    // It takes no worker's time, and clients ask for it before a cohort, however small that is.
    GENOSERVE_ASSIGN_OR_RETURN(StreamGate::Ticket ticket, parts.gate.Enter(/*small=*/true));
    GENOSERVE_ASSIGN_OR_RETURN(ModelManager::Choice choice,
                               parts.manager.Find(request.model(), request.version(), request.artifact_digest(), ""));
    ModelHandle version = std::move(choice.handle);
    scope.SetVersion(version);
    GENOSERVE_RETURN_IF_ERROR(CheckPinnedDigest(request.artifact_digest(), *version));
    GENOSERVE_ASSIGN_OR_RETURN(std::vector<size_t> selection, ResolveRegions(request.regions(), *version));
    stream = new VariantStream(parts, scope, std::move(ticket), context, std::move(version), std::move(selection));
    return absl::OkStatus();
  };
  if (const absl::Status status = begin(); !status.ok()) {
    return RefusedStream<v1::ListVariantsResponse>::Start(parts, scope, status);
  }
  for (const ContigRecord& contig : stream->version_->variants.contigs()) {
    auto* added = stream->response_.add_contigs();
    added->set_name(contig.name);
    added->set_length(contig.length);
  }
  stream->WriteNext();
  return stream;
}

VariantStream::VariantStream(const ServiceParts& parts, RequestScope scope, StreamGate::Ticket ticket,
                             grpc::CallbackServerContext& context, ModelHandle version, std::vector<size_t> selection)
    : context_(context),
      live_(parts.live, [&context] { context.TryCancel(); }),
      scope_(std::move(scope)),
      ticket_(std::move(ticket)),
      version_(std::move(version)),
      selection_(std::move(selection)) {}

void VariantStream::WriteNext() {
  const size_t end = std::min(next_ + kMostVariants, selection_.size());
  for (; next_ < end; ++next_) {
    const VariantRecord& record = version_->variants[selection_[next_]];
    v1::Variant* variant = response_.add_variants();
    variant->set_contig(record.contig);
    variant->set_position(record.position);
    variant->set_id(record.id);
    variant->set_ref(record.ref);
    variant->set_alt(record.alt);
  }
  live_.BeginWrite(0);
  if (next_ == selection_.size()) {
    StartWriteAndFinish(&response_, grpc::WriteOptions(), grpc::Status::OK);
  } else {
    StartWrite(&response_);
  }
}

void VariantStream::OnWriteDone(bool ok) {
  live_.EndWrite();
  if (!ok) {
    status_ = absl::CancelledError("the client has gone");
    Finish(ToGrpcStatus(status_));
    return;
  }
  response_.Clear();
  WriteNext();
}

void VariantStream::OnDone() {
  live_.EndCall();
  if (status_.ok() && context_.IsCancelled()) status_ = absl::CancelledError("the client went before the last variant");
  if (const absl::Status stalled = live_.stalled(); !stalled.ok() && !status_.ok()) status_ = stalled;
  scope_.End(status_);
  delete this;
}

}  // namespace genoserve

#include "client/lib/rpc_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace genoserve {
namespace {

constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";

// Adds what the message does not say yet: "; subject: description".
void AddTo(std::string* message, const std::string& subject, const std::string& description) {
  const bool has_subject = subject.empty() || absl::StrContains(*message, subject);
  const bool has_description = description.empty() || absl::StrContains(*message, description);
  if (has_subject && has_description) return;
  if (has_description) {
    absl::StrAppend(message, " (", subject, ")");
  } else {
    absl::StrAppend(message, "; ", subject, subject.empty() ? "" : ": ", description);
  }
}

void AddDetail(const google::protobuf::Any& detail, std::string* message) {
  google::rpc::BadRequest bad;
  google::rpc::PreconditionFailure precondition;
  google::rpc::QuotaFailure quota;
  google::rpc::ResourceInfo resource;
  if (detail.UnpackTo(&bad)) {
    for (const auto& violation : bad.field_violations()) AddTo(message, violation.field(), violation.description());
  } else if (detail.UnpackTo(&precondition)) {
    for (const auto& violation : precondition.violations()) {
      AddTo(message, violation.subject(), violation.description());
    }
  } else if (detail.UnpackTo(&quota)) {
    for (const auto& violation : quota.violations()) AddTo(message, violation.subject(), violation.description());
  } else if (detail.UnpackTo(&resource)) {
    AddTo(message, resource.resource_name(), resource.description());
  }
}

}  // namespace

absl::Status FromGrpcStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  std::string message = status.error_message();
  google::rpc::Status rich;
  // Details that cannot be read are dropped: code and message stand on their own.
  if (!rich.ParseFromString(status.error_details())) rich.Clear();
  for (const google::protobuf::Any& detail : rich.details()) AddDetail(detail, &message);
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), message);
  for (const google::protobuf::Any& detail : rich.details()) {
    result.SetPayload(detail.type_url(), absl::Cord(detail.value()));
  }
  return result;
}

std::optional<absl::Duration> RetryDelayOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryInfoUrl);
  if (!payload.has_value()) return std::nullopt;
  google::rpc::RetryInfo info;
  if (!info.ParseFromString(std::string(*payload))) return std::nullopt;
  return absl::Seconds(info.retry_delay().seconds()) + absl::Nanoseconds(info.retry_delay().nanos());
}

}  // namespace genoserve

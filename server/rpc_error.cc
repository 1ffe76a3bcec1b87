#include "server/rpc_error.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace genoserve {
namespace {

template <typename Detail>
std::string TypeUrl() {
  return absl::StrCat("type.googleapis.com/", Detail::descriptor()->full_name());
}

template <typename Detail>
absl::Status WithDetail(absl::Status status, const Detail& detail) {
  status.SetPayload(TypeUrl<Detail>(), absl::Cord(detail.SerializeAsString()));
  return status;
}

std::string Text(absl::string_view text) { return std::string(text); }

}  // namespace

absl::Status FieldError(absl::string_view field, absl::string_view description) {
  google::rpc::BadRequest detail;
  auto* violation = detail.add_field_violations();
  violation->set_field(Text(field));
  violation->set_description(Text(description));
  return WithDetail(absl::InvalidArgumentError(absl::StrCat(field, ": ", description)), detail);
}

absl::Status MissingResource(absl::string_view type, absl::string_view name, absl::string_view description) {
  google::rpc::ResourceInfo detail;
  detail.set_resource_type(Text(type));
  detail.set_resource_name(Text(name));
  detail.set_description(Text(description));
  return WithDetail(absl::NotFoundError(description), detail);
}

absl::Status UnmetPrecondition(absl::string_view subject, absl::string_view description) {
  google::rpc::PreconditionFailure detail;
  auto* violation = detail.add_violations();
  violation->set_type("REQUEST");
  violation->set_subject(Text(subject));
  violation->set_description(Text(description));
  return WithDetail(absl::FailedPreconditionError(absl::StrCat(subject, ": ", description)), detail);
}

absl::Status RetryLater(absl::StatusCode code, absl::string_view message, absl::Duration delay) {
  google::rpc::RetryInfo detail;
  const int64_t millis = absl::ToInt64Milliseconds(delay);
  detail.mutable_retry_delay()->set_seconds(millis / 1000);
  detail.mutable_retry_delay()->set_nanos(static_cast<int32_t>(millis % 1000 * 1'000'000));
  return WithDetail(absl::Status(code, message), detail);
}

bool IsRetryLater(const absl::Status& status) {
  return status.GetPayload(TypeUrl<google::rpc::RetryInfo>()).has_value();
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  google::rpc::Status rich;
  status.ForEachPayload([&rich](absl::string_view url, const absl::Cord& payload) {
    auto* detail = rich.add_details();
    detail->set_type_url(Text(url));
    detail->set_value(std::string(payload));
  });
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const std::string message = Text(status.message());
  if (rich.details().empty()) return {code, message};
  rich.set_code(static_cast<int32_t>(status.code()));
  rich.set_message(message);
  return {code, message, rich.SerializeAsString()};
}

std::string ListNames(const std::vector<std::string>& names) {
  constexpr size_t kTold = 20;
  if (names.size() <= kTold) return absl::StrJoin(names, ", ");
  return absl::StrCat(absl::StrJoin(names.begin(), names.begin() + kTold, ", "), " and ", names.size() - kTold,
                      " more");
}

}  // namespace genoserve

// Errors as RPCs carry them: an absl::Status with google.rpc details as payloads, turned into a grpc::Status once, at
// the edge.
#pragma once

#include <grpcpp/support/status.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace genoserve {

/// INVALID_ARGUMENT "field: description", with BadRequest. `field` is a path such as "condition.label_counts".
absl::Status FieldError(absl::string_view field, absl::string_view description);

/// NOT_FOUND with ResourceInfo. `type` is "model", "version" or "region"; the description says which ones there are.
absl::Status MissingResource(absl::string_view type, absl::string_view name, absl::string_view description);

/// FAILED_PRECONDITION with PreconditionFailure. `subject` is the field of the request that cannot be met.
absl::Status UnmetPrecondition(absl::string_view subject, absl::string_view description);

/// An error that waiting can cure, with RetryInfo.
absl::Status RetryLater(absl::StatusCode code, absl::string_view message, absl::Duration delay);
/// Whether a status is such an error.
bool IsRetryLater(const absl::Status& status);

/// The same code and message, with the payloads as a serialised google.rpc.Status in the error details.
grpc::Status ToGrpcStatus(const absl::Status& status);

/// "a, b, c", for messages that tell what is allowed; of a long list the first 20 and how many more there are.
std::string ListNames(const std::vector<std::string>& names);

}  // namespace genoserve

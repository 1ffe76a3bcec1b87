// From the arguments of fetch to the request.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/fetch.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// Sets what a preset stands for. INVALID_ARGUMENT where there is no such preset, or other arguments exclude it.
absl::Status ApplyPreset(FetchArguments* arguments);

/// What can be told from the arguments alone: the request without what the model's schema must tell. INVALID_ARGUMENT
/// where the arguments do not fit together; errors of files.
absl::StatusOr<v1::StreamCohortRequest> BuildRequest(const FetchArguments& arguments);

/// Pins the request to the version that the model resolved to, and adds what depends on its schema. FAILED_PRECONDITION
/// where the version does not serve; else as of the parsers.
absl::Status CompleteRequest(const FetchArguments& arguments, const v1::Model& model, v1::StreamCohortRequest* request);

/// Samples that a request with a cohort size is for.
int64_t SamplesOf(const v1::StreamCohortRequest& request);

}  // namespace genoserve

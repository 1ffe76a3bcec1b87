// From the message of a StreamCohort or ListVariants call to what it means on a version. Pure.
#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/cohort.pb.h"
#include "server/manager/serving_version.h"
#include "server/scheduler/generation_job.h"

namespace genoserve {

/// The ascending indices of the variants in the regions; all where there are none. Errors carry google.rpc details.
absl::StatusOr<std::vector<size_t>> ResolveRegions(const google::protobuf::RepeatedPtrField<v1::Region>& regions,
                                                   const ServingVersion& version);

/// FAILED_PRECONDITION where the request pins another artifact digest, which is empty where it pins none.
absl::Status CheckPinnedDigest(const std::string& digest, const ServingVersion& version);

/// A cohort request, ready for the scheduler, and the header of its stream.
struct ResolvedCohort {
  JobSpec job;  ///< without deadline and on_ready
  v1::CohortHeader header;
};

/// Resolves everything in the request but its model and version, which `version` is. `drawn_seed` is used where the
/// request has no seed.
absl::StatusOr<ResolvedCohort> ResolveCohort(const v1::StreamCohortRequest& request, ModelHandle version,
                                             int64_t max_cohort_size, uint64_t drawn_seed);

}  // namespace genoserve

// One line in the log for each finished request.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "server/telemetry/trace_context.h"

namespace genoserve {

/// What is told of a request. Never genotypes, tokens or conditions.
struct RequestRecord {
  std::string method;     // "StreamCohort"
  std::string model;      // empty where it was not found
  std::string version;    // resolved
  std::string digest;     // of the artifact
  std::string principal;  // who asked; empty = nobody in particular
  std::string peer;       // address
  uint64_t seed = 0;
  int64_t samples = 0;  // sent
  int64_t bytes = 0;    // of genotypes, sent
  absl::Status status;
  absl::Duration duration;
  absl::Duration queue = absl::InfiniteDuration();        // from admission to the first tile; infinite = none began
  absl::Duration first_batch = absl::InfiniteDuration();  // from the request on; infinite = none came
  std::optional<TraceContext> trace;                      // where the caller sent one
};

/// Writes the record as an event: info level for OK, for what clients do wrong and for what waiting cures (RetryInfo);
/// error for what is our fault, a broken device among it.
void LogRequest(const RequestRecord& record);

}  // namespace genoserve

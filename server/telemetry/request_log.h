// One line in the log for each finished request.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

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
  absl::Status status;
  absl::Duration duration;
};

/// Writes the record as an event: info level for OK and what clients do wrong, error for what is our fault.
void LogRequest(const RequestRecord& record);

}  // namespace genoserve

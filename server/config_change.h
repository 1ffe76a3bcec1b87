// What differs between two configurations, and whether a running server can take the new one.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "genoserve/v1/config.pb.h"

namespace genoserve {

/// One line for each setting that differs, principals and models first: "poll_seconds: 2 -> 1",
/// "models[example].policy: latest: 1 -> all: true", "principals[ci]: added (weight: 2)". Models and principals are
/// told apart by name. Empty where nothing differs.
std::vector<std::string> DescribeChanges(const v1::ServerConfig& before, const v1::ServerConfig& after);

/// FAILED_PRECONDITION, with the changes, where some of them need a new start. A running server takes models,
/// principals, gate, poll_seconds and the memory budgets; the files that token_hashes and gate name are read again.
absl::Status CheckReloadable(const v1::ServerConfig& before, const v1::ServerConfig& after);

}  // namespace genoserve

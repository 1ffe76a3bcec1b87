// Runs this program again as a child.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace genoserve {

/// Runs the program that this process runs with other arguments, standard output and error appended to a file, and
/// waits for its end. CatchInterrupts must have been called: when Interrupted() becomes true the child gets SIGTERM,
/// once, and is waited for all the same. It gets SIGTERM too where this process ends without it. Returns its exit code,
/// or 128 and the number of the signal that ended it. Call from the main thread, while there is no other.
absl::StatusOr<int> RunSelf(const std::vector<std::string>& arguments, const std::string& log);

}  // namespace genoserve

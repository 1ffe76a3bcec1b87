// genoserve verify: whether the files of a cohort are those that were written.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"

namespace genoserve {

/// The arguments of verify, as given.
struct VerifyArguments {
  std::string path;    ///< a file of a cohort, the prefix of its files, or its manifest
  bool quiet = false;  ///< only files that differ are told
};

/// Compares size and SHA-256 of every file with the manifest, and tells of each on standard output as sha256sum -c
/// does. DATA_LOSS where a file differs, is shorter, longer or missing, where the path is of a fetch that is not done,
/// or where the manifest is none; NOT_FOUND where there is no manifest. The status holds its exit code as ExitCodeOf
/// reads it.
absl::Status Verify(const VerifyArguments& arguments, const Interrupt& interrupt);

}  // namespace genoserve

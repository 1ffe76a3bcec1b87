// What the program's exit code tells.
#pragma once

#include "absl/status/status.h"

namespace genoserve {

/// Exit codes of genoserve; part of its interface.
enum ExitCode : int {
  kExitOk = 0,
  kExitInternal = 1,     ///< a fault of client or server
  kExitUsage = 2,        ///< an argument, a file or a request that cannot be used
  kExitNotFound = 3,     ///< no such model, version, label, phenotype or region
  kExitAuth = 4,         ///< not who, or not allowed
  kExitExhausted = 5,    ///< quota, overload or a full disk
  kExitIncomplete = 6,   ///< the server cannot be reached, or the transfer did not get to its end
  kExitMismatch = 7,     ///< what came is not what was sent, or breaks the gate
  kExitInterrupt = 130,  ///< SIGINT or SIGTERM
  kExitPipe = 141,       ///< the reader of standard output went away
};

/// The exit code of what a call, or a command, ended with.
ExitCode ExitCodeOf(const absl::Status& status);

/// Marks the status of something local, such as a file, whose codes mean other things than a server's: a full disk is
/// kExitExhausted, an I/O error kExitInternal, and all that the user can mend kExitUsage. OK stays OK.
absl::Status Local(absl::Status status);

/// The lines of a help text that explain the exit codes.
extern const char kExitCodeHelp[];

}  // namespace genoserve

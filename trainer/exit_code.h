// What the trainer's exit code tells.
#pragma once

#include "absl/status/status.h"

namespace genoserve {

/// Exit codes of genoserve-trainer; part of its interface.
enum ExitCode : int {
  kExitOk = 0,
  kExitInternal = 1,     ///< a fault of the program
  kExitUsage = 2,        ///< an argument or input that cannot be used
  kExitNotFound = 3,     ///< a file or store that is not there
  kExitExhausted = 5,    ///< disk or memory is full
  kExitLost = 6,         ///< another process of the training was lost, or never came
  kExitData = 7,         ///< a file that is truncated or damaged, or a generator that is not good enough to publish
  kExitInterrupt = 130,  ///< SIGINT or SIGTERM
};

/// The exit code of what a command ended with.
ExitCode ExitCodeOf(const absl::Status& status);

/// The lines of a help text that explain the exit codes.
extern const char kExitCodeHelp[];

}  // namespace genoserve

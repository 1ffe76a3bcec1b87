// The command line of genoserve.
#pragma once

#include "client/cli/interrupt.h"

namespace genoserve {

/// Reads the arguments, runs the command, tells errors on standard error, and returns the exit code.
int RunCli(int argc, const char* const* argv, Interrupt* interrupt);

}  // namespace genoserve

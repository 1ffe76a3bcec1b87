// Ctrl-C and SIGTERM: a request to stop at the next good moment.
#pragma once

namespace genoserve {

/// From now on the first SIGINT or SIGTERM sets the flag that Interrupted() tells, and the second ends the process at
/// once with exit code 130. Signals that came while they were blocked count.
void CatchInterrupts();

/// Whether the user, or the system, asked to stop.
bool Interrupted();

}  // namespace genoserve

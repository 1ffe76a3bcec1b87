// Ctrl-C and SIGTERM: a request to stop at the next good moment, which comes within seconds.
#pragma once

namespace genoserve {

/// Seconds from the first signal to the end of the process where no good moment comes before: less than the 10 s that
/// are promised.
inline constexpr unsigned kStopSeconds = 8;

/// From now on the first SIGINT or SIGTERM sets the flag that Interrupted() tells; the process then has `seconds` to
/// come to a good moment, write a checkpoint and end by itself, and is ended with exit code 130 otherwise, be it in the
/// middle of a long step or of the measuring: the last checkpoint counts then, and the same steps are taken again. A
/// second signal ends the process at once with exit code 130. Signals that came while they were blocked count.
void CatchInterrupts(unsigned seconds = kStopSeconds);

/// Whether the user, or the system, asked to stop.
bool Interrupted();

/// While one lives, the end of the time that is left after a signal is put off until it is gone: for writing a
/// checkpoint, which takes as long as the disk does. One thread at a time may have one.
class InterruptPause {
 public:
  InterruptPause();
  ~InterruptPause();
  InterruptPause(const InterruptPause&) = delete;
  InterruptPause& operator=(const InterruptPause&) = delete;
};

}  // namespace genoserve

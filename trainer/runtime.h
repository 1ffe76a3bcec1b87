// How the process itself is set up for training.
#pragma once

namespace genoserve {

/// Call once, before anything is read or computed. Threads and memory can still be set by the user, by the usual
/// environment variables.
///
/// Threads of a parallel region sleep when they wait (GOMP_SPINCOUNT=0). They spin otherwise, which next to any other
/// busy program makes a training several times slower. OpenMP reads it when the process starts, so that the program is
/// run again in place, once.
///
/// Memory that was freed stays with the process: tensors of the same sizes come back at each step, and getting their
/// pages from the system again took up to half of the time.
///
/// A file that may not grow further (SIGXFSZ) is a write that fails, not the end of the program.
void SetUpRuntime(char** argv);

}  // namespace genoserve

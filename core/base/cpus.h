// How many workers a machine carries, and where they may run.
#pragma once

#include <vector>

namespace genoserve {

/// The processors that this process may run on, ascending.
std::vector<int> AllowedCpus();

/// Workers that fit: the allowed processors, or fewer where a control group's quota (cgroup v2) is smaller; at least 1.
int DefaultWorkers();

/// Binds the calling thread to one processor. Where the system refuses, the thread stays as it is.
void PinThisThread(int cpu);

}  // namespace genoserve

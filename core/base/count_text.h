// Counts and sizes as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace genoserve {

/// "4,200".
std::string FormatCount(int64_t count);

/// "999 bytes", "1.2 kB", "34 MB": in powers of 1,000, with two digits at least.
std::string FormatBytes(uint64_t bytes);

}  // namespace genoserve

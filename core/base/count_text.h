// Counts as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace genoserve {

/// "4,200".
std::string FormatCount(int64_t count);

}  // namespace genoserve

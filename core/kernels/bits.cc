#include "core/kernels/bits.h"

#include <bit>
#include <cstddef>

namespace genoserve {

uint64_t CountBits(std::span<const uint64_t> a) {
  uint64_t count = 0;
  for (const uint64_t word : a) count += static_cast<uint64_t>(std::popcount(word));
  return count;
}

uint64_t CountAnd(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  uint64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += static_cast<uint64_t>(std::popcount(a[i] & b[i]));
  return count;
}

uint64_t CountXor(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  uint64_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += static_cast<uint64_t>(std::popcount(a[i] ^ b[i]));
  return count;
}

}  // namespace genoserve

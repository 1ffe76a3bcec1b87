#include "server/manager/memory_use.h"

#include <malloc.h>

#include <algorithm>

#include "core/artifact/artifact.h"

namespace genoserve {
namespace {

// Measured with models of 2,000 to 200,000 variants: records of variants with their strings, and the buffers of tiles.
constexpr int64_t kBytesPerVariant = 192;
constexpr int64_t kFixedBytes = 1 << 20;

}  // namespace

int64_t EstimateMemory(const v1::Manifest& manifest) {
  int64_t bytes = kFixedBytes + kBytesPerVariant * manifest.variant_count();
  for (const v1::ArtifactFile& file : manifest.files()) {
    if (file.name() == kWeightsFile) bytes += file.size();
  }
  return bytes;
}

int64_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

int64_t MeasuredMemory(int64_t heap_before, int64_t heap_after, int64_t estimate) {
  if (heap_before == 0 || heap_after == 0) return estimate;
  return std::clamp(heap_after - heap_before, estimate / 2, 2 * estimate);
}

}  // namespace genoserve

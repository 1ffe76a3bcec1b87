#include "server/manager/memory_use.h"

#include <malloc.h>

#include <algorithm>

#include "core/artifact/artifact.h"

namespace genoserve {
namespace {

// A table of variants in memory for each byte of its file: strings and their heads.
constexpr int64_t kVariantsFactor = 4;

}  // namespace

int64_t EstimateMemory(const v1::Manifest& manifest) {
  int64_t bytes = 1 + static_cast<int64_t>(manifest.allele_frequencies().size());
  for (const v1::ArtifactFile& file : manifest.files()) {
    if (file.name() == kWeightsFile) bytes += file.size();
    if (file.name() == kVariantsFile) bytes += kVariantsFactor * file.size();
  }
  return bytes;
}

int64_t HeapInUse() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

int64_t MeasuredMemory(int64_t heap_before, int64_t heap_after, int64_t estimate) {
  if (heap_before == 0 || heap_after == 0) return estimate;
  return std::clamp(heap_after - heap_before, std::max<int64_t>(1, estimate / 2), 2 * estimate);
}

}  // namespace genoserve

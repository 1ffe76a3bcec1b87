// What a version takes in memory: guessed before it is loaded, measured while it is.
#pragma once

#include <cstdint>

#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Bytes that a version will take once it is loaded, by the size of its weights and the number of its variants; above
/// 0. On a CPU and in fp32, which takes the most, it is right within a third.
int64_t EstimateMemory(const v1::Manifest& manifest);

/// Bytes that are allocated in this process; 0 where the allocator does not tell.
int64_t HeapInUse();

/// What a load took: how much the heap grew, which others do too at the same time, so that it is believed only between
/// half the estimate and twice that.
int64_t MeasuredMemory(int64_t heap_before, int64_t heap_after, int64_t estimate);

}  // namespace genoserve

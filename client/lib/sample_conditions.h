// Conditions of single samples, as a request carries them.
#pragma once

#include <cstdint>

#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// Samples that the conditions are for; 0 where there are no columns, -1 where the columns are not equally long.
int64_t SampleCountOf(const v1::SampleConditions& conditions);

/// Keeps the values of the samples [first, first + count) of those that the conditions are for.
void SliceSamples(int64_t first, int64_t count, v1::SampleConditions* conditions);

}  // namespace genoserve

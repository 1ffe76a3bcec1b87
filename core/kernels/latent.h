// The input noise of a generator, several numbers at a time.
#pragma once

#include <span>

#include "core/base/philox.h"

namespace genoserve {

/// Fills `out` with standard normal values, bit for bit those of PhiloxStream::FillNormal on every machine.
void FillLatent(const PhiloxStream& stream, std::span<float> out);

}  // namespace genoserve

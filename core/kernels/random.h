// Many random numbers at once: what PhiloxStream gives, several blocks at a time, and single-precision transforms of
// it.
#pragma once

#include <cstdint>
#include <span>

#include "core/base/philox.h"

namespace genoserve {

/// Fills `out` with the numbers from `first` on, bit for bit those of PhiloxStream::Bits; first + out.size() <= 2^32.
void FillBits(const PhiloxStream& stream, uint64_t first, std::span<uint32_t> out);

/// Each function fills `out` with one value a number, from number `first` on. But for FillNormal's the values are the
/// same to rounding on every machine and the same to the bit with one instruction set.
///
/// Uniform inside (0, 1), of the upper 23 bits: (bits + 0.5) / 2^23.
void FillUniform(const PhiloxStream& stream, uint64_t first, std::span<float> out);
/// Standard Gumbel, -log(-log u) of that uniform value.
void FillGumbel(const PhiloxStream& stream, uint64_t first, std::span<float> out);
/// Standard logistic, log u - log(1 - u).
void FillLogistic(const PhiloxStream& stream, uint64_t first, std::span<float> out);
/// Standard normal, the same to the bit on every machine: NormalOf in core/kernels/normal.h.
void FillNormal(const PhiloxStream& stream, uint64_t first, std::span<float> out);

}  // namespace genoserve

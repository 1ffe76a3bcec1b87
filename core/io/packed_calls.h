// Work on the packed calls of one variant.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/io/variant_reader.h"

namespace genoserve {

/// Bytes of two-bit codes, or of single bits, of so many samples.
constexpr size_t CodeBytes(size_t samples) { return (samples + 3) / 4; }
constexpr size_t BitBytes(size_t samples) { return (samples + 7) / 8; }

/// The two-bit code, or the bit, of a sample; bits that are empty altogether are 0.
inline unsigned CodeOf(std::span<const uint8_t> codes, size_t i) { return (codes[i / 4] >> (2 * (i % 4))) & 3U; }
inline bool BitOf(std::span<const uint8_t> bits, size_t i) { return !bits.empty() && ((bits[i / 8] >> (i % 8)) & 1U); }

/// Sets a code or a bit where 0 stands so far.
inline void PutCode(std::span<uint8_t> codes, size_t i, unsigned code) {
  codes[i / 4] = static_cast<uint8_t>(codes[i / 4] | code << (2 * (i % 4)));
}
inline void PutBit(std::span<uint8_t> bits, size_t i) {
  bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | 1U << (i % 8));
}

/// Sets the bits that pad the last byte of `samples` codes to 0.
void ClearPadding(std::span<uint8_t> codes, size_t samples);

/// Makes the calls of so many samples anew: all codes 0, nothing phased, haploid or half there.
void ResetCalls(size_t samples, VariantCalls* calls);

/// Sets a bit of a plane that is empty while all its bits are 0.
void PutLazyBit(std::vector<uint8_t>* bits, size_t samples, size_t i);

/// How many samples have each of the codes 0 to 3.
struct CodeCounts {
  size_t of[4] = {0, 0, 0, 0};
};
CodeCounts CountCodes(std::span<const uint8_t> codes, size_t samples);

/// Whether one of the codes is missing.
bool AnyMissing(std::span<const uint8_t> codes);

/// Turns codes into pairs of alleles, in place: the low bit is that of the first haplotype. A missing call becomes two
/// REF; a heterozygous one is ALT|REF where its bit of `alt_first` is set.
void ToAllelePairs(std::span<const uint8_t> alt_first, std::span<uint8_t> codes);
/// Gives each sample the code `high` where its bit is set, else `low`; padding too.
void SpreadBits(std::span<const uint8_t> bits, unsigned low, unsigned high, std::span<uint8_t> codes);
/// Turns pairs of alleles into codes, in place.
void ToCodes(std::span<uint8_t> pairs);

/// Draws the missing calls, as ImputeAlleles does it for the variant with this index; haploid calls count both their
/// alleles. Returns how many there were; none is left. INVALID_ARGUMENT where no sample has a call.
absl::StatusOr<int64_t> ImputeCalls(uint32_t variant, size_t samples, VariantCalls* calls);

/// The calls of the samples with these indices, in their order.
void SelectCalls(const VariantCalls& from, std::span<const size_t> samples, VariantCalls* to);

}  // namespace genoserve

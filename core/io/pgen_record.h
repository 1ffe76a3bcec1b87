// Records of a PLINK 2 .pgen file, after the published specification (pgen_spec of plink-ng).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "core/io/variant_reader.h"

namespace genoserve {

// Bits of a record's type.
inline constexpr uint8_t kPgenTrackMask = 7;  ///< how the main track is stored
inline constexpr uint8_t kPgenMultiAllelic = 1 << 3;
inline constexpr uint8_t kPgenPhase = 1 << 4;
/// Whether a record only tells how it differs from the last one that does not.
inline constexpr bool IsPgenDifference(uint8_t type) { return (type & 6) == 2; }

/// The calls of a record.
struct PgenCalls {
  std::vector<uint8_t> codes;    ///< two bits a sample: REF/REF, REF/ALT, ALT/ALT of any ALT alleles, missing
  std::vector<uint8_t> phased;   ///< one bit a sample: a heterozygous call with a phase; empty = none
  std::vector<uint8_t> swapped;  ///< one bit a sample: its alleles stand in descending order; empty = none
  bool any_phased = false;       ///< a heterozygous call with a phase is there
  bool any_unphased = false;     ///< one without is there
  /// Where any ALT but the first is in a call: two alleles a sample, ascending, those of missing calls 0. Else empty.
  std::vector<uint32_t> alleles;
};

/// Decodes the main track of a record. `base` are the codes of the last record that is no difference, for one that is.
/// DATA_LOSS, with what is wrong, where the bytes are not those of such a record; `used` is set to the track's bytes.
absl::Status DecodePgenTrack(std::span<const uint8_t> record, uint8_t type, size_t samples,
                             std::span<const uint8_t> base, std::vector<uint8_t>* codes, size_t* used);

/// Decodes the hard calls and phase of a record whose variant has `alts` ALT alleles. Dosages are passed over.
absl::Status DecodePgenRecord(std::span<const uint8_t> record, uint8_t type, size_t samples, size_t alts,
                              std::span<const uint8_t> base, PgenCalls* calls);

}  // namespace genoserve

// Packed genotypes of one variant as calls of so many bytes each: the common part of the writers of VCF and its like.
#pragma once

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "core/genotype/genotype_matrix.h"
#include "core/io/variant_segment.h"

namespace genoserve {

/// What each of the 256 bytes of four two-bit codes becomes in the file: kSize bytes, a quarter of them a sample.
template <size_t kSize>
class CallTable {
 public:
  /// The table for `call(code)`, which gives the bytes of one sample.
  template <typename Call>
  explicit CallTable(Call call) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (unsigned i = 0; i < 4; ++i) {
        const std::array<char, kSize / 4> bytes = call((byte >> (2 * i)) & 3);
        std::memcpy(&bytes_[byte][i * bytes.size()], bytes.data(), bytes.size());
      }
    }
  }

  /// Gives the calls of a segment to `take(absl::string_view)`, many at a time.
  template <typename Take>
  absl::Status ForEach(const VariantSegment& segment, Take take) const {
    constexpr size_t kChunk = 4096;  // bytes of codes at a time
    std::array<char, kChunk * kSize> text;
    size_t left = static_cast<size_t>(segment.samples) * (kSize / 4);
    for (size_t first = 0; first < segment.codes.size(); first += kChunk) {
      const auto codes = segment.codes.subspan(first, std::min(kChunk, segment.codes.size() - first));
      for (size_t i = 0; i < codes.size(); ++i) std::memcpy(&text[i * kSize], bytes_[codes[i]].data(), kSize);
      const size_t size = std::min(left, codes.size() * kSize);  // the last byte may hold fewer than four samples
      if (absl::Status status = take(absl::string_view(text.data(), size)); !status.ok()) return status;
      left -= size;
    }
    return absl::OkStatus();
  }

 private:
  std::array<std::array<char, kSize>, 256> bytes_;
};

/// The two-bit code of a sample of a segment.
inline unsigned CodeOf(const VariantSegment& segment, int64_t sample) {
  const auto at = static_cast<size_t>(sample);
  return (segment.codes[at / 4] >> (at % 4 * 2)) & 3;
}

/// The two alleles of a code: 0, 1 or -1 = missing.
constexpr std::array<int, 2> AllelesOf(Packing packing, unsigned code) {
  constexpr std::array<int, 2> kDiploid[4] = {{0, 0}, {0, 1}, {1, 1}, {-1, -1}};
  if (packing == Packing::kDiploid2Bit) return kDiploid[code];
  return {static_cast<int>(code & 1), static_cast<int>(code >> 1)};
}

}  // namespace genoserve

// PLINK 2 .pgen and .pvar, after the published specification of the format. Records and index are little-endian.
#include <algorithm>
#include <bit>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/column_layout.h"

namespace genoserve {
namespace {

/// Byte 11 of the header: the REF alleles are the true ones in all variants.
constexpr uint8_t kTrueRef = 0x40;
constexpr size_t kHeadBytes = 12;
/// Variants of which the index has one offset.
constexpr size_t kBlockVariants = size_t{1} << 16;

// Types of records: hard calls alone, or with the phase of the heterozygous ones behind.
constexpr uint8_t kCallsOnly = 0x00;
constexpr uint8_t kPhased = 0x10;

/// The first bytes: magic number, storage mode, numbers of variants and samples, flags.
std::string Head(const CohortDescription& cohort, uint8_t mode, uint8_t flags) {
  std::string head = "\x6c\x1b";
  AppendInt<1>(head, mode);
  AppendInt<4>(head, cohort.variants.size());
  AppendInt<4>(head, static_cast<uint64_t>(cohort.sample_count));
  AppendInt<1>(head, flags);
  return head;
}

/// The alleles of both haplotypes to ALT counts.
void MapCounts(std::span<uint8_t> codes) {
  MapCodes(codes, [](uint64_t x) { return (x & (x << 1) & ~kLowBits) | ((x ^ (x >> 1)) & kLowBits); });
}

/// The phases of the heterozygous calls of one variant: bit 0 = 0 tells that all have one, then a bit for each, 1 where
/// the first haplotype has ALT.
class PhaseTrack {
 public:
  void Clear() {
    bits_ = 1;
    bytes_.assign(1, '\0');
  }

  void Add(std::span<const uint8_t> codes) {
    for (const uint8_t byte : codes) {
      // Of the two bits of a sample one is set where it is heterozygous, the lower one by the first haplotype.
      unsigned heterozygous = (byte ^ (byte >> 1)) & 0x55;
      while (heterozygous != 0) {
        const int low = std::countr_zero(heterozygous);
        heterozygous &= heterozygous - 1;
        if (bits_ % 8 == 0) bytes_.push_back('\0');
        bytes_.back() = static_cast<char>(bytes_.back() | ((byte >> low & 1) << (bits_ % 8)));
        ++bits_;
      }
    }
  }

  /// Empty where no call is heterozygous.
  absl::string_view bytes() const { return bits_ == 1 ? absl::string_view() : absl::string_view(bytes_); }

 private:
  size_t bits_ = 1;
  std::string bytes_;
};

/// The index of records of several sizes.
class RecordIndex {
 public:
  explicit RecordIndex(const CohortDescription& cohort) : variants_(cohort.variants.size()) {
    const auto samples = static_cast<size_t>(cohort.sample_count);
    const size_t longest = (samples + 3) / 4 + (samples + 1 + 7) / 8;
    while (longest >> (8 * length_bytes_) != 0) ++length_bytes_;
  }

  /// Bytes before the first record.
  size_t bytes() const {
    const size_t blocks = (variants_ + kBlockVariants - 1) / kBlockVariants;
    return kHeadBytes + blocks * 8 + variants_ * (1 + length_bytes_);
  }

  void Add(uint8_t type, size_t length) {
    types_.push_back(static_cast<char>(type));
    lengths_.push_back(length);
  }

  /// All that is before the first record. Lengths are called for of all variants.
  std::string ToBytes(const CohortDescription& cohort) const {
    std::string text = Head(cohort, 0x10, static_cast<uint8_t>(kTrueRef | 4 | (length_bytes_ - 1)));
    uint64_t offset = bytes();
    for (size_t i = 0; i < variants_; ++i) {
      if (i % kBlockVariants == 0) AppendInt<8>(text, offset);
      offset += lengths_[i];
    }
    for (size_t first = 0; first < variants_; first += kBlockVariants) {
      const size_t count = std::min(kBlockVariants, variants_ - first);
      text.append(types_, first, count);
      for (size_t i = first; i < first + count; ++i) {
        for (size_t byte = 0; byte < length_bytes_; ++byte) {
          text.push_back(static_cast<char>(lengths_[i] >> (8 * byte)));
        }
      }
    }
    return text;
  }

 private:
  const size_t variants_;
  size_t length_bytes_ = 1;
  std::string types_;            // one a variant
  std::vector<size_t> lengths_;  // bytes of each record
};

absl::Status WritePhased(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output) {
  RecordIndex index(cohort);
  GENOSERVE_RETURN_IF_ERROR(output.Skip(index.bytes()));
  PhaseTrack phases;
  std::vector<uint8_t> calls;
  const absl::Status written = genotypes([&](const VariantSegment& segment) -> absl::Status {
    if (segment.first_sample == 0) phases.Clear();
    calls.assign(segment.codes.begin(), segment.codes.end());
    MapCounts(calls);
    GENOSERVE_RETURN_IF_ERROR(output.Write(AsText(calls)));
    phases.Add(segment.codes);
    if (segment.first_sample + segment.samples < cohort.sample_count) return absl::OkStatus();
    const size_t length = (static_cast<size_t>(cohort.sample_count) + 3) / 4 + phases.bytes().size();
    index.Add(phases.bytes().empty() ? kCallsOnly : kPhased, length);
    return output.Write(phases.bytes());
  });
  GENOSERVE_RETURN_IF_ERROR(written);
  return output.WriteAt(0, index.ToBytes(cohort));
}

}  // namespace

ColumnLayout PgenLayout(const CohortDescription& cohort) { return {Head(cohort, 0x02, kTrueRef)}; }

absl::Status WritePgen(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output) {
  if (cohort.packing == Packing::kHaplotype1Bit) return WritePhased(cohort, genotypes, output);
  return WriteColumns(PgenLayout(cohort), genotypes, output);
}

absl::Status WritePvar(const CohortDescription& cohort, PlainOutput& output) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string synthetic, VcfSyntheticLine(cohort));
  GENOSERVE_RETURN_IF_ERROR(
      output.Write(absl::StrCat(VcfContigLines(cohort), synthetic, "#CHROM\tPOS\tID\tREF\tALT\n")));
  for (const VariantRecord& v : cohort.variants.variants()) {
    GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(absl::StrCat(v.contig, "\t", v.position, "\t", v.id, "\t"),
                                                        absl::StrCat(v.ref, "\t", v.alt, "\n"))));
  }
  return absl::OkStatus();
}

}  // namespace genoserve

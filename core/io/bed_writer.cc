#include <array>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/column_layout.h"

namespace genoserve {
namespace {

/// Four samples' codes to a byte of a .bed: 00 two A1, 01 missing, 10 one of each, 11 two A2; A1 is ALT.
std::array<uint8_t, 256> MakeTable(Packing packing) {
  constexpr unsigned kDiploid[4] = {3, 2, 0, 1};
  constexpr unsigned kHaplotypes[4] = {3, 2, 2, 0};  // by the alleles of both haplotypes
  const unsigned* const call = packing == Packing::kDiploid2Bit ? kDiploid : kHaplotypes;
  std::array<uint8_t, 256> table;
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned calls = 0;
    for (unsigned i = 0; i < 8; i += 2) calls |= call[(byte >> i) & 3] << i;
    table[byte] = static_cast<uint8_t>(calls);
  }
  return table;
}

}  // namespace

ColumnLayout BedLayout(const CohortDescription& cohort) { return {"\x6c\x1b\x01", MakeTable(cohort.packing)}; }

absl::Status WriteBed(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output) {
  return WriteColumns(BedLayout(cohort), genotypes, output);
}

absl::Status WriteBim(const CohortDescription& cohort, PlainOutput& output) {
  for (const VariantRecord& v : cohort.variants.variants()) {
    GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(absl::StrCat(v.contig, "\t", v.id, "\t0\t", v.position),
                                                        absl::StrCat("\t", v.alt, "\t", v.ref, "\n"))));
  }
  return absl::OkStatus();
}

absl::Status WriteFam(const CohortDescription& cohort, PlainOutput& output) {
  for (int64_t i = 0; i < cohort.sample_count; ++i) {
    GENOSERVE_RETURN_IF_ERROR(
        output.Write(absl::StrCat("0\t", SampleName(cohort, i), "\t0\t0\t", SexOf(cohort, i), "\t-9\n")));
  }
  return absl::OkStatus();
}

}  // namespace genoserve

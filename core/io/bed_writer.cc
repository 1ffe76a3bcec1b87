#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/column_layout.h"

namespace genoserve {
namespace {

// A .bed has 00 for two A1, 01 for a missing call, 10 for one of each, 11 for two A2; A1 is ALT.

/// Of diploid codes.
void MapDiploid(std::span<uint8_t> codes) {
  MapCodes(codes, [](uint64_t x) { return (~x & ~kLowBits) | (~(x ^ (x >> 1)) & kLowBits); });
}

/// Of the alleles of both haplotypes.
void MapHaplotypes(std::span<uint8_t> codes) {
  MapCodes(codes, [](uint64_t x) { return (~(x & (x << 1)) & ~kLowBits) | (~(x | (x >> 1)) & kLowBits); });
}

}  // namespace

ColumnLayout BedLayout(const CohortDescription& cohort) {
  return {"\x6c\x1b\x01", cohort.packing == Packing::kDiploid2Bit ? &MapDiploid : &MapHaplotypes};
}

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

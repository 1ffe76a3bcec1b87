// The index of a VCF.gz or BCF, CSI or TBI, built while the file is written.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "core/io/cohort_writer.h"
#include "core/io/htslib_support.h"

namespace genoserve {

/// Gathers the places of records; the smallest interval is 2^14 base pairs, as "bcftools index" has it. Not
/// thread-safe.
class SiteIndex {
 public:
  /// A BCF numbers contigs as its header does, a VCF as they come.
  SiteIndex(const VariantTable& variants, bool bcf, VariantIndex kind);

  /// Begins with the virtual offset of the first record. Call once, first. INVALID_ARGUMENT where positions are beyond
  /// what a TBI holds.
  absl::Status Begin(uint64_t offset);

  /// Adds the record of variant `i`, which ends before the virtual offset `end`. Call for all, in order.
  absl::Status Add(size_t i, uint64_t end);

  /// Writes the index to a file; `end` is the virtual offset after the last record. Call once, last.
  absl::Status Save(const std::string& path, uint64_t end);

 private:
  const VariantTable& variants_;
  const bool bcf_;
  const VariantIndex kind_;
  std::map<std::string, int> contigs_;  // by name, their numbers
  std::string names_;                   // of the contigs of a VCF in order, each ended by a NUL
  HtslibPtr<hts_idx_t> index_;
};

}  // namespace genoserve

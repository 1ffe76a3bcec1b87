// Which variants and samples of files are read: the one place where formats are filtered.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/io/variant_reader.h"

namespace genoserve {

/// What is kept. The defaults keep all. Figures are of the samples that are kept, and count haploid calls once.
struct VariantFilters {
  std::vector<GenomicRegion> regions;    ///< variants whose position lies in one of them; empty = all
  std::vector<std::string> samples;      ///< in the order in which they are wanted; empty = all
  bool file_order = false;               ///< the samples are wanted in the order of the files instead
  bool extract = false;                  ///< only variants with one of the ids
  absl::flat_hash_set<std::string> ids;  ///< as they stand in the files
  double min_maf = 0;                    ///< lowest frequency of the rarer allele among the called ones
  double max_variant_missing = 1;        ///< highest share of samples without a call, of a variant
  /// Highest share of variants without a call, of a sample, among the variants of the regions and ids. Takes a pass of
  /// its own.
  double max_sample_missing = 1;
};

/// What was read, and what was dropped why.
struct FilterCounts {
  int64_t variants_read = 0;  ///< variants of the files, split ones counted each
  int64_t outside_regions = 0;
  int64_t not_extracted = 0;
  int64_t rare = 0;     ///< below min_maf
  int64_t missing = 0;  ///< above max_variant_missing
  int64_t variants_kept = 0;
  int64_t samples_read = 0;
  int64_t samples_not_wanted = 0;
  int64_t samples_missing = 0;  ///< above max_sample_missing
};

/// The variants and samples of files that filters keep. Not thread-safe.
class FilteredReader {
 public:
  /// Opens the files. INVALID_ARGUMENT, with the name, for a sample that they have not, or that is asked for twice, and
  /// where no sample is left.
  static absl::StatusOr<std::unique_ptr<FilteredReader>> Open(const GenotypeSource& source,
                                                              const VariantReaderOptions& options,
                                                              VariantFilters filters);

  /// Goes to the next variant that is kept, and reads its calls; false after the last. Errors are the reader's. At the
  /// end INVALID_ARGUMENT, with the contigs that there are, where a region held no variant.
  absl::StatusOr<bool> Next();

  /// Of the samples that are kept.
  const std::vector<std::string>& samples() const { return samples_; }
  const std::vector<uint8_t>& sexes() const { return sexes_; }
  VariantCalls& calls() { return calls_; }
  const VariantRecord& variant() const { return reader_->variant(); }
  const VariantReader& reader() const { return *reader_; }

  const FilterCounts& counts() const { return counts_; }
  /// Filters that keep the same samples without the pass that max_sample_missing takes.
  const VariantFilters& resolved() const { return filters_; }

 private:
  FilteredReader(std::unique_ptr<VariantReader> reader, VariantFilters filters)
      : reader_(std::move(reader)), filters_(std::move(filters)) {}

  absl::Status ChooseSamples();
  absl::Status DropSamplesWithoutCalls(const GenotypeSource& source, const VariantReaderOptions& options);
  /// Whether the site is kept, whatever its calls are; counts it where it is not.
  bool KeepSite();
  bool KeepCalls();
  absl::Status CheckRegions() const;

  std::unique_ptr<VariantReader> reader_;
  VariantFilters filters_;
  FilterCounts counts_;
  bool all_samples_ = true;     // in file order
  std::vector<size_t> chosen_;  // indices of the samples that are kept
  std::vector<std::string> samples_;
  std::vector<uint8_t> sexes_;
  std::vector<bool> region_found_;
  std::vector<std::string> contigs_seen_;
  VariantCalls all_calls_;
  VariantCalls calls_;
};

/// INVALID_ARGUMENT, with what to do, where the variants name a contig both with and without "chr".
absl::Status CheckContigNames(const std::vector<VariantRecord>& variants);

}  // namespace genoserve

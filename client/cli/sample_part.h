// Labels and phenotypes of the samples of a cohort: as they arrive, and as the tables that come of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/lib/cohort_reader.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// A file with a record of fixed size for each sample, so that ranges of samples are written at once and a fetch that
/// goes on writes again what had not been saved. Thread-safe for different samples.
class SamplePart {
 public:
  /// `fd` is an open file, or -1 where nobody asks for tables; it stays the caller's. `header` is that of all samples.
  /// The file gets its size, and room on the disk, unless it is to `go_on`: then it must have that size already.
  /// RESOURCE_EXHAUSTED on a full disk; DATA_LOSS where a file that is to go on has another size.
  static absl::StatusOr<SamplePart> Open(int fd, const v1::CohortHeader& header, bool go_on);

  /// Whether there is nothing to keep: no labels and no phenotypes, or no file.
  bool empty() const { return record_bytes_ == 0; }

  /// Writes the samples of a batch. RESOURCE_EXHAUSTED on a full disk.
  absl::Status Write(const CohortBatch& batch) const;
  /// Brings all that was written to the disk.
  absl::Status Sync() const;

  /// Gives all samples in order: index in the cohort, index of the label (0 where there are none), and phenotypes. Only
  /// when all were written. DATA_LOSS where a record holds what was never written.
  absl::Status ForEach(absl::FunctionRef<absl::Status(int64_t, uint32_t, std::span<const double>)> take) const;

 private:
  SamplePart(int fd, const v1::CohortHeader& header);

  int fd_;
  v1::CohortHeader header_;
  size_t record_bytes_;
};

/// Where the tables of a cohort go; an empty path is not written.
struct TablePaths {
  std::string panel;  ///< "sample" and the label, where the cohort has labels
  std::string pheno;  ///< "#IID" and the phenotypes, where it has phenotypes
  std::string all;    ///< "sample", the label and the phenotypes, where it has any: CohortDescription::sample_table
};

/// Writes the tables and counts the samples of each label. The tables appear under their names when they are whole.
absl::Status WriteTables(const SamplePart& samples, const v1::CohortHeader& header, const TablePaths& paths,
                         std::vector<int64_t>* label_counts);

/// The shortest text that reads back as the same number.
std::string NumberText(double value);

}  // namespace genoserve

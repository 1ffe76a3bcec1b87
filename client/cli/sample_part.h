// Labels and phenotypes of the samples of a cohort, and what a simulated trait needs of them: as they arrive, and as
// the tables that come of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/simulated_trait.h"
#include "client/lib/cohort_reader.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// What is kept of a sample.
struct SampleRecord {
  int64_t index = 0;                   ///< in the cohort
  uint32_t label = 0;                  ///< index of the label, 0 where there are none
  std::span<const double> phenotypes;  ///< in the order of the header
  std::span<const uint8_t> genotypes;  ///< as SimulatedTrait::Record makes them; empty without a trait
};

/// A file with a record of fixed size for each sample, so that ranges of samples are written at once and a fetch that
/// goes on writes again what had not been saved. Thread-safe for different samples.
class SamplePart {
 public:
  /// `fd` is an open file, or -1 where nobody asks for tables; it stays the caller's. `header` is that of all samples.
  /// `trait`, where there is one, must outlive the part.
  /// The file gets its size, and room on the disk, unless it is to `go_on`: then it must have that size already.
  /// RESOURCE_EXHAUSTED on a full disk; DATA_LOSS where a file that is to go on has another size.
  static absl::StatusOr<SamplePart> Open(int fd, const v1::CohortHeader& header, const SimulatedTrait* trait,
                                         bool go_on);

  /// Whether there is nothing to keep: no labels, no phenotypes and no trait, or no file.
  bool empty() const { return record_bytes_ == 0; }

  /// Writes the samples of a batch. RESOURCE_EXHAUSTED on a full disk.
  absl::Status Write(const CohortBatch& batch) const;
  /// Brings all that was written to the disk.
  absl::Status Sync() const;

  /// Gives all samples in order. Only when all were written. DATA_LOSS where a record holds what was never written.
  absl::Status ForEach(absl::FunctionRef<absl::Status(const SampleRecord&)> take) const;

 private:
  SamplePart(int fd, const v1::CohortHeader& header, const SimulatedTrait* trait);

  int fd_;
  v1::CohortHeader header_;
  const SimulatedTrait* trait_;
  size_t record_bytes_;
};

/// Where the tables of a cohort go; an empty path is not written.
struct TablePaths {
  std::string panel;  ///< "sample" and the label, where the cohort has labels
  std::string pheno;  ///< "#IID", the phenotypes and the simulated trait, where it has any
  std::string all;    ///< "sample", the label and those, where it has any: CohortDescription::sample_table
  /// "#IID" and for each label among the samples but the first 1 or 0: whether it is the sample's; where there are two
  /// labels or more.
  std::string covar;
};

/// Counts the samples of each label; empty where there are none.
absl::Status CountLabels(const SamplePart& samples, const v1::CohortHeader& header, std::vector<int64_t>* label_counts);

/// Writes the tables, which appear under their names when they are whole. `trait`, where there is one, must be
/// finished.
absl::Status WriteTables(const SamplePart& samples, const v1::CohortHeader& header, const SimulatedTrait* trait,
                         const std::vector<int64_t>& label_counts, const TablePaths& paths);

/// The shortest text that reads back as the same number.
std::string NumberText(double value);

}  // namespace genoserve

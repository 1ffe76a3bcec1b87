// Where a cohort is written: the genotypes, and the tables beside them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/lib/cohort_reader.h"
#include "core/io/cohort_writer.h"
#include "core/io/staged_file.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// The files of one cohort.
struct OutputPlan {
  CohortFormat format = CohortFormat::kVcf;
  std::string path;    ///< for OpenCohortWriter
  std::string prefix;  ///< of the tables; empty = standard output, which has none

  /// All files that there may be under their final names, genotypes first.
  std::vector<std::string> Files() const;
};

/// Takes -o and -O. Without -O the suffix tells the format; a path without a known suffix is the prefix of a BED
/// fileset, and "-" is a VCF. INVALID_ARGUMENT for an unknown format, BED on standard output, or no file name.
absl::StatusOr<OutputPlan> PlanOutput(const std::string& path, absl::string_view format);

/// ALREADY_EXISTS where one of the files is there; NOT_FOUND or PERMISSION_DENIED where the folder is not, or cannot be
/// written to. Nothing is created.
absl::Status CheckOutput(const OutputPlan& plan, bool force);

/// Writes PREFIX.panel.tsv (sample, population label) where the cohort has labels, and PREFIX.pheno.tsv (#IID,
/// phenotypes) where it has phenotypes. Not thread-safe.
class SampleTables {
 public:
  /// Begins the tables that the header calls for, none where the plan is for standard output.
  static absl::StatusOr<SampleTables> Create(const OutputPlan& plan, const v1::CohortHeader& header);

  /// Adds the samples of a batch.
  absl::Status Append(const CohortBatch& batch);
  /// Writes out all lines that are held back.
  absl::Status Finish();
  /// Gives the tables their names. Finish must have succeeded.
  absl::Status Commit();

 private:
  struct Table {
    std::unique_ptr<StagedFile> file;  // null where the cohort has no such values
    std::string text;                  // not written yet
  };

  static absl::Status Write(Table* table);

  v1::CohortHeader header_;
  Table panel_;
  Table pheno_;
};

}  // namespace genoserve

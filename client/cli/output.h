// Where a cohort is written.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/io/cohort_writer.h"

namespace genoserve {

/// Where and how a user wants a cohort, as -o, -O, --index and --oxford say it.
struct OutputArguments {
  std::string path;
  std::string format;  ///< as CohortFormatName; empty = the suffix of the path tells it
  std::string index;   ///< csi or tbi; empty = csi
  std::string oxford;  ///< plink2 or bcftools; empty = plink2
  /// Formats that the cohort is written in once more beside that one, as PREFIX and its suffix.
  std::vector<CohortFormat> also = {};
  bool truth = false;       ///< whether there is PREFIX.truth.tsv, of a simulated trait
  bool covariates = false;  ///< whether there may be PREFIX.covar.tsv, of the labels
};

/// The files of one cohort.
struct OutputPlan {
  CohortFormat format = CohortFormat::kVcf;
  VariantIndex index = VariantIndex::kCsi;
  OxfordLayout oxford = OxfordLayout::kPlink2;
  std::string path;                ///< for OpenCohortWriter
  std::string prefix;              ///< of what lies beside; empty = standard output, beside which nothing lies
  std::string part;                ///< while it is not done, as PartPath of core/io; empty = standard output
  std::vector<CohortFormat> also;  ///< and the next two: as OutputArguments has them
  bool truth = false;
  bool covariates = false;

  /// PREFIX.panel.tsv and so on.
  std::string PanelPath() const;
  std::string PhenoPath() const;
  std::string TruthPath() const;
  std::string CovarPath() const;
  /// Where OpenCohortWriter puts one of `also`.
  std::string AlsoPath(CohortFormat other) const;
  /// The genotypes under their final names, the main file first; those of `also`, too.
  std::vector<std::string> GenotypeFiles() const;
  std::vector<std::string> AlsoFiles() const;
  /// All files that there may be under their final names, genotypes first.
  std::vector<std::string> Files() const;
  /// All that decides what the files hold, in words: "vcf.gz, index tbi".
  std::string Describe() const;
};

/// Without a format the suffix tells it; a path without a known suffix is the prefix of a BED fileset, and "-" is a
/// VCF. INVALID_ARGUMENT for an unknown word, one that does not fit the format, a format that standard output cannot
/// take, or no file name.
absl::StatusOr<OutputPlan> PlanOutput(const OutputArguments& arguments);

/// NOT_FOUND or PERMISSION_DENIED where the folder is not, or cannot be written to. Nothing is created.
absl::Status CheckFolder(const OutputPlan& plan);
/// ALREADY_EXISTS where one of the files is there.
absl::Status CheckIsNew(const OutputPlan& plan);

/// Removes what programs that were killed while they wrote these files left under temporary names.
absl::Status RemoveTemporaries(const OutputPlan& plan);

}  // namespace genoserve

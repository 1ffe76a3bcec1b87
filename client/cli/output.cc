#include "client/cli/output.h"

#include <unistd.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "client/cli/cohort_manifest.h"
#include "client/cli/part_state.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

bool IsOxford(CohortFormat format) { return format == CohortFormat::kHap || format == CohortFormat::kHaps; }

// Standard output takes one file that is written from its start to its end.
bool FitsStandardOutput(CohortFormat format) {
  return format == CohortFormat::kVcf || format == CohortFormat::kVcfGz || format == CohortFormat::kBcf ||
         format == CohortFormat::kNpy;
}

absl::StatusOr<CohortFormat> FormatOfName(const std::string& name) {
  std::vector<const char*> known;
  for (const CohortFormat format : AllCohortFormats()) {
    if (name == CohortFormatName(format)) return format;
    known.push_back(CohortFormatName(format));
  }
  const std::string last = known.back();
  known.pop_back();
  return absl::InvalidArgumentError(
      absl::StrCat("-O: \"", name, "\" is not ", absl::StrJoin(known, ", "), " or ", last));
}

absl::Status SetIndex(const std::string& text, OutputPlan* plan) {
  if (text.empty()) return absl::OkStatus();
  if (text != "csi" && text != "tbi") {
    return absl::InvalidArgumentError(absl::StrCat("--index: \"", text, "\" is not csi or tbi"));
  }
  plan->index = text == "tbi" ? VariantIndex::kTbi : VariantIndex::kCsi;
  if (plan->format == CohortFormat::kVcfGz || (plan->format == CohortFormat::kBcf && text == "csi")) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--index: there is no ", text, " of ", CohortFormatName(plan->format),
                   plan->format == CohortFormat::kBcf ? ", only csi" : "; vcf.gz has csi or tbi, bcf has csi"));
}

absl::Status SetOxford(const std::string& text, OutputPlan* plan) {
  if (text.empty()) return absl::OkStatus();
  if (text != "plink2" && text != "bcftools") {
    return absl::InvalidArgumentError(absl::StrCat("--oxford: \"", text, "\" is not plink2 or bcftools"));
  }
  plan->oxford = text == "bcftools" ? OxfordLayout::kBcftools : OxfordLayout::kPlink2;
  if (IsOxford(plan->format)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--oxford: is for hap and haps, not for ", CohortFormatName(plan->format)));
}

}  // namespace

std::string OutputPlan::PanelPath() const { return prefix + ".panel.tsv"; }
std::string OutputPlan::PhenoPath() const { return prefix + ".pheno.tsv"; }
std::string OutputPlan::TruthPath() const { return prefix + ".truth.tsv"; }
std::string OutputPlan::CovarPath() const { return prefix + ".covar.tsv"; }

std::string OutputPlan::AlsoPath(CohortFormat other) const {
  return IsFileset(other) ? prefix : absl::StrCat(prefix, ".", CohortFormatName(other));
}

std::vector<std::string> OutputPlan::AlsoFiles() const {
  std::vector<std::string> files;
  for (const CohortFormat other : also) {
    const std::vector<std::string> more = FilesOfCohort(other, AlsoPath(other), index);
    files.insert(files.end(), more.rbegin(), more.rend());
  }
  return files;
}

std::vector<std::string> OutputPlan::GenotypeFiles() const {
  if (prefix.empty()) return {};
  const std::vector<std::string> files = FilesOfCohort(format, path, index);
  return {files.rbegin(), files.rend()};
}

std::vector<std::string> OutputPlan::Files() const {
  std::vector<std::string> files = GenotypeFiles();
  if (prefix.empty()) return files;
  const std::vector<std::string> others = AlsoFiles();
  files.insert(files.end(), others.begin(), others.end());
  files.insert(files.end(), {PanelPath(), PhenoPath()});
  if (covariates) files.push_back(CovarPath());
  if (truth) files.push_back(TruthPath());
  files.push_back(ManifestPath(prefix));
  return files;
}

std::string OutputPlan::Describe() const {
  std::string words = CohortFormatName(format);
  if (format == CohortFormat::kVcfGz) absl::StrAppend(&words, ", index ", index == VariantIndex::kTbi ? "tbi" : "csi");
  if (IsOxford(format)) {
    absl::StrAppend(&words, ", as of ", oxford == OxfordLayout::kBcftools ? "bcftools" : "plink2");
  }
  for (const CohortFormat other : also) absl::StrAppend(&words, " and ", CohortFormatName(other));
  return words;
}

absl::StatusOr<OutputPlan> PlanOutput(const OutputArguments& arguments) {
  const std::string& path = arguments.path;
  if (path.empty() || path.back() == '/') {
    return absl::InvalidArgumentError(absl::StrCat("-o: \"", path, "\" names no file"));
  }
  // Else they would be the beginning of a BED fileset's names.
  for (const auto& [others, ours] : {std::pair{".vcz", ".zarr"}, {".vcf.bgz", ".vcf.gz"}}) {
    if (arguments.format.empty() && absl::EndsWith(path, others)) {
      return absl::InvalidArgumentError(
          absl::StrCat("-o: ", path, ": the suffix is ", ours, ", or -O tells the format"));
    }
  }
  const absl::StatusOr<CohortFormat> by_suffix = FormatOfPath(path);
  OutputPlan plan;
  plan.path = path;
  plan.also = arguments.also;
  plan.truth = arguments.truth;
  plan.covariates = arguments.covariates;
  plan.format = path == "-" ? CohortFormat::kVcf : by_suffix.value_or(CohortFormat::kBed);
  if (!arguments.format.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(plan.format, FormatOfName(arguments.format));
  }
  GENOSERVE_RETURN_IF_ERROR(SetIndex(arguments.index, &plan));
  GENOSERVE_RETURN_IF_ERROR(SetOxford(arguments.oxford, &plan));
  if (path == "-") {
    if (plan.truth) return absl::InvalidArgumentError("-o -: standard output has no place for a simulated trait");
    if (FitsStandardOutput(plan.format)) return plan;
    return absl::InvalidArgumentError(absl::StrCat("-o -: ", CohortFormatName(plan.format),
                                                   " cannot go to standard output; take vcf, vcf.gz, bcf or npy"));
  }
  plan.prefix = path;
  if (by_suffix.ok()) plan.prefix.resize(path.size() - 1 - absl::string_view(CohortFormatName(*by_suffix)).size());
  if (plan.prefix.empty() || plan.prefix.back() == '/') {
    return absl::InvalidArgumentError(absl::StrCat("-o: \"", path, "\" is a suffix without a name"));
  }
  if (IsFileset(plan.format)) plan.path = plan.prefix;
  plan.part = PartPath(plan.format, plan.path);
  return plan;
}

absl::Status CheckFolder(const OutputPlan& plan) {
  if (plan.prefix.empty()) return absl::OkStatus();
  const std::string folder = FolderOf(plan.path);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return ErrnoStatus(absl::StrCat(folder, ": cannot write here"));
}

absl::Status CheckIsNew(const OutputPlan& plan) {
  for (const std::string& file : plan.Files()) {
    if (FileSystem::Posix().Exists(file)) {
      return absl::AlreadyExistsError(absl::StrCat(file, ": is there already; --force replaces it"));
    }
  }
  return absl::OkStatus();
}

absl::Status RemoveTemporaries(const OutputPlan& plan) {
  if (plan.prefix.empty()) return absl::OkStatus();
  const std::string folder = FolderOf(plan.path);
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, FileSystem::Posix().ListFolder(folder));
  std::vector<std::string> files = plan.Files();
  files.insert(files.end(), {PartStatePath(plan.part), PartTablePath(plan.part)});
  for (const std::string& file : files) {
    const std::string begin = file.substr(file.rfind('/') + 1) + ".tmp-";
    for (const std::string& name : names) {
      if (!absl::StartsWith(name, begin)) continue;
      GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().Remove(JoinPath(folder, name)));
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve

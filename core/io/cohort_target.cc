#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"

namespace genoserve {
namespace {

using WriteText = absl::Status (*)(const CohortDescription&, BgzfOutput&);

/// What writes the files beside the main one, in the order of FilesOfCohort.
std::vector<WriteText> Companions(CohortFormat format) {
  switch (format) {
    case CohortFormat::kBed:
      return {&WriteFam, &WriteBim};
    default:
      return {};
  }
}

/// The files of a target under temporary names, the main one last or, where it is there already, left out.
class StagedCohort {
 public:
  static absl::StatusOr<StagedCohort> Create(const CohortTarget& target, bool with_main) {
    StagedCohort staged;
    std::vector<std::string> paths = FilesOfCohort(target.format, target.path, target.options.index);
    if (!with_main) paths.pop_back();
    for (const std::string& path : paths) {
      GENOSERVE_ASSIGN_OR_RETURN(staged.files_.emplace_back(), StagedFile::Create(path));
    }
    const std::vector<WriteText> companions = Companions(target.format);
    for (size_t i = 0; i < companions.size(); ++i) {
      GENOSERVE_ASSIGN_OR_RETURN(const auto output,
                                 BgzfOutput::Create(staged.files_[i]->fd(), staged.files_[i]->path(), false));
      GENOSERVE_RETURN_IF_ERROR(companions[i](target.cohort, *output));
      GENOSERVE_RETURN_IF_ERROR(output->Close());
    }
    return staged;
  }

  std::vector<std::unique_ptr<StagedFile>>& files() { return files_; }

 private:
  std::vector<std::unique_ptr<StagedFile>> files_;
};

/// Writes the main file to `fd`, and its index to the file `index_path` unless that is empty.
absl::Status WriteMain(const CohortTarget& target, const SegmentSource& genotypes, int fd, const std::string& name,
                       const std::string& index_path) {
  const bool compressed = target.format == CohortFormat::kVcfGz || target.format == CohortFormat::kBcf;
  GENOSERVE_ASSIGN_OR_RETURN(const auto output, BgzfOutput::Create(fd, name, compressed));
  std::unique_ptr<CsiIndex> index;
  std::unique_ptr<CsiIndex>* const wanted = index_path.empty() ? nullptr : &index;
  switch (target.format) {
    case CohortFormat::kVcf:
    case CohortFormat::kVcfGz:
      GENOSERVE_RETURN_IF_ERROR(WriteVcf(target.cohort, genotypes, *output, wanted));
      break;
    case CohortFormat::kBcf:
      GENOSERVE_RETURN_IF_ERROR(WriteBcf(target.cohort, genotypes, *output, wanted));
      break;
    case CohortFormat::kBed:
      GENOSERVE_RETURN_IF_ERROR(WriteBed(target.cohort, genotypes, *output));
      break;
    default:
      return absl::UnimplementedError(absl::StrCat(name, ": cannot be written yet"));
  }
  const uint64_t end = output->Tell();
  GENOSERVE_RETURN_IF_ERROR(output->Close());
  return index_path.empty() ? absl::OkStatus() : index->Save(index_path, end);
}

}  // namespace

absl::Status CheckTarget(const CohortTarget& target) {
  const CohortDescription& cohort = target.cohort;
  const auto error = [&target](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(target.path, ": ", what));
  };
  if (target.path.empty()) return absl::InvalidArgumentError("the path of the cohort is empty");
  if (cohort.variants.size() == 0) return error("a cohort needs at least one variant");
  if (cohort.first_sample < 0 || cohort.sample_count < 1 ||
      cohort.first_sample > cohort.cohort_size - cohort.sample_count) {
    return error(absl::StrFormat("samples %d to %d do not lie in a cohort of %d", cohort.first_sample,
                                 cohort.first_sample + cohort.sample_count - 1, cohort.cohort_size));
  }
  const auto samples = static_cast<size_t>(cohort.sample_count);
  if (!cohort.sample_names.empty() && cohort.sample_names.size() != samples) {
    return error(absl::StrFormat("%d names for %d samples", cohort.sample_names.size(), samples));
  }
  if (!cohort.sexes.empty() && cohort.sexes.size() != samples) {
    return error(absl::StrFormat("the sexes of %d of %d samples", cohort.sexes.size(), samples));
  }
  if (target.format == CohortFormat::kBcf && cohort.sample_count > kMaxBcfSamples) {
    return error(absl::StrFormat("a BCF holds at most %d samples, not %d; write VCF.gz or BED, or several files",
                                 kMaxBcfSamples, cohort.sample_count));
  }
  if (target.path == kStandardOutput) {
    if (target.options.keep_part) return error("standard output has no part to keep");
    if (target.format == CohortFormat::kBed) {
      return error("BED is three files, which standard output cannot take; write VCF or BCF to it");
    }
  } else {
    for (const std::string& file : FilesOfCohort(target.format, target.path, target.options.index)) {
      GENOSERVE_RETURN_IF_ERROR(CheckIsReplaceable(file));
    }
  }
  return VcfHeader(cohort).status();
}

absl::Status FinishByVariants(const CohortTarget& target, const SegmentSource& genotypes) {
  if (target.path == kStandardOutput) {
    return WriteMain(target, genotypes, STDOUT_FILENO, "standard output", "");
  }
  GENOSERVE_ASSIGN_OR_RETURN(StagedCohort staged, StagedCohort::Create(target, true));
  const bool indexed = target.format == CohortFormat::kVcfGz || target.format == CohortFormat::kBcf;
  const StagedFile& main = *staged.files().back();
  GENOSERVE_RETURN_IF_ERROR(
      WriteMain(target, genotypes, main.fd(), main.path(), indexed ? staged.files().front()->temporary_path() : ""));
  return CommitFiles(std::move(staged.files()));
}

absl::Status FinishInPlace(const CohortTarget& target, PartFile& genotypes) {
  GENOSERVE_ASSIGN_OR_RETURN(StagedCohort staged, StagedCohort::Create(target, false));
  GENOSERVE_ASSIGN_OR_RETURN(staged.files().emplace_back(),
                             genotypes.Stage(FilesOfCohort(target.format, target.path).back()));
  return CommitFiles(std::move(staged.files()));
}

}  // namespace genoserve

#include <unistd.h>

#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/staged_folder.h"

namespace genoserve {
namespace {

using WriteText = std::function<absl::Status(const CohortDescription&, PlainOutput&)>;

/// What writes the files beside the main one, in the order of FilesOfCohort.
std::vector<WriteText> Companions(const CohortTarget& target) {
  const auto sample = [layout = target.options.oxford](const CohortDescription& cohort, PlainOutput& output) {
    return WriteOxfordSample(cohort, layout, output);
  };
  switch (target.format) {
    case CohortFormat::kBed:
      return {&WriteFam, &WriteBim};
    case CohortFormat::kPgen:
      return {&WritePsam, &WritePvar};
    case CohortFormat::kHap:
      return {sample, &WriteLegend};
    case CohortFormat::kHaps:  // one layout for all tools
      return {[](const CohortDescription& cohort, PlainOutput& output) {
        return WriteOxfordSample(cohort, OxfordLayout::kPlink2, output);
      }};
    case CohortFormat::kHapt:
      return {&WriteLegend};
    case CohortFormat::kNpy:
      return {&WriteSampleTable, &WriteVariantTable};
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
    const std::vector<WriteText> companions = Companions(target);
    for (size_t i = 0; i < companions.size(); ++i) {
      PlainOutput output(staged.files_[i]->fd(), staged.files_[i]->path());
      GENOSERVE_RETURN_IF_ERROR(companions[i](target.cohort, output));
      GENOSERVE_RETURN_IF_ERROR(output.Close());
    }
    return staged;
  }

  std::vector<std::unique_ptr<StagedFile>>& files() { return files_; }

 private:
  std::vector<std::unique_ptr<StagedFile>> files_;
};

/// Writes a VCF or BCF to `fd`, and its index to the file `index_path` unless that is empty.
absl::Status WriteVcfMain(const CohortTarget& target, const SegmentSource& genotypes, int fd, const std::string& name,
                          const std::string& index_path) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto output, BgzfOutput::Create(fd, name, target.format != CohortFormat::kVcf));
  const bool bcf = target.format == CohortFormat::kBcf;
  SiteIndex index(target.cohort.variants, bcf, bcf ? VariantIndex::kCsi : target.options.index);
  const auto write = bcf ? &WriteBcf : &WriteVcf;
  GENOSERVE_RETURN_IF_ERROR(write(target.cohort, genotypes, *output, index_path.empty() ? nullptr : &index));
  const uint64_t end = output->Tell();
  GENOSERVE_RETURN_IF_ERROR(output->Close());
  return index_path.empty() ? absl::OkStatus() : index.Save(index_path, end);
}

absl::Status WriteMain(const CohortTarget& target, const SegmentSource& genotypes, int fd, const std::string& name,
                       const std::string& index_path) {
  PlainOutput output(fd, name);
  switch (target.format) {
    case CohortFormat::kBed:
      GENOSERVE_RETURN_IF_ERROR(WriteBed(target.cohort, genotypes, output));
      break;
    case CohortFormat::kPgen:
      GENOSERVE_RETURN_IF_ERROR(WritePgen(target.cohort, genotypes, output));
      break;
    case CohortFormat::kHap:
      GENOSERVE_RETURN_IF_ERROR(WriteHap(target.cohort, genotypes, output));
      break;
    case CohortFormat::kHaps:
      GENOSERVE_RETURN_IF_ERROR(WriteHaps(target.cohort, target.options.oxford, genotypes, output));
      break;
    default:
      return WriteVcfMain(target, genotypes, fd, name, index_path);
  }
  return output.Close();
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
  const bool haplotypes = target.format == CohortFormat::kHap || target.format == CohortFormat::kHaps ||
                          target.format == CohortFormat::kHapt;
  if (haplotypes && cohort.packing != Packing::kHaplotype1Bit) {
    return error(absl::StrFormat(
        "%s holds haplotypes, and these genotypes have no phase; vcf, vcf.gz, bcf, bed, pgen, npy and zarr can",
        CohortFormatName(target.format)));
  }
  if (target.format == CohortFormat::kBcf && cohort.sample_count > kMaxBcfSamples) {
    return error(absl::StrFormat("a BCF holds at most %d samples, not %d; write VCF.gz or BED, or several files",
                                 kMaxBcfSamples, cohort.sample_count));
  }
  if (target.path == kStandardOutput) {
    if (target.options.keep_part) return error("standard output has no part to keep");
    if (target.format != CohortFormat::kNpy && (IsFileset(target.format) || target.format == CohortFormat::kZarr)) {
      return error(
          absl::StrFormat("%s is several files, which standard output cannot take; write vcf, vcf.gz, bcf or npy to it",
                          CohortFormatName(target.format)));
    }
  } else if (target.format == CohortFormat::kZarr) {
    GENOSERVE_RETURN_IF_ERROR(StagedFolder::CheckIsReplaceable(target.path));
  } else {
    for (const std::string& file : FilesOfCohort(target.format, target.path, target.options.index)) {
      GENOSERVE_RETURN_IF_ERROR(CheckIsReplaceable(file));
    }
  }
  return VcfHeader(cohort).status();
}

absl::Status FinishByVariants(const CohortTarget& target, const SegmentSource& genotypes) {
  if (target.format == CohortFormat::kZarr) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto folder, StagedFolder::Create(target.path));
    GENOSERVE_RETURN_IF_ERROR(WriteZarr(target.cohort, genotypes, folder->temporary_path()));
    return folder->Commit();
  }
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

absl::Status FinishByRows(const CohortTarget& target, const RowSource& genotypes) {
  const auto write = [&](int fd, const std::string& name) -> absl::Status {
    PlainOutput output(fd, name);
    const auto write_main = target.format == CohortFormat::kHapt ? &WriteHapt : &WriteNpy;
    GENOSERVE_RETURN_IF_ERROR(write_main(target.cohort, genotypes, output));
    return output.Close();
  };
  if (target.path == kStandardOutput) return write(STDOUT_FILENO, "standard output");
  GENOSERVE_ASSIGN_OR_RETURN(StagedCohort staged, StagedCohort::Create(target, true));
  GENOSERVE_RETURN_IF_ERROR(write(staged.files().back()->fd(), staged.files().back()->path()));
  return CommitFiles(std::move(staged.files()));
}

absl::Status FinishInPlace(const CohortTarget& target, PartFile& genotypes) {
  GENOSERVE_ASSIGN_OR_RETURN(StagedCohort staged, StagedCohort::Create(target, false));
  GENOSERVE_ASSIGN_OR_RETURN(staged.files().emplace_back(),
                             genotypes.Stage(FilesOfCohort(target.format, target.path).back()));
  return CommitFiles(std::move(staged.files()));
}

}  // namespace genoserve

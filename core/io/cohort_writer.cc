#include "core/io/cohort_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

/// The suffix of a file and its format.
constexpr std::pair<const char*, CohortFormat> kSuffixes[] = {{".vcf", CohortFormat::kVcf},
                                                              {".vcf.gz", CohortFormat::kVcfGz},
                                                              {".bcf", CohortFormat::kBcf},
                                                              {".bed", CohortFormat::kBed}};

constexpr char kStandardOutput[] = "-";

/// All files of a cohort; the one that `path` names is the last.
std::vector<std::string> FilesOf(CohortFormat format, const std::string& path) {
  switch (format) {
    case CohortFormat::kVcf:
      return {path};
    case CohortFormat::kVcfGz:
    case CohortFormat::kBcf:
      return {absl::StrCat(path, ".csi"), path};
    case CohortFormat::kBed:
      const absl::string_view prefix = absl::StripSuffix(path, ".bed");
      return {absl::StrCat(prefix, ".fam"), absl::StrCat(prefix, ".bim"), absl::StrCat(prefix, ".bed")};
  }
  return {};
}

class FileCohortWriter final : public CohortWriter {
 public:
  FileCohortWriter(CohortFormat format, std::string path, CohortDescription cohort,
                   std::unique_ptr<VariantMajorSpill> genotypes)
      : format_(format), path_(std::move(path)), cohort_(std::move(cohort)), genotypes_(std::move(genotypes)) {}

  absl::Status Append(const GenotypeMatrix& rows) override {
    GENOSERVE_RETURN_IF_ERROR(status_);
    if (rows.packing() != cohort_.packing || rows.variants() != cohort_.variants.size()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: rows have %d variants%s, expected %d", path_, rows.variants(),
                          rows.packing() == cohort_.packing ? "" : " in the other packing", cohort_.variants.size()));
    }
    const int64_t left = cohort_.sample_count - genotypes_->appended();
    if (static_cast<int64_t>(rows.samples()) > left) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: got %d samples where %d are left of %d", path_,
                                                        rows.samples(), left, cohort_.sample_count));
    }
    status_ = genotypes_->Append(rows);
    return status_;
  }

  absl::Status Close() override {
    GENOSERVE_RETURN_IF_ERROR(status_);
    if (genotypes_->appended() != cohort_.sample_count) {
      return absl::FailedPreconditionError(absl::StrFormat("%s: only %d of %d samples were written", path_,
                                                           genotypes_->appended(), cohort_.sample_count));
    }
    absl::Status status = path_ == kStandardOutput ? WriteToStandardOutput() : WriteFiles();
    genotypes_.reset();
    status_ = absl::FailedPreconditionError(absl::StrCat(path_, ": is closed already"));
    return status;
  }

 private:
  absl::Status WriteMain(int fd, const std::string& name, std::unique_ptr<CsiIndex>* index, uint64_t* end) {
    const bool compressed = format_ == CohortFormat::kVcfGz || format_ == CohortFormat::kBcf;
    GENOSERVE_ASSIGN_OR_RETURN(const auto output, BgzfOutput::Create(fd, name, compressed));
    switch (format_) {
      case CohortFormat::kVcf:
      case CohortFormat::kVcfGz:
        GENOSERVE_RETURN_IF_ERROR(WriteVcf(cohort_, *genotypes_, *output, index));
        break;
      case CohortFormat::kBcf:
        GENOSERVE_RETURN_IF_ERROR(WriteBcf(cohort_, *genotypes_, *output, index));
        break;
      case CohortFormat::kBed:
        GENOSERVE_RETURN_IF_ERROR(WriteBed(cohort_, *genotypes_, *output));
        break;
    }
    *end = output->Tell();
    return output->Close();
  }

  absl::Status WriteToStandardOutput() {
    uint64_t end = 0;
    return WriteMain(STDOUT_FILENO, "standard output", nullptr, &end);
  }

  absl::Status WriteFiles() {
    std::vector<std::unique_ptr<StagedFile>> files;
    for (const std::string& path : FilesOf(format_, path_)) {
      GENOSERVE_ASSIGN_OR_RETURN(files.emplace_back(), StagedFile::Create(path));
    }
    std::unique_ptr<CsiIndex> index;
    uint64_t end = 0;
    const StagedFile& main = *files.back();
    const bool indexed = files.size() == 2;
    GENOSERVE_RETURN_IF_ERROR(WriteMain(main.fd(), main.path(), indexed ? &index : nullptr, &end));
    if (indexed) GENOSERVE_RETURN_IF_ERROR(index->Save(files[0]->temporary_path(), end));
    if (format_ == CohortFormat::kBed) {
      GENOSERVE_RETURN_IF_ERROR(WriteText(*files[0], &WriteFam));
      GENOSERVE_RETURN_IF_ERROR(WriteText(*files[1], &WriteBim));
    }
    return CommitFiles(std::move(files));
  }

  absl::Status WriteText(const StagedFile& file, absl::Status (*write)(const CohortDescription&, BgzfOutput&)) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto output, BgzfOutput::Create(file.fd(), file.path(), false));
    GENOSERVE_RETURN_IF_ERROR(write(cohort_, *output));
    return output->Close();
  }

  const CohortFormat format_;
  const std::string path_;
  const CohortDescription cohort_;
  std::unique_ptr<VariantMajorSpill> genotypes_;
  absl::Status status_;  // of the first Append that failed, or that the writer is closed
};

absl::Status CheckDescription(CohortFormat format, const std::string& path, const CohortDescription& cohort) {
  const auto error = [&path](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
  };
  if (path.empty()) return absl::InvalidArgumentError("the path of the cohort is empty");
  if (cohort.variants.size() == 0) return error("a cohort needs at least one variant");
  if (cohort.first_sample < 0 || cohort.sample_count < 1 ||
      cohort.first_sample > cohort.cohort_size - cohort.sample_count) {
    return error(absl::StrFormat("samples %d to %d do not lie in a cohort of %d", cohort.first_sample,
                                 cohort.first_sample + cohort.sample_count - 1, cohort.cohort_size));
  }
  if (format == CohortFormat::kBcf && cohort.sample_count > kMaxBcfSamples) {
    return error(absl::StrFormat("a BCF holds at most %d samples, not %d; write VCF.gz or BED, or several files",
                                 kMaxBcfSamples, cohort.sample_count));
  }
  if (format == CohortFormat::kBed && path == kStandardOutput) {
    return error("BED is three files, which standard output cannot take; write VCF or BCF to it");
  }
  return VcfHeader(cohort).status();
}

}  // namespace

absl::StatusOr<CohortFormat> FormatOfPath(absl::string_view path) {
  for (const auto& [suffix, format] : kSuffixes) {
    if (absl::EndsWithIgnoreCase(path, suffix)) return format;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the format is told by the suffix: .vcf, .vcf.gz, .bcf or .bed"));
}

std::string SyntheticSampleName(int64_t index, int64_t cohort_size) {
  const size_t digits = std::max<size_t>(6, absl::StrCat(cohort_size).size());
  const std::string number = absl::StrCat(index + 1);
  return absl::StrCat("SYN", std::string(digits - std::min(digits, number.size()), '0'), number);
}

absl::StatusOr<std::unique_ptr<CohortWriter>> OpenCohortWriterWithMemory(CohortFormat format, const std::string& path,
                                                                         CohortDescription description, size_t memory) {
  GENOSERVE_RETURN_IF_ERROR(CheckDescription(format, path, description));
  std::string folder;
  if (path == kStandardOutput) {
    const char* const temporary = std::getenv("TMPDIR");
    folder = temporary == nullptr || *temporary == '\0' ? "/tmp" : temporary;
  } else {
    for (const std::string& file : FilesOf(format, path)) GENOSERVE_RETURN_IF_ERROR(CheckIsReplaceable(file));
    folder = FolderOf(path);
  }
  GENOSERVE_ASSIGN_OR_RETURN(auto genotypes,
                             VariantMajorSpill::Create(folder, description.packing, description.variants.size(),
                                                       description.sample_count, memory));
  return std::make_unique<FileCohortWriter>(format, path, std::move(description), std::move(genotypes));
}

absl::StatusOr<std::unique_ptr<CohortWriter>> OpenCohortWriter(CohortFormat format, const std::string& path,
                                                               CohortDescription description) {
  return OpenCohortWriterWithMemory(format, path, std::move(description), VariantMajorSpill::kMemory);
}

}  // namespace genoserve

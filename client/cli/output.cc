#include "client/cli/output.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

struct Format {
  CohortFormat format;
  const char* name;
};

constexpr std::array<Format, 4> kFormats = {{{CohortFormat::kVcf, "vcf"},
                                             {CohortFormat::kVcfGz, "vcf.gz"},
                                             {CohortFormat::kBcf, "bcf"},
                                             {CohortFormat::kBed, "bed"}}};

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The shortest text that reads back as the same number.
void AppendNumber(double value, std::string* text) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  text->append(digits.data(), end);
}

}  // namespace

std::vector<std::string> OutputPlan::Files() const {
  if (prefix.empty()) return {};
  std::vector<std::string> files;
  if (format == CohortFormat::kBed) {
    for (const char* suffix : {".bed", ".bim", ".fam"}) files.push_back(path + suffix);
  } else {
    files.push_back(path);
    if (format != CohortFormat::kVcf) files.push_back(path + ".csi");
  }
  files.push_back(prefix + ".panel.tsv");
  files.push_back(prefix + ".pheno.tsv");
  return files;
}

absl::StatusOr<OutputPlan> PlanOutput(const std::string& path, absl::string_view format) {
  if (path.empty() || path.back() == '/') {
    return absl::InvalidArgumentError(absl::StrCat("-o: \"", path, "\" names no file"));
  }
  const absl::StatusOr<CohortFormat> by_suffix = FormatOfPath(path);
  OutputPlan plan;
  plan.path = path;
  plan.format = path == "-" ? CohortFormat::kVcf : by_suffix.value_or(CohortFormat::kBed);
  if (!format.empty()) {
    bool known = false;
    for (const Format& candidate : kFormats) {
      if (format != candidate.name) continue;
      plan.format = candidate.format;
      known = true;
    }
    if (!known) return absl::InvalidArgumentError(absl::StrCat("-O: \"", format, "\" is not vcf, vcf.gz, bcf or bed"));
  }
  if (path == "-") {
    if (plan.format != CohortFormat::kBed) return plan;
    return absl::InvalidArgumentError("-o -: BED files cannot go to standard output; take vcf, vcf.gz or bcf");
  }
  absl::string_view prefix = path;
  if (by_suffix.ok()) {
    for (const Format& candidate : kFormats) {
      if (candidate.format == *by_suffix) absl::ConsumeSuffix(&prefix, absl::StrCat(".", candidate.name));
    }
  }
  plan.prefix = std::string(prefix);
  if (plan.prefix.empty() || plan.prefix.back() == '/') {
    return absl::InvalidArgumentError(absl::StrCat("-o: \"", path, "\" is a suffix without a name"));
  }
  if (plan.format == CohortFormat::kBed) plan.path = plan.prefix;
  return plan;
}

absl::Status CheckOutput(const OutputPlan& plan, bool force) {
  if (plan.prefix.empty()) return absl::OkStatus();
  const std::string folder = FolderOf(plan.path);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) return ErrnoStatus(absl::StrCat(folder, ": cannot write here"));
  if (force) return absl::OkStatus();
  for (const std::string& file : plan.Files()) {
    if (FileSystem::Posix().Exists(file)) {
      return absl::AlreadyExistsError(absl::StrCat(file, ": is there already; --force replaces it"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<PartFile>> PartFile::Create(const std::string& path) {
  const std::string temporary = absl::StrCat(path, ".part-", ::getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "we");
  if (file == nullptr) return ErrnoStatus(absl::StrCat(temporary, ": cannot create"));
  return std::unique_ptr<PartFile>(new PartFile(path, temporary, file));
}

PartFile::~PartFile() {
  if (file_ != nullptr) std::fclose(file_);
  if (!temporary_.empty()) FileSystem::Posix().Remove(temporary_).IgnoreError();
}

absl::Status PartFile::Append(absl::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return absl::OkStatus();
  return ErrnoStatus(absl::StrCat(path_, ": cannot write"));
}

absl::Status PartFile::Finish() {
  const bool written = std::fflush(file_) == 0 && ::fsync(::fileno(file_)) == 0;
  const int error = errno;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (!written) errno = error;
  return written && closed ? absl::OkStatus() : ErrnoStatus(absl::StrCat(path_, ": cannot write"));
}

absl::Status PartFile::Commit() {
  GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().Rename(temporary_, path_));
  temporary_.clear();
  return FileSystem::Posix().SyncFolder(FolderOf(path_));
}

absl::StatusOr<SampleTables> SampleTables::Create(const OutputPlan& plan, const v1::CohortHeader& header) {
  SampleTables tables;
  tables.header_ = header;
  if (plan.prefix.empty()) return tables;
  if (header.labels_size() > 0) {
    GENOSERVE_ASSIGN_OR_RETURN(tables.panel_, PartFile::Create(plan.prefix + ".panel.tsv"));
    GENOSERVE_RETURN_IF_ERROR(tables.panel_->Append(absl::StrCat("sample\t", header.label_column(), "\n")));
  }
  if (header.phenotypes_size() > 0) {
    GENOSERVE_ASSIGN_OR_RETURN(tables.pheno_, PartFile::Create(plan.prefix + ".pheno.tsv"));
    std::string line = "#IID";
    for (const v1::PhenotypeSchema& schema : header.phenotypes()) absl::StrAppend(&line, "\t", schema.name());
    GENOSERVE_RETURN_IF_ERROR(tables.pheno_->Append(line + "\n"));
  }
  return tables;
}

absl::Status SampleTables::Append(const CohortBatch& batch) {
  if (panel_ == nullptr && pheno_ == nullptr) return absl::OkStatus();
  std::string panel;
  std::string pheno;
  for (size_t i = 0; i < batch.genotypes.samples(); ++i) {
    const std::string name = SyntheticSampleName(batch.first_sample + static_cast<int64_t>(i), header_.cohort_size());
    if (panel_ != nullptr) {
      absl::StrAppend(&panel, name, "\t", header_.labels(static_cast<int>(batch.labels[i])), "\n");
    }
    if (pheno_ == nullptr) continue;
    pheno += name;
    for (int p = 0; p < header_.phenotypes_size(); ++p) {
      const double value = batch.phenotypes[static_cast<size_t>(p)][i];
      pheno += '\t';
      const v1::PhenotypeSchema& schema = header_.phenotypes(p);
      if (schema.has_categorical()) {
        pheno += schema.categorical().levels(static_cast<int>(value));
      } else {
        AppendNumber(value, &pheno);
      }
    }
    pheno += '\n';
  }
  if (panel_ != nullptr) GENOSERVE_RETURN_IF_ERROR(panel_->Append(panel));
  if (pheno_ != nullptr) GENOSERVE_RETURN_IF_ERROR(pheno_->Append(pheno));
  return absl::OkStatus();
}

absl::Status SampleTables::Finish() {
  if (panel_ != nullptr) GENOSERVE_RETURN_IF_ERROR(panel_->Finish());
  if (pheno_ != nullptr) GENOSERVE_RETURN_IF_ERROR(pheno_->Finish());
  return absl::OkStatus();
}

absl::Status SampleTables::Commit() {
  if (panel_ != nullptr) GENOSERVE_RETURN_IF_ERROR(panel_->Commit());
  if (pheno_ != nullptr) GENOSERVE_RETURN_IF_ERROR(pheno_->Commit());
  return absl::OkStatus();
}

}  // namespace genoserve

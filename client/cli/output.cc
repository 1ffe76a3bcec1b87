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

constexpr char kPanelSuffix[] = ".panel.tsv";
constexpr char kPhenoSuffix[] = ".pheno.tsv";
constexpr size_t kWriteBytes = 64 << 10;  // lines are held back until they are so many bytes

struct Format {
  CohortFormat format;
  const char* name;
};

constexpr std::array<Format, 4> kFormats = {{{CohortFormat::kVcf, "vcf"},
                                             {CohortFormat::kVcfGz, "vcf.gz"},
                                             {CohortFormat::kBcf, "bcf"},
                                             {CohortFormat::kBed, "bed"}}};

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
  files.push_back(prefix + kPanelSuffix);
  files.push_back(prefix + kPhenoSuffix);
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

absl::StatusOr<SampleTables> SampleTables::Create(const OutputPlan& plan, const v1::CohortHeader& header) {
  SampleTables tables;
  tables.header_ = header;
  if (plan.prefix.empty()) return tables;
  if (header.labels_size() > 0) {
    GENOSERVE_ASSIGN_OR_RETURN(tables.panel_.file, StagedFile::Create(plan.prefix + kPanelSuffix));
    absl::StrAppend(&tables.panel_.text, "sample\t", header.label_column(), "\n");
  }
  if (header.phenotypes_size() > 0) {
    GENOSERVE_ASSIGN_OR_RETURN(tables.pheno_.file, StagedFile::Create(plan.prefix + kPhenoSuffix));
    tables.pheno_.text = "#IID";
    for (const v1::PhenotypeSchema& schema : header.phenotypes())
      absl::StrAppend(&tables.pheno_.text, "\t", schema.name());
    tables.pheno_.text += '\n';
  }
  return tables;
}

absl::Status SampleTables::Append(const CohortBatch& batch) {
  if (panel_.file == nullptr && pheno_.file == nullptr) return absl::OkStatus();
  for (size_t i = 0; i < batch.genotypes.samples(); ++i) {
    const std::string name = SyntheticSampleName(batch.first_sample + static_cast<int64_t>(i), header_.cohort_size());
    if (panel_.file != nullptr) {
      absl::StrAppend(&panel_.text, name, "\t", header_.labels(static_cast<int>(batch.labels[i])), "\n");
    }
    if (pheno_.file == nullptr) continue;
    pheno_.text += name;
    for (int p = 0; p < header_.phenotypes_size(); ++p) {
      const double value = batch.phenotypes[static_cast<size_t>(p)][i];
      pheno_.text += '\t';
      const v1::PhenotypeSchema& schema = header_.phenotypes(p);
      if (schema.has_categorical()) {
        pheno_.text += schema.categorical().levels(static_cast<int>(value));
      } else {
        AppendNumber(value, &pheno_.text);
      }
    }
    pheno_.text += '\n';
  }
  for (Table* table : {&panel_, &pheno_}) {
    if (table->text.size() >= kWriteBytes) GENOSERVE_RETURN_IF_ERROR(Write(table));
  }
  return absl::OkStatus();
}

absl::Status SampleTables::Write(Table* table) {
  absl::string_view left = table->text;
  while (!left.empty()) {
    const ssize_t written = ::write(table->file->fd(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return WriteError(table->file->path());
    left.remove_prefix(static_cast<size_t>(written));
  }
  table->text.clear();
  return absl::OkStatus();
}

absl::Status SampleTables::Finish() {
  GENOSERVE_RETURN_IF_ERROR(Write(&panel_));
  return Write(&pheno_);
}

absl::Status SampleTables::Commit() {
  std::vector<std::unique_ptr<StagedFile>> files;
  for (Table* table : {&panel_, &pheno_}) {
    if (table->file != nullptr) files.push_back(std::move(table->file));
  }
  return files.empty() ? absl::OkStatus() : CommitFiles(std::move(files));
}

}  // namespace genoserve

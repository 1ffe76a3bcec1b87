#include "client/cli/sample_part.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/io/cohort_writer.h"
#include "core/io/plain_output.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

constexpr char kName[] = "the part of labels and phenotypes";
constexpr size_t kReadBytes = size_t{1} << 20;

// A record: the label's index, the phenotypes, then what the trait needs.
size_t RecordBytes(const v1::CohortHeader& header, const SimulatedTrait* trait) {
  return (header.labels_size() > 0 ? sizeof(uint32_t) : 0) +
         sizeof(double) * static_cast<size_t>(header.phenotypes_size()) +
         (trait == nullptr ? 0 : trait->record_bytes());
}

// A table on its way to a file that gets its name at the end.
class Table {
 public:
  // Nothing is written where the path is empty.
  static absl::StatusOr<Table> Create(const std::string& path, const std::string& head) {
    Table table;
    if (path.empty()) return table;
    GENOSERVE_ASSIGN_OR_RETURN(table.file_, StagedFile::Create(path));
    table.output_ = std::make_unique<PlainOutput>(table.file_->fd(), path);
    GENOSERVE_RETURN_IF_ERROR(table.Add(head + "\n"));
    return table;
  }

  bool wanted() const { return file_ != nullptr; }

  absl::Status Add(absl::string_view text) { return output_->Write(text); }

  absl::Status Commit() {
    if (file_ == nullptr) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(output_->Close());
    std::vector<std::unique_ptr<StagedFile>> files;
    files.push_back(std::move(file_));
    return CommitFiles(std::move(files));
  }

 private:
  std::unique_ptr<StagedFile> file_;
  std::unique_ptr<PlainOutput> output_;  // to the file
};

}  // namespace

std::string NumberText(double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

SamplePart::SamplePart(int fd, const v1::CohortHeader& header, const SimulatedTrait* trait)
    : fd_(fd), header_(header), trait_(trait), record_bytes_(fd < 0 ? 0 : RecordBytes(header, trait)) {}

absl::StatusOr<SamplePart> SamplePart::Open(int fd, const v1::CohortHeader& header, const SimulatedTrait* trait,
                                            bool go_on) {
  SamplePart part(fd, header, trait);
  if (part.empty()) return part;
  const auto bytes = static_cast<off_t>(part.record_bytes_) * header.sample_count();
  if (go_on) {
    struct stat info;
    if (::fstat(fd, &info) != 0) return ErrnoStatus(absl::StrCat(kName, ": cannot read"));
    if (info.st_size == bytes) return part;
    return absl::DataLossError(absl::StrCat(kName, ": has ", info.st_size, " bytes, not ", bytes));
  }
  if (::ftruncate(fd, 0) != 0) return WriteError(kName);
  if (::fallocate(fd, 0, 0, bytes) != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    return WriteError(kName);
  }
  if (::ftruncate(fd, bytes) != 0) return WriteError(kName);
  return part;
}

absl::Status SamplePart::Write(const CohortBatch& batch) const {
  if (empty()) return absl::OkStatus();
  const size_t samples = batch.genotypes.samples();
  std::string records(samples * record_bytes_, '\0');
  char* at = records.data();
  for (size_t i = 0; i < samples; ++i) {
    if (header_.labels_size() > 0) {
      std::memcpy(at, &batch.labels[i], sizeof(uint32_t));
      at += sizeof(uint32_t);
    }
    for (const std::vector<double>& values : batch.phenotypes) {
      std::memcpy(at, &values[i], sizeof(double));
      at += sizeof(double);
    }
    if (trait_ == nullptr) continue;
    trait_->Record(batch.genotypes, i, {reinterpret_cast<uint8_t*>(at), trait_->record_bytes()});
    at += trait_->record_bytes();
  }
  absl::string_view left = records;
  int64_t offset = (batch.first_sample - header_.first_sample()) * static_cast<int64_t>(record_bytes_);
  while (!left.empty()) {
    const ssize_t n = ::pwrite(fd_, left.data(), left.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return WriteError(kName);
    left.remove_prefix(static_cast<size_t>(n));
    offset += n;
  }
  return absl::OkStatus();
}

absl::Status SamplePart::Sync() const {
  if (empty() || ::fdatasync(fd_) == 0) return absl::OkStatus();
  return WriteError(kName);
}

absl::Status SamplePart::ForEach(absl::FunctionRef<absl::Status(const SampleRecord&)> take) const {
  if (empty()) return absl::OkStatus();
  const auto phenotypes = static_cast<size_t>(header_.phenotypes_size());
  std::vector<double> values(phenotypes);
  const int64_t records = std::max<int64_t>(1, static_cast<int64_t>(kReadBytes / record_bytes_));
  std::string buffer;
  for (int64_t first = 0; first < header_.sample_count(); first += records) {
    const int64_t count = std::min(records, header_.sample_count() - first);
    buffer.resize(static_cast<size_t>(count) * record_bytes_);
    for (size_t have = 0; have < buffer.size();) {
      const auto offset = static_cast<int64_t>(have) + first * static_cast<int64_t>(record_bytes_);
      const ssize_t n = ::pread(fd_, buffer.data() + have, buffer.size() - have, offset);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return ErrnoStatus(absl::StrCat(kName, ": cannot read"));
      if (n == 0) return absl::DataLossError(absl::StrCat(kName, ": is too short"));
      have += static_cast<size_t>(n);
    }
    const char* at = buffer.data();
    for (int64_t i = 0; i < count; ++i) {
      uint32_t label = 0;
      if (header_.labels_size() > 0) {
        std::memcpy(&label, at, sizeof(uint32_t));
        at += sizeof(uint32_t);
      }
      std::memcpy(values.data(), at, phenotypes * sizeof(double));
      at += phenotypes * sizeof(double);
      bool right = header_.labels_size() == 0 || std::cmp_less(label, header_.labels_size());
      for (size_t p = 0; p < phenotypes && right; ++p) {
        const v1::PhenotypeSchema& schema = header_.phenotypes(static_cast<int>(p));
        right = schema.has_categorical() ? values[p] >= 0 && values[p] < schema.categorical().levels_size()
                                         : std::isfinite(values[p]);
      }
      const int64_t index = header_.first_sample() + first + i;
      std::span<const uint8_t> genotypes;
      if (trait_ != nullptr) genotypes = {reinterpret_cast<const uint8_t*>(at), trait_->record_bytes()};
      at += genotypes.size();
      if (!right) return absl::DataLossError(absl::StrCat(kName, ": sample ", index, " makes no sense"));
      GENOSERVE_RETURN_IF_ERROR(take({index, label, values, genotypes}));
    }
  }
  return absl::OkStatus();
}

absl::Status CountLabels(const SamplePart& samples, const v1::CohortHeader& header,
                         std::vector<int64_t>* label_counts) {
  label_counts->assign(static_cast<size_t>(header.labels_size()), 0);
  if (label_counts->empty()) return absl::OkStatus();
  return samples.ForEach([label_counts](const SampleRecord& sample) {
    ++(*label_counts)[sample.label];
    return absl::OkStatus();
  });
}

absl::Status WriteTables(const SamplePart& samples, const v1::CohortHeader& header, const SimulatedTrait* trait,
                         const std::vector<int64_t>& label_counts, const TablePaths& paths) {
  const bool labels = header.labels_size() > 0;
  std::string phenotypes;
  for (const v1::PhenotypeSchema& schema : header.phenotypes()) absl::StrAppend(&phenotypes, "\t", schema.name());
  if (trait != nullptr) absl::StrAppend(&phenotypes, "\t", absl::StrJoin(trait->columns(), "\t"));
  const std::string label_column = labels ? "\t" + header.label_column() : "";
  const bool some = labels || !phenotypes.empty();
  std::vector<uint32_t> indicated;
  std::string indicators;
  for (uint32_t label = 0; std::cmp_less(label, label_counts.size()); ++label) {
    if (label_counts[label] > 0) indicated.push_back(label);
  }
  if (!indicated.empty()) indicated.erase(indicated.begin());
  for (const uint32_t label : indicated) {
    absl::StrAppend(&indicators, label_column, "_", header.labels(static_cast<int>(label)));
  }
  GENOSERVE_ASSIGN_OR_RETURN(Table panel, Table::Create(labels ? paths.panel : "", "sample" + label_column));
  GENOSERVE_ASSIGN_OR_RETURN(Table pheno, Table::Create(phenotypes.empty() ? "" : paths.pheno, "#IID" + phenotypes));
  GENOSERVE_ASSIGN_OR_RETURN(Table all, Table::Create(some ? paths.all : "", "sample" + label_column + phenotypes));
  GENOSERVE_ASSIGN_OR_RETURN(Table covar, Table::Create(indicated.empty() ? "" : paths.covar, "#IID" + indicators));
  std::string values;
  const auto add = [&](const SampleRecord& sample) -> absl::Status {
    values.clear();
    for (size_t p = 0; p < sample.phenotypes.size(); ++p) {
      const v1::PhenotypeSchema& schema = header.phenotypes(static_cast<int>(p));
      const double number = sample.phenotypes[p];
      absl::StrAppend(
          &values, "\t",
          schema.has_categorical() ? schema.categorical().levels(static_cast<int>(number)) : NumberText(number));
    }
    if (trait != nullptr) trait->AppendValues(sample.index - header.first_sample(), &values);
    const std::string name = SyntheticSampleName(sample.index, header.cohort_size());
    const std::string cell = labels ? "\t" + header.labels(static_cast<int>(sample.label)) : "";
    if (panel.wanted()) GENOSERVE_RETURN_IF_ERROR(panel.Add(absl::StrCat(name, cell, "\n")));
    if (pheno.wanted()) GENOSERVE_RETURN_IF_ERROR(pheno.Add(absl::StrCat(name, values, "\n")));
    if (covar.wanted()) {
      std::string line = name;
      for (const uint32_t label : indicated) absl::StrAppend(&line, sample.label == label ? "\t1" : "\t0");
      GENOSERVE_RETURN_IF_ERROR(covar.Add(line + "\n"));
    }
    return all.wanted() ? all.Add(absl::StrCat(name, cell, values, "\n")) : absl::OkStatus();
  };
  GENOSERVE_RETURN_IF_ERROR(samples.ForEach(add));
  for (Table* table : {&panel, &pheno, &all, &covar}) GENOSERVE_RETURN_IF_ERROR(table->Commit());
  return absl::OkStatus();
}

}  // namespace genoserve

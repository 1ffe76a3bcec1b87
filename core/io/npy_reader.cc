#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/io/format_readers.h"
#include "core/io/packed_calls.h"
#include "core/io/site_file.h"
#include "core/io/text_table.h"
#include "core/io/window_file.h"

namespace genoserve {
namespace {

constexpr uint8_t kMissingValue = 0xFF;  // -1
/// Bytes of packed calls that are held, of as many variants as fit.
constexpr size_t kHeldBytes = size_t{16} << 20;

/// An int8 matrix, a row for each sample or for each haplotype, read some columns at a time.
class NpyReader final : public OpenedReader {
 public:
  absl::Status Open(const std::string& prefix) {
    GENOSERVE_RETURN_IF_ERROR(ReadSamples(absl::StrCat(prefix, ".samples.tsv")));
    variants_file_ = absl::StrCat(prefix, ".variants.tsv");
    GENOSERVE_ASSIGN_OR_RETURN(sites_, SiteFile::OpenVariantTable(variants_file_));
    GENOSERVE_ASSIGN_OR_RETURN(matrix_, WindowFile::Open(absl::StrCat(prefix, ".npy")));
    return ReadHeader();
  }

  const VariantRecord& variant() const override { return sites_->variant(); }

  std::string Place() const override {
    return absl::StrCat(matrix_->path(), ": variant ", next_, " (", variant().id, ")");
  }

  absl::Status ReadCalls(VariantCalls* calls) override {
    const size_t v = next_ - 1;
    if (v < first_held_ || v >= first_held_ + held_) GENOSERVE_RETURN_IF_ERROR(Hold(v));
    const size_t samples = samples_.size();
    ResetCalls(samples, calls);
    const size_t bytes = CodeBytes(samples);
    const auto column = std::span<const uint8_t>(columns_).subspan((v - first_held_) * bytes, bytes);
    calls->codes.assign(column.begin(), column.end());
    calls->phased = haplotypes_;
    calls->unphased = !haplotypes_;
    if (!haplotypes_) return absl::OkStatus();
    for (size_t i = 0; i < samples; ++i) {
      if (CodeOf(column, i) == 1) PutLazyBit(&calls->alt_first, samples, i);
    }
    ToCodes(calls->codes);
    return absl::OkStatus();
  }

 private:
  absl::Status Broken(absl::string_view what) const {
    return absl::DataLossError(absl::StrCat(matrix_->path(), ": ", what));
  }

  absl::Status ReadSamples(const std::string& path) {
    GENOSERVE_ASSIGN_OR_RETURN(const TextTable table, ReadTextTable(path));
    const auto sex = std::find(table.columns.begin(), table.columns.end(), "sex");
    for (const std::vector<std::string>& row : table.rows) {
      samples_.push_back(row[table.sample_column]);
      if (sex == table.columns.end()) continue;
      const std::string& value = row[static_cast<size_t>(sex - table.columns.begin())];
      sexes_.push_back(value == "1" ? 1 : value == "2" ? 2 : 0);
    }
    return absl::OkStatus();
  }

  /// Reads "{'descr': '|i1', 'fortran_order': False, 'shape': (6, 4), }", spaces aside.
  absl::Status ReadHeader() {
    constexpr size_t kPrefix = 10;
    constexpr char kAdvice[] = "is not a NumPy file of int8 in C order with two dimensions";
    if (matrix_->size() < kPrefix) return Broken(kAdvice);
    GENOSERVE_ASSIGN_OR_RETURN(auto bytes, matrix_->Read(0, kPrefix));
    const absl::string_view magic(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (!absl::StartsWith(magic, absl::string_view("\x93NUMPY\x01\x00", 8))) return Broken(kAdvice);
    begin_ = kPrefix + bytes[8] + size_t{256} * bytes[9];
    if (begin_ > matrix_->size()) return Broken("ends before its data do");
    GENOSERVE_ASSIGN_OR_RETURN(bytes, matrix_->Read(kPrefix, begin_ - kPrefix));
    std::string header;
    for (const uint8_t c : bytes) {
      if (std::isspace(c) == 0) header += static_cast<char>(c);
    }
    const size_t shape = header.find("'shape':(");
    if ((!absl::StrContains(header, "'descr':'|i1'") && !absl::StrContains(header, "'descr':'<i1'")) ||
        !absl::StrContains(header, "'fortran_order':False") || shape == std::string::npos) {
      return Broken(kAdvice);
    }
    const absl::string_view sizes = absl::string_view(header).substr(shape + 9);
    const std::vector<absl::string_view> parts = absl::StrSplit(sizes.substr(0, sizes.find(')')), ',');
    uint64_t rows = 0;
    uint64_t columns = 0;
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &rows) || !absl::SimpleAtoi(parts[1], &columns)) {
      return Broken(kAdvice);
    }
    if (rows != samples_.size() && rows != 2 * samples_.size()) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: has %d rows, expected one or two for each of %d samples",
                                                        matrix_->path(), rows, samples_.size()));
    }
    const uint64_t bytes_there = matrix_->size() - begin_;
    if (columns == 0 || bytes_there / columns != rows || bytes_there % columns != 0) {
      return Broken(absl::StrFormat("has %d bytes of genotypes, expected %d x %d", bytes_there, rows, columns));
    }
    haplotypes_ = rows == 2 * samples_.size();
    variant_count_ = columns;
    return absl::OkStatus();
  }

  absl::StatusOr<bool> Advance() override {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, sites_->Next());
    if (more != (next_ < *variant_count_)) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: has %s than the %d variants of %s", variants_file_,
                                                        more ? "more" : "fewer", *variant_count_, matrix_->path()));
    }
    next_ += more ? 1 : 0;
    return more;
  }

  /// Reads the columns from `first` on, packed variant-major: codes, or pairs of alleles.
  absl::Status Hold(size_t first) {
    const size_t bytes = CodeBytes(samples_.size());
    held_ = std::min(std::max<size_t>(1, kHeldBytes / bytes), *variant_count_ - first);
    first_held_ = first;
    columns_.assign(held_ * bytes, 0);
    std::vector<uint8_t> row(held_);
    const size_t rows_of_sample = haplotypes_ ? 2 : 1;
    for (size_t r = 0; r < rows_of_sample * samples_.size(); ++r) {
      GENOSERVE_RETURN_IF_ERROR(matrix_->ReadInto(begin_ + r * *variant_count_ + first, row));
      const size_t sample = r / rows_of_sample;
      for (size_t v = 0; v < held_; ++v) {
        unsigned code = row[v];
        if (code == kMissingValue && !haplotypes_) code = 3;
        if (code > (haplotypes_ ? 1U : 3U) || (code == 3 && row[v] == 3)) {
          held_ = 0;
          return absl::InvalidArgumentError(absl::StrFormat("%s: row %d, column %d: the value is %d, expected %s",
                                                            matrix_->path(), r, first + v, static_cast<int8_t>(row[v]),
                                                            haplotypes_ ? "0 or 1" : "0, 1, 2 or -1 for missing"));
        }
        PutCode(std::span<uint8_t>(columns_).subspan(v * bytes), sample, haplotypes_ ? code << (r % 2) : code);
      }
    }
    return absl::OkStatus();
  }

  std::unique_ptr<SiteFile> sites_;
  std::unique_ptr<WindowFile> matrix_;
  uint64_t begin_ = 0;  // of the values
  bool haplotypes_ = false;
  size_t next_ = 0;  // variants that Next has given
  size_t first_held_ = 0;
  size_t held_ = 0;
  std::vector<uint8_t> columns_;  // of the variants that are held
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenNpyReader(const std::string& prefix) {
  auto reader = std::make_unique<NpyReader>();
  GENOSERVE_RETURN_IF_ERROR(reader->Open(prefix));
  return reader;
}

}  // namespace genoserve

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/genotype/genotype_matrix.h"
#include "core/io/format_readers.h"
#include "core/io/line_reader.h"
#include "core/io/packed_calls.h"
#include "core/io/site_file.h"

namespace genoserve {
namespace {

class HaptReader final : public OpenedReader {
 public:
  absl::Status Open(const std::string& path, const std::string& legend_path) {
    path_ = path;
    variants_file_ = legend_path;
    GENOSERVE_ASSIGN_OR_RETURN(const auto legend, SiteFile::OpenLegend(legend_path));
    while (true) {
      GENOSERVE_ASSIGN_OR_RETURN(const bool more, legend->Next());
      if (!more) break;
      variants_.push_back(legend->variant());
    }
    variant_count_ = variants_.size();
    GENOSERVE_ASSIGN_OR_RETURN(const auto lines, LineReader::Open(path));
    std::vector<uint8_t> rows;
    while (true) {
      GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines->Next());
      if (!more) break;
      rows.resize(lines->number() * RowBytes(Packing::kHaplotype1Bit, variants_.size()));
      GENOSERVE_RETURN_IF_ERROR(ReadLine(*lines, rows));
    }
    const size_t haplotypes = lines->number();
    if (haplotypes == 0) return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
    if (haplotypes % 2 != 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: has %d lines, expected an even number: two haplotypes a sample", path, haplotypes));
    }
    // Two haplotypes of a sample are the two bits of its code.
    columns_.resize(variants_.size() * CodeBytes(samples_.size()));
    TransposeCodes(1, rows, haplotypes, variants_.size(), RowBytes(Packing::kHaplotype1Bit, variants_.size()), columns_,
                   CodeBytes(samples_.size()));
    std::sort(missing_.begin(), missing_.end());
    return absl::OkStatus();
  }

  const VariantRecord& variant() const override { return variants_[next_ - 1]; }

  std::string Place() const override { return absl::StrCat(path_, ": variant ", variant().id); }

  absl::Status ReadCalls(VariantCalls* calls) override {
    ResetCalls(samples_.size(), calls);
    const size_t bytes = CodeBytes(samples_.size());
    const size_t v = next_ - 1;
    std::copy_n(columns_.begin() + static_cast<ptrdiff_t>(v * bytes), bytes, calls->codes.begin());
    for (size_t i = 0; i < samples_.size(); ++i) {
      if (CodeOf(calls->codes, i) == 1) PutLazyBit(&calls->alt_first, samples_.size(), i);
    }
    const auto first = std::lower_bound(missing_.begin(), missing_.end(), MissingAllele{v, 0});
    std::vector<uint8_t>& pairs = calls->codes;
    const std::vector<uint8_t> alleles = pairs;
    ToCodes(pairs);
    size_t missing = 0;
    for (auto it = first; it != missing_.end() && it->first == v; ++it) {
      const size_t sample = it->second / 2;
      PutCode(pairs, sample, 3);  // 3 has all bits, whatever stood there
      ++missing;
      const bool whole =
          it + 1 != missing_.end() && *(it + 1) == MissingAllele{v, it->second ^ 1U} && it->second % 2 == 0;
      if (whole) {
        ++it;
        continue;
      }
      const int haplotype = static_cast<int>(it->second % 2);
      calls->half_calls.push_back(
          {sample, haplotype, static_cast<uint8_t>((CodeOf(alleles, sample) >> (1 - haplotype)) & 1U)});
    }
    calls->phased = missing < samples_.size();
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<bool> Advance() override {
    if (next_ == variants_.size()) return false;
    ++next_;
    return true;
  }

  using MissingAllele = std::pair<size_t, size_t>;  // variant and haplotype

  /// Reads a line's alleles into the last row.
  absl::Status ReadLine(const LineReader& lines, std::vector<uint8_t>& rows) {
    const std::vector<absl::string_view> words = lines.Words();
    const size_t row = lines.number() - 1;
    if (words.size() != variants_.size() + 2) {
      return lines.Error(absl::StrFormat("expected a label, an id and %d alleles as in %s, found %d words",
                                         variants_.size(), variants_file_, words.size()));
    }
    absl::string_view sample = words[1];
    if (!absl::ConsumeSuffix(&sample, row % 2 == 0 ? "_A" : "_B") || sample.empty()) {
      return lines.Error(absl::StrFormat("the id \"%s\" does not end in %s", words[1], row % 2 == 0 ? "_A" : "_B"));
    }
    if (row % 2 == 0) {
      const auto [earlier, added] = sample_lines_.emplace(sample, row + 1);
      if (!added) return lines.Error(absl::StrCat("sample ", sample, " is on line ", earlier->second, " already"));
      samples_.emplace_back(sample);
    } else if (sample != samples_.back()) {
      return lines.Error(absl::StrFormat("the id \"%s\" does not follow \"%s_A\"", words[1], samples_.back()));
    }
    const std::span<uint8_t> bits =
        std::span<uint8_t>(rows).subspan(row * RowBytes(Packing::kHaplotype1Bit, variants_.size()));
    for (size_t v = 0; v < variants_.size(); ++v) {
      const absl::string_view allele = words[v + 2];
      if (allele == "1") {
        PutBit(bits, v);
      } else if (allele == ".") {
        missing_.emplace_back(v, row);
      } else if (allele != "0") {
        return lines.Error(absl::StrFormat("allele %d is \"%s\", expected 0 or 1", v + 1, allele));
      }
    }
    return absl::OkStatus();
  }

  std::string path_;
  std::vector<VariantRecord> variants_;
  std::vector<uint8_t> columns_;        // variant-major pairs of alleles, a missing one 0
  std::vector<MissingAllele> missing_;  // sorted
  absl::flat_hash_map<std::string, size_t> sample_lines_;
  size_t next_ = 0;  // variants that Next has given
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenHaptReader(const std::string& path, const std::string& legend_path) {
  auto reader = std::make_unique<HaptReader>();
  GENOSERVE_RETURN_IF_ERROR(reader->Open(path, legend_path));
  return reader;
}

}  // namespace genoserve

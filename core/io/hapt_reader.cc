#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/io/genotype_reader.h"
#include "core/io/imputation.h"
#include "core/io/text_table.h"

namespace genoserve {
namespace {

std::vector<absl::string_view> SplitWords(absl::string_view line) {
  return absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
}

absl::StatusOr<VariantTable> ReadLegend(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  const std::vector<absl::string_view> lines = SplitLines(text);
  if (lines.empty() || SplitWords(lines[0]) != std::vector<absl::string_view>{"id", "position", "a0", "a1"}) {
    return ErrorAtLine(path, 1, "expected the header \"id position a0 a1\"");
  }
  std::vector<VariantRecord> variants;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<absl::string_view> words = SplitWords(lines[i]);
    if (words.size() != 4) return ErrorAtLine(path, i + 1, absl::StrCat("expected 4 columns, found ", words.size()));
    VariantRecord variant;
    variant.id = std::string(words[0]);
    const size_t colon = variant.id.find(':');
    variant.contig = colon == std::string::npos ? "1" : variant.id.substr(0, colon);
    if (!absl::SimpleAtoi(words[1], &variant.position) || variant.position < 1) {
      return ErrorAtLine(path, i + 1, absl::StrCat("the position \"", words[1], "\" is not a number from 1 on"));
    }
    variant.ref = std::string(words[2]);
    variant.alt = std::string(words[3]);
    variants.push_back(std::move(variant));
  }
  if (variants.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": has no variants"));
  absl::StatusOr<VariantTable> table = VariantTable::Create(std::move(variants), {});
  if (!table.ok()) return Annotate(table.status(), path);
  return table;
}

/// A missing allele: its row and variant.
using Place = std::pair<size_t, size_t>;

/// Fills in the missing alleles, variant by variant, and counts the calls.
absl::Status ImputeHaplotypes(std::vector<Place> missing, GenotypeData& data) {
  std::sort(missing.begin(), missing.end(), [](const Place& a, const Place& b) { return a.second < b.second; });
  std::vector<uint8_t> alleles(data.genotypes.rows());
  for (size_t i = 0; i < missing.size();) {
    const size_t variant = missing[i].second;
    for (size_t row = 0; row < alleles.size(); ++row) {
      alleles[row] = static_cast<uint8_t>(data.genotypes.Get(row, variant));
    }
    for (; i < missing.size() && missing[i].second == variant; ++i) alleles[missing[i].first] = kMissingAllele;
    const auto imputed = ImputeAlleles(static_cast<uint32_t>(variant), std::span<uint8_t>(alleles));
    if (!imputed.ok()) return Annotate(imputed.status(), absl::StrCat("variant ", data.variants[variant].id));
    data.imputed_calls += *imputed;
    for (size_t row = 0; row < alleles.size(); ++row) data.genotypes.Set(row, variant, alleles[row]);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GenotypeData> ReadHapt(const std::string& path, const std::string& legend_path,
                                      const ReadOptions& options) {
  GenotypeData data;
  GENOSERVE_ASSIGN_OR_RETURN(data.variants, ReadLegend(legend_path));
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  const std::vector<absl::string_view> lines = SplitLines(text);
  if (lines.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  if (lines.size() % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: has %d lines, expected an even number: two haplotypes a sample", path, lines.size()));
  }
  const size_t variants = data.variants.size();
  data.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, lines.size(), variants);
  absl::flat_hash_map<std::string, size_t> sample_lines;
  std::vector<Place> missing;
  for (size_t row = 0; row < lines.size(); ++row) {
    const std::vector<absl::string_view> words = SplitWords(lines[row]);
    if (words.size() != variants + 2) {
      return ErrorAtLine(path, row + 1,
                         absl::StrFormat("expected a label, an id and %d alleles as in %s, found %d words", variants,
                                         legend_path, words.size()));
    }
    absl::string_view sample = words[1];
    if (!absl::ConsumeSuffix(&sample, row % 2 == 0 ? "_A" : "_B") || sample.empty()) {
      return ErrorAtLine(path, row + 1,
                         absl::StrFormat("the id \"%s\" does not end in %s", words[1], row % 2 == 0 ? "_A" : "_B"));
    }
    if (row % 2 == 0) {
      const auto [earlier, added] = sample_lines.emplace(sample, row + 1);
      if (!added) {
        return ErrorAtLine(path, row + 1, absl::StrCat("sample ", sample, " is on line ", earlier->second, " already"));
      }
      data.samples.emplace_back(sample);
    } else if (sample != data.samples.back()) {
      return ErrorAtLine(path, row + 1,
                         absl::StrFormat("the id \"%s\" does not follow \"%s_A\"", words[1], data.samples.back()));
    }
    for (size_t v = 0; v < variants; ++v) {
      const absl::string_view allele = words[v + 2];
      if (allele == "1") {
        data.genotypes.Set(row, v, 1);
      } else if (allele == "." && options.missing == MissingCalls::kImpute) {
        missing.emplace_back(row, v);
      } else if (allele == ".") {
        return ErrorAtLine(path, row + 1,
                           absl::StrFormat("allele %d is missing, which haplotypes cannot hold; impute it", v + 1));
      } else if (allele != "0") {
        return ErrorAtLine(path, row + 1, absl::StrFormat("allele %d is \"%s\", expected 0 or 1", v + 1, allele));
      }
    }
  }
  if (absl::Status status = ImputeHaplotypes(std::move(missing), data); !status.ok()) return Annotate(status, path);
  return data;
}

}  // namespace genoserve

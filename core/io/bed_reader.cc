#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/io/genotype_reader.h"
#include "core/io/imputation.h"
#include "core/io/text_table.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestBed = uint64_t{64} << 30;
constexpr size_t kMagicBytes = 3;

/// The lines of a .fam or .bim, six columns each.
absl::StatusOr<std::vector<std::vector<std::string>>> ReadSixColumns(const std::string& path, const char* names) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  std::vector<std::vector<std::string>> rows;
  for (const absl::string_view line : SplitLines(text)) {
    rows.emplace_back(absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty()));
    if (rows.back().size() != 6) {
      return ErrorAtLine(path, rows.size(),
                         absl::StrFormat("expected 6 columns (%s), found %d", names, rows.back().size()));
    }
  }
  if (rows.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  return rows;
}

absl::StatusOr<std::vector<std::string>> ReadFam(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(auto rows, ReadSixColumns(path, "FID IID PAT MAT SEX PHENO"));
  std::vector<std::string> samples;
  absl::flat_hash_map<std::string, size_t> lines;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto [earlier, added] = lines.emplace(rows[i][1], i + 1);
    if (!added) {
      return ErrorAtLine(path, i + 1, absl::StrCat("sample ", rows[i][1], " is on line ", earlier->second, " already"));
    }
    samples.push_back(std::move(rows[i][1]));
  }
  return samples;
}

absl::StatusOr<VariantTable> ReadBim(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(auto rows, ReadSixColumns(path, "chromosome id cM position A1 A2"));
  std::vector<VariantRecord> variants;
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<std::string>& row = rows[i];
    VariantRecord variant{std::move(row[0]), 0, std::move(row[1]), std::move(row[5]), std::move(row[4])};
    if (!absl::SimpleAtoi(row[3], &variant.position) || variant.position < 1) {
      return ErrorAtLine(path, i + 1, absl::StrCat("the position \"", row[3], "\" is not a number from 1 on"));
    }
    for (const std::string& allele : {variant.alt, variant.ref}) {
      if (allele == "0" || allele == ".") {
        return ErrorAtLine(path, i + 1,
                           absl::StrCat("an allele is \"", allele, "\"; remove variants with one allele only"));
      }
    }
    if (variant.alt == variant.ref) return ErrorAtLine(path, i + 1, "A1 and A2 are the same allele");
    variants.push_back(std::move(variant));
  }
  absl::StatusOr<VariantTable> table = VariantTable::Create(std::move(variants), {});
  if (!table.ok()) return Annotate(table.status(), path);
  return table;
}

/// Four genotypes of a .bed to our codes: 00 two A1, 01 missing, 10 one of each, 11 two A2; A1 is ALT.
constexpr std::array<uint8_t, 256> kCodesOfBedByte = [] {
  constexpr unsigned kCodes[4] = {2, kMissingGenotype, 1, 0};
  std::array<uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned codes = 0;
    for (unsigned i = 0; i < 8; i += 2) codes |= kCodes[(byte >> i) & 3] << i;
    table[byte] = static_cast<uint8_t>(codes);
  }
  return table;
}();

/// Draws the missing genotypes of a variant; returns how many there were.
absl::StatusOr<int64_t> ImputeGenotypes(uint32_t variant, size_t samples, std::span<uint8_t> column) {
  std::vector<uint8_t> codes(samples);
  UnpackCodes(Packing::kDiploid2Bit, column, codes);
  if (std::find(codes.begin(), codes.end(), kMissingGenotype) == codes.end()) return 0;
  std::vector<uint8_t> alleles(2 * samples);
  for (size_t i = 0; i < samples; ++i) {
    constexpr uint8_t kAlleles[4][2] = {{0, 0}, {0, 1}, {1, 1}, {kMissingAllele, kMissingAllele}};
    std::copy_n(kAlleles[codes[i]], 2, &alleles[2 * i]);
  }
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t imputed, ImputeAlleles(variant, alleles));
  for (size_t i = 0; i < samples; ++i) codes[i] = static_cast<uint8_t>(alleles[2 * i] + alleles[2 * i + 1]);
  PackCodes(Packing::kDiploid2Bit, codes, column);
  return imputed;
}

absl::Status CheckBed(const std::string& path, absl::string_view bytes, size_t samples, size_t variants) {
  if (bytes.size() < kMagicBytes || bytes.substr(0, 2) != "\x6c\x1b") {
    return absl::DataLossError(absl::StrCat(path, ": is not a PLINK 1 .bed (it does not begin with the bytes 6c 1b)"));
  }
  if (bytes[2] != '\x01') {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: its third byte is %02x, expected 01 (variant-major); rewrite it with \"plink1.9 --make-bed\"", path,
        static_cast<unsigned>(static_cast<uint8_t>(bytes[2]))));
  }
  const size_t expected = kMagicBytes + variants * ((samples + 3) / 4);
  if (bytes.size() != expected) {
    return absl::DataLossError(absl::StrFormat("%s: has %d bytes, expected %d for %d variants and %d samples", path,
                                               bytes.size(), expected, variants, samples));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<GenotypeData> ReadBed(const std::string& prefix, const ReadOptions& options) {
  GenotypeData data;
  GENOSERVE_ASSIGN_OR_RETURN(data.samples, ReadFam(absl::StrCat(prefix, ".fam")));
  GENOSERVE_ASSIGN_OR_RETURN(data.variants, ReadBim(absl::StrCat(prefix, ".bim")));
  const std::string path = absl::StrCat(prefix, ".bed");
  GENOSERVE_ASSIGN_OR_RETURN(std::string bytes, FileSystem::Posix().ReadFile(path, kLargestBed));
  const size_t samples = data.samples.size();
  const size_t variants = data.variants.size();
  GENOSERVE_RETURN_IF_ERROR(CheckBed(path, bytes, samples, variants));

  const size_t column_bytes = (samples + 3) / 4;
  const std::span<uint8_t> columns(reinterpret_cast<uint8_t*>(bytes.data()) + kMagicBytes, variants * column_bytes);
  for (uint8_t& byte : columns) byte = kCodesOfBedByte[byte];
  if (options.missing == MissingCalls::kImpute) {
    for (size_t v = 0; v < variants; ++v) {
      const auto imputed =
          ImputeGenotypes(static_cast<uint32_t>(v), samples, columns.subspan(v * column_bytes, column_bytes));
      if (!imputed.ok()) {
        return Annotate(imputed.status(), absl::StrCat(path, ": variant ", v + 1, " (", data.variants[v].id, ")"));
      }
      data.imputed_calls += *imputed;
    }
  }
  data.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, samples, variants);
  TransposeCodes(2, columns, variants, samples, column_bytes, data.genotypes.mutable_bytes(),
                 data.genotypes.row_bytes());
  return data;
}

}  // namespace genoserve

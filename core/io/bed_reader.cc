#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/io/genotype_reader.h"
#include "core/io/imputation.h"
#include "core/io/text_table.h"

namespace genoserve {
namespace {

constexpr size_t kMagicBytes = 3;
constexpr size_t kVariantsARead = 512;  // a multiple of 4, so that each read fills whole bytes of the matrix's rows

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

/// Whether a packed column has the code of a missing genotype, maybe in its padding.
bool MayMiss(std::span<const uint8_t> column) {
  uint64_t found = 0;
  size_t i = 0;
  for (; i + sizeof(uint64_t) <= column.size(); i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, column.data() + i, sizeof(word));
    found |= word & (word >> 1) & 0x5555555555555555U;
  }
  for (; i < column.size(); ++i) found |= column[i] & (column[i] >> 1) & 0x55U;
  return found != 0;
}

/// Draws the missing genotypes of a variant; returns how many there were.
absl::StatusOr<int64_t> ImputeGenotypes(uint32_t variant, size_t samples, std::span<uint8_t> column) {
  if (!MayMiss(column)) return 0;
  std::vector<uint8_t> codes(samples);
  UnpackCodes(Packing::kDiploid2Bit, column, codes);
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

/// The columns of a .bed, read one after another: the file is never in memory as a whole.
class BedFile {
 public:
  /// Checks that the file has the form and the size that these numbers ask for.
  static absl::StatusOr<BedFile> Open(std::string path, size_t samples, size_t variants) {
    BedFile bed(std::move(path));
    if (bed.file_ == nullptr) return ErrnoStatus(absl::StrCat(bed.path_, ": cannot open"));
    std::array<char, kMagicBytes> magic{};
    const size_t got = std::fread(magic.data(), 1, magic.size(), bed.file_.get());
    if (std::ferror(bed.file_.get()) != 0) return ErrnoStatus(absl::StrCat(bed.path_, ": cannot read"));
    if (got < kMagicBytes || magic[0] != '\x6c' || magic[1] != '\x1b') {
      return absl::DataLossError(
          absl::StrCat(bed.path_, ": is not a PLINK 1 .bed (it does not begin with the bytes 6c 1b)"));
    }
    if (magic[2] != '\x01') {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: its third byte is %02x, expected 01 (variant-major); rewrite it with \"plink1.9 --make-bed\"", bed.path_,
          static_cast<unsigned>(static_cast<uint8_t>(magic[2]))));
    }
    struct stat about = {};
    if (::fstat(::fileno(bed.file_.get()), &about) != 0) return ErrnoStatus(absl::StrCat(bed.path_, ": cannot read"));
    const size_t expected = kMagicBytes + variants * ((samples + 3) / 4);
    if (static_cast<size_t>(about.st_size) != expected) {
      return absl::DataLossError(absl::StrFormat("%s: has %d bytes, expected %d for %d variants and %d samples",
                                                 bed.path_, about.st_size, expected, variants, samples));
    }
    return bed;
  }

  /// The next columns, as many as fill `columns`, in our codes.
  absl::Status Read(std::span<uint8_t> columns) {
    if (std::fread(columns.data(), 1, columns.size(), file_.get()) != columns.size()) {
      if (std::ferror(file_.get()) != 0) return ErrnoStatus(absl::StrCat(path_, ": cannot read"));
      return absl::DataLossError(absl::StrCat(path_, ": was cut short while it was read"));
    }
    for (uint8_t& byte : columns) byte = kCodesOfBedByte[byte];
    return absl::OkStatus();
  }

 private:
  explicit BedFile(std::string path) : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb"), &std::fclose) {}

  std::string path_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace

absl::StatusOr<GenotypeData> ReadBed(const std::string& prefix, const ReadOptions& options) {
  GenotypeData data;
  GENOSERVE_ASSIGN_OR_RETURN(data.samples, ReadFam(absl::StrCat(prefix, ".fam")));
  GENOSERVE_ASSIGN_OR_RETURN(data.variants, ReadBim(absl::StrCat(prefix, ".bim")));
  const std::string path = absl::StrCat(prefix, ".bed");
  const size_t samples = data.samples.size();
  const size_t variants = data.variants.size();
  GENOSERVE_ASSIGN_OR_RETURN(BedFile bed, BedFile::Open(path, samples, variants));

  const size_t column_bytes = (samples + 3) / 4;
  std::vector<uint8_t> buffer(std::min(kVariantsARead, variants) * column_bytes);
  data.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, samples, variants);
  for (size_t first = 0; first < variants; first += kVariantsARead) {
    const size_t count = std::min(kVariantsARead, variants - first);
    const std::span<uint8_t> columns(buffer.data(), count * column_bytes);
    GENOSERVE_RETURN_IF_ERROR(bed.Read(columns));
    for (size_t i = 0; options.missing == MissingCalls::kImpute && i < count; ++i) {
      const size_t v = first + i;
      const auto imputed =
          ImputeGenotypes(static_cast<uint32_t>(v), samples, columns.subspan(i * column_bytes, column_bytes));
      if (!imputed.ok()) {
        return Annotate(imputed.status(), absl::StrCat(path, ": variant ", v + 1, " (", data.variants[v].id, ")"));
      }
      data.imputed_calls += *imputed;
    }
    const size_t first_byte = RowBytes(Packing::kDiploid2Bit, first);
    TransposeCodes(2, columns, count, samples, column_bytes, data.genotypes.mutable_bytes().subspan(first_byte),
                   data.genotypes.row_bytes());
  }
  return data;
}

}  // namespace genoserve

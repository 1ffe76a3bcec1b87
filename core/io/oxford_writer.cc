// Files of Oxford tools and their like: .hap, .haps, .legend, .sample, and .hapt.
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/call_table.h"
#include "core/io/cohort_files.h"
#include "core/io/ploidy.h"
#include "core/io/sample_columns.h"

namespace genoserve {
namespace {

/// Alleles of a .hapt line that are made at a time.
constexpr size_t kChunk = 4096;

/// Two alleles as text; of a haploid call the second is "-".
std::array<char, 4> Columns(unsigned code) {
  const std::array<int, 2> alleles = AllelesOf(Packing::kHaplotype1Bit, code);
  return {' ', static_cast<char>('0' + alleles[0]), ' ', static_cast<char>('0' + alleles[1])};
}

/// Writes a line for each variant: `begin(variant)`, then " 0" or " 1" for each haplotype.
template <typename Begin>
absl::Status WriteLines(const CohortDescription& cohort, Begin begin, const SegmentSource& genotypes,
                        PlainOutput& output) {
  const CallTable<16> table(&Columns);
  const Ploidy ploidy(cohort);
  std::string text;
  return genotypes([&](const VariantSegment& segment) -> absl::Status {
    text.clear();
    // Where nothing stands before the alleles, neither does a space.
    bool leading = false;
    if (segment.first_sample == 0) {
      text = begin(segment.variant);
      leading = text.empty();
    }
    GENOSERVE_RETURN_IF_ERROR(output.Write(text));
    const bool haploid = ploidy.MayBeHaploid(segment.variant);
    int64_t sample = 0;
    GENOSERVE_RETURN_IF_ERROR(table.ForEach(segment, [&](absl::string_view columns) {
      text.assign(columns.data(), columns.size());
      for (size_t at = 0; haploid && at < text.size(); at += 4, ++sample) {
        if (text[at + 1] == text[at + 3] && ploidy.IsHaploid(segment.variant, segment.first_sample + sample)) {
          text[at + 3] = '-';
        }
      }
      return output.Write(absl::string_view(text).substr(std::exchange(leading, false) ? 1 : 0));
    }));
    return segment.first_sample + segment.samples < cohort.sample_count ? absl::OkStatus() : output.Write("\n");
  });
}

/// The id that tells all of a variant, as bcftools wants it.
std::string WholeId(const VariantRecord& v) {
  return absl::StrCat(absl::StrCat(v.contig, ":", v.position), "_", v.ref, "_", v.alt);
}

/// The population of the sample that a table is at, or `otherwise` where the cohort has none.
std::string PopulationOf(const SampleColumns& table, absl::string_view otherwise) {
  return table.population() < table.names().size() ? AsWord(table.values()[table.population()])
                                                   : std::string(otherwise);
}

}  // namespace

absl::Status WriteHap(const CohortDescription& cohort, const SegmentSource& genotypes, PlainOutput& output) {
  return WriteLines(
      cohort, [](size_t) { return std::string(); }, genotypes, output);
}

absl::Status WriteHaps(const CohortDescription& cohort, OxfordLayout layout, const SegmentSource& genotypes,
                       PlainOutput& output) {
  const auto begin = [&cohort, layout](size_t variant) {
    const VariantRecord& v = cohort.variants[variant];
    return absl::StrCat(absl::StrCat(v.contig, " ", layout == OxfordLayout::kBcftools ? WholeId(v) : v.id, " "),
                        absl::StrCat(v.position, " ", v.ref, " ", v.alt));
  };
  return WriteLines(cohort, begin, genotypes, output);
}

absl::Status WriteLegend(const CohortDescription& cohort, PlainOutput& output) {
  GENOSERVE_RETURN_IF_ERROR(output.Write("id position a0 a1\n"));
  for (const VariantRecord& v : cohort.variants.variants()) {
    GENOSERVE_RETURN_IF_ERROR(
        output.Write(absl::StrCat(absl::StrCat(WholeId(v), " ", v.position), " ", v.ref, " ", v.alt, "\n")));
  }
  return absl::OkStatus();
}

absl::Status WriteOxfordSample(const CohortDescription& cohort, OxfordLayout layout, PlainOutput& output) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto table, SampleColumns::Open(cohort));
  const bool bcftools = layout == OxfordLayout::kBcftools;
  GENOSERVE_RETURN_IF_ERROR(
      output.Write(bcftools ? "sample population group sex\n" : "ID_1 ID_2 missing sex\n0 0 0 D\n"));
  for (int64_t i = 0; i < cohort.sample_count; ++i) {
    GENOSERVE_RETURN_IF_ERROR(table->Next(i));
    const std::string& name = table->sample();
    std::string line = absl::StrCat(name, " ", name, " 0 ", SexOf(cohort, i), "\n");
    if (bcftools) {
      const std::string population = PopulationOf(*table, name);
      line = absl::StrCat(name, " ", population, " ", population, absl::StrCat(" ", SexOf(cohort, i), "\n"));
    }
    GENOSERVE_RETURN_IF_ERROR(output.Write(line));
  }
  return absl::OkStatus();
}

absl::Status WriteHapt(const CohortDescription& cohort, const RowSource& genotypes, PlainOutput& output) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto table, SampleColumns::Open(cohort));
  const size_t variants = cohort.variants.size();
  const size_t row_bytes = RowBytes(Packing::kHaplotype1Bit, variants);
  std::array<std::array<char, 16>, 256> alleles;  // of eight variants, " 0" or " 1" each
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (size_t i = 0; i < 8; ++i) {
      alleles[byte][2 * i] = ' ';
      alleles[byte][2 * i + 1] = static_cast<char>('0' + (byte >> i & 1));
    }
  }
  std::array<char, 16 * kChunk> text;
  return genotypes([&](int64_t first, std::span<const uint8_t> rows) -> absl::Status {
    for (size_t row = 0; (row + 1) * row_bytes <= rows.size(); ++row) {
      if (row % 2 == 0) GENOSERVE_RETURN_IF_ERROR(table->Next(first + static_cast<int64_t>(row / 2)));
      GENOSERVE_RETURN_IF_ERROR(output.Write(
          absl::StrCat(PopulationOf(*table, "Synthetic"), " ", table->sample(), row % 2 == 0 ? "_A" : "_B")));
      size_t left = 2 * variants;
      for (size_t begin = 0; begin < row_bytes; begin += kChunk) {
        const auto bytes = rows.subspan(row * row_bytes + begin, std::min(kChunk, row_bytes - begin));
        for (size_t i = 0; i < bytes.size(); ++i) std::memcpy(&text[16 * i], alleles[bytes[i]].data(), 16);
        const size_t size = std::min(left, 16 * bytes.size());
        GENOSERVE_RETURN_IF_ERROR(output.Write(absl::string_view(text.data(), size)));
        left -= size;
      }
      GENOSERVE_RETURN_IF_ERROR(output.Write("\n"));
    }
    return absl::OkStatus();
  });
}

}  // namespace genoserve

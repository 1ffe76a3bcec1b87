// Panels that the tests of the readers read, and calls as text that tests can compare.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/io/packed_calls.h"
#include "core/io/variant_reader.h"

namespace genoserve {

/// What a panel of RandomVcf has.
struct PanelShape {
  size_t samples = 0;
  size_t variants = 0;
  bool phased = false;
  bool missing = true;         ///< some variants miss calls, others do not
  bool half_phased = false;    ///< every other call of some variants has no phase
  bool legend_names = false;   ///< ids that a .legend keeps, "1:100_A_G"
  bool multi_allelic = false;  ///< every fifth site has 2 to 4 ALT alleles
};

/// A VCF with common and rare variants, some like the one before, some its inverse, as text. It looks random and is
/// always the same.
inline std::string RandomVcf(const PanelShape& shape) {
  std::string vcf =
      "##fileformat=VCFv4.3\n##contig=<ID=1,length=249250621>\n"
      "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
      "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
  for (size_t i = 0; i < shape.samples; ++i) absl::StrAppend(&vcf, "\tS", i + 1);
  vcf += "\n";
  std::vector<unsigned> alleles(2 * shape.samples);
  for (size_t v = 0; v < shape.variants; ++v) {
    const size_t alts = shape.multi_allelic && v % 5 == 4 ? 2 + v / 5 % 3 : 1;
    constexpr const char* kAlts[] = {"", "G", "G,T", "G,T,C", "G,T,C,AT"};
    const size_t position = 100 + 10 * v;
    absl::StrAppend(&vcf, "1\t", position, "\t");
    vcf += shape.legend_names ? absl::StrCat("1:", position, "_A_", kAlts[alts]) : absl::StrCat("rs", v + 1);
    absl::StrAppend(&vcf, "\tA\t");
    absl::StrAppend(&vcf, kAlts[alts], "\t.\tPASS\t.\tGT");
    // Frequencies of ALT in 1/1000, and what the variant has to do with the one before.
    constexpr unsigned kFrequencies[] = {2, 500, 10, 250, 998, 0, 60, 1000, 3, 700};
    const unsigned frequency = kFrequencies[v % 10];
    const int like_last = v % 7 == 3 ? 1 : v % 7 == 5 ? -1 : 0;
    for (size_t i = 0; i < shape.samples; ++i) {
      const PhiloxStream stream(11, i, 0, Purpose::kAllele);
      const auto bits = [&](size_t n) { return stream.Bits(static_cast<uint32_t>(8 * v + n)); };
      for (size_t h = 0; h < 2; ++h) {
        unsigned& allele = alleles[2 * i + h];
        if (like_last != 0 && v > 0 && bits(h) % 100 != 0) {
          allele = like_last > 0 ? (allele == 1 ? 1 : 0) : (allele == 0 ? 1 : 0);
        } else {
          allele = bits(h) % 1000 < frequency ? 1 : 0;
        }
        if (alts > 1 && bits(2 + h) % 3 == 0) allele = bits(4 + h) % static_cast<unsigned>(alts + 1);
      }
      const bool phased = shape.phased && !(shape.half_phased && v % 3 == 0 && bits(6) % 2 == 0);
      const char* const between = phased ? "|" : "/";
      const bool missing = shape.missing && ((v % 4 == 1 && bits(7) % 20 == 0) || (v % 50 == 7 && bits(7) % 8 != 0));
      const unsigned first = alleles[2 * i];
      const unsigned second = alleles[2 * i + 1];
      if (missing) {
        absl::StrAppend(&vcf, "\t.", between, ".");
      } else if (phased) {
        absl::StrAppend(&vcf, "\t", first, between, second);
      } else {
        absl::StrAppend(&vcf, "\t", std::min(first, second), between, std::max(first, second));
      }
    }
    vcf += "\n";
  }
  return vcf;
}

/// The calls of all samples: "0", "1" and "." for homozygous and missing ones, "h" for heterozygous ones, and "H" for
/// those that are ALT|REF; haploid ones are followed by "'".
inline std::string CallsText(const VariantCalls& calls, size_t samples) {
  std::string text;
  for (size_t i = 0; i < samples; ++i) {
    constexpr const char* kText[] = {"0", "h", "1", "."};
    const unsigned code = CodeOf(calls.codes, i);
    text += code == 1 && BitOf(calls.alt_first, i) ? "H" : kText[code];
    if (BitOf(calls.haploid, i)) text += "'";
  }
  return text;
}

/// "contig:position id ref alt calls" of every variant of a reader; and the error, if one came.
inline std::vector<std::string> ReadAsText(const absl::StatusOr<std::unique_ptr<VariantReader>>& opened) {
  if (!opened.ok()) return {std::string(opened.status().message())};
  VariantReader& reader = **opened;
  std::vector<std::string> lines;
  VariantCalls calls;
  while (true) {
    const absl::StatusOr<bool> more = reader.Next();
    if (more.ok() && !*more) return lines;
    const absl::Status status = more.ok() ? reader.ReadCalls(&calls) : more.status();
    if (!status.ok()) {
      lines.emplace_back(status.message());
      return lines;
    }
    const VariantRecord& v = reader.variant();
    lines.push_back(absl::StrCat(v.contig, ":", v.position, " ", v.id) +
                    absl::StrCat(" ", v.ref, " ", v.alt, " ", CallsText(calls, reader.samples().size())));
  }
}

/// The same of the files that a path names.
inline std::vector<std::string> ReadAsText(const std::string& path, const VariantReaderOptions& options = {}) {
  return ReadAsText(OpenVariantReader(SourceOfPath(path), options));
}

/// Checks that two files have the same variants and calls; tells the first ones that differ.
inline void ExpectSameLines(const std::vector<std::string>& got, const std::vector<std::string>& expected) {
  ASSERT_FALSE(expected.empty());
  for (size_t i = 0; i < std::min(got.size(), expected.size()); ++i) ASSERT_EQ(got[i], expected[i]) << "variant " << i;
  ASSERT_EQ(got.size(), expected.size());
}

}  // namespace genoserve

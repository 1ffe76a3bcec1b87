#include <algorithm>
#include <cctype>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"

namespace genoserve {
namespace {

/// Bytes of sample names that are handed on at a time.
constexpr size_t kNameBytes = 1 << 16;

bool IsName(absl::string_view text) {
  return !text.empty() && (absl::ascii_isalpha(static_cast<unsigned char>(text[0])) || text[0] == '_') &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '.'; });
}

/// A value of a structured header line: quoted where it holds more than letters, digits and a few signs.
std::string HeaderValue(absl::string_view value) {
  const auto plain = [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '.' || c == ':' || c == '-' || c == '+' || c == '/' || c == '@';
  };
  if (!value.empty() && std::all_of(value.begin(), value.end(), plain)) return std::string(value);
  return absl::StrCat("\"", absl::StrReplaceAll(value, {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", " "}, {"\r", " "}}),
                      "\"");
}

}  // namespace

std::string VcfContigLines(const CohortDescription& cohort) {
  std::string text;
  for (const ContigRecord& contig : cohort.variants.contigs()) {
    absl::StrAppend(&text, "##contig=<ID=", contig.name);
    if (contig.length > 0) absl::StrAppend(&text, ",length=", contig.length);
    absl::StrAppend(&text, ">\n");
  }
  return text;
}

absl::StatusOr<std::string> VcfSyntheticLine(const CohortDescription& cohort) {
  if (cohort.provenance.empty()) return std::string();
  std::string text = "##synthetic=<ID=genoserve";
  for (const auto& [key, value] : cohort.provenance) {
    if (!IsName(key)) {
      return absl::InvalidArgumentError(
          absl::StrCat("provenance key \"", key, "\": expected letters, digits, _ and ."));
    }
    absl::StrAppend(&text, ",", key, "=", HeaderValue(value));
  }
  return absl::StrCat(text, ">\n");
}

absl::StatusOr<std::string> VcfHeader(const CohortDescription& cohort) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string synthetic, VcfSyntheticLine(cohort));
  return absl::StrCat(
      "##fileformat=VCFv4.3\n"
      "##FILTER=<ID=PASS,Description=\"All filters passed\">\n"
      "##source=genoserve/" GENOSERVE_VERSION "\n",
      VcfContigLines(cohort), "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n", synthetic,
      "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT");
}

int SexOf(const CohortDescription& cohort, int64_t sample) {
  return cohort.sexes.empty() ? int{kUnknownSex} : int{cohort.sexes[static_cast<size_t>(sample)]};
}

std::string SampleName(const CohortDescription& cohort, int64_t sample) {
  return cohort.sample_names.empty() ? SyntheticSampleName(cohort.first_sample + sample, cohort.cohort_size)
                                     : cohort.sample_names[static_cast<size_t>(sample)];
}

absl::Status ForEachSampleName(const CohortDescription& cohort, absl::string_view separator, absl::string_view end,
                               absl::FunctionRef<absl::Status(absl::string_view)> take) {
  std::string text;
  for (int64_t i = 0; i < cohort.sample_count; ++i) {
    absl::StrAppend(&text, separator, SampleName(cohort, i), end);
    if (text.size() < kNameBytes && i + 1 < cohort.sample_count) continue;
    if (absl::Status status = take(text); !status.ok()) return status;
    text.clear();
  }
  return absl::OkStatus();
}

}  // namespace genoserve

// The names of the formats, and of the files that each of them is.
#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/io/cohort_files.h"

namespace genoserve {
namespace {

struct Format {
  CohortFormat format;
  const char* name;
  bool fileset;
};

constexpr std::array<Format, 10> kFormats = {{{CohortFormat::kVcf, "vcf", false},
                                              {CohortFormat::kVcfGz, "vcf.gz", false},
                                              {CohortFormat::kBcf, "bcf", false},
                                              {CohortFormat::kBed, "bed", true},
                                              {CohortFormat::kPgen, "pgen", true},
                                              {CohortFormat::kHap, "hap", true},
                                              {CohortFormat::kHaps, "haps", true},
                                              {CohortFormat::kHapt, "hapt", true},
                                              {CohortFormat::kNpy, "npy", true},
                                              {CohortFormat::kZarr, "zarr", false}}};

const Format& Of(CohortFormat format) {
  return *std::find_if(kFormats.begin(), kFormats.end(), [format](const Format& f) { return f.format == format; });
}

/// `path` without the suffix of a fileset's main file.
std::string Prefix(CohortFormat format, const std::string& path) {
  if (!IsFileset(format)) return path;
  return std::string(absl::StripSuffix(path, absl::StrCat(".", CohortFormatName(format))));
}

}  // namespace

const char* CohortFormatName(CohortFormat format) { return Of(format).name; }

std::vector<CohortFormat> AllCohortFormats() {
  std::vector<CohortFormat> formats;
  formats.reserve(kFormats.size());
  for (const Format& format : kFormats) formats.push_back(format.format);
  return formats;
}

bool IsFileset(CohortFormat format) { return Of(format).fileset; }

absl::StatusOr<CohortFormat> FormatOfPath(absl::string_view path) {
  for (const Format& format : kFormats) {
    if (absl::EndsWithIgnoreCase(path, absl::StrCat(".", format.name))) return format.format;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path, ": the format is told by the suffix: ",
      absl::StrJoin(kFormats, ", ",
                    [](std::string* text, const Format& format) { absl::StrAppend(text, ".", format.name); })));
}

std::vector<std::string> FilesOfCohort(CohortFormat format, const std::string& path, VariantIndex index) {
  const std::string prefix = Prefix(format, path);
  const auto files = [&prefix](std::initializer_list<const char*> suffixes) {
    std::vector<std::string> paths;
    for (const char* suffix : suffixes) paths.push_back(prefix + suffix);
    return paths;
  };
  switch (format) {
    case CohortFormat::kVcf:
    case CohortFormat::kZarr:
      return {path};
    case CohortFormat::kVcfGz:
      return {absl::StrCat(path, index == VariantIndex::kTbi ? ".tbi" : ".csi"), path};
    case CohortFormat::kBcf:
      return {absl::StrCat(path, ".csi"), path};
    case CohortFormat::kBed:
      return files({".fam", ".bim", ".bed"});
    case CohortFormat::kPgen:
      return files({".psam", ".pvar", ".pgen"});
    case CohortFormat::kHap:
      return files({".sample", ".legend", ".hap"});
    case CohortFormat::kHaps:
      return files({".sample", ".haps"});
    case CohortFormat::kHapt:
      return files({".legend", ".hapt"});
    case CohortFormat::kNpy:
      return files({".samples.tsv", ".variants.tsv", ".npy"});
  }
  return {};
}

std::string PartPath(CohortFormat format, const std::string& path) {
  return absl::StrCat(Prefix(format, path), ".part");
}

}  // namespace genoserve

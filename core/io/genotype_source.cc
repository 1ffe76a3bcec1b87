#include "core/io/genotype_source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

absl::StatusOr<std::string> DigestFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (file == nullptr) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
  Sha256 digest;
  std::array<char, 1 << 16> buffer;
  size_t n = 0;
  while ((n = std::fread(buffer.data(), 1, buffer.size(), file.get())) > 0) {
    digest.Update(absl::string_view(buffer.data(), n));
  }
  if (std::ferror(file.get()) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
  return ToHex(digest.Finish());
}

/// The first of these files that is there, or else the first of all.
std::string FirstThatIs(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (FileSystem::Posix().Exists(file)) return file;
  }
  return files.front();
}

/// All files of a folder and those in it, sorted; what cannot be listed is left out.
std::vector<std::string> FilesUnder(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->is_regular_file(error)) files.push_back(it->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::string PvarOf(const std::string& prefix) { return FirstThatIs({prefix + ".pvar", prefix + ".pvar.zst"}); }

GenotypeSource SourceOfPath(absl::string_view path) {
  for (const absl::string_view suffix : {".vcf", ".vcf.gz", ".vcf.bgz", ".bcf"}) {
    if (absl::EndsWith(path, suffix)) return {GenotypeSource::Format::kVcf, std::string(path), "", ""};
  }
  absl::string_view plain = absl::StripSuffix(path, ".gz");
  for (const auto& [suffix, format] :
       {std::pair{".hap", GenotypeSource::Format::kHap}, std::pair{".haps", GenotypeSource::Format::kHaps}}) {
    if (!absl::EndsWith(plain, suffix)) continue;
    const std::string prefix(absl::StripSuffix(plain, suffix));
    GenotypeSource source{format, std::string(path), FirstThatIs({prefix + ".legend", prefix + ".legend.gz"}),
                          FirstThatIs({prefix + ".sample", prefix + ".samples"})};
    if (format == GenotypeSource::Format::kHaps) {
      if (FileSystem::Posix().Exists(source.legend)) {
        source.format = GenotypeSource::Format::kHap;
      } else {
        source.legend.clear();
      }
    }
    return source;
  }
  if (absl::EndsWith(path, ".hapt")) {
    return {GenotypeSource::Format::kHapt, std::string(path), absl::StrCat(absl::StripSuffix(path, ".hapt"), ".legend"),
            ""};
  }
  if (absl::EndsWith(path, ".npy")) {
    return {GenotypeSource::Format::kNpy, std::string(absl::StripSuffix(path, ".npy")), "", ""};
  }
  if (const absl::string_view folder = absl::StripSuffix(path, "/");
      absl::EndsWith(folder, ".zarr") || absl::EndsWith(folder, ".vcz")) {
    return {GenotypeSource::Format::kZarr, std::string(folder), "", ""};
  }
  const std::string prefix(absl::StripSuffix(absl::StripSuffix(path, ".bed"), ".pgen"));
  const bool pgen = absl::EndsWith(path, ".pgen") || (FileSystem::Posix().Exists(absl::StrCat(path, ".pgen")) &&
                                                      !FileSystem::Posix().Exists(absl::StrCat(prefix, ".bed")));
  return {pgen ? GenotypeSource::Format::kPgen : GenotypeSource::Format::kBed, prefix, "", ""};
}

std::vector<std::string> FilesOf(const GenotypeSource& source) {
  switch (source.format) {
    case GenotypeSource::Format::kBed:
      return {source.path + ".bed", source.path + ".bim", source.path + ".fam"};
    case GenotypeSource::Format::kPgen:
      return {source.path + ".pgen", PvarOf(source.path), source.path + ".psam"};
    case GenotypeSource::Format::kHap:
      return {source.path, source.legend, source.samples};
    case GenotypeSource::Format::kHaps:
      return {source.path, source.samples};
    case GenotypeSource::Format::kHapt:
      return {source.path, source.legend};
    case GenotypeSource::Format::kNpy:
      return {source.path + ".npy", source.path + ".variants.tsv", source.path + ".samples.tsv"};
    case GenotypeSource::Format::kZarr:
      return FilesUnder(source.path);
    case GenotypeSource::Format::kVcf:
      break;
  }
  return {source.path};
}

absl::StatusOr<std::string> DigestFiles(const std::vector<std::string>& files) {
  Sha256 digest;
  for (const std::string& file : files) {
    GENOSERVE_ASSIGN_OR_RETURN(const std::string one, DigestFile(file));
    digest.Update(one);
    digest.Update("\n");
  }
  return ToHex(digest.Finish());
}

}  // namespace genoserve

#include "core/io/genotype_source.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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

}  // namespace

GenotypeSource SourceOfPath(absl::string_view path) {
  for (const absl::string_view suffix : {".vcf", ".vcf.gz", ".bcf"}) {
    if (absl::EndsWith(path, suffix)) return {GenotypeSource::Format::kVcf, std::string(path), ""};
  }
  if (absl::EndsWith(path, ".hapt")) {
    return {GenotypeSource::Format::kHapt, std::string(path),
            absl::StrCat(absl::StripSuffix(path, ".hapt"), ".legend")};
  }
  return {GenotypeSource::Format::kBed, std::string(absl::StripSuffix(path, ".bed")), ""};
}

std::vector<std::string> FilesOf(const GenotypeSource& source) {
  switch (source.format) {
    case GenotypeSource::Format::kBed:
      return {source.path + ".bed", source.path + ".bim", source.path + ".fam"};
    case GenotypeSource::Format::kHapt:
      return {source.path, source.legend};
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

#include "client/cli/verify.h"

#include <optional>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "client/cli/cohort_manifest.h"
#include "client/cli/exit_code.h"
#include "client/cli/models.h"
#include "client/cli/part_state.h"
#include "core/base/count_text.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/cohort_writer.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

bool IsThere(const std::string& path) { return FileSystem::Posix().Exists(path); }

// The path of the manifest that tells of this path: itself, or of the prefix that is left when suffixes such as
// ".vcf.gz" are taken off one by one. Nothing where there is none.
std::optional<std::string> FindManifest(const std::string& path) {
  if (absl::EndsWith(path, ManifestPath(""))) return path;
  std::string prefix = path;
  while (true) {
    if (const std::string manifest = ManifestPath(prefix); IsThere(manifest)) return manifest;
    const size_t dot = prefix.rfind('.');
    if (dot == std::string::npos || prefix.find('/', dot) != std::string::npos) return std::nullopt;
    prefix.resize(dot);
  }
}

// The path without slashes at its end and doubled ones, as the names in a manifest are matched with it.
std::string WithoutIdleSlashes(const std::string& path) {
  std::string tidy;
  for (const char c : path) {
    if (c != '/' || tidy.empty() || tidy.back() != '/') tidy.push_back(c);
  }
  if (tidy.size() > 1 && tidy.back() == '/') tidy.pop_back();
  return tidy;
}

// What is wrong with a file; "" where nothing is.
absl::StatusOr<std::string> Judge(const std::string& path, const v1::CohortFile& due, const Interrupt& interrupt) {
  if (!IsThere(path)) return std::string("is missing");
  absl::StatusOr<v1::CohortFile> found = DescribeFile(path, &interrupt);
  if (absl::IsInvalidArgument(found.status())) return std::string("is no file");
  GENOSERVE_RETURN_IF_ERROR(found.status());
  if (found->size() < due.size()) {
    return absl::StrFormat("is truncated: %s of %s bytes", FormatCount(found->size()), FormatCount(due.size()));
  }
  if (found->size() > due.size()) {
    return absl::StrFormat("has %s bytes instead of %s", FormatCount(found->size()), FormatCount(due.size()));
  }
  return std::string(found->sha256() == due.sha256() ? "" : "differs from what was written");
}

// The state of the fetch that the path is of, where it is not done: the path is its output, its prefix, or its part.
absl::StatusOr<v1::CohortPart> FindPart(const std::string& path) {
  const absl::string_view part = absl::StripSuffix(path, ".json");
  if (absl::EndsWith(part, ".part")) return ReadPartState(std::string(part));
  if (FindManifest(path).has_value()) return absl::NotFoundError("it has a manifest");
  for (const CohortFormat format : AllCohortFormats()) {
    for (const std::string& output : {path, absl::StrCat(path, ".", CohortFormatName(format))}) {
      absl::StatusOr<v1::CohortPart> state = ReadPartState(PartPath(format, output));
      if (state.ok()) return state;
    }
  }
  return absl::NotFoundError("there is no part");
}

}  // namespace

absl::Status Verify(const VerifyArguments& arguments, const Interrupt& interrupt) {
  const std::string given = WithoutIdleSlashes(arguments.path);
  const absl::StatusOr<v1::CohortPart> part = FindPart(given);
  if (part.ok()) {
    return absl::DataLossError(absl::StrFormat(
        "%s: is a part: %s of %s samples are there; the command that began it goes on when it is run again", given,
        FormatCount(DoneSamples(*part)), FormatCount(part->header().sample_count())));
  }
  const std::optional<std::string> path = FindManifest(given);
  if (!path.has_value() || !IsThere(*path)) {
    return Local(absl::NotFoundError(absl::StrCat(path.value_or(ManifestPath(given)),
                                                  ": there is no such manifest; genoserve fetch writes one beside each "
                                                  "cohort")));
  }
  absl::StatusOr<v1::CohortManifest> manifest = ReadCohortManifest(*path);
  if (!manifest.ok()) return absl::IsDataLoss(manifest.status()) ? manifest.status() : Local(manifest.status());
  const std::string folder = FolderOf(*path);
  const std::string of = folder == "." && !absl::StartsWith(*path, "./") ? "" : JoinPath(folder, "");
  int wrong = 0;
  bool named = given == *path || absl::StartsWith(*path, absl::StrCat(given, "."));
  for (const v1::CohortFile& file : manifest->files()) {
    const std::string name = absl::StrCat(of, file.name());
    named = named || name == given || absl::StartsWith(name, absl::StrCat(given, "/"));
    const absl::StatusOr<std::string> what = Judge(name, file, interrupt);
    if (!what.ok()) return absl::IsCancelled(what.status()) ? what.status() : Local(what.status());
    wrong += what->empty() ? 0 : 1;
    if (!what->empty() || !arguments.quiet) {
      GENOSERVE_RETURN_IF_ERROR(Print(absl::StrCat(name, ": ", what->empty() ? "OK" : *what, "\n")));
    }
  }
  if (wrong > 0) {
    return absl::DataLossError(
        absl::StrFormat("%d of %d files are not as %s tells", wrong, manifest->files_size(), *path));
  }
  if (!named) {
    return absl::DataLossError(absl::StrFormat("%s: is not among the files that %s tells of", given, *path));
  }
  return absl::OkStatus();
}

}  // namespace genoserve

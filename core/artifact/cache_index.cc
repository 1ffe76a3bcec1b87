#include "core/artifact/cache_index.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr absl::string_view kLabelsName = "labels";
constexpr uint64_t kLargestEntry = 1 << 20;  // bytes
constexpr size_t kDigestDigits = 64;

absl::Status MakeIfMissing(const FileSystem& files, const std::string& folder) {
  const absl::Status made = files.MakeFolder(folder);
  return absl::IsAlreadyExists(made) ? absl::OkStatus() : made;
}

}  // namespace

std::vector<std::string> CacheIndex::Models() const {
  std::vector<std::string> models;
  for (const std::string& name : files_.ListFolder(folder_).value_or(std::vector<std::string>())) {
    if (ValidateModelName(name).ok() && !Versions(name).empty()) models.push_back(name);
  }
  return models;
}

std::vector<int64_t> CacheIndex::Versions(absl::string_view model) const {
  std::vector<int64_t> versions;
  for (const std::string& name : files_.ListFolder(ModelFolder(model)).value_or(std::vector<std::string>())) {
    int64_t version = 0;
    if (absl::SimpleAtoi(name, &version) && version > 0 && absl::StrCat(version) == name) versions.push_back(version);
  }
  std::sort(versions.begin(), versions.end());
  return versions;
}

std::optional<BlobName> CacheIndex::Manifest(absl::string_view model, int64_t version) const {
  const auto text = files_.ReadFile(JoinPath(ModelFolder(model), absl::StrCat(version)), kLargestEntry);
  if (!text.ok()) return std::nullopt;
  const std::vector<std::string> words = absl::StrSplit(*text, absl::ByAnyChar(" \n"));
  BlobName name;
  if (words.size() != 3 || !words[2].empty() || !absl::SimpleAtoi(words[1], &name.size)) return std::nullopt;
  // It becomes part of a path.
  const bool digest =
      words[0].size() == kDigestDigits && words[0].find_first_not_of("0123456789abcdef") == words[0].npos;
  if (!digest) return std::nullopt;
  name.digest = words[0];
  return name;
}

std::map<std::string, Label> CacheIndex::Labels(absl::string_view model) const {
  std::map<std::string, Label> labels;
  const auto text = files_.ReadFile(JoinPath(ModelFolder(model), kLabelsName), kLargestEntry);
  if (!text.ok()) return labels;
  for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
    Label label;
    if (words.size() != 3 || !ValidateLabelName(words[0]).ok() || !absl::SimpleAtoi(words[1], &label.version) ||
        !absl::SimpleAtoi(words[2], &label.previous)) {
      return {};
    }
    labels.emplace(words[0], label);
  }
  return labels;
}

absl::Status CacheIndex::SetManifest(absl::string_view model, int64_t version, const BlobName& manifest) const {
  return Write(model, absl::StrCat(version), absl::StrCat(manifest.digest, " ", manifest.size, "\n"));
}

absl::Status CacheIndex::SetLabels(absl::string_view model, const std::map<std::string, Label>& labels) const {
  std::string text;
  for (const auto& [name, label] : labels) absl::StrAppend(&text, name, " ", label.version, " ", label.previous, "\n");
  return Write(model, kLabelsName, text);
}

void CacheIndex::Remove(absl::string_view model, int64_t version) const {
  files_.Remove(JoinPath(ModelFolder(model), absl::StrCat(version))).IgnoreError();
  if (!Versions(model).empty()) return;
  files_.Remove(JoinPath(ModelFolder(model), kLabelsName)).IgnoreError();
  // Stays where another process has put something there meanwhile.
  std::error_code not_empty;
  std::filesystem::remove(ModelFolder(model), not_empty);
}

absl::Status CacheIndex::Write(absl::string_view model, absl::string_view name, absl::string_view text) const {
  GENOSERVE_RETURN_IF_ERROR(MakeIfMissing(files_, folder_));
  GENOSERVE_RETURN_IF_ERROR(MakeIfMissing(files_, ModelFolder(model)));
  return WriteFileAtomically(files_, JoinPath(ModelFolder(model), name), text);
}

}  // namespace genoserve

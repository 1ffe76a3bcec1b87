#include "core/store/checkpoint_store.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/store/posix_store.h"
#include "core/store/s3_store.h"
#include "core/store/store_paths.h"

namespace genoserve {
namespace {

constexpr size_t kMaxNameLength = 128;

absl::Status ValidateName(absl::string_view kind, absl::string_view name) {
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-'; };
  if (!name.empty() && name.size() <= kMaxNameLength && absl::ascii_isalnum(static_cast<unsigned char>(name.front())) &&
      std::all_of(name.begin(), name.end(), allowed)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(kind, " name \"", absl::CHexEscape(name.substr(0, kMaxNameLength)),
                   "\": allowed are letters, digits, '.', '_' and '-', a letter or digit first, at most ",
                   kMaxNameLength, " characters"));
}

}  // namespace

absl::Status ValidateModelName(absl::string_view name) { return ValidateName("model", name); }

absl::Status ValidateFileName(absl::string_view name) { return ValidateName("file", name); }

absl::Status ValidateLabelName(absl::string_view name) {
  if (!absl::StrContains(name, kTemporaryMark)) return ValidateName("label", name);
  return absl::InvalidArgumentError(absl::StrCat("label name \"", absl::CHexEscape(name.substr(0, kMaxNameLength)),
                                                 "\": has no \"", kTemporaryMark, "\""));
}

absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenStore(const std::string& url, bool create) {
  if (url.empty()) return absl::InvalidArgumentError("the store is empty: give a folder");
  if (absl::StartsWith(url, "s3://")) return OpenS3Store(url, create);
  if (absl::StrContains(url, "://")) {
    return absl::InvalidArgumentError(absl::StrCat("store ", url, ": give a folder or s3://bucket/prefix"));
  }
  return OpenPosixStore(FileSystem::Posix(), url, create);
}

}  // namespace genoserve

#include "server/security/tokens.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestFile = 4 << 20;  // bytes

Sha256Digest HashOf(absl::string_view token) {
  Sha256 sha;
  sha.Update(token);
  return sha.Finish();
}

}  // namespace

absl::StatusOr<TokenTable> TokenTable::Read(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, FileSystem::Posix().ReadFile(path, kLargestFile));
  TokenTable table;
  int number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line.front() == '#') continue;
    const std::vector<absl::string_view> fields = absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    const auto error = [&](absl::string_view what) {
      return absl::InvalidArgumentError(absl::StrCat(path, ":", number, ": ", what));
    };
    if (fields.size() != 2 || fields[1].size() != 64 ||
        !std::all_of(fields[1].begin(), fields[1].end(), absl::ascii_isxdigit)) {
      return error("a line is a name, a space, and the 64 hexadecimal digits that genoserve-server hash-token prints");
    }
    Entry entry;
    entry.name = std::string(fields[0]);
    const std::string bytes = absl::HexStringToBytes(fields[1]);
    std::copy(bytes.begin(), bytes.end(), entry.hash.begin());
    if (std::any_of(table.entries_.begin(), table.entries_.end(),
                    [&entry](const Entry& other) { return other.name == entry.name; })) {
      return error(absl::StrCat("the name ", entry.name, " comes twice"));
    }
    table.entries_.push_back(std::move(entry));
  }
  if (table.entries_.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": holds no token hashes"));
  return table;
}

std::optional<std::string> TokenTable::Find(absl::string_view token) const {
  const Sha256Digest hash = HashOf(token);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (CRYPTO_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0) found = &entry;
  }
  if (found == nullptr) return std::nullopt;
  return found->name;
}

}  // namespace genoserve

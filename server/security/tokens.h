// Bearer tokens: the server knows their SHA-256 only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/base/sha256.h"

namespace genoserve {

/// The names and hashes of a token file. Const methods are thread-safe.
class TokenTable {
 public:
  /// Reads "name sha256-hex" lines; empty lines and lines that begin with '#' are passed over. INVALID_ARGUMENT with
  /// file and line, never with the line's text, where one is malformed, a name comes twice, or there is none.
  static absl::StatusOr<TokenTable> Read(const std::string& path);

  /// The name of the principal with this token. Takes the same time whether and where it is found.
  std::optional<std::string> Find(absl::string_view token) const;

  /// Whether the same tokens have the same names, in the same order.
  friend bool operator==(const TokenTable&, const TokenTable&) = default;

 private:
  struct Entry {
    std::string name;
    Sha256Digest hash;

    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries_;
};

}  // namespace genoserve

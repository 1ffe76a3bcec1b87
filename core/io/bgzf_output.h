// A file that is written through htslib's BGZF, compressed or plain.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/io/htslib_support.h"

namespace genoserve {

/// Writes to a file descriptor. Errors as of WriteError. Not thread-safe.
class BgzfOutput {
 public:
  /// Writes to a copy of `fd`; `name` stands in messages. Compressed into BGZF blocks, or as plain bytes.
  static absl::StatusOr<std::unique_ptr<BgzfOutput>> Create(int fd, std::string name, bool compressed);

  /// Appends bytes.
  absl::Status Write(absl::string_view bytes);

  /// The virtual offset of the next byte, as indexes hold it; for compressed files.
  uint64_t Tell() const { return static_cast<uint64_t>(bgzf_tell(file_.get())); }

  /// Writes what is buffered, and the empty block that ends a compressed file. Call once, last.
  absl::Status Close();

 private:
  BgzfOutput(HtslibPtr<BGZF> file, std::string name) : file_(std::move(file)), name_(std::move(name)) {}

  HtslibPtr<BGZF> file_;
  const std::string name_;
};

}  // namespace genoserve

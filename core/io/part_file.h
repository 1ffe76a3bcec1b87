// The file that a writer gathers genotypes in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/io/staged_file.h"

namespace genoserve {

/// Where a part lies, and what becomes of it when it is not finished.
struct PartPlace {
  enum class Kind {
    kNameless,   ///< without a name in the folder `path`: nothing of it stays whatever happens
    kTemporary,  ///< beside the file `path`, which it is going to be; the destructor removes it
    kKept,       ///< new at `path`; the destructor leaves it
    kReopened,   ///< a kept one
  };
  Kind kind = Kind::kNameless;
  std::string path;

  bool kept() const { return kind == Kind::kKept || kind == Kind::kReopened; }
};

/// A file of known size. A kept one has more behind its genotypes: a description by which it is known again, and room
/// for what is not in its place yet. One process at a time has a kept one open. Thread-safe.
class PartFile {
 public:
  /// Opens a file for `bytes` of genotypes, whose room is reserved where the file system can, and in a kept one `extra`
  /// bytes behind. `description` tells apart parts that are not made alike. RESOURCE_EXHAUSTED where the disk has not
  /// enough room; of a reopened one NOT_FOUND, DATA_LOSS where it is cut short, FAILED_PRECONDITION where it is
  /// another.
  static absl::StatusOr<std::unique_ptr<PartFile>> Open(PartPlace place, size_t bytes, size_t extra,
                                                        const std::string& description);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  /// Whether a reopened file had been cut to its genotypes already, by Stage, so that nothing is behind them.
  bool staged() const { return staged_; }
  /// Where the extra bytes begin.
  size_t extra() const { return extra_; }

  /// What messages call it.
  std::string Name() const;

  absl::Status WriteAt(size_t offset, std::span<const uint8_t> bytes) const;
  absl::Status ReadAt(size_t offset, std::span<uint8_t> bytes) const;
  /// Brings all that was written to the disk.
  absl::Status Sync() const;

  /// Cuts the file to its genotypes and hands it on as the file `path`, which CommitFiles gives that name. Not for a
  /// nameless one; call once, last.
  absl::StatusOr<std::unique_ptr<StagedFile>> Stage(const std::string& path);
  /// Removes a kept file.
  absl::Status Remove();

 private:
  PartFile(PartPlace place, int fd, std::unique_ptr<StagedFile> temporary, size_t bytes)
      : place_(std::move(place)), fd_(fd), temporary_(std::move(temporary)), bytes_(bytes) {}

  absl::Status Prepare(size_t extra, const std::string& description);
  absl::Status Recognise(size_t extra, const std::string& description);

  const PartPlace place_;
  int fd_;                                 // -1 = staged
  std::unique_ptr<StagedFile> temporary_;  // of a temporary one; owns fd_ then
  const size_t bytes_;
  size_t extra_ = 0;
  bool staged_ = false;
};

}  // namespace genoserve

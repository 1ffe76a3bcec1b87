// Which loads have begun and not ended: what a process that died left for the next one.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "core/base/file.h"

namespace genoserve {

/// Keeps a small file for each artifact whose load has begun, and removes it at the end of the load, well or not. An
/// artifact with which the whole process dies, out of memory or by a fault in the code, is not loaded for ever. What
/// cannot be read or written counts as not there. Thread-compatible.
class LoadMarks {
 public:
  /// In this folder, which is made if need be; empty = nothing is remembered.
  explicit LoadMarks(std::string folder, const FileSystem& files = FileSystem::Posix());

  /// A load of the artifact begins. FAILED_PRECONDITION, and nothing is marked, where the process has died in
  /// kMaxDeaths loads of it with no load between that ended.
  absl::Status Begin(const std::string& digest) const;

  /// The load has ended, or what was held against the artifact is forgotten.
  void End(const std::string& digest) const;

  static constexpr int kMaxDeaths = 3;

 private:
  std::string Path(const std::string& digest) const;

  const std::string folder_;
  const FileSystem& files_;
};

}  // namespace genoserve

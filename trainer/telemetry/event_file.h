// A file of TensorBoard events.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace genoserve {

/// Records one after the other, framed as TFRecord has it: length (8 bytes, little-endian), its masked CRC-32C, the
/// bytes, their masked CRC-32C. The file holds whole records at any time. Not thread-safe.
class EventFile {
 public:
  /// Makes a new file in `folder`, which is made where it is not there, under the name that TensorBoard looks for:
  /// events.out.tfevents.SECONDS.HOST.PROCESS, and a number more where that is taken. Errors name the path.
  static absl::StatusOr<std::unique_ptr<EventFile>> Create(const std::string& folder, absl::Time now);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  /// Adds a record. Where that fails, as on a full disk, the file is as before and takes further records.
  absl::Status Append(absl::string_view record);

  const std::string& path() const { return path_; }

 private:
  EventFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  const std::string path_;
  const int fd_;
  int64_t size_ = 0;  // of the whole records
};

/// Rotated right by 15 bits and with a constant added, as TFRecord stores a CRC of bytes that may hold CRCs themselves.
uint32_t MaskedCrc32c(absl::string_view bytes);

}  // namespace genoserve

// Text that zstd packed, as plink2 does with a .pvar.
#pragma once

#include <zstd.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/io/line_reader.h"

namespace genoserve {

struct FreeZstdStream {
  void operator()(ZSTD_DStream* stream) const { ::ZSTD_freeDStream(stream); }
};
using ZstdStreamPtr = std::unique_ptr<ZSTD_DStream, FreeZstdStream>;

/// Whether a file begins as zstd's do; false also where it cannot be read.
bool IsZstd(const std::string& path);

/// Unpacks a file piece by piece, with a window of at most 128 MiB. Its end within a frame is an error.
absl::StatusOr<LineReader::Source> OpenZstd(const std::string& path);

}  // namespace genoserve

// Compressors of Zarr's chunks.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace genoserve {

/// As numcodecs has them.
enum class ZarrCodec { kNone, kZlib, kBlosc, kZstd };

/// By its id: "zlib" or "gzip", "blosc", "zstd"; none for others.
std::optional<ZarrCodec> ParseZarrCodec(absl::string_view id);

/// Unpacks a chunk of at most `limit` bytes, which are at most 1 GiB; false where it is broken or longer, and for Blosc
/// with BloscLZ.
bool UnpackChunk(ZarrCodec codec, absl::string_view from, size_t limit, std::string* to);

}  // namespace genoserve

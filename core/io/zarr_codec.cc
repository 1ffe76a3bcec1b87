#include "core/io/zarr_codec.h"

#include <blosc.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>

namespace genoserve {
namespace {

// A stream of zlib or gzip.
bool UnpackZlib(absl::string_view from, size_t limit, std::string* to) {
  z_stream stream = {};
  if (::inflateInit2(&stream, 15 + 32) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t done = to->size();
    to->resize(std::min(limit + 1, std::max<size_t>(1 << 16, 2 * done)));
    if (to->size() == done) break;  // longer than it may be
    stream.next_out = reinterpret_cast<Bytef*>(to->data() + done);
    stream.avail_out = static_cast<uInt>(to->size() - done);
    result = ::inflate(&stream, Z_NO_FLUSH);
    to->resize(to->size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return result == Z_STREAM_END && to->size() <= limit;
}

bool UnpackBlosc(absl::string_view from, size_t limit, std::string* to) {
  size_t size = 0;
  if (::blosc_cbuffer_validate(from.data(), from.size(), &size) != 0 || size > limit) return false;
  to->resize(size);
  return ::blosc_decompress_ctx(from.data(), to->data(), size, /*numinternalthreads=*/1) == static_cast<int>(size);
}

bool UnpackZstd(absl::string_view from, size_t limit, std::string* to) {
  // Larger than any limit where it is not known, which numcodecs always writes.
  const unsigned long long size = ::ZSTD_getFrameContentSize(from.data(), from.size());
  if (size > limit) return false;
  to->resize(size);
  return ::ZSTD_decompress(to->data(), to->size(), from.data(), from.size()) == size;
}

}  // namespace

std::optional<ZarrCodec> ParseZarrCodec(absl::string_view id) {
  if (id == "zlib" || id == "gzip") return ZarrCodec::kZlib;
  if (id == "blosc") return ZarrCodec::kBlosc;
  if (id == "zstd") return ZarrCodec::kZstd;
  return std::nullopt;
}

bool UnpackChunk(ZarrCodec codec, absl::string_view from, size_t limit, std::string* to) {
  to->clear();
  switch (codec) {
    case ZarrCodec::kNone:
      to->assign(from.data(), from.size());
      return from.size() <= limit;
    case ZarrCodec::kZlib:
      return UnpackZlib(from, limit, to);
    case ZarrCodec::kBlosc:
      return UnpackBlosc(from, limit, to);
    case ZarrCodec::kZstd:
      return UnpackZstd(from, limit, to);
  }
  return false;
}

}  // namespace genoserve

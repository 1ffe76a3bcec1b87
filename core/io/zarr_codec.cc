#include "core/io/zarr_codec.h"

#include <blosc.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdint>

#include "core/io/zstd_text.h"

namespace genoserve {
namespace {

// Doubles what is there, up to one byte more than it may be; false where that is full.
bool MakeRoom(size_t limit, std::string* to) {
  const size_t size = std::min(limit + 1, std::max<size_t>(1 << 16, 2 * to->size()));
  if (size == to->size()) return false;
  to->resize(size);
  return true;
}

// A stream of zlib or gzip.
bool UnpackZlib(absl::string_view from, size_t limit, std::string* to) {
  z_stream stream = {};
  if (::inflateInit2(&stream, 15 + 32) != Z_OK) return false;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data()));
  stream.avail_in = static_cast<uInt>(from.size());
  int result = Z_OK;
  while (result == Z_OK) {
    const size_t done = to->size();
    if (!MakeRoom(limit, to)) break;
    stream.next_out = reinterpret_cast<Bytef*>(to->data() + done);
    stream.avail_out = static_cast<uInt>(to->size() - done);
    result = ::inflate(&stream, Z_NO_FLUSH);
    to->resize(to->size() - stream.avail_out);
  }
  ::inflateEnd(&stream);
  return result == Z_STREAM_END && to->size() <= limit;
}

// Blosc's own BloscLZ is not read: c-blosc 1.21 adds up a length that the chunk tells in 32 bits, unchecked, and a
// hostile one makes it write beyond its buffer. The other compressors within check what they are told.
bool UnpackBlosc(absl::string_view from, size_t limit, std::string* to) {
  constexpr size_t kFlags = 2;                 // byte of the header
  constexpr int kStored = 2, kCompressor = 5;  // bit; where its number begins, of which BloscLZ's is 0
  size_t size = 0;
  if (::blosc_cbuffer_validate(from.data(), from.size(), &size) != 0 || size > limit) return false;
  const auto flags = static_cast<uint8_t>(from[kFlags]);
  if (flags >> kCompressor == 0 && (flags & kStored) == 0) return false;
  to->resize(size);
  return ::blosc_decompress_ctx(from.data(), to->data(), size, /*numinternalthreads=*/1) == static_cast<int>(size);
}

// Frames may do without the size of what they hold.
bool UnpackZstd(absl::string_view from, size_t limit, std::string* to) {
  const ZstdStreamPtr stream(::ZSTD_createDStream());
  ZSTD_inBuffer in = {from.data(), from.size(), 0};
  size_t left = 1;  // 0 = a frame has just ended
  while (in.pos < in.size || left != 0) {
    const size_t done = to->size();
    if (!MakeRoom(limit, to)) return false;
    ZSTD_outBuffer out = {to->data() + done, to->size() - done, 0};
    left = ::ZSTD_decompressStream(stream.get(), &out, &in);
    to->resize(done + out.pos);
    if (::ZSTD_isError(left) != 0U) return false;
    if (in.pos == in.size && left != 0 && out.pos < out.size) return false;  // it ends within a frame
  }
  return to->size() <= limit;
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

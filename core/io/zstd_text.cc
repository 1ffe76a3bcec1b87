#include "core/io/zstd_text.h"

#include <zstd.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr unsigned char kFrame[] = {0x28, 0xb5, 0x2f, 0xfd};
constexpr unsigned char kSkippable[] = {0x50, 0x2a, 0x4d, 0x18};  // the first byte up to 0x5f; as pzstd begins

struct CloseFile {
  void operator()(FILE* file) const { std::fclose(file); }
};

class ZstdText {
 public:
  explicit ZstdText(FILE* file) : file_(file), stream_(::ZSTD_createDStream()), packed_(::ZSTD_DStreamInSize()) {}

  // As LineReader::Source.
  ssize_t Read(char* to, size_t bytes) {
    ZSTD_outBuffer out = {to, bytes, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size) {
        in_ = {packed_.data(), std::fread(packed_.data(), 1, packed_.size(), file_.get()), 0};
        if (in_.size == 0) return whole_ && std::ferror(file_.get()) == 0 ? 0 : -1;
      }
      const size_t left = ::ZSTD_decompressStream(stream_.get(), &out, &in_);
      if (::ZSTD_isError(left) != 0U) return -1;
      whole_ = left == 0;
    }
    return static_cast<ssize_t>(out.pos);
  }

 private:
  const std::unique_ptr<FILE, CloseFile> file_;
  const ZstdStreamPtr stream_;
  std::vector<char> packed_;
  ZSTD_inBuffer in_ = {nullptr, 0, 0};
  bool whole_ = false;  // a frame has just ended
};

}  // namespace

bool IsZstd(const std::string& path) {
  const std::unique_ptr<FILE, CloseFile> file(std::fopen(path.c_str(), "rb"));
  unsigned char begin[sizeof kFrame] = {};
  if (file == nullptr || std::fread(begin, 1, sizeof begin, file.get()) != sizeof begin) return false;
  if (std::equal(std::begin(begin), std::end(begin), std::begin(kFrame))) return true;
  begin[0] &= 0xf0;
  return std::equal(std::begin(begin), std::end(begin), std::begin(kSkippable));
}

absl::StatusOr<LineReader::Source> OpenZstd(const std::string& path) {
  FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
  return LineReader::Source(
      [text = std::make_unique<ZstdText>(file)](char* to, size_t bytes) { return text->Read(to, bytes); });
}

}  // namespace genoserve

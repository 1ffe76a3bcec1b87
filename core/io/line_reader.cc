#include "core/io/line_reader.h"

#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/status.h"
#include "core/io/htslib_support.h"
#include "core/io/text_table.h"
#include "core/io/zstd_text.h"

namespace genoserve {
namespace {

/// Bytes of text that are read at a time.
constexpr size_t kChunk = size_t{1} << 18;

}  // namespace

absl::StatusOr<std::unique_ptr<LineReader>> LineReader::Open(std::string path, LastLine last) {
  SilenceHtslib();
  struct stat about = {};
  if (::stat(path.c_str(), &about) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
  if (S_ISDIR(about.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder"));
  // Only files: from a pipe, the first bytes would be gone.
  if (S_ISREG(about.st_mode) && IsZstd(path)) {
    GENOSERVE_ASSIGN_OR_RETURN(Source source, OpenZstd(path));
    return std::unique_ptr<LineReader>(new LineReader(std::move(path), std::move(source), 0, last));
  }
  errno = 0;
  HtslibPtr<BGZF> file(bgzf_open(path.c_str(), "r"));
  if (file == nullptr) return ErrnoStatus(absl::StrCat(path, ": cannot open"));
  if (bgzf_compression(file.get()) == bgzf && bgzf_check_EOF(file.get()) == 0) {
    return absl::DataLossError(
        absl::StrCat(path, ": is truncated: the empty BGZF block that ends a whole file is missing"));
  }
  Source source = [file = std::move(file)](char* to, size_t bytes) { return bgzf_read(file.get(), to, bytes); };
  return std::unique_ptr<LineReader>(new LineReader(std::move(path), std::move(source), 0, last));
}

absl::StatusOr<bool> LineReader::Next() {
  size_t searched = begin_;
  size_t end = 0;
  bool cut = false;
  while ((end = buffer_.find('\n', searched)) == std::string::npos) {
    if (ended_) {
      if (begin_ == buffer_.size()) return false;
      end = buffer_.size();
      cut = last_ == LastLine::kMustEnd;
      break;
    }
    buffer_.erase(0, begin_);
    begin_ = 0;
    searched = buffer_.size();
    if (searched > kLongestLine) {
      return absl::InvalidArgumentError(
          absl::StrCat(path_, ": line ", number_ + 1, ": is longer than ", kLongestLine, " bytes"));
    }
    buffer_.resize(searched + kChunk);
    const ssize_t n = source_(buffer_.data() + searched, kChunk);
    buffer_.resize(searched + static_cast<size_t>(n > 0 ? n : 0));
    if (n < 0) {
      return absl::DataLossError(absl::StrCat(path_, ": cannot be read, or is not whole, after line ", number_));
    }
    ended_ = n == 0;
  }
  ++number_;
  line_ = absl::StripSuffix(absl::string_view(buffer_).substr(begin_, end - begin_), "\r");
  begin_ = std::min(end + 1, buffer_.size());
  if (line_.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": is not a text file (it holds a NUL byte)"));
  }
  if (cut) {
    return absl::DataLossError(
        absl::StrCat(path_, ": line ", number_, ": the last line does not end: the file is cut short"));
  }
  return true;
}

std::vector<absl::string_view> LineReader::Words() const {
  return absl::StrSplit(line_, absl::ByAnyChar(" \t"), absl::SkipEmpty());
}

absl::Status LineReader::Error(absl::string_view what) const { return ErrorAtLine(path_, number_, what); }

}  // namespace genoserve

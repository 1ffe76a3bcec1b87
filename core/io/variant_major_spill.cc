#include "core/io/variant_major_spill.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

/// Bytes of transposed genotypes that are written at a time.
constexpr size_t kWriteBytes = size_t{1} << 20;

absl::Status WriteAll(int fd, std::span<const uint8_t> bytes, absl::string_view name) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return WriteError(name);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

size_t SamplesPerShard(size_t memory, size_t sample_bytes) {
  return std::max<size_t>(64, memory / std::max<size_t>(sample_bytes, 1) / 64 * 64);
}

}  // namespace

VariantMajorSpill::VariantMajorSpill(std::string folder, int fd, Packing packing, size_t variants, int64_t samples,
                                     size_t memory)
    : folder_(std::move(folder)),
      fd_(fd),
      packing_(packing),
      variants_(variants),
      samples_(samples),
      memory_(memory),
      sample_bytes_(RowsPerSample(packing) * RowBytes(packing, variants)),
      samples_per_shard_(SamplesPerShard(memory, sample_bytes_)),
      shards_((static_cast<size_t>(samples) + samples_per_shard_ - 1) / samples_per_shard_) {}

VariantMajorSpill::~VariantMajorSpill() { ::close(fd_); }

absl::StatusOr<std::unique_ptr<VariantMajorSpill>> VariantMajorSpill::Create(const std::string& folder, Packing packing,
                                                                             size_t variants, int64_t samples,
                                                                             size_t memory) {
  std::string path = JoinPath(folder, ".genoserve-spill-XXXXXX");
  const int fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(absl::StrCat(folder, ": cannot create a temporary file in this folder"));
  ::unlink(path.c_str());
  std::unique_ptr<VariantMajorSpill> spill(new VariantMajorSpill(folder, fd, packing, variants, samples, memory));
  const size_t bytes = variants * ((static_cast<size_t>(samples) + 3) / 4);
  // A full disk is better found now than after hours. Not every file system can reserve room.
  if (::fallocate(fd, 0, 0, static_cast<off_t>(bytes)) != 0 && (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    return WriteError(absl::StrCat(folder, ": a temporary file of ", bytes, " bytes"));
  }
  return spill;
}

size_t VariantMajorSpill::SamplesOf(size_t shard) const {
  return std::min(samples_per_shard_, static_cast<size_t>(samples_) - shard * samples_per_shard_);
}

absl::Status VariantMajorSpill::Append(const GenotypeMatrix& rows) {
  std::span<const uint8_t> bytes = rows.bytes();
  while (!bytes.empty()) {
    const size_t wanted = SamplesOf(static_cast<size_t>(appended_) / samples_per_shard_) * sample_bytes_;
    const size_t taken = std::min(wanted - shard_.size(), bytes.size());
    if (shard_.empty()) shard_.reserve(wanted);
    shard_.insert(shard_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(taken));
    bytes = bytes.subspan(taken);
    if (shard_.size() == wanted) GENOSERVE_RETURN_IF_ERROR(WriteShard());
    appended_ += static_cast<int64_t>(taken / sample_bytes_);
  }
  return absl::OkStatus();
}

absl::Status VariantMajorSpill::WriteShard() {
  const size_t samples = shard_.size() / sample_bytes_;
  const size_t bits = BitsPerGenotype(packing_);
  const size_t rows = samples * RowsPerSample(packing_);
  const size_t column_bytes = (samples + 3) / 4;
  // A multiple of 64 variants begins on a byte of every row, and on a block of the transpose.
  const size_t chunk = std::max<size_t>(64, kWriteBytes / column_bytes / 64 * 64);
  for (size_t first = 0; first < variants_; first += chunk) {
    const size_t count = std::min(chunk, variants_ - first);
    transposed_.resize(count * column_bytes);
    TransposeCodes(bits, std::span<const uint8_t>(shard_).subspan(first * bits / 8), rows, count,
                   RowBytes(packing_, variants_), transposed_, column_bytes);
    GENOSERVE_RETURN_IF_ERROR(WriteAll(fd_, transposed_, absl::StrCat(folder_, ": a temporary file in this folder")));
  }
  shard_.clear();
  return absl::OkStatus();
}

absl::Status VariantMajorSpill::ReadAt(size_t offset, std::span<uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(absl::StrCat(folder_, ": cannot read a temporary file in this folder"));
    if (n == 0) return absl::DataLossError(absl::StrCat(folder_, ": a temporary file in this folder became shorter"));
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::Status VariantMajorSpill::ForEachSegment(const std::function<absl::Status(const VariantSegment&)>& take) {
  std::vector<uint8_t>().swap(shard_);
  std::vector<uint8_t>().swap(transposed_);
  // As many variants at a time as fit with all their samples; else one variant, some shards at a time.
  const size_t all_samples = (static_cast<size_t>(samples_) + 3) / 4;
  const size_t block = std::clamp<size_t>(memory_ / all_samples, 1, variants_);
  const size_t group = block > 1 ? shards_ : std::max<size_t>(1, memory_ / (samples_per_shard_ / 4));
  std::vector<uint8_t> buffer;
  for (size_t first = 0; first < variants_; first += block) {
    const size_t count = std::min(block, variants_ - first);
    for (size_t begin = 0; begin < shards_; begin += group) {
      const size_t end = std::min(begin + group, shards_);
      // Shards lie one after another in the file, each variant-major; all but the last are of one size.
      size_t bytes = 0;
      for (size_t shard = begin; shard < end; ++shard) bytes += count * ColumnBytesOf(shard);
      buffer.resize(bytes);
      size_t at = 0;
      for (size_t shard = begin; shard < end; ++shard) {
        const size_t column = ColumnBytesOf(shard);
        const size_t offset = shard * (samples_per_shard_ / 4) * variants_ + first * column;
        GENOSERVE_RETURN_IF_ERROR(ReadAt(offset, std::span<uint8_t>(buffer).subspan(at, count * column)));
        at += count * column;
      }
      for (size_t i = 0; i < count; ++i) {
        for (size_t shard = begin; shard < end; ++shard) {
          const size_t column = ColumnBytesOf(shard);
          const size_t of_shard = (shard - begin) * (samples_per_shard_ / 4) * count;
          GENOSERVE_RETURN_IF_ERROR(
              take({first + i, static_cast<int64_t>(shard * samples_per_shard_), static_cast<int64_t>(SamplesOf(shard)),
                    std::span<const uint8_t>(buffer).subspan(of_shard + i * column, column)}));
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve

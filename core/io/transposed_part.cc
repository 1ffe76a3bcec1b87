#include "core/io/transposed_part.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"

namespace genoserve {
namespace {

/// Bytes of transposed genotypes that are written at a time.
constexpr size_t kWriteBytes = size_t{1} << 20;
/// Bytes of a column from which a write of its own costs next to nothing.
constexpr size_t kColumnBytes = 4096;
/// Shards are multiples of this, or divide it, so that what Save tells never lies in a shard that is written already.
constexpr int64_t kBlock = 1024;
/// Bytes before the rows of a slot.
constexpr size_t kSlotHead = 4096;

/// What a slot begins with.
struct SlotHead {
  int64_t shard = -1;
  int64_t samples = 0;
};

int64_t ShardSamples(const PartShape& shape) {
  const size_t memory = shape.memory / shape.range_ends.size();
  const auto fitting = static_cast<int64_t>(memory / std::max<size_t>(shape.sample_bytes(), 1));
  if (fitting >= kBlock) return fitting / kBlock * kBlock;
  int64_t samples = 64;
  while (2 * samples <= fitting) samples *= 2;
  return samples;
}

/// Bytes of a column with all samples.
size_t Stride(const PartShape& shape) { return (static_cast<size_t>(shape.samples()) + 3) / 4; }

/// Bytes of a slot; 0 where shards are so small that Save needs none.
size_t SlotBytes(const PartShape& shape) {
  const int64_t samples = ShardSamples(shape);
  return samples < kBlock ? 0 : kSlotHead + static_cast<size_t>(samples) * shape.sample_bytes();
}

std::span<const uint8_t> BytesOf(const SlotHead& head) {
  return {reinterpret_cast<const uint8_t*>(&head), sizeof head};
}

}  // namespace

TransposedPart::TransposedPart(PartShape shape, std::unique_ptr<PartFile> file, const std::vector<int64_t>& done,
                               std::unique_ptr<ColumnLayout> columns)
    : GenotypePart(std::move(shape), std::move(file), done),
      columns_(std::move(columns)),
      shard_samples_(ShardSamples(shape_)),
      gathered_(ranges()) {}

absl::StatusOr<std::unique_ptr<TransposedPart>> TransposedPart::Open(PartPlace place, PartShape shape,
                                                                     const std::vector<int64_t>& done) {
  return Open(std::move(place), std::move(shape), done, nullptr);
}

absl::StatusOr<std::unique_ptr<TransposedPart>> TransposedPart::OpenInPlace(PartPlace place, PartShape shape,
                                                                            const std::vector<int64_t>& done,
                                                                            ColumnLayout columns) {
  return Open(std::move(place), std::move(shape), done, std::make_unique<ColumnLayout>(std::move(columns)));
}

bool TransposedPart::FitsInPlace(const PartShape& shape) {
  const int64_t samples = ShardSamples(shape);
  return samples / 4 >= static_cast<int64_t>(kColumnBytes) ||
         (shape.range_ends.size() == 1 && samples >= shape.samples());
}

absl::StatusOr<std::unique_ptr<TransposedPart>> TransposedPart::Open(PartPlace place, PartShape shape,
                                                                     const std::vector<int64_t>& done,
                                                                     std::unique_ptr<ColumnLayout> columns) {
  const bool reopened = place.kind == PartPlace::Kind::kReopened;
  const size_t head = columns == nullptr ? 0 : columns->head.size();
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<PartFile> file,
                             PartFile::Open(std::move(place), head + shape.variants * Stride(shape),
                                            2 * SlotBytes(shape) * shape.range_ends.size(),
                                            shape.Describe(columns == nullptr ? "shards" : "columns")));
  if (!reopened && head > 0) {
    GENOSERVE_RETURN_IF_ERROR(file->WriteAt(0, {reinterpret_cast<const uint8_t*>(columns->head.data()), head}));
  }
  std::unique_ptr<TransposedPart> part(new TransposedPart(std::move(shape), std::move(file), done, std::move(columns)));
  for (size_t i = 0; reopened && i < done.size(); ++i) GENOSERVE_RETURN_IF_ERROR(part->Restore(i, done[i]));
  return part;
}

size_t TransposedPart::SlotOffset(size_t range, size_t slot) const {
  return file_->extra() + (2 * range + slot) * SlotBytes(shape_);
}

absl::Status TransposedPart::Restore(size_t range, int64_t count) {
  const int64_t samples = ranges_[range]->samples;
  if (count == samples) return absl::OkStatus();
  if (file_->staged()) return Lost(range, count);
  const int64_t pending = count % shard_samples_;
  if (pending == 0) return absl::OkStatus();
  Gathered& gathered = gathered_[range];
  for (size_t slot : {0, 1}) {
    SlotHead head;
    GENOSERVE_RETURN_IF_ERROR(file_->ReadAt(SlotOffset(range, slot), {reinterpret_cast<uint8_t*>(&head), sizeof head}));
    if (head.shard != count / shard_samples_ || head.samples < pending) continue;
    gathered.rows.resize(static_cast<size_t>(pending) * shape_.sample_bytes());
    gathered.slot = slot;
    gathered.slot_shard = head.shard;
    gathered.slot_samples = pending;
    return file_->ReadAt(SlotOffset(range, slot) + kSlotHead, gathered.rows);
  }
  return Lost(range, count);
}

absl::Status TransposedPart::Take(size_t range, int64_t at, std::span<const uint8_t> rows) {
  Gathered& gathered = gathered_[range];
  const int64_t samples = ranges_[range]->samples;
  const size_t sample_bytes = shape_.sample_bytes();
  while (!rows.empty()) {
    const int64_t first = at / shard_samples_ * shard_samples_;
    const Shard shard{ranges_[range]->first + first, std::min(shard_samples_, samples - first)};
    const size_t wanted = static_cast<size_t>(shard.samples) * sample_bytes;
    const size_t taken = std::min(wanted - gathered.rows.size(), rows.size());
    gathered.rows.reserve(wanted);
    gathered.rows.insert(gathered.rows.end(), rows.begin(), rows.begin() + static_cast<ptrdiff_t>(taken));
    rows = rows.subspan(taken);
    at += static_cast<int64_t>(taken / sample_bytes);
    if (gathered.rows.size() == wanted) GENOSERVE_RETURN_IF_ERROR(WriteShard(shard, gathered));
  }
  return absl::OkStatus();
}

absl::Status TransposedPart::Flush(size_t range, int64_t count) {
  Gathered& gathered = gathered_[range];
  const SlotHead head{count / shard_samples_, count % shard_samples_};
  if (head.samples == 0 || count == ranges_[range]->samples) return absl::OkStatus();
  // The rows that an earlier Save told of stay as they are: its answer may be the last that was noted.
  if (gathered.slot_shard != head.shard) {
    gathered.slot = 1 - gathered.slot;
    gathered.slot_shard = head.shard;
    gathered.slot_samples = 0;
  }
  const size_t begin = static_cast<size_t>(gathered.slot_samples) * shape_.sample_bytes();
  const size_t end = static_cast<size_t>(head.samples) * shape_.sample_bytes();
  const size_t offset = SlotOffset(range, gathered.slot);
  GENOSERVE_RETURN_IF_ERROR(
      file_->WriteAt(offset + kSlotHead + begin, std::span<const uint8_t>(gathered.rows).subspan(begin, end - begin)));
  gathered.slot_samples = head.samples;
  return file_->WriteAt(offset, BytesOf(head));
}

absl::Status TransposedPart::WriteShard(const Shard& shard, Gathered& gathered) {
  const size_t bits = BitsPerGenotype(shape_.packing);
  const size_t rows = static_cast<size_t>(shard.samples) * RowsPerSample(shape_.packing);
  const size_t column_bytes = shard.column_bytes();
  // A multiple of 64 variants begins on a byte of every row, and on a block of the transpose.
  const size_t chunk = std::max<size_t>(64, kWriteBytes / column_bytes / 64 * 64);
  for (size_t first = 0; first < shape_.variants; first += chunk) {
    const size_t count = std::min(chunk, shape_.variants - first);
    gathered.transposed.resize(count * column_bytes);
    TransposeCodes(bits, std::span<const uint8_t>(gathered.rows).subspan(first * bits / 8), rows, count,
                   RowBytes(shape_.packing, shape_.variants), gathered.transposed, column_bytes);
    GENOSERVE_RETURN_IF_ERROR(WriteColumns(shard, first, count, gathered.transposed));
  }
  gathered.rows.clear();
  return absl::OkStatus();
}

absl::Status TransposedPart::WriteColumns(const Shard& shard, size_t first, size_t count,
                                          std::vector<uint8_t>& columns) {
  const size_t column_bytes = shard.column_bytes();
  const size_t before = static_cast<size_t>(shard.first) / 4;  // bytes that earlier samples have of a column
  if (columns_ == nullptr) return file_->WriteAt(shape_.variants * before + first * column_bytes, columns);
  for (size_t i = 0; i < count; ++i) {
    columns_->Apply(std::span<uint8_t>(columns).subspan(i * column_bytes, column_bytes), shard.samples);
  }
  const size_t stride = Stride(shape_);
  const size_t offset = columns_->head.size() + first * stride + before;
  if (column_bytes == stride) return file_->WriteAt(offset, columns);
  for (size_t i = 0; i < count; ++i) {
    GENOSERVE_RETURN_IF_ERROR(
        file_->WriteAt(offset + i * stride, std::span<const uint8_t>(columns).subspan(i * column_bytes, column_bytes)));
  }
  return absl::OkStatus();
}

absl::Status TransposedPart::ForEachSegment(TakeSegment take) {
  std::vector<Gathered>(ranges()).swap(gathered_);
  std::vector<Shard> shards;
  for (const auto& range : ranges_) {
    for (int64_t first = 0; first < range->samples; first += shard_samples_) {
      shards.push_back({range->first + first, std::min(shard_samples_, range->samples - first)});
    }
  }
  // As many variants at a time as fit with all their samples; else one variant, some shards at a time.
  const size_t block = std::clamp<size_t>(shape_.memory / Stride(shape_), 1, shape_.variants);
  std::vector<uint8_t> buffer;
  for (size_t first = 0; first < shape_.variants; first += block) {
    const size_t count = std::min(block, shape_.variants - first);
    buffer.reserve(std::min(shape_.memory, count * Stride(shape_)));
    for (size_t begin = 0, end = 0; begin < shards.size(); begin = end) {
      buffer.clear();
      while (end < shards.size()) {
        const size_t bytes = count * shards[end].column_bytes();
        if (!buffer.empty() && count == 1 && buffer.size() + bytes > shape_.memory) break;
        const size_t at = buffer.size();
        buffer.resize(at + bytes);
        const size_t before = static_cast<size_t>(shards[end].first) / 4;
        GENOSERVE_RETURN_IF_ERROR(file_->ReadAt(shape_.variants * before + first * shards[end].column_bytes(),
                                                std::span<uint8_t>(buffer).subspan(at)));
        ++end;
      }
      for (size_t i = 0; i < count; ++i) {
        size_t at = 0;
        for (size_t shard = begin; shard < end; ++shard) {
          const size_t column = shards[shard].column_bytes();
          GENOSERVE_RETURN_IF_ERROR(take({first + i, shards[shard].first, shards[shard].samples,
                                          std::span<const uint8_t>(buffer).subspan(at + i * column, column)}));
          at += count * column;
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve

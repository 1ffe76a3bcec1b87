#include "core/io/transposed_part.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/genotype/stream_digest.h"

namespace genoserve {
namespace {

/// Samples that are transposed at once at least, unless the shard ends.
constexpr int64_t kFewest = 64;
/// Bytes of rows that are transposed at once, which stay in a core's cache meanwhile.
constexpr size_t kTurnBytes = size_t{1} << 18;
/// Bytes of a column from which a write of its own costs next to nothing.
constexpr size_t kColumnBytes = 4096;
/// Bytes of a block of one variant. Shards are multiples of kDigestBlock, or divide it, so that what Save tells never
/// lies in a shard that is written already.
constexpr size_t kBlockBytes = kDigestBlock / 4;
/// Bytes before the blocks of a slot.
constexpr size_t kSlotHead = 4096;

/// What a slot begins with.
struct SlotHead {
  int64_t shard = -1;
  int64_t samples = 0;
};

int64_t ShardSamples(const PartShape& shape) {
  const size_t memory = shape.memory / shape.range_ends.size();
  const auto fitting = static_cast<int64_t>(memory / std::max<size_t>(shape.sample_bytes(), 1));
  if (fitting >= kDigestBlock) return fitting / kDigestBlock * kDigestBlock;
  int64_t samples = kFewest;
  while (2 * samples <= fitting) samples *= 2;
  return samples;
}

/// Bytes of a column with all samples.
size_t Stride(const PartShape& shape) { return (static_cast<size_t>(shape.samples()) + 3) / 4; }

/// Bytes of a slot; 0 where shards are so small that Save needs none.
size_t SlotBytes(const PartShape& shape) {
  const int64_t samples = ShardSamples(shape);
  return samples < kDigestBlock ? 0 : kSlotHead + static_cast<size_t>(samples / 4) * shape.variants;
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

TransposedPart::Shard TransposedPart::ShardAt(size_t range, int64_t at) const {
  const int64_t first = at / shard_samples_ * shard_samples_;
  return {ranges_[range]->first + first, std::min(shard_samples_, ranges_[range]->samples - first)};
}

absl::Status TransposedPart::Restore(size_t range, int64_t count) {
  if (count == ranges_[range]->samples) return absl::OkStatus();
  if (file_->staged()) return Lost(range, count);
  const int64_t pending = count % shard_samples_;
  if (pending == 0) return absl::OkStatus();
  Gathered& gathered = gathered_[range];
  for (size_t slot : {0, 1}) {
    SlotHead head;
    GENOSERVE_RETURN_IF_ERROR(file_->ReadAt(SlotOffset(range, slot), {reinterpret_cast<uint8_t*>(&head), sizeof head}));
    if (head.shard != count / shard_samples_ || head.samples < pending) continue;
    gathered.slot = slot;
    gathered.slot_shard = head.shard;
    gathered.slot_samples = pending;
    const size_t column = ShardAt(range, count).column_bytes();
    gathered.columns.resize(shape_.variants * column);
    gathered.block.resize(shape_.variants * kBlockBytes);
    for (size_t at = 0; at < static_cast<size_t>(pending) / 4; at += kBlockBytes) {
      GENOSERVE_RETURN_IF_ERROR(
          file_->ReadAt(SlotOffset(range, slot) + kSlotHead + at * shape_.variants, gathered.block));
      for (size_t v = 0; v < shape_.variants; ++v) {
        std::memcpy(&gathered.columns[v * column + at], &gathered.block[v * kBlockBytes], kBlockBytes);
      }
    }
    return absl::OkStatus();
  }
  return Lost(range, count);
}

absl::Status TransposedPart::Take(size_t range, int64_t at, std::span<const uint8_t> rows) {
  Gathered& gathered = gathered_[range];
  const size_t sample_bytes = shape_.sample_bytes();
  const auto bytes = [sample_bytes](int64_t samples) { return static_cast<size_t>(samples) * sample_bytes; };
  while (!rows.empty()) {
    const Shard shard = ShardAt(range, at);
    const int64_t end = shard.first - ranges_[range]->first + shard.samples;  // of the shard, in the range
    const int64_t begin = at - static_cast<int64_t>(gathered.rows.size() / sample_bytes);
    const auto given = static_cast<int64_t>(rows.size() / sample_bytes);
    // As many as end at a multiple of the fewest, or with the shard; else they wait for more.
    const int64_t stop = at + given >= end ? end : (at + given) / kFewest * kFewest;
    if (stop <= begin) {
      gathered.rows.insert(gathered.rows.end(), rows.begin(), rows.end());
      return absl::OkStatus();
    }
    const int64_t in_shard = begin - (end - shard.samples);
    if (gathered.rows.empty()) {
      Transpose(shard, in_shard, rows.first(bytes(stop - at)), gathered);
      rows = rows.subspan(bytes(stop - at));
      at = stop;
    } else {
      const int64_t filled = std::min(begin + kFewest, stop);
      gathered.rows.insert(gathered.rows.end(), rows.begin(),
                           rows.begin() + static_cast<ptrdiff_t>(bytes(filled - at)));
      Transpose(shard, in_shard, gathered.rows, gathered);
      gathered.rows.clear();
      rows = rows.subspan(bytes(filled - at));
      at = filled;
    }
    if (at == end) GENOSERVE_RETURN_IF_ERROR(WriteShard(shard, gathered));
  }
  return absl::OkStatus();
}

void TransposedPart::Transpose(const Shard& shard, int64_t at, std::span<const uint8_t> rows,
                               Gathered& gathered) const {
  const size_t bits = BitsPerGenotype(shape_.packing);
  const size_t row_bytes = RowBytes(shape_.packing, shape_.variants);
  const size_t turn = std::max<size_t>(1, kTurnBytes / shape_.sample_bytes() / kFewest) * kFewest;
  gathered.columns.resize(shape_.variants * shard.column_bytes());
  auto column = static_cast<size_t>(at) / 4;
  while (!rows.empty()) {
    const size_t samples = std::min(turn, rows.size() / shape_.sample_bytes());
    TransposeCodes(bits, rows, samples * RowsPerSample(shape_.packing), shape_.variants, row_bytes,
                   std::span<uint8_t>(gathered.columns).subspan(column), shard.column_bytes());
    rows = rows.subspan(samples * shape_.sample_bytes());
    column += samples / 4;
  }
}

absl::Status TransposedPart::Flush(size_t range, int64_t count) {
  Gathered& gathered = gathered_[range];
  const SlotHead head{count / shard_samples_, count % shard_samples_};
  if (head.samples == 0 || count == ranges_[range]->samples) return absl::OkStatus();
  // The blocks that an earlier Save told of stay as they are: its answer may be the last that was noted.
  if (gathered.slot_shard != head.shard) {
    gathered.slot = 1 - gathered.slot;
    gathered.slot_shard = head.shard;
    gathered.slot_samples = 0;
  }
  const size_t offset = SlotOffset(range, gathered.slot);
  const size_t column = ShardAt(range, count).column_bytes();
  gathered.block.resize(shape_.variants * kBlockBytes);
  for (; gathered.slot_samples < head.samples; gathered.slot_samples += kDigestBlock) {
    const auto at = static_cast<size_t>(gathered.slot_samples) / 4;
    for (size_t v = 0; v < shape_.variants; ++v) {
      std::memcpy(&gathered.block[v * kBlockBytes], &gathered.columns[v * column + at], kBlockBytes);
    }
    GENOSERVE_RETURN_IF_ERROR(file_->WriteAt(offset + kSlotHead + at * shape_.variants, gathered.block));
  }
  return file_->WriteAt(offset, BytesOf(head));
}

absl::Status TransposedPart::WriteShard(const Shard& shard, Gathered& gathered) {
  std::vector<uint8_t>& columns = gathered.columns;
  const size_t column_bytes = shard.column_bytes();
  const size_t before = static_cast<size_t>(shard.first) / 4;  // bytes that earlier samples have of a column
  const size_t stride = Stride(shape_);
  if (columns_ == nullptr) return file_->WriteAt(shape_.variants * before, columns);
  for (size_t v = 0; v < shape_.variants; ++v) {
    columns_->Apply(std::span<uint8_t>(columns).subspan(v * column_bytes, column_bytes), shard.samples);
  }
  const size_t offset = columns_->head.size() + before;
  if (column_bytes == stride) return file_->WriteAt(offset, columns);
  for (size_t v = 0; v < shape_.variants; ++v) {
    GENOSERVE_RETURN_IF_ERROR(
        file_->WriteAt(offset + v * stride, std::span<const uint8_t>(columns).subspan(v * column_bytes, column_bytes)));
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

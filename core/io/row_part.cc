#include "core/io/row_part.h"

#include <algorithm>
#include <utility>

#include "core/base/status.h"

namespace genoserve {
namespace {

/// Bytes of the file that are made or read at a time.
constexpr size_t kChunk = size_t{1} << 20;

size_t ChunkSamples(size_t sample_bytes) { return std::max<size_t>(1, kChunk / sample_bytes); }

}  // namespace

absl::StatusOr<std::unique_ptr<RowPart>> RowPart::Open(PartPlace place, PartShape shape,
                                                       const std::vector<int64_t>& done) {
  const size_t bytes = shape.sample_bytes();
  return OpenInPlace(std::move(place), std::move(shape), done, {"", bytes, nullptr});
}

absl::StatusOr<std::unique_ptr<RowPart>> RowPart::OpenInPlace(PartPlace place, PartShape shape,
                                                              const std::vector<int64_t>& done, RowLayout layout) {
  const bool reopened = place.kind == PartPlace::Kind::kReopened;
  const size_t bytes = layout.head.size() + static_cast<size_t>(shape.samples()) * layout.sample_bytes;
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<PartFile> file,
                             PartFile::Open(std::move(place), bytes, 0, shape.Describe("rows")));
  if (!reopened) {
    GENOSERVE_RETURN_IF_ERROR(
        file->WriteAt(0, {reinterpret_cast<const uint8_t*>(layout.head.data()), layout.head.size()}));
  }
  std::unique_ptr<RowPart> part(new RowPart(std::move(shape), std::move(file), done, std::move(layout)));
  for (size_t i = 0; reopened && part->file().staged() && i < part->ranges(); ++i) {
    if (done[i] != part->samples(i)) return part->Lost(i, done[i]);
  }
  return part;
}

absl::Status RowPart::Take(size_t range, int64_t at, std::span<const uint8_t> rows) {
  const size_t packed = shape_.sample_bytes();
  size_t offset = layout_.head.size() + static_cast<size_t>(ranges_[range]->first + at) * layout_.sample_bytes;
  if (layout_.expand == nullptr) return file_->WriteAt(offset, rows);
  const size_t chunk = ChunkSamples(layout_.sample_bytes);
  std::vector<uint8_t> bytes(std::min(chunk, rows.size() / packed) * layout_.sample_bytes);
  while (!rows.empty()) {
    const size_t samples = std::min(chunk, rows.size() / packed);
    const auto made = std::span<uint8_t>(bytes).first(samples * layout_.sample_bytes);
    layout_.expand(rows.first(samples * packed), made);
    GENOSERVE_RETURN_IF_ERROR(file_->WriteAt(offset, made));
    offset += made.size();
    rows = rows.subspan(samples * packed);
  }
  return absl::OkStatus();
}

absl::Status RowPart::Flush(size_t /*range*/, int64_t /*count*/) { return absl::OkStatus(); }

absl::Status RowPart::ForEachRows(TakeRows take) const {
  const auto samples = static_cast<size_t>(shape_.samples());
  const size_t chunk = ChunkSamples(layout_.sample_bytes);
  std::vector<uint8_t> bytes;
  for (size_t first = 0; first < samples; first += chunk) {
    bytes.resize(std::min(chunk, samples - first) * layout_.sample_bytes);
    GENOSERVE_RETURN_IF_ERROR(file_->ReadAt(layout_.head.size() + first * layout_.sample_bytes, bytes));
    GENOSERVE_RETURN_IF_ERROR(take(static_cast<int64_t>(first), bytes));
  }
  return absl::OkStatus();
}

}  // namespace genoserve

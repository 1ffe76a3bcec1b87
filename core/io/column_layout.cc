#include "core/io/column_layout.h"

#include <vector>

#include "core/base/status.h"

namespace genoserve {

void ColumnLayout::Apply(std::span<uint8_t> codes, int64_t samples) const {
  if (map != nullptr) map(codes);
  if (samples % 4 != 0) codes.back() = static_cast<uint8_t>(codes.back() & ((1 << (samples % 4 * 2)) - 1));
}

absl::Status WriteColumns(const ColumnLayout& layout, const SegmentSource& genotypes, PlainOutput& output) {
  GENOSERVE_RETURN_IF_ERROR(output.Write(layout.head));
  std::vector<uint8_t> column;
  return genotypes([&](const VariantSegment& segment) {
    column.assign(segment.codes.begin(), segment.codes.end());
    layout.Apply(column, segment.samples);
    return output.Write(AsText(column));
  });
}

}  // namespace genoserve

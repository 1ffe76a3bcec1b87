// Keeps a stream of samples as rows on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/io/genotype_part.h"
#include "core/io/row_layout.h"
#include "core/io/variant_segment.h"

namespace genoserve {

/// Writes rows where they belong at once, packed or in the layout of a final file.
class RowPart final : public GenotypePart {
 public:
  /// Opens the part at `place`, with packed rows. `shape` and `done` must have been checked.
  static absl::StatusOr<std::unique_ptr<RowPart>> Open(PartPlace place, PartShape shape,
                                                       const std::vector<int64_t>& done);
  /// The same with rows as `layout` says, which makes it the final file.
  static absl::StatusOr<std::unique_ptr<RowPart>> OpenInPlace(PartPlace place, PartShape shape,
                                                              const std::vector<int64_t>& done, RowLayout layout);

  /// Gives all bytes of the samples to `take`, some samples at a time, in order. Call when all samples are there.
  absl::Status ForEachRows(TakeRows take) const;

 private:
  RowPart(PartShape shape, std::unique_ptr<PartFile> file, const std::vector<int64_t>& done, RowLayout layout)
      : GenotypePart(std::move(shape), std::move(file), done), layout_(std::move(layout)) {}

  absl::Status Take(size_t range, int64_t at, std::span<const uint8_t> rows) override;
  absl::Status Flush(size_t range, int64_t count) override;

  const RowLayout layout_;
};

}  // namespace genoserve

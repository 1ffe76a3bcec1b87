// Turns a stream of samples into variants by way of a file on the disk, with bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/io/column_layout.h"
#include "core/io/genotype_part.h"
#include "core/io/variant_segment.h"

namespace genoserve {

/// Gathers rows, transposed, to shards and writes each of them. Samples of a range that fill no shard yet are saved
/// behind the genotypes, in blocks of 1024.
class TransposedPart final : public GenotypePart {
 public:
  /// Opens the part at `place`. `shape` and `done` must have been checked. A shard has at least 64 samples, so that it
  /// may need more memory than `shape` has where variants are very many.
  static absl::StatusOr<std::unique_ptr<TransposedPart>> Open(PartPlace place, PartShape shape,
                                                              const std::vector<int64_t>& done);
  /// The same with genotypes that lie in the file as `columns` says, which makes it the final file.
  static absl::StatusOr<std::unique_ptr<TransposedPart>> OpenInPlace(PartPlace place, PartShape shape,
                                                                     const std::vector<int64_t>& done,
                                                                     ColumnLayout columns);

  /// Whether OpenInPlace is the faster way: what a shard has of a variant is not small change for the disk.
  static bool FitsInPlace(const PartShape& shape);

  /// Gives all genotypes to `take`. Call once, when all samples are there; not after OpenInPlace.
  absl::Status ForEachSegment(TakeSegment take);

 private:
  /// Samples that are written at once.
  struct Shard {
    int64_t first = 0;
    int64_t samples = 0;

    size_t column_bytes() const { return (static_cast<size_t>(samples) + 3) / 4; }
  };

  /// What of a range fills no shard yet, and what of it is saved.
  struct Gathered {
    std::vector<uint8_t> columns;  // of the shard, variant after variant
    std::vector<uint8_t> rows;     // that are too few to be transposed
    std::vector<uint8_t> block;    // of the shard, 1024 samples of all variants
    size_t slot = 0;               // of the two that the range has in the file
    int64_t slot_shard = -1;       // whose blocks the slot has
    int64_t slot_samples = 0;
  };

  TransposedPart(PartShape shape, std::unique_ptr<PartFile> file, const std::vector<int64_t>& done,
                 std::unique_ptr<ColumnLayout> columns);
  static absl::StatusOr<std::unique_ptr<TransposedPart>> Open(PartPlace place, PartShape shape,
                                                              const std::vector<int64_t>& done,
                                                              std::unique_ptr<ColumnLayout> columns);

  absl::Status Take(size_t range, int64_t at, std::span<const uint8_t> rows) override;
  absl::Status Flush(size_t range, int64_t count) override;
  absl::Status Restore(size_t range, int64_t count);
  /// The shard that holds a range's sample `at`.
  Shard ShardAt(size_t range, int64_t at) const;
  /// Transposes rows into the shard, in which the first has the index `at`, a multiple of 64.
  void Transpose(const Shard& shard, int64_t at, std::span<const uint8_t> rows, Gathered& gathered) const;
  absl::Status WriteShard(const Shard& shard, Gathered& gathered);
  /// Where a slot begins in the file.
  size_t SlotOffset(size_t range, size_t slot) const;

  const std::unique_ptr<ColumnLayout> columns_;  // null = shards lie one after another
  const int64_t shard_samples_;                  // of all shards but the last of a range
  std::vector<Gathered> gathered_;               // each used under the lock of its range
};

}  // namespace genoserve

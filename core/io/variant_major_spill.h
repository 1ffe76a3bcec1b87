// Turns a stream of samples into a stream of variants by way of a file on the disk, with bounded memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// The genotypes of one variant for a run of samples: two bits a sample, the first in the lowest bits; bits after the
/// last are 0. The two bits are the code of a diploid genotype, or the alleles of the first and second haplotype.
struct VariantSegment {
  size_t variant = 0;
  int64_t first_sample = 0;  ///< a multiple of 4, so that segments of a variant join at whole bytes
  int64_t samples = 0;
  std::span<const uint8_t> codes;  ///< (samples + 3) / 4 bytes
};

/// Takes rows sample by sample and gives them back variant by variant. Rows are gathered to a shard, transposed, and
/// written to a file that has no name any more, so that nothing of it stays whatever happens. Not thread-safe.
class VariantMajorSpill {
 public:
  /// Bytes of the buffer for a shard, and of the one for reading.
  static constexpr size_t kMemory = size_t{32} << 20;

  /// Makes the file in `folder` and reserves its room, a quarter of a byte for each of `variants` x `samples` (at least
  /// 1), where the file system can. A shard has at least 64 samples, so that it may need more than `memory` bytes where
  /// variants are very many. RESOURCE_EXHAUSTED where the disk has not enough room.
  static absl::StatusOr<std::unique_ptr<VariantMajorSpill>> Create(const std::string& folder, Packing packing,
                                                                   size_t variants, int64_t samples,
                                                                   size_t memory = kMemory);
  ~VariantMajorSpill();
  VariantMajorSpill(const VariantMajorSpill&) = delete;
  VariantMajorSpill& operator=(const VariantMajorSpill&) = delete;

  /// Appends samples of the packing and variants given, no more than there is room for.
  absl::Status Append(const GenotypeMatrix& rows);

  /// Samples appended so far.
  int64_t appended() const { return appended_; }

  /// Gives all genotypes to `take`, variant after variant and within each all samples in order; stops at an error.
  /// Call once, when all samples are there.
  absl::Status ForEachSegment(const std::function<absl::Status(const VariantSegment&)>& take);

 private:
  VariantMajorSpill(std::string folder, int fd, Packing packing, size_t variants, int64_t samples, size_t memory);

  absl::Status WriteShard();
  absl::Status ReadAt(size_t offset, std::span<uint8_t> bytes) const;
  size_t SamplesOf(size_t shard) const;
  size_t ColumnBytesOf(size_t shard) const { return (SamplesOf(shard) + 3) / 4; }

  const std::string folder_;
  const int fd_;
  const Packing packing_;
  const size_t variants_;
  const int64_t samples_;
  const size_t memory_;
  const size_t sample_bytes_;       // all rows of a sample
  const size_t samples_per_shard_;  // a multiple of 64
  const size_t shards_;
  int64_t appended_ = 0;
  std::vector<uint8_t> shard_;       // whole samples that are not written yet
  std::vector<uint8_t> transposed_;  // some variants of a shard
};

}  // namespace genoserve

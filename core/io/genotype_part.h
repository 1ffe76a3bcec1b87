// Genotypes on their way from rows of samples to files: parts on the disk that several ranges are appended to at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/genotype/genotype_matrix.h"
#include "core/io/part_file.h"

namespace genoserve {

/// What a part is for.
struct PartShape {
  Packing packing = Packing::kDiploid2Bit;
  size_t variants = 0;
  std::vector<int64_t> range_ends;  ///< as CohortWriterOptions has them; at least one
  size_t memory = 0;                ///< bytes that are gathered in all ranges together
  std::string identity;             ///< of the cohort and its format, for a kept part

  int64_t samples() const { return range_ends.back(); }
  /// Bytes of all rows of a sample.
  size_t sample_bytes() const { return RowsPerSample(packing) * RowBytes(packing, variants); }
  /// Tells apart parts that differ in any of these, or in `layout`.
  std::string Describe(absl::string_view layout) const;
  /// INVALID_ARGUMENT unless the ranges make sense, and `done` is empty or of samples that Save may have told.
  absl::Status Check(const std::vector<int64_t>& done) const;
};

/// Takes rows into ranges. Append is thread-safe for different ranges, and Save beside it.
class GenotypePart {
 public:
  virtual ~GenotypePart() = default;

  /// Appends samples of the shape to a range, no more than it has room for. Errors stick to the range.
  absl::Status Append(size_t range, const GenotypeMatrix& rows);
  /// As CohortWriter::Save.
  absl::StatusOr<std::vector<int64_t>> Save();
  /// Samples of a range that were appended, and that it has room for.
  int64_t appended(size_t range) const;
  int64_t samples(size_t range) const { return ranges_[range]->samples; }
  size_t ranges() const { return ranges_.size(); }

  /// The file; for what comes after all samples are there.
  PartFile& file() { return *file_; }

 protected:
  /// A run of samples that rows are appended to in order.
  struct Range {
    int64_t first = 0;    // of the part's samples
    int64_t samples = 0;  // that there is room for
    mutable absl::Mutex mutex;
    int64_t appended ABSL_GUARDED_BY(mutex) = 0;
    absl::Status status ABSL_GUARDED_BY(mutex);  // of the first write that failed
  };

  GenotypePart(PartShape shape, std::unique_ptr<PartFile> file, const std::vector<int64_t>& done);

  /// Takes packed rows of whole samples, of which the first is the range's sample `at`. Called for one range at a time
  /// by one thread, as Flush.
  virtual absl::Status Take(size_t range, int64_t at, std::span<const uint8_t> rows) = 0;
  /// Writes what of the first `count` samples of a range is in memory only. `count` is what Save will tell.
  virtual absl::Status Flush(size_t range, int64_t count) = 0;

  /// DATA_LOSS: a reopened part has not the first `count` samples of a range.
  absl::Status Lost(size_t range, int64_t count) const;

  const PartShape shape_;
  const std::unique_ptr<PartFile> file_;
  std::vector<std::unique_ptr<Range>> ranges_;
};

}  // namespace genoserve

// Judges every message of a cohort's stream, over all the calls that it takes to get it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "client/lib/cohort_reader.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/stream_digest.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// A cohort comes by one call, or by several where calls broke off or the range was asked for in parts. Each call gives
/// Header, one Batch or more, Footer; a call that breaks off is followed by the Header of the next one, which goes on
/// at next_sample(). All errors are DATA_LOSS and say what was told and what was due. Not thread-safe.
class StreamChecker {
 public:
  /// `sample_count` are the samples of all calls together; 0 = as many as the first header tells.
  explicit StreamChecker(int64_t sample_count) : sample_count_(sample_count) {}

  /// Goes on where another checker stood; call first. INVALID_ARGUMENT where the progress is not one of this request's
  /// or is not what such a stream can have come to.
  absl::Status GoOn(const v1::StreamCohortRequest& request, const CohortProgress& progress);

  /// The header of a call, against its request and the headers before.
  absl::Status Header(const v1::StreamCohortRequest& request, const v1::CohortHeader& header);
  /// The order, the sizes and the checksum of a batch, and its label and phenotype values.
  absl::Status Batch(const v1::GenotypeBatch& batch);
  /// The sample count and the digest of the call that ends.
  absl::Status Footer(const v1::CohortFooter& footer);

  /// Whether a header came.
  bool begun() const { return next_sample_ >= 0; }
  /// The header of the whole stream: that of the first call, with the sample count of all calls. Only once begun.
  const v1::CohortHeader& header() const { return header_; }
  /// The packing of the rows. Only once begun.
  Packing packing() const;
  /// Index in the cohort of the sample that is due. Only once begun.
  int64_t next_sample() const { return next_sample_; }
  /// Samples that came so far.
  int64_t received() const { return begun() ? next_sample_ - header_.first_sample() : 0; }
  /// The digests of the blocks that came whole. Only once begun.
  const std::vector<Sha256Digest>& blocks() const { return whole_digest_->blocks(); }
  /// The digest of all samples as CohortFooter defines it, once the last footer was good.
  const std::optional<Sha256Digest>& digest() const { return digest_; }

 private:
  int64_t sample_count_;
  int64_t next_sample_ = -1;
  int64_t call_first_ = 0;  // first sample of this call
  int64_t call_count_ = 0;  // samples of this call
  int64_t sample_bytes_ = 0;
  v1::CohortHeader header_;
  std::optional<StreamDigest> whole_digest_;
  std::optional<StreamDigest> call_digest_;  // where the call is not the whole stream
  std::optional<Sha256Digest> digest_;
};

}  // namespace genoserve

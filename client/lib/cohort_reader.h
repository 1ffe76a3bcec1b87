// A cohort as it arrives: batch by batch, checked, over as many calls as it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/sha256.h"
#include "core/genotype/genotype_matrix.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// Some samples of a cohort, in order.
struct CohortBatch {
  int64_t first_sample = 0;                     ///< index in the cohort
  GenotypeMatrix genotypes;                     ///< rows of the samples, packed as the header tells
  std::vector<uint32_t> labels;                 ///< one a sample, indices into header().labels(); empty = no labels
  std::vector<std::vector<double>> phenotypes;  ///< [position in header().phenotypes()][sample]
};

/// How far a stream has come, all that another process needs to go on with it.
struct CohortProgress {
  v1::CohortHeader header;           ///< of the whole stream
  int64_t received = 0;              ///< samples: none, all, or up to the end of a block of the stream digest
  std::vector<Sha256Digest> blocks;  ///< of the stream digest, of the samples received
};

/// Where and from where a stream is read, and for how long.
struct StreamOptions {
  /// How far another reader of the same request came, in another process maybe: this one goes on there, with artifact
  /// and engine of that stream. Nothing received yet just pins these.
  std::optional<CohortProgress> from;
  /// Which of the client's servers is called first, modulo their number; the next ones follow where it fails.
  size_t replica = 0;
  /// Of the whole stream, retries included. Where ClientOptions::timeout is shorter, that counts.
  absl::Duration timeout = absl::InfiniteDuration();
};

/// Gives the batches of a cohort one by one. One message is held at a time beside what HTTP/2 flow control lets in, so
/// that a slow reader slows the server instead of filling memory. A call that breaks off is resumed at the next sample
/// with artifact, engine and seed pinned, so that the samples are those that an unbroken call would have sent.
/// Client::StreamCohort makes them. The destructor cancels a stream whose end was not reached. Not thread-safe, but for
/// Cancel.
class CohortReader {
 public:
  virtual ~CohortReader() = default;

  /// Of the whole stream, however many calls it takes.
  virtual const v1::CohortHeader& header() const = 0;

  /// The next batch, good until the next call, or null at the end, when count and digest have been found right.
  /// "... ended after N of M samples": UNAVAILABLE where retries are used up, DEADLINE_EXCEEDED, FAILED_PRECONDITION
  /// where no server has the artifact or engine that the stream began with, DATA_LOSS where a message does not fit,
  /// CANCELLED after Cancel. An error is final.
  virtual absl::StatusOr<const CohortBatch*> Next() = 0;

  /// Ends the stream, a Next that blocks included. From any thread; Client::Cancel does so to all streams of a client.
  virtual void Cancel() = 0;

  /// Samples received so far, before it went on included.
  virtual int64_t received() const = 0;
  /// The digests of all blocks of the stream digest that were received whole.
  virtual const std::vector<Sha256Digest>& blocks() const = 0;
  /// Count and digest of all samples, over all calls. Only after Next gave null.
  virtual v1::CohortFooter footer() const = 0;
};

}  // namespace genoserve

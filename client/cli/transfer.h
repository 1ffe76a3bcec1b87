// The genotypes of a cohort on their way from servers into a writer.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "client/cli/interrupt.h"
#include "client/cli/progress.h"
#include "client/cli/sample_part.h"
#include "client/lib/client.h"
#include "core/io/cohort_writer.h"
#include "genoserve/v1/cohort_manifest.pb.h"

namespace genoserve {

/// The ranges that a new fetch of `count` samples from `first` on is cut into: `parallel` of them, or fewer where they
/// would hold less than a block of the stream digest.
std::vector<v1::CohortPartRange> CutRanges(int64_t first, int64_t count, int parallel);

/// The request for one range of what a request is for.
v1::StreamCohortRequest RequestForRange(const v1::StreamCohortRequest& request, int64_t first, int64_t count);

/// Fetches the ranges of a part that are not done, several at once, and notes every few seconds how far all of them are
/// on the disk. `Say` and `Keep` may be called from any thread beside Run; all else is for one thread.
class Transfer {
 public:
  /// What a transfer works with; all of it outlives the transfer.
  struct Ends {
    Client* client;
    CohortWriter* writer;
    SamplePart* samples;
    Progress* progress;
    const Interrupt* interrupt;
  };

  /// `state` is what is done so far, with the header of all samples; `request` is for all of them. The state is written
  /// beside `part`; nothing is kept where that is empty.
  Transfer(const Ends& ends, v1::StreamCohortRequest request, v1::CohortPart state, std::string part);

  /// Fetches what is missing over `parallel` calls at a time. `begun`, where it is not null, is the stream of the first
  /// range. The first error ends all calls, after which the client is of no more use; CANCELLED after an interrupt.
  absl::Status Run(int parallel, std::unique_ptr<CohortReader> begun);

  /// Notes how far all ranges are on the disk. OK where nothing is to be kept.
  absl::Status Keep();
  /// Writes a line clear of the progress.
  void Say(const std::string& line);

  /// What was noted last; once Run has succeeded, all samples of all ranges. Not beside Run.
  const v1::CohortPart& state() const { return state_; }

 private:
  // What came of a range so far.
  struct Range {
    int64_t first = 0;     // index in the cohort
    int64_t count = 0;     // samples
    int64_t received = 0;  // of them
    std::vector<Sha256Digest> blocks;
  };

  absl::Status FetchRange(size_t index);
  // Sets what is done in the state.
  void Note(const std::vector<int64_t>& done) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Take(size_t index, const CohortReader& stream, const CohortBatch& batch);
  absl::StatusOr<std::unique_ptr<CohortReader>> Open(size_t index);
  // The next range that somebody must fetch.
  std::optional<size_t> NextRange() ABSL_LOCKS_EXCLUDED(mutex_);

  const Ends ends_;
  const v1::StreamCohortRequest request_;
  const std::string part_;
  std::unique_ptr<CohortReader> begun_;                  // for whoever fetches the first range
  absl::Mutex keep_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);  // one Keep at a time
  v1::CohortPart state_;                                 // changed under keep_mutex_
  absl::Mutex mutex_;
  std::vector<Range> ranges_ ABSL_GUARDED_BY(mutex_);
  size_t next_range_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // of genotypes that this run received
  absl::Time last_keep_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);  // the first one
};

}  // namespace genoserve

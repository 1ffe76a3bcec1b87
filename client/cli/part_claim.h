// What a fetch finds at its output, and its hold on it.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/output.h"
#include "genoserve/v1/cohort_manifest.pb.h"

namespace genoserve {

/// Holds PATH.part.samples, which it makes where it is not there, against other programs that would write the same
/// output. Not thread-safe.
class PartLock {
 public:
  ~PartLock();
  PartLock(PartLock&& other) noexcept;
  PartLock& operator=(PartLock&&) = delete;

  /// FAILED_PRECONDITION where another program has it; errors of files.
  static absl::StatusOr<PartLock> Take(const std::string& part);

  /// The open file.
  int fd() const { return fd_; }

 private:
  explicit PartLock(int fd) : fd_(fd) {}

  int fd_;
};

/// Whether a fetch goes on with a part or begins one, and that nobody else does either meanwhile. Standard output has
/// no part: nothing is found and nothing is held. Not thread-safe.
class PartClaim {
 public:
  /// `plan` outlives the claim. To begin `anew`, whatever is there counts for nothing.
  PartClaim(const OutputPlan& plan, bool anew) : plan_(plan), anew_(anew) {}

  /// Sees what is there, without a change to it. ALREADY_EXISTS where a file has its final name and there is no part to
  /// go on with; errors of ReadPartState.
  absl::Status Look();

  /// Holds the part from here on, and removes what killed programs left under temporary names. FAILED_PRECONDITION
  /// where another program holds it, or has changed what Look saw; ALREADY_EXISTS where one has finished since.
  absl::Status Take();

  /// Forgets what is kept, for good, so that the part that is made next is not taken for the one before it. Once taken.
  absl::Status Forget();

  /// What an earlier run kept, to go on with; null = nothing.
  const v1::CohortPart* kept() const { return kept_.has_value() ? &*kept_ : nullptr; }
  bool taken() const { return lock_.has_value(); }
  /// The open PATH.part.samples; -1 where nothing is held.
  int fd() const { return taken() ? lock_->fd() : -1; }

 private:
  absl::StatusOr<std::optional<v1::CohortPart>> Read() const;

  const OutputPlan& plan_;
  const bool anew_;
  std::optional<v1::CohortPart> kept_;
  std::optional<PartLock> lock_;
};

}  // namespace genoserve

#include "client/cli/part_claim.h"

#include <fcntl.h>
#include <google/protobuf/util/message_differencer.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/part_state.h"
#include "core/base/status.h"

namespace genoserve {

PartLock::~PartLock() {
  if (fd_ >= 0) ::close(fd_);
}

PartLock::PartLock(PartLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

absl::StatusOr<PartLock> PartLock::Take(const std::string& part) {
  const std::string path = PartSamplesPath(part);
  while (true) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot write"));
    PartLock lock(fd);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) {
        return absl::FailedPreconditionError(absl::StrCat(part, ": another genoserve fetch is writing it"));
      }
      return ErrnoStatus(absl::StrCat(path, ": cannot lock"));
    }
    // Another program may have finished, and removed the file, between the two steps.
    struct stat held;
    struct stat named;
    if (::fstat(fd, &held) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev) return lock;
  }
}

absl::StatusOr<std::optional<v1::CohortPart>> PartClaim::Read() const {
  if (anew_ || plan_.part.empty()) return std::nullopt;
  absl::StatusOr<v1::CohortPart> kept = ReadPartState(plan_.part);
  if (kept.ok()) return *std::move(kept);
  GENOSERVE_RETURN_IF_ERROR(absl::IsNotFound(kept.status()) ? CheckIsNew(plan_) : kept.status());
  return std::nullopt;
}

absl::Status PartClaim::Look() {
  GENOSERVE_ASSIGN_OR_RETURN(kept_, Read());
  return absl::OkStatus();
}

absl::Status PartClaim::Take() {
  if (plan_.part.empty()) return absl::OkStatus();
  GENOSERVE_ASSIGN_OR_RETURN(PartLock lock, PartLock::Take(plan_.part));
  lock_.emplace(std::move(lock));
  // Until now another program may have begun, gone on or finished.
  GENOSERVE_ASSIGN_OR_RETURN(const std::optional<v1::CohortPart> now, Read());
  using google::protobuf::util::MessageDifferencer;
  if (now.has_value() != kept_.has_value() || (now.has_value() && !MessageDifferencer::Equals(*now, *kept_))) {
    return absl::FailedPreconditionError(
        absl::StrCat(plan_.part, ": another genoserve fetch has changed it meanwhile; run the command again"));
  }
  return RemoveTemporaries(plan_);
}

absl::Status PartClaim::Forget() {
  kept_.reset();
  return plan_.part.empty() ? absl::OkStatus() : RemovePartState(plan_.part);
}

}  // namespace genoserve

#include "core/io/genotype_part.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "core/genotype/stream_digest.h"

namespace genoserve {
namespace {

/// Ranges and what is saved of them end where blocks of a stream's digest do.
int64_t Saved(int64_t appended, int64_t samples) {
  return appended == samples ? samples : appended / kDigestBlock * kDigestBlock;
}

}  // namespace

std::string PartShape::Describe(absl::string_view layout) const {
  return absl::StrFormat("genoserve part 1\n%s\n%s\nbits %d variants %d memory %d\nranges %s\n", std::string(layout),
                         identity, BitsPerGenotype(packing), variants, memory, absl::StrJoin(range_ends, ","));
}

absl::Status PartShape::Check(const std::vector<int64_t>& done) const {
  int64_t begin = 0;
  for (size_t i = 0; i < range_ends.size(); ++i) {
    const int64_t end = range_ends[i];
    if (end <= begin || (i + 1 < range_ends.size() && end % kDigestBlock != 0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("ranges end at %s: expected ascending numbers, each but the last a multiple of %d",
                          absl::StrJoin(range_ends, ", "), kDigestBlock));
    }
    if (i < done.size() && (done[i] < 0 || done[i] > end - begin || Saved(done[i], end - begin) != done[i])) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%d samples done of range %d: expected a multiple of %d or all %d", done[i], i, kDigestBlock, end - begin));
    }
    begin = end;
  }
  if (!done.empty() && done.size() != range_ends.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("samples done of %d ranges where there are %d", done.size(), range_ends.size()));
  }
  return absl::OkStatus();
}

GenotypePart::GenotypePart(PartShape shape, std::unique_ptr<PartFile> file, const std::vector<int64_t>& done)
    : shape_(std::move(shape)), file_(std::move(file)) {
  int64_t begin = 0;
  for (size_t i = 0; i < shape_.range_ends.size(); ++i) {
    Range& range = *ranges_.emplace_back(std::make_unique<Range>());
    range.first = begin;
    range.samples = shape_.range_ends[i] - begin;
    const absl::MutexLock lock(&range.mutex);
    range.appended = done.empty() ? 0 : done[i];
    begin = shape_.range_ends[i];
  }
}

absl::Status GenotypePart::Append(size_t range, const GenotypeMatrix& rows) {
  Range& to = *ranges_[range];
  const absl::MutexLock lock(&to.mutex);
  GENOSERVE_RETURN_IF_ERROR(to.status);
  to.status = Take(range, to.appended, rows.bytes());
  if (to.status.ok()) to.appended += static_cast<int64_t>(rows.samples());
  return to.status;
}

absl::StatusOr<std::vector<int64_t>> GenotypePart::Save() {
  std::vector<int64_t> saved;
  for (size_t i = 0; i < ranges_.size(); ++i) {
    Range& range = *ranges_[i];
    const absl::MutexLock lock(&range.mutex);
    GENOSERVE_RETURN_IF_ERROR(range.status);
    saved.push_back(Saved(range.appended, range.samples));
    range.status = Flush(i, saved.back());
    GENOSERVE_RETURN_IF_ERROR(range.status);
  }
  const absl::Status synced = file_->Sync();
  if (synced.ok()) return saved;
  // What could not be written may be forgotten by then: the system tells an error once.
  for (const auto& range : ranges_) {
    const absl::MutexLock lock(&range->mutex);
    range->status.Update(synced);
  }
  return synced;
}

absl::Status GenotypePart::Lost(size_t range, int64_t count) const {
  return absl::DataLossError(
      absl::StrFormat("%s: does not hold the first %d samples of range %d", file_->Name(), count, range));
}

int64_t GenotypePart::appended(size_t range) const {
  const absl::MutexLock lock(&ranges_[range]->mutex);
  return ranges_[range]->appended;
}

}  // namespace genoserve

#include "client/cli/transfer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "client/cli/exit_code.h"
#include "client/cli/json_file.h"
#include "client/cli/part_state.h"
#include "client/lib/sample_conditions.h"
#include "core/base/status.h"
#include "core/genotype/stream_digest.h"

namespace genoserve {
namespace {

// How long samples may be in memory only; a kill costs no more than what comes in this time.
constexpr absl::Duration kKeepPeriod = absl::Seconds(3);

}  // namespace

std::vector<v1::CohortPartRange> CutRanges(int64_t first, int64_t count, int parallel) {
  // Ranges begin at blocks of the digest, which a cohort's first sample may not do where it is a small shard.
  const int64_t blocks = first % kDigestBlock == 0 ? (count + kDigestBlock - 1) / kDigestBlock : 1;
  const int64_t ranges = std::clamp<int64_t>(parallel, 1, std::max<int64_t>(1, blocks));
  std::vector<v1::CohortPartRange> cut(static_cast<size_t>(ranges));
  int64_t begin = 0;
  for (int64_t i = 0; i < ranges; ++i) {
    // The first blocks % ranges have one block more; no product that could overflow.
    const int64_t end_block = (i + 1) * (blocks / ranges) + std::min(i + 1, blocks % ranges);
    const int64_t end = i + 1 == ranges ? count : end_block * kDigestBlock;
    cut[static_cast<size_t>(i)].set_sample_count(end - begin);
    begin = end;
  }
  return cut;
}

v1::StreamCohortRequest RequestForRange(const v1::StreamCohortRequest& request, int64_t first, int64_t count) {
  v1::StreamCohortRequest part = request;
  part.set_first_sample(first);
  part.set_sample_count(count);
  if (part.condition().has_per_sample()) {
    SliceSamples(first - request.first_sample(), count, part.mutable_condition()->mutable_per_sample());
  }
  return part;
}

Transfer::Transfer(const Ends& ends, v1::StreamCohortRequest request, v1::CohortPart state, std::string part)
    : ends_(ends),
      request_(std::move(request)),
      part_(std::move(part)),
      state_(std::move(state)),
      last_keep_(absl::Now()) {
  int64_t first = state_.header().first_sample();
  for (const v1::CohortPartRange& range : state_.ranges()) {
    ranges_.push_back({first, range.sample_count(), range.done(), BlockDigests(range)});
    first += range.sample_count();
  }
}

std::optional<size_t> Transfer::NextRange() {
  const absl::MutexLock lock(&mutex_);
  if (!error_.ok()) return std::nullopt;
  while (next_range_ < ranges_.size()) {
    const size_t index = next_range_++;
    if (ranges_[index].received < ranges_[index].count) return index;
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<CohortReader>> Transfer::Open(size_t index) {
  StreamOptions options;
  options.replica = index;
  CohortProgress& from = options.from.emplace();
  {
    const absl::MutexLock lock(&mutex_);
    const Range& range = ranges_[index];
    from = {state_.header(), range.received, range.blocks};
    from.header.set_first_sample(range.first);
    from.header.set_sample_count(range.count);
  }
  v1::StreamCohortRequest request = RequestForRange(request_, from.header.first_sample(), from.header.sample_count());
  return ends_.client->StreamCohort(std::move(request), std::move(options));
}

absl::Status Transfer::Take(size_t index, const CohortReader& stream, const CohortBatch& batch) {
  {
    // Noted before the writer can say that it has these samples.
    const absl::MutexLock lock(&mutex_);
    std::vector<Sha256Digest>& blocks = ranges_[index].blocks;
    blocks.insert(blocks.end(), stream.blocks().begin() + static_cast<ptrdiff_t>(blocks.size()), stream.blocks().end());
  }
  GENOSERVE_RETURN_IF_ERROR(Local(ends_.samples->Write(batch)));
  GENOSERVE_RETURN_IF_ERROR(Local(ends_.writer->Append(batch.genotypes, index)));
  bool due = false;
  {
    const absl::MutexLock lock(&mutex_);
    ranges_[index].received = stream.received();
    bytes_ += static_cast<int64_t>(batch.genotypes.bytes().size());
    int64_t received = 0;
    for (const Range& range : ranges_) received += range.received;
    ends_.progress->Show(received, bytes_);
    GENOSERVE_RETURN_IF_ERROR(error_);
    if (absl::Now() - last_keep_ >= kKeepPeriod) {
      due = true;
      last_keep_ = absl::Now();
    }
  }
  if (ends_.interrupt->raised()) return absl::CancelledError("interrupted");
  return due ? Keep() : absl::OkStatus();
}

absl::Status Transfer::FetchRange(size_t index) {
  std::unique_ptr<CohortReader> stream;
  if (index == 0) stream = std::move(begun_);
  if (stream == nullptr) {
    GENOSERVE_ASSIGN_OR_RETURN(stream, Open(index));
  }
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const CohortBatch* const batch, stream->Next());
    if (batch == nullptr) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(Take(index, *stream, *batch));
  }
}

absl::Status Transfer::Run(int parallel, std::unique_ptr<CohortReader> begun) {
  begun_ = std::move(begun);
  const auto work = [this] {
    while (const std::optional<size_t> index = NextRange()) {
      const absl::Status status = FetchRange(*index);
      if (status.ok()) continue;
      const absl::MutexLock lock(&mutex_);
      if (!error_.ok()) return;
      error_ = status;
      // The other calls end, too.
      ends_.client->Cancel();
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < std::min(parallel, state_.ranges_size()); ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  if (ends_.interrupt->raised()) return absl::CancelledError("interrupted");
  {
    const absl::MutexLock lock(&mutex_);
    GENOSERVE_RETURN_IF_ERROR(error_);
  }
  if (!part_.empty()) return Keep();
  std::vector<int64_t> all;
  for (const v1::CohortPartRange& range : state_.ranges()) all.push_back(range.sample_count());
  Note(all);
  return absl::OkStatus();
}

absl::Status Transfer::Keep() {
  if (part_.empty()) return absl::OkStatus();
  const absl::MutexLock lock(&keep_mutex_);
  absl::StatusOr<std::vector<int64_t>> done = ends_.writer->Save();
  if (!done.ok()) return Local(done.status());
  GENOSERVE_RETURN_IF_ERROR(Local(ends_.samples->Sync()));
  Note(*done);
  return Local(WriteJsonFile(state_, PartStatePath(part_)));
}

void Transfer::Note(const std::vector<int64_t>& done) {
  const absl::MutexLock lock(&mutex_);
  for (size_t i = 0; i < ranges_.size(); ++i) {
    v1::CohortPartRange& range = *state_.mutable_ranges(static_cast<int>(i));
    range.set_done(done[i]);
    range.clear_block_digests();
    const auto blocks = static_cast<size_t>(DigestBlocks(ranges_[i].first, done[i]));
    for (size_t k = 0; k < blocks; ++k) {
      range.mutable_block_digests()->append(ranges_[i].blocks[k].begin(), ranges_[i].blocks[k].end());
    }
  }
  last_keep_ = absl::Now();
}

void Transfer::Say(const std::string& line) {
  const absl::MutexLock lock(&mutex_);
  ends_.progress->Say(line);
}

}  // namespace genoserve

// What lies beside the output of a fetch that is not done, so that the same command goes on where it stood.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/sha256.h"
#include "genoserve/v1/cohort_manifest.pb.h"

namespace genoserve {

/// The CohortPart.format_version that this build writes and reads.
inline constexpr int kCohortPartVersion = 1;
/// The most ranges that a cohort is fetched in at once.
inline constexpr int kMostRanges = 64;

/// Beside a part PATH.part, as PartPath of core/io names it: its state, PATH.part.json.
std::string PartStatePath(const std::string& part);
/// Labels and phenotypes of its samples, PATH.part.samples.
std::string PartSamplesPath(const std::string& part);
/// The table that writers read these from when the files are finished, PATH.part.tsv.
std::string PartTablePath(const std::string& part);

/// Reads the state and judges that it makes sense in itself: sizes, ranges, digests. NOT_FOUND where there is none;
/// DATA_LOSS, with what is wrong and what to do, where it is not one that this build wrote; errors of files.
absl::StatusOr<v1::CohortPart> ReadPartState(const std::string& part);

/// Removes all that belongs to a part: the genotypes first, without which the state says nothing.
absl::Status RemovePart(const std::string& part);

/// Removes the state for good, after which nothing of the part counts as done. Call before another part takes its
/// place.
absl::Status RemovePartState(const std::string& part);

/// Samples of all ranges that are kept.
int64_t DoneSamples(const v1::CohortPart& state);

/// Blocks of the stream digest that the samples [first, first + count) of a cohort touch.
int64_t DigestBlocks(int64_t first, int64_t count);
/// The digests of a range, one by one.
std::vector<Sha256Digest> BlockDigests(const v1::CohortPartRange& range);
/// CohortFooter.sha256, as hexadecimal digits, of all samples of a part that is whole.
std::string StreamDigestOf(const v1::CohortPart& state);

/// FAILED_PRECONDITION where `asked` is for other files than `kept`, with the first difference in the words of the
/// command line: "-n is 2000, not 1000". Artifact, engine, header and ranges are not looked at.
absl::Status CheckSameRequest(const v1::CohortPart& kept, const v1::CohortPart& asked);

}  // namespace genoserve

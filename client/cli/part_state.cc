#include "client/cli/part_state.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/json_file.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/genotype/stream_digest.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr int64_t kDigestBytes = 32;

// What is wrong with a range of `left` samples at most, the first of which has this index in the cohort; "" = nothing.
std::string Judge(const v1::CohortPartRange& range, int64_t first, int64_t left) {
  if (range.sample_count() < 1 || range.sample_count() > left) return "ranges that are not those of its samples";
  const bool last = range.sample_count() == left;
  if (!last && range.sample_count() % kDigestBlock != 0) return "a range that ends inside a block";
  const bool all = range.done() == range.sample_count();
  if (range.done() < 0 || range.done() > range.sample_count() ||
      (!all && range.done() != 0 && (first + range.done()) % kDigestBlock != 0)) {
    return "samples done that end inside a block";
  }
  if (std::cmp_not_equal(range.block_digests().size(), kDigestBytes * DigestBlocks(first, range.done()))) {
    return "digests of other blocks than those that are done";
  }
  return "";
}

// What is wrong with a state; "" = nothing.
std::string Judge(const v1::CohortPart& state) {
  if (state.format_version() != kCohortPartVersion) {
    return absl::StrCat("format_version ", state.format_version(), ", where this build has ", kCohortPartVersion);
  }
  const v1::CohortHeader& header = state.header();
  if (header.first_sample() < 0 || header.sample_count() < 1 || header.variant_count() < 1 ||
      header.first_sample() > header.cohort_size() - header.sample_count()) {
    return "a header that makes no sense";
  }
  const v1::StreamCohortRequest& request = state.request();
  if (request.model() != header.model() || request.version() != header.version() || !request.has_seed() ||
      request.seed() != header.seed() || request.condition().has_per_sample()) {
    return "a request that is not that of its header";
  }
  if (state.ranges_size() < 1 || state.ranges_size() > kMostRanges) return "no ranges, or too many";
  int64_t first = header.first_sample();
  int64_t left = header.sample_count();
  for (const v1::CohortPartRange& range : state.ranges()) {
    if (std::string what = Judge(range, first, left); !what.empty()) return what;
    first += range.sample_count();
    left -= range.sample_count();
  }
  return left == 0 ? "" : "ranges that are not those of its samples";
}

std::string Number(int64_t number) { return absl::StrCat(number); }

std::string Range(const v1::StreamCohortRequest& request) {
  if (!request.has_sample_count()) return "all samples";
  return absl::StrFormat("samples %d to %d", request.first_sample(),
                         request.first_sample() + request.sample_count() - 1);
}

template <typename Messages>
bool Same(const Messages& one, const Messages& other) {
  return one.size() == other.size() &&
         std::equal(one.begin(), one.end(), other.begin(),
                    [](const auto& a, const auto& b) { return MessageDifferencer::Equals(a, b); });
}

// The first difference, as "WHAT is THIS, not THAT"; "" = none.
std::string Difference(const v1::CohortPart& kept, const v1::CohortPart& asked) {
  const v1::StreamCohortRequest& one = kept.request();
  const v1::StreamCohortRequest& other = asked.request();
  const auto is = [](absl::string_view what, absl::string_view now, absl::string_view before) {
    return absl::StrCat(what, " is ", now, ", not ", before);
  };
  if (one.model() != other.model()) return is("the model", other.model(), one.model());
  if (one.version() != other.version()) return is("the version", other.version(), one.version());
  if (one.seed() != other.seed()) return is("--seed", absl::StrCat(other.seed()), absl::StrCat(one.seed()));
  if (one.cohort_size() != other.cohort_size()) {
    return is("the number of samples", Number(other.cohort_size()), Number(one.cohort_size()));
  }
  const v1::Condition& condition = one.condition();
  const v1::Condition& condition_asked = other.condition();
  if (condition.labels_case() != condition_asked.labels_case() ||
      !MessageDifferencer::Equals(condition.label_counts(), condition_asked.label_counts()) ||
      !MessageDifferencer::Equals(condition.label_proportions(), condition_asked.label_proportions())) {
    return "--pop asks for other labels";
  }
  if (!Same(condition.phenotypes(), condition_asked.phenotypes())) return "--pheno asks for other values";
  if (kept.conditions_digest() != asked.conditions_digest()) return "--pheno-file holds other values";
  if (condition.extrapolate() != condition_asked.extrapolate()) {
    return absl::StrCat("--extrapolate is ", condition_asked.extrapolate() ? "given" : "missing");
  }
  if (!Same(one.regions(), other.regions())) return "-r or -R names other regions";
  if (Range(one) != Range(other)) return is("--shard", Range(other), Range(one));
  if (!MessageDifferencer::Equals(kept.simulated_trait(), asked.simulated_trait()) ||
      kept.has_simulated_trait() != asked.has_simulated_trait()) {
    return "--simulate-pheno, or what goes with it, asks for another trait";
  }
  if (kept.format() != asked.format()) return is("the format", asked.format(), kept.format());
  return "";
}

}  // namespace

std::string PartStatePath(const std::string& part) { return part + ".json"; }
std::string PartSamplesPath(const std::string& part) { return part + ".samples"; }
std::string PartTablePath(const std::string& part) { return part + ".tsv"; }

absl::StatusOr<v1::CohortPart> ReadPartState(const std::string& part) {
  v1::CohortPart state;
  absl::Status read = ReadJsonFile(PartStatePath(part), &state);
  if (read.ok()) {
    const std::string what = Judge(state);
    if (what.empty()) return state;
    read = absl::DataLossError(absl::StrCat(PartStatePath(part), ": has ", what));
  }
  if (!absl::IsDataLoss(read)) return read;
  return absl::DataLossError(absl::StrCat(read.message(), "; --force begins anew"));
}

absl::Status RemovePart(const std::string& part) {
  for (const std::string& path : {part, PartTablePath(part), PartSamplesPath(part), PartStatePath(part)}) {
    GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().Remove(path));
  }
  return absl::OkStatus();
}

absl::Status RemovePartState(const std::string& part) {
  const std::string path = PartStatePath(part);
  if (!FileSystem::Posix().Exists(path)) return absl::OkStatus();
  GENOSERVE_RETURN_IF_ERROR(FileSystem::Posix().Remove(path));
  return FileSystem::Posix().SyncFolder(FolderOf(path));
}

int64_t DoneSamples(const v1::CohortPart& state) {
  int64_t done = 0;
  for (const v1::CohortPartRange& range : state.ranges()) done += range.done();
  return done;
}

int64_t DigestBlocks(int64_t first, int64_t count) {
  return count == 0 ? 0 : (first + count - 1) / kDigestBlock - first / kDigestBlock + 1;
}

std::vector<Sha256Digest> BlockDigests(const v1::CohortPartRange& range) {
  const std::string& bytes = range.block_digests();
  std::vector<Sha256Digest> digests(bytes.size() / kDigestBytes);
  for (size_t i = 0; i < digests.size(); ++i) {
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(i) * kDigestBytes, kDigestBytes, digests[i].begin());
  }
  return digests;
}

std::string StreamDigestOf(const v1::CohortPart& state) {
  std::vector<Sha256Digest> blocks;
  for (const v1::CohortPartRange& range : state.ranges()) {
    const std::vector<Sha256Digest> of_range = BlockDigests(range);
    blocks.insert(blocks.end(), of_range.begin(), of_range.end());
  }
  return ToHex(StreamDigest::OfBlocks(blocks));
}

absl::Status CheckSameRequest(const v1::CohortPart& kept, const v1::CohortPart& asked) {
  const std::string difference = Difference(kept, asked);
  if (difference.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(difference);
}

}  // namespace genoserve

#include "server/manager/sample_check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/artifact/allele_frequencies.h"
#include "core/base/status.h"
#include "server/cohort/cohort_plan.h"

namespace genoserve {
namespace {

constexpr size_t kSmallestTile = 8;  // samples
constexpr int kWarmUpPasses = 2;     // the second pass over new code paths may still be slow
constexpr double kChanceOfRefusal = 1e-6;
constexpr double kLargestTolerance = 0.05;
constexpr double kRmseTolerance = 0.02;
constexpr double kRmseDeviations = 3;
// Minor alleles that samples are expected to have: with fewer, all of them may be the same by chance.
constexpr double kFewMinorAlleles = 30;

// Sizes of the tiles, in the order in which they are generated.
std::vector<size_t> TileSizes(size_t largest) {
  std::vector<size_t> sizes;
  for (size_t size = std::min(kSmallestTile, largest);; size = std::min(2 * size, largest)) {
    sizes.insert(sizes.end(), kWarmUpPasses, size);
    if (size == largest) break;
  }
  size_t sum = std::accumulate(sizes.begin(), sizes.end(), size_t{0});
  for (; sum < static_cast<size_t>(kCheckedSamples); sum += largest) sizes.push_back(largest);
  return sizes;
}

// Labels and phenotypes of samples as a request that asks for no condition gets them.
class UnconditionalSamples {
 public:
  static constexpr uint64_t kSeed = 0;
  explicit UnconditionalSamples(const CohortPlan& plan) : plan_(plan) {}

  // Good until the next call.
  std::span<const SampleSpec> Tile(size_t first, size_t count) {
    const size_t width = plan_.phenotype_count();
    specs_.resize(count);
    phenotypes_.resize(count * width);
    for (size_t i = 0; i < count; ++i) {
      const auto sample = static_cast<int64_t>(first + i);
      const std::span<double> values = std::span(phenotypes_).subspan(i * width, width);
      plan_.Phenotypes(kSeed, sample, values);
      specs_[i] = {kSeed, first + i, plan_.Label(kSeed, sample), values};
    }
    return specs_;
  }

 private:
  const CohortPlan& plan_;
  std::vector<SampleSpec> specs_;
  std::vector<double> phenotypes_;
};

// Counts rows.
class Counter {
 public:
  Counter(Packing packing, size_t variants) : packing_(packing), codes_(variants), alt_(variants) {}

  void Add(const GenotypeMatrix& rows) {
    const size_t sample_bytes = rows.row_bytes() * RowsPerSample(packing_);
    const std::span<const uint8_t> bytes = rows.bytes();
    if (samples_ == 0) first_.assign(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(sample_bytes));
    for (size_t i = 0; i < rows.samples() && same_; ++i) {
      same_ = std::memcmp(bytes.data() + i * sample_bytes, first_.data(), sample_bytes) == 0;
    }
    for (size_t row = 0; row < rows.rows(); ++row) {
      rows.UnpackRow(row, codes_);
      uint8_t largest = 0;
      for (size_t v = 0; v < codes_.size(); ++v) {
        alt_[v] += codes_[v];
        largest = std::max(largest, codes_[v]);
      }
      missing_ = missing_ || largest == kMissingGenotype;
    }
    samples_ += static_cast<int64_t>(rows.samples());
  }

  SampleTally Tally() {
    SampleTally tally;
    tally.samples = samples_;
    tally.missing = missing_;
    tally.all_samples_same = same_;
    tally.all_genotypes_same =
        same_ && std::adjacent_find(alt_.begin(), alt_.end(), std::not_equal_to<>()) == alt_.end();
    for (const uint32_t alt : alt_) {
      tally.frequencies.push_back(static_cast<double>(alt) / (2 * static_cast<double>(samples_)));
    }
    return tally;
  }

 private:
  const Packing packing_;
  std::vector<uint8_t> codes_;
  std::vector<uint32_t> alt_;
  std::vector<uint8_t> first_;
  int64_t samples_ = 0;
  bool same_ = true;
  bool missing_ = false;
};

}  // namespace

absl::StatusOr<SampleTally> GenerateForCheck(const v1::Manifest& manifest, const Generator& generator) {
  const std::vector<size_t> sizes = TileSizes(generator.max_tile_samples());
  const auto all = static_cast<int64_t>(std::accumulate(sizes.begin(), sizes.end(), size_t{0}));
  v1::StreamCohortRequest request;
  request.set_cohort_size(all);
  const absl::StatusOr<CohortPlan> plan = CohortPlan::Make(request, manifest, all);
  if (!plan.ok()) return plan.status();
  UnconditionalSamples samples(*plan);
  const Packing packing = generator.packing();
  Counter counter(packing, generator.variant_count());
  GenotypeMatrix rows;
  size_t first = 0;
  for (const size_t size : sizes) {
    rows.Resize(packing, size * RowsPerSample(packing), generator.variant_count());
    GENOSERVE_RETURN_IF_ERROR(generator.Generate(samples.Tile(first, size), {}, rows));
    counter.Add(rows);
    first += size;
  }
  return counter.Tally();
}

absl::Status CheckTally(const v1::Manifest& manifest, const SampleTally& tally) {
  if (tally.missing) {
    return absl::FailedPreconditionError(absl::StrCat("among ", tally.samples, " samples are missing genotypes"));
  }
  const std::vector<double> expected = DecodeAlleleFrequencies(manifest.allele_frequencies());
  if (tally.all_samples_same) {
    double minor = 0;
    for (const double frequency : expected) {
      minor += std::min(frequency, 1 - frequency) * 2 * static_cast<double>(tally.samples);
    }
    if (expected.empty() || minor >= kFewMinorAlleles) {
      return absl::FailedPreconditionError(absl::StrCat("its output is constant: ", tally.samples,
                                                        tally.all_genotypes_same
                                                            ? " samples have one and the same genotype everywhere"
                                                            : " samples are all the same"));
    }
  }
  if (expected.empty()) return absl::OkStatus();
  const int64_t trained = std::max<int64_t>(1, manifest.training().samples());
  return CompareFrequencies(expected, trained, tally.frequencies, tally.samples);
}

absl::Status CompareFrequencies(std::span<const double> expected, int64_t expected_samples,
                                std::span<const double> found, int64_t samples) {
  if (expected.size() != found.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("allele_frequencies: has ", expected.size(), " variants, not ", found.size()));
  }
  const auto n = static_cast<double>(expected_samples);
  const auto m = static_cast<double>(samples);
  const auto variants = static_cast<double>(found.size());
  const double log = std::log(2 * variants / kChanceOfRefusal);
  double squares = 0;
  double variances = 0;
  size_t worst = 0;
  double worst_excess = -1;
  const auto bound = [&](double variance) {
    return std::sqrt(2 * variance * log) + 2 * log / (3 * std::min(n, m)) + kLargestTolerance;
  };
  const auto variance_of = [&](size_t v) {
    const double p = (n * expected[v] + m * found[v]) / (n + m);
    return p * (1 - p) * (1 / n + 1 / m);
  };
  for (size_t v = 0; v < found.size(); ++v) {
    const double difference = std::abs(found[v] - expected[v]);
    const double variance = variance_of(v);
    squares += difference * difference;
    variances += variance;
    if (const double excess = difference - bound(variance); v == 0 || excess > worst_excess) {
      worst_excess = excess;
      worst = v;
    }
  }
  if (found.empty()) return absl::OkStatus();
  const double rmse = std::sqrt(squares / variants);
  const double rmse_bound = kRmseDeviations * std::sqrt(variances / variants) + kRmseTolerance;
  if (worst_excess <= 0 && rmse <= rmse_bound) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrFormat(
      "allele frequencies of %d generated samples are not those of the manifest: variant %d has %.4f and not %.4f, at "
      "most %.4f apart are allowed; the root mean square of all differences is %.4f, at most %.4f is allowed",
      samples, worst, found[worst], expected[worst], bound(variance_of(worst)), rmse, rmse_bound));
}

}  // namespace genoserve

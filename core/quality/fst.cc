#include "core/quality/fst.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/base/parallel.h"
#include "core/quality/agreement.h"

namespace genoserve {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Numerator and denominator of Hudson's estimator at one variant.
std::array<double, 2> Hudson(const VariantCounts& a, const VariantCounts& b, size_t variant) {
  const double p1 = a.Frequency(variant);
  const double p2 = b.Frequency(variant);
  const double difference = p1 - p2;
  return {difference * difference - p1 * (1 - p1) / static_cast<double>(2 * a.samples - 1) -
              p2 * (1 - p2) / static_cast<double>(2 * b.samples - 1),
          p1 * (1 - p2) + p2 * (1 - p1)};
}

}  // namespace

FstTerms HudsonTerms(const VariantCounts& a, const VariantCounts& b) {
  FstTerms terms;
  for (size_t v = 0; v < a.variants(); ++v) {
    const auto [numerator, denominator] = Hudson(a, b, v);
    terms.numerators.push_back(numerator);
    terms.denominators.push_back(denominator);
  }
  return terms;
}

FstTerms WeirCockerhamTerms(const VariantCounts& a, const VariantCounts& b) {
  constexpr double kPopulations = 2;
  const auto n1 = static_cast<double>(a.samples);
  const auto n2 = static_cast<double>(b.samples);
  const double total = n1 + n2;
  const double n_mean = total / kPopulations;
  const double n_c = total - (n1 * n1 + n2 * n2) / total;  // divided by kPopulations - 1
  FstTerms terms;
  for (size_t v = 0; v < a.variants(); ++v) {
    const double p1 = a.Frequency(v);
    const double p2 = b.Frequency(v);
    const double p = (n1 * p1 + n2 * p2) / total;
    const double h = (static_cast<double>(a.het[v]) + static_cast<double>(b.het[v])) / total;
    const double s2 = (n1 * (p1 - p) * (p1 - p) + n2 * (p2 - p) * (p2 - p)) / n_mean;
    const double within = p * (1 - p) - (kPopulations - 1) / kPopulations * s2;
    const double between_populations = n_mean / n_c * (s2 - (within - h / 4) / (n_mean - 1));
    const double between_samples = n_mean / (n_mean - 1) * (within - (2 * n_mean - 1) / (4 * n_mean) * h);
    terms.numerators.push_back(between_populations);
    terms.denominators.push_back(between_populations + between_samples + h / 2);
  }
  return terms;
}

LabelFst::LabelFst(const VariantBlocks& blocks, const std::vector<VariantCounts>& counts,
                   const std::vector<size_t>& labels)
    : pairs_(labels.size() * (labels.size() - 1) / 2), blocks_(blocks.count()), sums_(blocks_ * pairs_) {
  ParallelFor(blocks_, [&](size_t block) {
    size_t pair = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      for (size_t j = i + 1; j < labels.size(); ++j, ++pair) {
        std::array<double, 2>& sum = sums_[block * pairs_ + pair];
        for (size_t v = blocks.Begin(block); v < blocks.Begin(block + 1); ++v) {
          const auto [numerator, denominator] = Hudson(counts[labels[i]], counts[labels[j]], v);
          sum[0] += numerator;
          sum[1] += denominator;
        }
      }
    }
  });
}

std::vector<double> LabelFst::Over(std::span<const uint32_t> blocks) const {
  std::vector<std::array<double, 2>> totals(pairs_);
  for (const uint32_t block : blocks) {
    for (size_t pair = 0; pair < pairs_; ++pair) {
      totals[pair][0] += sums_[block * pairs_ + pair][0];
      totals[pair][1] += sums_[block * pairs_ + pair][1];
    }
  }
  std::vector<double> fst;
  fst.reserve(pairs_);
  for (const auto& [numerator, denominator] : totals) fst.push_back(denominator == 0 ? kNan : numerator / denominator);
  return fst;
}

std::vector<double> LabelFst::All() const {
  std::vector<uint32_t> all(blocks_);
  std::iota(all.begin(), all.end(), 0U);
  return Over(all);
}

Measurement MeasureMatrixDifference(const VariantBlocks& blocks, const LabelFst& real, const LabelFst& candidate,
                                    uint64_t seed) {
  Measurement measurement = Bootstrap(
      blocks.count(), seed,
      [&](std::span<const uint32_t> drawn) { return Compare(real.Over(drawn), candidate.Over(drawn)).rmse; },
      "every two labels are fixed for the same alleles in one of the sets");
  if (measurement.reason.empty()) {
    measurement.n = static_cast<int64_t>(Compare(real.All(), candidate.All()).pairs);
    measurement.low = std::min(measurement.low, measurement.value);
  }
  return measurement;
}

}  // namespace genoserve

#include "core/quality/frequency_blocks.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/quality/agreement.h"

namespace genoserve {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr absl::string_view kTooFewBlocks = "there are too few variants to tell its interval";

// Sums over the pairs of a block, of numbers from which a mean has been taken so that little cancels.
struct PairSums {
  double n = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double yy = 0;
  double xy = 0;
  double squares = 0;  // of the differences
  double largest = 0;  // of the absolute differences

  void Add(const PairSums& other) {
    n += other.n;
    x += other.x;
    y += other.y;
    xx += other.xx;
    yy += other.yy;
    xy += other.xy;
    squares += other.squares;
    largest = std::max(largest, other.largest);
  }
};

PairSums Total(const std::vector<PairSums>& sums, std::span<const uint32_t> blocks) {
  PairSums total;
  for (const uint32_t block : blocks) total.Add(sums[block]);
  return total;
}

double Pearson(const PairSums& s) {
  const double xx = s.xx - s.x * s.x / s.n;
  const double yy = s.yy - s.y * s.y / s.n;
  // As in Compare of agreement.cc: what is smaller is rounding.
  if (!(xx > s.n * 1e-24) || !(yy > s.n * 1e-24)) return kNan;
  return std::clamp((s.xy - s.x * s.y / s.n) / std::sqrt(xx * yy), -1.0, 1.0);
}

std::vector<PairSums> SumBlocks(const VariantBlocks& blocks, std::span<const double> x, std::span<const double> y) {
  double mean = 0;
  size_t pairs = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if (std::isnan(x[i]) || std::isnan(y[i])) continue;
    mean += x[i];
    ++pairs;
  }
  mean /= static_cast<double>(std::max<size_t>(1, pairs));
  const size_t each = blocks.variants() == 0 ? 0 : x.size() / blocks.variants();
  std::vector<PairSums> sums(blocks.count());
  for (size_t block = 0; block < blocks.count(); ++block) {
    for (size_t i = each * blocks.Begin(block); i < each * blocks.Begin(block + 1); ++i) {
      if (std::isnan(x[i]) || std::isnan(y[i])) continue;
      const double dx = x[i] - mean;
      const double dy = y[i] - mean;
      const double difference = x[i] - y[i];
      sums[block].Add({1, dx, dy, dx * dx, dy * dy, dx * dy, difference * difference, std::abs(difference)});
    }
  }
  return sums;
}

}  // namespace

MeasuredAgreement MeasureAgreement(const VariantBlocks& blocks, std::span<const double> x, std::span<const double> y,
                                   uint64_t seed, absl::string_view otherwise) {
  const Agreement agreement = Compare(x, y);
  if (agreement.pairs == 0) return {NotMeasured(otherwise), NotMeasured(otherwise), NotMeasured(otherwise)};
  const std::vector<PairSums> sums = SumBlocks(blocks, x, y);
  const auto measure = [&](double value, double (*statistic)(const PairSums&), absl::string_view reason) {
    Measurement measurement = Bootstrap(
        blocks.count(), seed, [&](std::span<const uint32_t> drawn) { return statistic(Total(sums, drawn)); }, reason);
    if (!measurement.reason.empty()) return measurement;
    measurement.value = value;
    measurement.n = static_cast<int64_t>(agreement.pairs);
    return measurement;
  };
  return {measure(agreement.pearson, &Pearson,
                  "the values of one of the two sets are all the same, so that they have no correlation"),
          measure(
              agreement.rmse, [](const PairSums& s) { return std::sqrt(s.squares / s.n); }, kTooFewBlocks),
          measure(
              agreement.max_difference, [](const PairSums& s) { return s.largest; }, kTooFewBlocks)};
}

Measurement MeasureRatio(const VariantBlocks& blocks, std::span<const double> numerators,
                         std::span<const double> denominators, uint64_t seed, absl::string_view otherwise) {
  struct Sums {
    double numerator = 0;
    double denominator = 0;
  };
  std::vector<Sums> sums(blocks.count());
  int64_t counted = 0;
  for (size_t block = 0; block < blocks.count(); ++block) {
    for (size_t v = blocks.Begin(block); v < blocks.Begin(block + 1); ++v) {
      sums[block].numerator += numerators[v];
      sums[block].denominator += denominators[v];
      if (denominators[v] != 0) ++counted;
    }
  }
  Measurement measurement = Bootstrap(
      blocks.count(), seed,
      [&sums](std::span<const uint32_t> drawn) {
        Sums total;
        for (const uint32_t block : drawn) {
          total.numerator += sums[block].numerator;
          total.denominator += sums[block].denominator;
        }
        return total.denominator == 0 ? kNan : total.numerator / total.denominator;
      },
      otherwise);
  if (measurement.reason.empty()) measurement.n = counted;
  return measurement;
}

}  // namespace genoserve

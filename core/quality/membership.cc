#include "core/quality/membership.h"

#include <array>
#include <cmath>

#include "core/base/parallel.h"
#include "core/quality/distances.h"

namespace genoserve {
namespace {

constexpr double kTieGrid = 1 << 30;

}  // namespace

std::vector<uint32_t> ClosestDistances(const BitPlanes& rows, const BitPlanes& cohort) {
  const Neighbours nearest = NearestAmong(rows, cohort, 1);
  std::vector<uint32_t> distances(rows.vectors());
  for (size_t row = 0; row < distances.size(); ++row) distances[row] = nearest.Closest(row);
  return distances;
}

std::vector<double> DistanceScores(const std::vector<uint32_t>& cohort) {
  std::vector<double> scores(cohort.size());
  for (size_t row = 0; row < scores.size(); ++row) scores[row] = -static_cast<double>(cohort[row]);
  return scores;
}

std::vector<double> DensityRatioScores(const std::vector<uint32_t>& cohort, const std::vector<uint32_t>& reference) {
  std::vector<double> scores(cohort.size());
  for (size_t row = 0; row < scores.size(); ++row) {
    // The ratio of whole numbers first: rows with equal distances tie exactly.
    scores[row] = std::log((1.0 + reference[row]) / (1.0 + cohort[row]));
  }
  return scores;
}

std::vector<double> FrequencyScores(const GenotypeMatrix& rows, const std::vector<double>& cohort,
                                    const std::vector<double>& reference) {
  const size_t variants = rows.variants();
  const double alleles = rows.packing() == Packing::kHaplotype1Bit ? 1 : 2;
  // What each code of a variant adds to a score.
  std::vector<std::array<double, 3>> added(variants);
  for (size_t v = 0; v < variants; ++v) {
    for (size_t code = 0; code < 3; ++code) {
      const double x = static_cast<double>(code) / alleles;
      added[v][code] = std::abs(x - reference[v]) - std::abs(x - cohort[v]);
    }
  }
  std::vector<double> scores(rows.rows());
  ParallelFor(scores.size(), [&](size_t row) {
    std::vector<uint8_t> codes(variants);
    rows.UnpackRow(row, codes);
    double sum = 0;
    for (size_t v = 0; v < variants; ++v) sum += added[v][codes[v]];
    // Sums of multiples of 1 / n tie often, and the order of adding must not tell such rows apart.
    scores[row] = std::round(sum * kTieGrid) / kTieGrid;
  });
  return scores;
}

}  // namespace genoserve

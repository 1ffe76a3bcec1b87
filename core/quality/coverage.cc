#include "core/quality/coverage.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/quality/catalogue.h"
#include "core/quality/distances.h"

namespace genoserve {
namespace {

constexpr std::array kFigures = {
    FigureInfo{.name = "cover.precision",
               .family = Family::kCoverage,
               .better = Better::kHigher,
               .title = "Precision: synthetic rows that look real",
               .meaning = "Share of rows that lie where real held-out rows lie. Low means that many could not be "
                          "taken for real ones. It says nothing of what is left out: that is recall.",
               .formula =
                   "Mean over rows x of the candidate of 1[some hold-out row y has d(x, y) <= d(y, its 5th nearest "
                   "hold-out row of another sample)], Manhattan distance: Kynkaanniemi et al. 2019, equations 1 "
                   "and 2, with k = 5 (another k gives other values)",
               .n_of = "rows"},
    FigureInfo{.name = "cover.recall",
               .family = Family::kCoverage,
               .better = Better::kHigher,
               .title = "Recall: real rows that are covered",
               .meaning = "Share of real held-out rows that lie where synthetic rows lie. Low means that kinds of "
                          "people are missing, as of a generator that has collapsed.",
               .formula = "As cover.precision with candidate and hold-out changed about",
               .n_of = "rows"},
    FigureInfo{.name = "cover.f1",
               .family = Family::kCoverage,
               .better = Better::kHigher,
               .title = "Precision and recall in one",
               .meaning = "High only where rows look real and all kinds of real rows are covered. The floor's value is "
                          "about as high as it gets at this size.",
               .formula = "2 P R / (P + R) of cover.precision and cover.recall; 0 where both are 0",
               .n_of = "rows"},
    FigureInfo{.name = "cover.pairwise_mean_ratio",
               .family = Family::kCoverage,
               .better = Better::kNearFloor,
               .title = "Variety: how unlike two rows are, against real ones",
               .meaning =
                   "How many alleles two synthetic rows differ by, over the same of two real ones. Under 1, rows "
                   "are more alike than real ones, as of a collapsed generator; over 1, they are too different.",
               .formula = "Mean Manhattan distance of pairs of rows of different samples of the candidate / the same "
                          "of the hold-out (nucleotide diversity: Nei and Li 1979, as a ratio)",
               .n_of = "rows"},
    FigureInfo{.name = "cover.pairwise_w1",
               .family = Family::kCoverage,
               .better = Better::kLower,
               .title = "Pairwise distances: how far from those of real rows",
               .meaning = "How far the distances between synthetic rows have to be moved, in alleles a variant, to be "
                          "spread as those between real rows. 0 is the same spread; compare it with the floor.",
               .formula = "Wasserstein-1 distance (area between the distribution functions) of the Manhattan distances "
                          "of pairs of rows of different samples, candidate against hold-out, divided by the number of "
                          "variants; distances are counted in at most 240 equal bins",
               .n_of = "rows"},
};

constexpr size_t kFineBins = 240;
constexpr size_t kChartBins = 60;
constexpr char kTooAlike[] = "all hold-out rows are the same, so that there is no distance to compare with";
constexpr char kTooFew[] = "there are too few samples to have five neighbours each";

// Distances between rows of different samples of one cohort.
struct Within {
  std::vector<uint32_t> radius;  // of each row: distance of its k-th nearest row
  std::vector<double> mean;      // of each row, to all rows of other samples
  uint32_t smallest = std::numeric_limits<uint32_t>::max();
  uint32_t largest = 0;
};

Within MeasureWithin(const BitPlanes& rows, size_t rows_per_sample) {
  Within within;
  within.radius.resize(rows.vectors());
  within.mean.resize(rows.vectors());
  std::vector<uint32_t> largest(rows.vectors());
  std::vector<uint32_t> smallest(rows.vectors());
  VisitDistances(rows, rows, [&](size_t row, std::span<const uint32_t> distances) {
    std::array<Neighbour, kManifoldNeighbours> nearest;
    const size_t own = row / rows_per_sample * rows_per_sample;
    SmallestDistances(distances, own, rows_per_sample, nearest);
    within.radius[row] = nearest.back().distance;
    smallest[row] = nearest.front().distance;
    uint64_t sum = 0;
    for (size_t i = 0; i < distances.size(); ++i) {
      if (i / rows_per_sample * rows_per_sample == own) continue;
      sum += distances[i];
      largest[row] = std::max(largest[row], distances[i]);
    }
    within.mean[row] = static_cast<double>(sum) / static_cast<double>(distances.size() - rows_per_sample);
  });
  within.smallest = *std::min_element(smallest.begin(), smallest.end());
  within.largest = *std::max_element(largest.begin(), largest.end());
  return within;
}

// [sample * bins.count + bin]: shares of the distances from its rows to those of other samples.
std::vector<float> BinnedWithin(const BitPlanes& rows, size_t rows_per_sample, const Bins& bins) {
  const size_t samples = rows.vectors() / rows_per_sample;
  std::vector<uint32_t> counts(rows.vectors() * bins.count);
  VisitDistances(rows, rows, [&](size_t row, std::span<const uint32_t> distances) {
    uint32_t* const of_row = counts.data() + row * bins.count;
    const size_t own = row / rows_per_sample * rows_per_sample;
    for (size_t i = 0; i < own; ++i) ++of_row[bins.Of(distances[i])];
    for (size_t i = own + rows_per_sample; i < distances.size(); ++i) ++of_row[bins.Of(distances[i])];
  });
  const auto pairs = static_cast<float>(rows_per_sample * (rows.vectors() - rows_per_sample));
  std::vector<float> shares(samples * bins.count);
  for (size_t row = 0; row < rows.vectors(); ++row) {
    for (size_t bin = 0; bin < bins.count; ++bin) {
      shares[row / rows_per_sample * bins.count + bin] += static_cast<float>(counts[row * bins.count + bin]) / pairs;
    }
  }
  return shares;
}

// Mean shares over samples, by bin.
std::vector<double> MeanShares(const std::vector<float>& shares, std::span<const uint32_t> samples, size_t bins) {
  std::vector<double> means(bins);
  for (const uint32_t sample : samples) {
    for (size_t bin = 0; bin < bins; ++bin) means[bin] += shares[sample * bins + bin];
  }
  for (double& mean : means) mean /= static_cast<double>(samples.size());
  return means;
}

std::vector<double> MeanShares(const std::vector<float>& shares, size_t bins) {
  std::vector<uint32_t> all(shares.size() / bins);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint32_t>(i);
  return MeanShares(shares, all, bins);
}

// Wasserstein-1 between binned distances, in alleles a variant.
Measurement MeasureW1(const std::vector<float>& candidate, const std::vector<float>& holdout, const Bins& bins,
                      const DistanceCohorts& cohorts) {
  const std::vector<double> of_candidate = MeanShares(candidate, bins.count);
  const std::vector<double> of_holdout = MeanShares(holdout, bins.count);
  Measurement measurement = Bootstrap(
      cohorts.samples(), cohorts.seed,
      [&](std::span<const uint32_t> samples) {
        const std::vector<double> drawn = MeanShares(candidate, samples, bins.count);
        const std::vector<double> drawn_holdout = MeanShares(holdout, samples, bins.count);
        double difference = 0;  // of the distribution functions
        double area = 0;
        for (size_t bin = 0; bin < bins.count; ++bin) {
          difference += 2 * (drawn[bin] - drawn_holdout[bin]) - (of_candidate[bin] - of_holdout[bin]);
          area += std::abs(difference);
        }
        return area * bins.width / static_cast<double>(cohorts.variants());
      },
      kTooFew);
  // Absolute values grow with noise, so that all replicates may lie above the value.
  measurement.low = std::min(measurement.low, measurement.value);
  return measurement;
}

// 1 for each row of `from` that lies within the radius of a row of `to`.
std::vector<double> Inside(const BitPlanes& from, const BitPlanes& to, const std::vector<uint32_t>& radius) {
  std::vector<double> inside(from.vectors());
  VisitDistances(from, to, [&](size_t row, std::span<const uint32_t> distances) {
    for (size_t i = 0; i < distances.size() && inside[row] == 0; ++i) inside[row] = distances[i] <= radius[i] ? 1 : 0;
  });
  return inside;
}

void AddPairwiseChart(const std::vector<float>& holdout, const std::array<std::vector<float>, 3>& candidates,
                      const Bins& bins, size_t variants, v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("distance.pairwise");
  chart.set_title("Distances between pairs");
  chart.set_kind(v1::CHART_KIND_BAR);
  chart.mutable_x()->set_title("alleles that differ, a variant");
  chart.mutable_y()->set_title("share of pairs");
  chart.set_note(
      "How unlike two people of one cohort are. A hill to the left of the real one means people who are too alike; a "
      "narrower one means that groups and families are missing.");
  const size_t merged = (bins.count + kChartBins - 1) / kChartBins;
  const Bins wide = {bins.first, static_cast<uint32_t>(bins.width * merged), (bins.count + merged - 1) / merged};
  const auto add = [&](absl::string_view name, absl::string_view role, const std::vector<float>& shares) {
    const std::vector<double> fine = MeanShares(shares, bins.count);
    std::vector<double> counts(wide.count);
    for (size_t bin = 0; bin < bins.count; ++bin) counts[bin / merged] += fine[bin];
    AddHistogram(name, role, wide, counts, variants, &chart);
  };
  add("held-out", "holdout", holdout);
  add("synthetic", "synthetic", candidates[static_cast<size_t>(Candidate::kSynthetic)]);
  add("training (floor)", "training", candidates[static_cast<size_t>(Candidate::kFloor)]);
  add("naive draws", "naive", candidates[static_cast<size_t>(Candidate::kNaive)]);
}

Measurement WithRows(Measurement measurement, const DistanceCohorts& cohorts) {
  if (measurement.reason.empty()) measurement.n = static_cast<int64_t>(cohorts.rows());
  return measurement;
}

}  // namespace

std::span<const FigureInfo> CoverageFigures() { return kFigures; }

void MeasureCoverage(const DistanceCohorts& cohorts, v1::Quality* quality) {
  const size_t per_sample = cohorts.rows_per_sample();
  if (cohorts.rows() < per_sample + kManifoldNeighbours || cohorts.variants() == 0) {
    for (const FigureInfo& figure : kFigures) AddMissingFigure(figure.name, "", kTooFew, quality);
    return;
  }
  const Within holdout = MeasureWithin(cohorts.holdout_rows, per_sample);
  std::array<Within, 3> within;
  std::array<std::vector<double>, 3> precision;
  std::array<std::vector<double>, 3> recall;
  uint32_t smallest = holdout.smallest;
  uint32_t largest = holdout.largest;
  for (size_t i = 0; i < within.size(); ++i) {
    const BitPlanes& rows = cohorts.candidate_rows[i];
    within[i] = MeasureWithin(rows, per_sample);
    precision[i] = PerSample(Inside(rows, cohorts.holdout_rows, holdout.radius), per_sample);
    recall[i] = PerSample(Inside(cohorts.holdout_rows, rows, within[i].radius), per_sample);
    smallest = std::min(smallest, within[i].smallest);
    largest = std::max(largest, within[i].largest);
  }
  const Bins bins = Bins::Over(smallest, largest, kFineBins);
  const std::vector<float> holdout_shares = BinnedWithin(cohorts.holdout_rows, per_sample, bins);
  std::array<std::vector<float>, 3> shares;
  for (size_t i = 0; i < shares.size(); ++i) shares[i] = BinnedWithin(cohorts.candidate_rows[i], per_sample, bins);

  const auto add = [&](absl::string_view name, absl::FunctionRef<Measurement(size_t)> measure) {
    AddFigure(name, "", ForEachCandidate([&](Candidate candidate) {
                return WithRows(measure(static_cast<size_t>(candidate)), cohorts);
              }),
              quality);
  };
  add("cover.precision", [&](size_t i) { return BootstrapMean(precision[i], cohorts.seed, kTooFew); });
  add("cover.recall", [&](size_t i) { return BootstrapMean(recall[i], cohorts.seed, kTooFew); });
  add("cover.f1", [&](size_t i) {
    return BootstrapOfMeans(
        {precision[i], recall[i]}, cohorts.seed,
        [](std::span<const double> means) {
          const double sum = means[0] + means[1];
          return sum > 0 ? 2 * means[0] * means[1] / sum : 0;
        },
        kTooFew);
  });
  const std::vector<double> holdout_means = PerSample(holdout.mean, per_sample);
  const double holdout_mean = Mean(holdout_means);
  add("cover.pairwise_mean_ratio", [&](size_t i) {
    const std::vector<double> candidate_means = PerSample(within[i].mean, per_sample);
    const double candidate_mean = Mean(candidate_means);
    return BootstrapOfMeans(
        {candidate_means, holdout_means}, cohorts.seed,
        [&](std::span<const double> means) { return (2 * means[0] - candidate_mean) / (2 * means[1] - holdout_mean); },
        kTooAlike);
  });
  add("cover.pairwise_w1", [&](size_t i) { return MeasureW1(shares[i], holdout_shares, bins, cohorts); });
  AddPairwiseChart(holdout_shares, shares, bins, cohorts.variants(), quality);
}

}  // namespace genoserve

#include "core/quality/nearest_privacy.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/quality/distances.h"
#include "core/quality/duplicates.h"

namespace genoserve {
namespace {

constexpr char kNothing[] = "there are too few samples to compare";
constexpr char kNoDistance[] = "the distance that it is divided by is 0: rows of that cohort are found unchanged";
constexpr size_t kChartBins = 50;
// Share of hold-out rows that are nearer to the training than what is called near.
constexpr double kNearQuantile = 0.01;

using Closest = std::vector<uint32_t>;  // of each row, the distance to its closest row of some cohort

Closest ClosestOf(const Neighbours& neighbours) {
  Closest closest(neighbours.nearest.size());
  for (size_t row = 0; row < closest.size(); ++row) closest[row] = neighbours.Closest(row);
  return closest;
}

Closest ClosestAmong(const BitPlanes& from, const BitPlanes& to) { return ClosestOf(NearestAmong(from, to, 1)); }

// Closest rows of one candidate.
struct CandidateClosest {
  Closest others;      // candidate to candidate
  Closest to_members;  // candidate to members
  Closest to_holdout;
  Closest of_members;  // members to candidate
  Closest of_holdout;
};

// Of each row, 1 where `a` is more than `b`, 1/2 where they are equal.
std::vector<double> Farther(const Closest& a, const Closest& b) {
  std::vector<double> farther(a.size());
  for (size_t i = 0; i < a.size(); ++i) farther[i] = a[i] > b[i] ? 1 : a[i] == b[i] ? 0.5 : 0;
  return farther;
}

std::vector<double> Equal(const Closest& a, const Closest& b) {
  std::vector<double> equal(a.size());
  for (size_t i = 0; i < a.size(); ++i) equal[i] = a[i] == b[i] ? 1 : 0;
  return equal;
}

// Quantile by linear interpolation (Hyndman and Fan 1996, definition 7) of the distances of the rows of `samples`.
double ClosestQuantile(const Closest& closest, std::span<const uint32_t> samples, size_t rows_per_sample, double p) {
  std::vector<uint32_t> drawn;
  drawn.reserve(samples.size() * rows_per_sample);
  for (const uint32_t sample : samples) {
    for (size_t i = 0; i < rows_per_sample; ++i) drawn.push_back(closest[sample * rows_per_sample + i]);
  }
  const double place = p * static_cast<double>(drawn.size() - 1);
  const auto below = drawn.begin() + static_cast<ptrdiff_t>(place);
  std::nth_element(drawn.begin(), below, drawn.end());
  const double low = *below;
  if (below + 1 == drawn.end()) return low;
  const double high = *std::min_element(below + 1, drawn.end());
  return low + (place - std::floor(place)) * (high - low);
}

// Adds figures of one comparison.
class Adder {
 public:
  Adder(const DistanceCohorts& cohorts, v1::Quality* quality) : cohorts_(cohorts), quality_(quality) {}

  // n = rows times `times`.
  void Add(absl::string_view name, absl::FunctionRef<Measurement(size_t candidate)> measure, size_t times = 1) {
    AddFigure(name, "", ForEachCandidate([&](Candidate candidate) {
                Measurement measurement = measure(static_cast<size_t>(candidate));
                if (measurement.reason.empty()) measurement.n = static_cast<int64_t>(cohorts_.rows() * times);
                return measurement;
              }),
              quality_);
  }

  // A function of the means of columns of one value a row.
  Measurement OfMeans(const std::vector<std::vector<double>>& columns,
                      absl::FunctionRef<double(std::span<const double> means)> of_means) const {
    std::vector<std::vector<double>> by_sample;
    by_sample.reserve(columns.size());
    for (const std::vector<double>& column : columns) {
      by_sample.push_back(PerSample(column, cohorts_.rows_per_sample()));
    }
    return BootstrapOfMeans(by_sample, cohorts_.seed, of_means, kNothing);
  }

  Measurement Share(const std::vector<double>& column) const {
    return OfMeans({column}, [](std::span<const double> means) { return means[0]; });
  }

  Measurement Difference(const std::vector<double>& a, const std::vector<double>& b) const {
    return OfMeans({a, b}, [](std::span<const double> means) { return means[0] - means[1]; });
  }

  // Quantile `p` of closest distances, a variant.
  Measurement Quantile(const Closest& closest, double p) const {
    return Bootstrap(
        cohorts_.samples(), cohorts_.seed,
        [&](std::span<const uint32_t> samples) {
          return ClosestQuantile(closest, samples, cohorts_.rows_per_sample(), p) /
                 static_cast<double>(cohorts_.variants());
        },
        kNothing);
  }

  // Quantile `p` of `a` over that of `b`.
  Measurement QuantileRatio(const Closest& a, const Closest& b, double p, double most) const {
    return Bootstrap(
        cohorts_.samples(), cohorts_.seed,
        [&](std::span<const uint32_t> samples) {
          const double of_a = ClosestQuantile(a, samples, cohorts_.rows_per_sample(), p);
          const double of_b = ClosestQuantile(b, samples, cohorts_.rows_per_sample(), p);
          const double ratio = of_a / of_b;
          return std::isfinite(ratio) ? std::min(most, ratio) : ratio;
        },
        kNoDistance);
  }

 private:
  const DistanceCohorts& cohorts_;
  v1::Quality* quality_;
};

// Nearest-neighbour adversarial accuracy (Yale et al. 2020).
void AddAdversarialAccuracy(const std::array<CandidateClosest, 3>& candidates, const Closest& members,
                            const Closest& holdout, Adder* adder) {
  std::array<std::vector<double>, 3> truth;
  std::array<std::vector<double>, 3> synthetic;
  for (size_t i = 0; i < candidates.size(); ++i) {
    truth[i] = Farther(candidates[i].of_members, members);
    synthetic[i] = Farther(candidates[i].to_members, candidates[i].others);
  }
  const auto half_of_sum = [](std::span<const double> means) { return (means[0] + means[1]) / 2; };
  adder->Add("privacy.aa", [&](size_t i) { return adder->OfMeans({truth[i], synthetic[i]}, half_of_sum); });
  adder->Add("privacy.aa_truth", [&](size_t i) { return adder->Share(truth[i]); });
  adder->Add("privacy.aa_syn", [&](size_t i) { return adder->Share(synthetic[i]); });
  adder->Add("privacy.aa_tie_share", [&](size_t i) {
    const CandidateClosest& of = candidates[i];
    return adder->OfMeans({Equal(of.of_members, members), Equal(of.to_members, of.others)}, half_of_sum);
  });
  adder->Add("privacy.loss", [&](size_t i) {
    const CandidateClosest& of = candidates[i];
    return adder->OfMeans(
        {Farther(of.of_holdout, holdout), Farther(of.to_holdout, of.others), truth[i], synthetic[i]},
        [](std::span<const double> means) { return (means[0] + means[1] - means[2] - means[3]) / 2; });
  });
}

void AddClosestDistances(const std::array<CandidateClosest, 3>& candidates, Adder* adder) {
  constexpr double kNoLimit = std::numeric_limits<double>::infinity();
  const CandidateClosest& naive = candidates[static_cast<size_t>(Candidate::kNaive)];
  adder->Add("privacy.dcr_share",
             [&](size_t i) { return adder->Share(Farther(candidates[i].to_holdout, candidates[i].to_members)); });
  adder->Add("privacy.dcr_p5", [&](size_t i) { return adder->Quantile(candidates[i].to_members, 0.05); });
  adder->Add("privacy.dcr_median", [&](size_t i) { return adder->Quantile(candidates[i].to_members, 0.5); });
  adder->Add("privacy.dcr_p5_ratio", [&](size_t i) {
    return adder->QuantileRatio(candidates[i].to_members, candidates[i].to_holdout, 0.05, kNoLimit);
  });
  adder->Add("privacy.dcr_median_ratio", [&](size_t i) {
    return adder->QuantileRatio(candidates[i].to_members, candidates[i].to_holdout, 0.5, kNoLimit);
  });
  adder->Add("privacy.dcr_baseline",
             [&](size_t i) { return adder->QuantileRatio(candidates[i].to_members, naive.to_members, 0.5, 1); });
}

// Figures of all synthetic rows against the whole training: the equalised cohorts have a part of it only, so that
// copies of the others would go unseen.
void AddWholeTraining(const QualitySets& sets, v1::Quality* quality) {
  const size_t per_sample = RowsPerSample(sets.packing());
  const auto of = [&](Candidate candidate) -> const Cohort& {
    return candidate == Candidate::kSynthetic ? sets.whole_synthetic
           : candidate == Candidate::kFloor   ? sets.whole_holdout
                                              : sets.candidate(candidate);
  };
  // The hold-out, and naive draws like it, may have other shares of the labels than the synthetic cohort.
  const auto share = [&](const std::vector<double>& by_row, const Cohort& cohort) {
    std::vector<double> by_sample = PerSample(by_row, per_sample);
    const std::vector<double> weights = WeightsByLabel(cohort, sets.whole_synthetic);
    for (size_t i = 0; i < by_sample.size(); ++i) by_sample[i] *= weights[i];
    Measurement measurement = BootstrapMean(by_sample, sets.seed, kNothing);
    if (measurement.reason.empty()) measurement.n = static_cast<int64_t>(by_row.size());
    return measurement;
  };
  AddFigure("privacy.identical_training", "", ForEachCandidate([&](Candidate candidate) {
              return share(FoundAmong(of(candidate).genotypes, sets.whole_training.genotypes), of(candidate));
            }),
            quality);

  const BitPlanes training = BitPlanes::OfRows(sets.whole_training.genotypes);
  std::array<Cohort, 3> some;
  std::array<Closest, 3> closest;
  for (const Candidate candidate : kCandidates) {
    const auto i = static_cast<size_t>(candidate);
    some[i] = EvenlyPicked(of(candidate), kMostRows / per_sample);
    closest[i] = ClosestAmong(BitPlanes::OfRows(some[i].genotypes), training);
  }
  const Closest& holdout = closest[static_cast<size_t>(Candidate::kFloor)];
  std::vector<uint32_t> samples(holdout.size() / per_sample);
  std::iota(samples.begin(), samples.end(), 0U);
  const double near = ClosestQuantile(holdout, samples, per_sample, kNearQuantile);
  AddFigure("privacy.near_training", "", ForEachCandidate([&](Candidate candidate) {
              // Ties count half, so that copies show also where people never seen repeat the training.
              const auto i = static_cast<size_t>(candidate);
              std::vector<double> nearer;
              for (const uint32_t distance : closest[i]) {
                nearer.push_back(distance < near ? 1 : distance == near ? 0.5 : 0);
              }
              return share(nearer, some[i]);
            }),
            quality);
}

void AddIdentical(const QualitySets& sets, const DistanceCohorts& cohorts,
                  const std::array<CandidateClosest, 3>& candidates, Adder* adder, v1::Quality* quality) {
  std::array<std::vector<double>, 3> members;
  std::array<std::vector<double>, 3> holdout;
  std::array<std::vector<double>, 3> member_windows;
  std::array<std::vector<double>, 3> holdout_windows;
  const Closest zeros(cohorts.rows());
  for (size_t i = 0; i < candidates.size(); ++i) {
    members[i] = Equal(candidates[i].to_members, zeros);
    holdout[i] = Equal(candidates[i].to_holdout, zeros);
    member_windows[i] = WindowsFoundAmong(cohorts.candidates[i].genotypes, cohorts.members.genotypes);
    holdout_windows[i] = WindowsFoundAmong(cohorts.candidates[i].genotypes, cohorts.holdout.genotypes);
  }
  AddWholeTraining(sets, quality);
  adder->Add("privacy.identical_members", [&](size_t i) { return adder->Share(members[i]); });
  adder->Add("privacy.identical_holdout", [&](size_t i) { return adder->Share(holdout[i]); });
  adder->Add("privacy.identical_excess", [&](size_t i) { return adder->Difference(members[i], holdout[i]); });
  adder->Add("privacy.repeated", [&](size_t i) { return adder->Share(Repeated(cohorts.candidates[i].genotypes)); });
  const size_t windows = WindowCount(cohorts.variants());
  adder->Add(
      "privacy.windows_members", [&](size_t i) { return adder->Share(member_windows[i]); }, windows);
  adder->Add(
      "privacy.windows_holdout", [&](size_t i) { return adder->Share(holdout_windows[i]); }, windows);
  adder->Add(
      "privacy.windows_excess", [&](size_t i) { return adder->Difference(member_windows[i], holdout_windows[i]); },
      windows);
}

void AddClosestChart(const CandidateClosest& synthetic, const Closest& holdout_to_members, size_t variants,
                     v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("distance.closest");
  chart.set_title("Distance to the closest record");
  chart.set_kind(v1::CHART_KIND_BAR);
  chart.mutable_x()->set_title("alleles that differ, a variant");
  chart.mutable_y()->set_title("share of rows");
  chart.set_note(
      "Synthetic rows should be as far from the training as from held-out people. A hill at the left, near 0, of those "
      "to the training alone means that people were copied.");
  uint32_t smallest = holdout_to_members.front();
  uint32_t largest = smallest;
  for (const Closest* closest : {&synthetic.to_members, &synthetic.to_holdout, &holdout_to_members}) {
    const auto [low, high] = std::minmax_element(closest->begin(), closest->end());
    smallest = std::min(smallest, *low);
    largest = std::max(largest, *high);
  }
  const Bins bins = Bins::Over(smallest, largest, kChartBins);
  const auto add = [&](absl::string_view name, absl::string_view role, const Closest& closest) {
    std::vector<double> counts(bins.count);
    for (const uint32_t distance : closest) ++counts[bins.Of(distance)];
    AddHistogram(name, role, bins, counts, variants, &chart);
  };
  add("synthetic to training", "synthetic", synthetic.to_members);
  add("synthetic to held-out", "holdout", synthetic.to_holdout);
  add("held-out to training", "training", holdout_to_members);
}

}  // namespace

void MeasureNearestPrivacy(const QualitySets& sets, const DistanceCohorts& cohorts, v1::Quality* quality) {
  const size_t per_sample = cohorts.rows_per_sample();
  if (cohorts.samples() < 2 || cohorts.variants() == 0) {
    for (const FigureInfo& figure : NearestPrivacyFigures()) AddMissingFigure(figure.name, "", kNothing, quality);
    return;
  }
  const Closest members = ClosestOf(NearestOthers(cohorts.member_rows, per_sample, 1));
  const Closest holdout = ClosestOf(NearestOthers(cohorts.holdout_rows, per_sample, 1));
  const Closest holdout_to_members = ClosestAmong(cohorts.holdout_rows, cohorts.member_rows);
  std::array<CandidateClosest, 3> candidates;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const BitPlanes& rows = cohorts.candidate_rows[i];
    candidates[i] = {.others = ClosestOf(NearestOthers(rows, per_sample, 1)),
                     .to_members = ClosestAmong(rows, cohorts.member_rows),
                     .to_holdout = ClosestAmong(rows, cohorts.holdout_rows),
                     .of_members = ClosestAmong(cohorts.member_rows, rows),
                     .of_holdout = ClosestAmong(cohorts.holdout_rows, rows)};
  }
  Adder adder(cohorts, quality);
  AddIdentical(sets, cohorts, candidates, &adder, quality);
  AddAdversarialAccuracy(candidates, members, holdout, &adder);
  AddClosestDistances(candidates, &adder);
  AddClosestChart(candidates[static_cast<size_t>(Candidate::kSynthetic)], holdout_to_members, cohorts.variants(),
                  quality);
}

}  // namespace genoserve

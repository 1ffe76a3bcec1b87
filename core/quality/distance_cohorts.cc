#include "core/quality/distance_cohorts.h"

#include <algorithm>
#include <numeric>

#include "core/quality/evenly_spaced.h"

namespace genoserve {

Cohort EvenlyPicked(const Cohort& cohort, size_t most) {
  if (cohort.samples() <= most) return cohort;
  return cohort.Select(EvenlySpaced(cohort.samples(), most));
}

DistanceCohorts DistanceCohorts::Of(const QualitySets& sets, size_t most_rows) {
  const size_t most = most_rows / RowsPerSample(sets.packing());
  Cohort members = EvenlyPicked(sets.members, most);
  Cohort holdout = EvenlyPicked(sets.holdout, most);
  Cohort synthetic = EvenlyPicked(sets.candidate(Candidate::kSynthetic), most);
  Cohort floor = EvenlyPicked(sets.candidate(Candidate::kFloor), most);
  Cohort naive = EvenlyPicked(sets.candidate(Candidate::kNaive), most);
  BitPlanes member_rows = BitPlanes::OfRows(members.genotypes);
  BitPlanes holdout_rows = BitPlanes::OfRows(holdout.genotypes);
  std::array candidate_rows = {BitPlanes::OfRows(synthetic.genotypes), BitPlanes::OfRows(floor.genotypes),
                               BitPlanes::OfRows(naive.genotypes)};
  return {.members = std::move(members),
          .holdout = std::move(holdout),
          .candidates = {std::move(synthetic), std::move(floor), std::move(naive)},
          .member_rows = std::move(member_rows),
          .holdout_rows = std::move(holdout_rows),
          .candidate_rows = std::move(candidate_rows),
          .seed = sets.seed};
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> PerSample(std::span<const double> values, size_t rows_per_sample) {
  std::vector<double> means(values.size() / rows_per_sample);
  for (size_t i = 0; i < means.size(); ++i) {
    means[i] = Mean(values.subspan(i * rows_per_sample, rows_per_sample));
  }
  return means;
}

Measurement BootstrapOfMeans(const std::vector<std::vector<double>>& columns, uint64_t seed,
                             absl::FunctionRef<double(std::span<const double> means)> of_means,
                             absl::string_view otherwise) {
  return Bootstrap(
      columns.front().size(), seed,
      [&](std::span<const uint32_t> samples) {
        std::vector<double> means;
        for (const std::vector<double>& column : columns) {
          double sum = 0;
          for (const uint32_t sample : samples) sum += column[sample];
          means.push_back(sum / static_cast<double>(samples.size()));
        }
        return of_means(means);
      },
      otherwise);
}

Bins Bins::Over(uint32_t smallest, uint32_t largest, size_t most) {
  const size_t range = size_t{largest} - smallest + 1;
  const size_t width = (range + most - 1) / most;
  return {smallest, static_cast<uint32_t>(width), (range + width - 1) / width};
}

void AddHistogram(absl::string_view name, absl::string_view role, const Bins& bins, std::span<const double> counts,
                  size_t variants, v1::Chart* chart) {
  v1::Series& series = *chart->add_series();
  series.set_name(std::string(name));
  series.set_role(std::string(role));
  const double total = std::max(1.0, std::accumulate(counts.begin(), counts.end(), 0.0));
  for (size_t bin = 0; bin < bins.count; ++bin) {
    const double edge = static_cast<double>(bins.first) + static_cast<double>(bin) * bins.width;
    series.add_x(static_cast<float>(edge / static_cast<double>(variants)));
    series.add_y(static_cast<float>(counts[bin] / total));
  }
}

}  // namespace genoserve

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/parallel.h"
#include "core/quality/gwas.h"
#include "core/quality/measurement.h"
#include "core/quality/use.h"

namespace genoserve {
namespace {

constexpr size_t kManhattanPoints = 2000;  // of a series
constexpr size_t kQqPoints = 500;          // of a series
constexpr double kTickShare = 0.02;        // of the variants; contigs with fewer have no name on the axis

// The scan of one set, or why there is none.
struct SetScan {
  std::string reason;
  AssociationScan scan;
};

// By UseSet; the hold-out samples are not scanned.
using PhenotypeScans = std::array<SetScan, kUseSets - 1>;

SetScan ScanOf(const QualitySets& sets, UseSet set, size_t phenotype) {
  const PhenotypeKind& kind = sets.phenotypes[phenotype];
  SetScan result;
  if (!kind.levels.empty() && kind.levels.size() != 2) {
    result.reason = absl::StrFormat("Phenotype %s has %d levels; association is tested of numbers and of two levels.",
                                    kind.name, kind.levels.size());
    return result;
  }
  const std::vector<std::vector<double>>& phenotypes = PhenotypesOf(sets, set);
  const std::vector<double> values = phenotypes.empty() ? std::vector<double>() : phenotypes[phenotype];
  result.reason = WhyUnusable(values, kind.name, NameOf(set));
  if (!result.reason.empty()) return result;
  const Cohort& cohort = CohortOf(sets, set);
  result.scan = ScanAssociations(cohort.genotypes, values, cohort.labels);
  if (std::ranges::none_of(result.scan.tested, [](auto tested) { return tested != 0; })) {
    result.reason =
        absl::StrFormat("Phenotype %s does not vary within the labels of %s, or no variant is frequent enough.",
                        kind.name, NameOf(set));
  }
  return result;
}

// Where each variant stands on an axis of all contigs, one after another.
struct GenomeAxis {
  std::vector<float> positions;
  v1::Axis axis;

  explicit GenomeAxis(const VariantTable& variants) : positions(variants.size()) {
    axis.set_title("Position");
    double offset = 0;
    for (size_t first = 0, end = 0; first < variants.size(); first = end) {
      end = first;
      while (end < variants.size() && variants[end].contig == variants[first].contig) ++end;
      const auto start = static_cast<double>(variants[first].position);
      for (size_t v = first; v < end; ++v) {
        positions[v] = static_cast<float>(offset + static_cast<double>(variants[v].position) - start);
      }
      const double length = static_cast<double>(variants[end - 1].position) - start + 1;
      if (static_cast<double>(end - first) >= kTickShare * static_cast<double>(variants.size())) {
        v1::Tick& tick = *axis.add_ticks();
        tick.set_at(offset + length / 2);
        tick.set_name(variants[first].contig);
      }
      offset += length;
    }
  }
};

void AddGuide(absl::string_view name, float x0, float y0, float x1, float y1, v1::Chart* chart) {
  v1::Series& guide = *chart->add_series();
  guide.set_name(std::string(name));
  guide.add_x(x0);
  guide.add_y(y0);
  guide.add_x(x1);
  guide.add_y(y1);
}

// The members' and the synthetic scan, where there are such.
struct NamedScan {
  const AssociationScan* scan;
  absl::string_view name;
  absl::string_view role;
};

std::vector<NamedScan> ScansOfCharts(const PhenotypeScans& scans) {
  std::vector<NamedScan> named;
  const SetScan& members = scans[static_cast<size_t>(UseSet::kMembers)];
  const SetScan& synthetic = scans[static_cast<size_t>(UseSet::kSynthetic)];
  if (members.reason.empty()) named.push_back({&members.scan, "Real training samples", "training"});
  if (synthetic.reason.empty()) named.push_back({&synthetic.scan, "Synthetic samples", "synthetic"});
  return named;
}

void AddManhattan(absl::string_view phenotype, const GenomeAxis& genome, const std::vector<NamedScan>& scans,
                  v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("gwas.manhattan");
  chart.set_label(std::string(phenotype));
  chart.set_title(absl::StrCat("Association with ", phenotype));
  chart.set_kind(v1::CHART_KIND_MANHATTAN);
  *chart.mutable_x() = genome.axis;
  chart.mutable_y()->set_title("-log10 p");
  chart.set_note(
      "Peaks should stand at the same places and be as high. The line is 0.05 over the number of variants tested; of "
      "neighbouring variants the one with the smallest p is drawn.");
  const size_t variants = genome.positions.size();
  size_t tested = 0;
  for (const NamedScan& named : scans) {
    v1::Series& series = *chart.add_series();
    series.set_name(std::string(named.name));
    series.set_role(std::string(named.role));
    const size_t points = std::min(variants, kManhattanPoints);
    size_t count = 0;
    for (size_t k = 0; k < points; ++k) {
      size_t best = variants;
      for (size_t v = k * variants / points; v < (k + 1) * variants / points; ++v) {
        if (named.scan->tested[v] == 0) continue;
        ++count;
        const auto p_of = [&](size_t at) { return named.scan->variants[at].minus_log10_p; };
        if (best == variants || p_of(v) > p_of(best)) best = v;
      }
      if (best == variants) continue;
      series.add_x(genome.positions[best]);
      series.add_y(static_cast<float>(named.scan->variants[best].minus_log10_p));
    }
    tested = std::max(tested, count);
  }
  const auto threshold = static_cast<float>(std::log10(static_cast<double>(std::max<size_t>(1, tested)) / 0.05));
  const auto [first, last] = std::minmax_element(genome.positions.begin(), genome.positions.end());
  AddGuide("0.05 / M", *first, threshold, *last, threshold, &chart);
}

void AddQq(absl::string_view phenotype, const std::vector<NamedScan>& scans, v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("gwas.qq");
  chart.set_label(std::string(phenotype));
  chart.set_title(absl::StrCat("Observed and expected p values, ", phenotype));
  chart.set_kind(v1::CHART_KIND_SCATTER);
  chart.mutable_x()->set_title("Expected -log10 p");
  chart.mutable_y()->set_title("Observed -log10 p");
  chart.set_note(
      "Without any association the points lie on the line. The synthetic curve should leave it where the real one "
      "does: "
      "early above it means structure that is not there, late that associations were lost.");
  float largest = 0;
  for (const NamedScan& named : scans) {
    std::vector<double> observed;
    for (size_t v = 0; v < named.scan->variants.size(); ++v) {
      if (named.scan->tested[v] != 0) observed.push_back(named.scan->variants[v].minus_log10_p);
    }
    std::sort(observed.rbegin(), observed.rend());
    v1::Series& series = *chart.add_series();
    series.set_name(std::string(named.name));
    series.set_role(std::string(named.role));
    // Evenly over the logarithm of the rank, so that the few smallest p values are all drawn.
    const auto m = static_cast<double>(observed.size());
    size_t last = observed.size();
    for (size_t k = 0; k < kQqPoints && !observed.empty(); ++k) {
      const double share = static_cast<double>(k) / static_cast<double>(kQqPoints - 1);
      const auto rank = std::min(observed.size() - 1, static_cast<size_t>(std::pow(m, share) - 1 + 1e-9));
      if (rank == last) continue;
      last = rank;
      series.add_x(static_cast<float>(-std::log10((static_cast<double>(rank) + 0.5) / m)));
      series.add_y(static_cast<float>(observed[rank]));
      largest = std::max(largest, series.x(series.x_size() - 1));
    }
  }
  AddGuide("As expected by chance", 0, 0, largest, largest, &chart);
}

// Measures `statistic` of the members' scan and each candidate's, where there are both.
Measurements Compare(const PhenotypeScans& scans,
                     absl::FunctionRef<Measurement(const AssociationScan& members, const AssociationScan&)> statistic) {
  return ForEachCandidate([&](Candidate candidate) {
    const SetScan& members = scans[static_cast<size_t>(UseSet::kMembers)];
    const SetScan& other = scans[static_cast<size_t>(UseSetOf(candidate))];
    if (!members.reason.empty()) return NotMeasured(members.reason);
    if (!other.reason.empty()) return NotMeasured(other.reason);
    return statistic(members.scan, other.scan);
  });
}

}  // namespace

void AddAssociationFigures(const QualitySets& sets, v1::Quality* quality) {
  const size_t phenotypes = std::min(kMostPhenotypes, sets.phenotypes.size());
  std::vector<PhenotypeScans> scans(phenotypes);
  ParallelFor(phenotypes * (kUseSets - 1), [&](size_t i) {
    const size_t set = i % (kUseSets - 1);
    const size_t phenotype = i / (kUseSets - 1);
    scans[phenotype][set] = ScanOf(sets, static_cast<UseSet>(set), phenotype);
  });
  const GenomeAxis genome(sets.variants);
  for (size_t p = 0; p < phenotypes; ++p) {
    const std::string& name = sets.phenotypes[p].name;
    AddFigure(
        "gwas.beta_r", name,
        Compare(scans[p], [&](const AssociationScan& real,
                              const AssociationScan& other) { return EffectCorrelation(real, other, sets.seed); }),
        quality);
    AddFigure("gwas.hit_overlap", name,
              Compare(scans[p], [&](const AssociationScan& real,
                                    const AssociationScan& other) { return HitOverlap(real, other, sets.seed); }),
              quality);
    AddFigure("gwas.lambda_gc", name, ForEachCandidate([&](Candidate candidate) {
                const SetScan& scan = scans[p][static_cast<size_t>(UseSetOf(candidate))];
                return scan.reason.empty() ? GenomicInflation(scan.scan, sets.seed) : NotMeasured(scan.reason);
              }),
              quality);
    const std::vector<NamedScan> drawn = ScansOfCharts(scans[p]);
    if (p >= kMostPhenotypeCharts || drawn.empty()) continue;
    AddManhattan(name, genome, drawn, quality);
    AddQq(name, drawn, quality);
  }
}

}  // namespace genoserve

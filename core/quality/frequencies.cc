// MeasureFrequencies of families.h. Intervals: blocks of neighbouring variants are resampled (frequency_blocks.h), and
// for heterozygosity samples. Charts are of all samples.
//
// Intervals of het.wasserstein and fst.matrix_rmse lean upwards, since resampling adds noise to a distance, and are
// widened to hold the value.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/quality/families.h"
#include "core/quality/frequency_blocks.h"
#include "core/quality/frequency_charts.h"
#include "core/quality/frequency_counts.h"
#include "core/quality/fst.h"
#include "core/quality/measurement.h"

namespace genoserve {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr absl::string_view kNoRare = "no variant has a minor allele frequency under 5 % in the hold-out";
constexpr absl::string_view kNoSamples = "no sample of this label is among those compared";
constexpr absl::string_view kNothingVaries = "all samples compared have the same alleles, or there is but one variant";
// Labels of the matrix of Fst, those with the most samples; its cost grows with their square.
constexpr size_t kMostLabels = 40;

// Some samples of the hold-out and of each candidate: all of them or those of one label.
struct Group {
  std::string label;
  const VariantCounts* holdout;
  std::array<const VariantCounts*, 3> candidates;

  const VariantCounts& candidate(Candidate which) const { return *candidates[static_cast<size_t>(which)]; }
  bool HasSamples() const {
    return holdout->samples > 0 &&
           std::all_of(candidates.begin(), candidates.end(), [](const auto* counts) { return counts->samples > 0; });
  }
};

// What all figures share.
struct Context {
  const VariantBlocks& blocks;
  uint64_t seed;
  v1::Quality* quality;
};

// Copies of the rarer allele.
uint64_t Minor(const VariantCounts& counts, size_t variant) {
  const uint64_t alt = counts.Alt(variant);
  return std::min(alt, 2 * counts.samples - alt);
}

// Whether the rarer allele is under 5 %, or not there.
bool IsRare(const VariantCounts& counts, size_t variant) { return 20 * Minor(counts, variant) < 2 * counts.samples; }

// Adds the agreement of numbers that `values` tells of the hold-out and of each candidate; figures whose name is empty
// are left out.
template <typename Values>
void AddAgreement(const std::array<std::string, 3>& names, const Group& group, const Values& values,
                  absl::string_view otherwise, const Context& context) {
  std::array<Measurements, 3> figures;
  const std::vector<double> real = values(*group.holdout);
  for (const Candidate which : kCandidates) {
    MeasuredAgreement agreement =
        MeasureAgreement(context.blocks, real, values(group.candidate(which)), context.seed, otherwise);
    const auto c = static_cast<size_t>(which);
    figures[0][c] = std::move(agreement.pearson);
    figures[1][c] = std::move(agreement.rmse);
    figures[2][c] = std::move(agreement.max_difference);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (!names[i].empty()) AddFigure(names[i], group.label, figures[i], context.quality);
  }
}

// Adds a sum over variants divided by another. `terms(candidate, variant)` gives a variant's part of both.
template <typename Terms>
void AddRatio(absl::string_view name, const Terms& terms, absl::string_view otherwise, const Context& context) {
  AddFigure(name, "", ForEachCandidate([&](Candidate which) {
              std::vector<double> numerators;
              std::vector<double> denominators;
              for (size_t v = 0; v < context.blocks.variants(); ++v) {
                const std::array<double, 2> term = terms(which, v);
                numerators.push_back(term[0]);
                denominators.push_back(term[1]);
              }
              return MeasureRatio(context.blocks, numerators, denominators, context.seed, otherwise);
            }),
            context.quality);
}

void AddAlleleFrequencies(const Group& group, const Context& context) {
  const absl::string_view otherwise = group.label.empty() ? kNothingVaries : kNoSamples;
  AddAgreement({"af.pearson", "af.rmse", "af.max_difference"}, group, &FrequenciesOf, otherwise, context);
  // Of the allele that is rarer in the hold-out: of the ALT allele, the few variants at which it is near 1 would make
  // up all of the correlation.
  const auto rare = [&group](const VariantCounts& counts) {
    std::vector<double> frequencies = FrequenciesOf(counts);
    for (size_t v = 0; v < frequencies.size(); ++v) {
      if (!IsRare(*group.holdout, v)) {
        frequencies[v] = kNan;
      } else if (group.holdout->Alt(v) > group.holdout->samples) {
        frequencies[v] = 1 - frequencies[v];
      }
    }
    return frequencies;
  };
  AddAgreement({"af.rare.pearson", "af.rare.rmse", "af.rare.max_difference"}, group, rare,
               group.HasSamples() ? kNoRare : kNoSamples, context);
}

// p log2(p / q), 0 for p = 0.
double Bits(double p, double q) { return p == 0 ? 0 : p * std::log2(p / q); }

void AddDivergence(const Group& all, const Context& context) {
  AddRatio(
      "af.kl_bits",
      [&](Candidate which, size_t v) -> std::array<double, 2> {
        if (!all.holdout->Varies(v)) return {0, 0};
        const VariantCounts& candidate = all.candidate(which);
        const double p = all.holdout->Frequency(v);
        const double q =
            (static_cast<double>(candidate.Alt(v)) + 0.5) / (static_cast<double>(2 * candidate.samples) + 1);
        return {Bits(p, q) + Bits(1 - p, 1 - q), 1};
      },
      kNothingVaries, context);
}

void AddGenotypeFrequencies(const Group& all, const Context& context) {
  AddAgreement({"gf.pearson", "gf.rmse", ""}, all, &GenotypeRatesOf, kNothingVaries, context);
  AddAgreement({"hwe.f_pearson", "hwe.f_rmse", ""}, all, &InbreedingOf, "no variant varies in both sets", context);
  AddRatio(
      "hwe.left_out",
      [&](Candidate which, size_t v) -> std::array<double, 2> {
        return {all.holdout->Varies(v) && all.candidate(which).Varies(v) ? 0.0 : 1.0, 1};
      },
      kNothingVaries, context);
}

void AddRetention(const Group& all, const Context& context) {
  const VariantCounts& holdout = *all.holdout;
  // The share of the variants of `among` that are also of `kept`.
  const auto add = [&](absl::string_view name, const auto& among, const auto& kept, absl::string_view otherwise) {
    AddRatio(
        name,
        [&](Candidate which, size_t v) -> std::array<double, 2> {
          if (!among(v)) return {0, 0};
          return {kept(all.candidate(which), v) ? 1.0 : 0.0, 1};
        },
        otherwise, context);
  };
  add(
      "rare.retention", [&](size_t v) { return holdout.Varies(v) && IsRare(holdout, v); },
      [](const VariantCounts& candidate, size_t v) { return candidate.Varies(v); },
      "no variant that varies in the hold-out has a minor allele frequency under 5 %");
  add(
      "rare.doubleton_retention", [&](size_t v) { return Minor(holdout, v) == 2; },
      [&](const VariantCounts& candidate, size_t v) {
        const bool alt_is_minor = holdout.Alt(v) == 2;
        return alt_is_minor ? candidate.Alt(v) > 0 : candidate.Alt(v) < 2 * candidate.samples;
      },
      "no allele has exactly two copies in the hold-out");
  add(
      "monomorphic.share", [&](size_t v) { return holdout.Varies(v); },
      [](const VariantCounts& candidate, size_t v) { return !candidate.Varies(v); },
      "no variant varies in the hold-out");
}

// The values at these places, ascending.
std::vector<double> SortedAt(std::span<const double> values, std::span<const uint32_t> places) {
  std::vector<double> sorted;
  for (const uint32_t i : places) sorted.push_back(values[i]);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

// Samples at the same place in hold-out and candidate have the same label; a bootstrap draws the two together.
void AddHeterozygosity(const std::vector<double>& holdout, const std::array<CohortCounts, 3>& candidates,
                       const Context& context) {
  const auto add = [&](absl::string_view name, const auto& statistic, absl::string_view otherwise) {
    AddFigure(name, "", ForEachCandidate([&](Candidate which) {
                const std::vector<double>& values = candidates[static_cast<size_t>(which)].heterozygosity;
                Measurement measurement = Bootstrap(
                    std::min(holdout.size(), values.size()), context.seed,
                    [&](std::span<const uint32_t> drawn) {
                      return statistic(SortedAt(values, drawn), SortedAt(holdout, drawn));
                    },
                    otherwise);
                // Resamples of two like sets lie further apart than the sets, all of them perhaps.
                measurement.low = std::min(measurement.low, measurement.value);
                return measurement;
              }),
              context.quality);
  };
  add(
      "het.observed_ratio",
      [](const std::vector<double>& candidate, const std::vector<double>& real) {
        return std::accumulate(candidate.begin(), candidate.end(), 0.0) /
               std::accumulate(real.begin(), real.end(), 0.0);
      },
      "no sample of the hold-out is heterozygous at any variant");
  add(
      "het.wasserstein",
      [](const std::vector<double>& candidate, const std::vector<double>& real) {
        double sum = 0;
        for (size_t i = 0; i < real.size(); ++i) sum += std::abs(candidate[i] - real[i]);
        return sum / static_cast<double>(real.size());
      },
      "there are too few samples");
}

template <typename Terms>
void AddFst(absl::string_view name, const Group& group, const Terms& terms, const Context& context) {
  if (!group.HasSamples()) return AddMissingFigure(name, group.label, kNoSamples, context.quality);
  AddFigure(name, group.label, ForEachCandidate([&](Candidate which) {
              const FstTerms sums = terms(*group.holdout, group.candidate(which));
              return MeasureRatio(context.blocks, sums.numerators, sums.denominators, context.seed, kNothingVaries);
            }),
            context.quality);
}

// Labels with at least two samples on each side, at most kMostLabels of them, ascending.
std::vector<size_t> MatrixLabels(const std::vector<Group>& labels) {
  std::vector<size_t> chosen;
  for (size_t label = 0; label < labels.size(); ++label) {
    const Group& group = labels[label];
    if (group.holdout->samples >= 2 && std::all_of(group.candidates.begin(), group.candidates.end(),
                                                   [](const auto* counts) { return counts->samples >= 2; })) {
      chosen.push_back(label);
    }
  }
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](size_t a, size_t b) { return labels[a].holdout->samples > labels[b].holdout->samples; });
  if (chosen.size() > kMostLabels) chosen.resize(kMostLabels);
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

void AddFstMatrix(const CohortCounts& holdout, const std::array<CohortCounts, 3>& candidates,
                  const std::vector<Group>& labels, const Context& context) {
  constexpr absl::string_view kName = "fst.matrix_rmse";
  const std::vector<size_t> chosen = MatrixLabels(labels);
  if (chosen.size() < 2) {
    return AddMissingFigure(
        kName, "",
        labels.empty() ? "the samples have no labels" : "fewer than two labels have two samples among those compared",
        context.quality);
  }
  const LabelFst real(context.blocks, holdout.labels, chosen);
  AddFigure(kName, "", ForEachCandidate([&](Candidate which) {
              const LabelFst fst(context.blocks, candidates[static_cast<size_t>(which)].labels, chosen);
              return MeasureMatrixDifference(context.blocks, real, fst, context.seed);
            }),
            context.quality);
  std::vector<std::string> names;
  names.reserve(chosen.size());
  for (const size_t label : chosen) names.push_back(labels[label].label);
  *context.quality->add_charts() = FstMatrixChart(names, real, LabelFst(context.blocks, candidates[0].labels, chosen));
}

}  // namespace

void MeasureFrequencies(const QualitySets& sets, v1::Quality* quality) {
  const size_t labels = sets.labels.size();
  const VariantBlocks blocks(sets.holdout.genotypes.variants());
  const Context context{blocks, sets.seed, quality};
  const CohortCounts holdout = CountGenotypes(sets.holdout, labels);
  std::array<CohortCounts, 3> candidates;
  for (const Candidate which : kCandidates) {
    candidates[static_cast<size_t>(which)] = CountGenotypes(sets.candidate(which), labels);
  }
  const Group all{"", &holdout.all, {&candidates[0].all, &candidates[1].all, &candidates[2].all}};
  std::vector<Group> groups;
  groups.reserve(labels);
  for (size_t i = 0; i < labels; ++i) {
    groups.push_back({sets.labels[i],
                      &holdout.labels[i],
                      {&candidates[0].labels[i], &candidates[1].labels[i], &candidates[2].labels[i]}});
  }

  AddAlleleFrequencies(all, context);
  AddDivergence(all, context);
  AddGenotypeFrequencies(all, context);
  AddRetention(all, context);
  AddHeterozygosity(holdout.heterozygosity, candidates, context);
  AddFst("fst.hudson", all, &HudsonTerms, context);
  AddFst("fst.weir_cockerham", all, &WeirCockerhamTerms, context);
  AddFstMatrix(holdout, candidates, groups, context);
  for (const Group& group : groups) {
    AddAlleleFrequencies(group, context);
    AddFst("fst.hudson", group, &HudsonTerms, context);
  }
  *quality->add_charts() = FrequencyScatter(FrequenciesOf(holdout.all), FrequenciesOf(candidates[0].all));
  *quality->add_charts() = HeterozygosityHistogram(holdout.heterozygosity, candidates[0].heterozygosity,
                                                   candidates[static_cast<size_t>(Candidate::kNaive)].heterozygosity);
}

}  // namespace genoserve

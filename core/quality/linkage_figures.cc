#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/quality/catalogue.h"
#include "core/quality/families.h"
#include "core/quality/linkage_charts.h"
#include "core/quality/linkage_pairs.h"
#include "core/quality/measurement.h"

namespace genoserve {
namespace {

// Labels with fewer samples in each set are not measured: r^2 would be mostly chance.
constexpr size_t kLabelSamples = 20;
// Labels that get a heat map: those with the most samples.
constexpr size_t kLabelHeatmaps = 5;
// Near pairs that the labels measure together, so that many labels cost no more than the whole set. Above it only
// every so manieth variant is the first of a pair.
constexpr size_t kLabelPairs = 2'000'000;

constexpr std::array kFigures = {
    FigureInfo{"ld.r2_rmse", Family::kLinkage, Better::kLower, "Error of linkage between near variants",
               "How far the linkage of variants that stand near one another is from that of real people kept apart. 0 "
               "is perfect; real people differ from one another by what the floor says.",
               "sqrt(mean (r²_compared - r²_hold-out)²) over pairs of one contig at most 200 variants apart (\"LD "
               "200\"); r² of haplotypes (Hill and Robertson 1968) or of ALT counts (Rogers and Huff 2009). Pairs in "
               "which a variant does not vary in either set are left out.",
               "pairs"},
    FigureInfo{"ld.corr_score", Family::kLinkage, Better::kHigher, "Agreement of the correlations of variants",
               "Whether the pairs of variants that go together in real people go together in the synthetic ones, and "
               "with the same sign. 1 is perfect, 0 is no agreement.",
               "Pearson correlation of r over the same pairs, hold-out against compared (correlation score of Viñas et "
               "al. 2022, there with 1 - r, which is the same)",
               "pairs"},
    FigureInfo{
        "ld.strong_r2_kept", Family::kLinkage, Better::kNearFloor, "Linkage kept between linked variants",
        "How much of the linkage of strongly linked variants the synthetic people keep. 1 is all of it, 0 is "
        "none; above 1 they are more alike than real people.",
        "sum of r²_compared / sum of r²_hold-out over pairs of one contig at most 200 variants apart whose r² is "
        "at least 0.2 in training samples that are in neither set",
        "pairs"},
    FigureInfo{"ld.decay_rmse", Family::kLinkage, Better::kLower, "Error of the decay of linkage",
               "How far the curve of mean linkage by distance is from the real one.",
               "sqrt(mean over bins of (mean r²_compared - mean r²_hold-out)²), five bins of distance a decade of base "
               "pairs, over the same pairs, bins with at least 50 pairs (decay as in HAPNEST, Wharrie et al. 2023)",
               "bins of distance"},
    FigureInfo{"ld.neighbour_r2", Family::kLinkage, Better::kNearFloor, "Linkage of neighbouring variants",
               "How strongly each variant is linked with the next one. It should be what it is in real people: less "
               "means that linkage is lost, more that the cohort has too few different haplotypes.",
               "mean r² of neighbours on one contig, of the compared set", "pairs"},
    FigureInfo{"ld.neighbour_r2_difference", Family::kLinkage, Better::kNearFloor,
               "Difference of the linkage of neighbours",
               "The linkage of neighbouring variants less that of real people kept apart. Below 0, linkage is lost.",
               "mean r² of neighbours on one contig, compared less hold-out, over the same pairs", "pairs"},
    FigureInfo{"ld.far_r2_rmse", Family::kLinkage, Better::kLower, "Error of linkage between far variants",
               "The error of linkage for variants that are far apart or on two contigs. What links those is ancestry "
               "and kinship.",
               "sqrt(mean (r²_compared - r²_hold-out)²) over at most 50,000 pairs, drawn evenly from all that are more "
               "than 200 variants apart or on two contigs",
               "pairs"},
    FigureInfo{"ld.far_r2", Family::kLinkage, Better::kNearFloor, "Linkage of far variants",
               "How strongly far variants are linked. More than in real people means families or ancestries too much "
               "alike, less means that they are missing.",
               "mean r² of the compared set over the same far pairs; about 1/n where nothing is linked", "pairs"},
    FigureInfo{"ld.dropped_pairs", Family::kLinkage, Better::kNearFloor, "Pairs that could not be compared",
               "The share of pairs of near variants that the figures of linkage leave out, since a variant is the same "
               "in everyone. Many more than for real people mean that variation is lost.",
               "pairs in which a variant does not vary in the hold-out or the compared set, of all near pairs",
               "pairs"},
};

// Figures that each label has too.
constexpr std::array<absl::string_view, 4> kLabelFigures = {"ld.r2_rmse", "ld.corr_score", "ld.strong_r2_kept",
                                                            "ld.decay_rmse"};

constexpr absl::string_view kNoPairs =
    "In no pair of these variants do both vary, in the hold-out and in the compared cohort.";

const PairSums& Window(const NearSums& sums) { return sums.window; }
const PairSums& Strong(const NearSums& sums) { return sums.strong; }
const PairSums& Neighbours(const NearSums& sums) { return sums.neighbours; }
const DecaySums& Decay(const NearSums& sums) { return sums.decay; }
const PairSums& Far(const PairSums& sums) { return sums; }

int64_t PairsOf(const PairSums& sums) { return sums.pairs; }
int64_t ConsideredOf(const PairSums& sums) { return sums.considered; }

// A mean over pairs; NaN without them.
double OverPairs(double total, const PairSums& sums) {
  return sums.pairs == 0 ? std::numeric_limits<double>::quiet_NaN() : total / static_cast<double>(sums.pairs);
}

double DroppedShare(const PairSums& sums) {
  return static_cast<double>(sums.considered - sums.pairs) / static_cast<double>(sums.considered);
}

int64_t ComparedBins(const DecaySums& sums) {
  return std::count_if(sums.bins.begin(), sums.bins.end(),
                       [](const DecaySums::Bin& bin) { return bin.pairs >= kDecayPairs; });
}

double DecayRmse(const DecaySums& sums) {
  double squared = 0;
  for (const DecaySums::Bin& bin : sums.bins) {
    if (bin.pairs < kDecayPairs) continue;
    const double gap = (bin.compared_r2 - bin.real_r2) / static_cast<double>(bin.pairs);
    squared += gap * gap;
  }
  return std::sqrt(squared / static_cast<double>(ComparedBins(sums)));
}

// Adds a figure of sums over pairs: `part` of each block, added up. What is resampled are the blocks.
template <class Block, class Sums>
void AddOverBlocks(absl::string_view name, absl::string_view label, const BlockSums<Block>& blocks,
                   const Sums& (*part)(const Block&), double (*statistic)(const Sums&), int64_t (*count)(const Sums&),
                   absl::string_view otherwise, uint64_t seed, v1::Quality* quality) {
  const auto measure = [&](Candidate candidate) {
    const std::vector<Block>& of_candidate = blocks[static_cast<size_t>(candidate)];
    const auto add_up = [&](std::span<const uint32_t> indices) {
      Sums total;
      for (const uint32_t i : indices) total += part(of_candidate[i]);
      return total;
    };
    Measurement measurement = Bootstrap(
        of_candidate.size(), seed, [&](std::span<const uint32_t> indices) { return statistic(add_up(indices)); },
        otherwise);
    Sums total;
    for (const Block& block : of_candidate) total += part(block);
    measurement.n = count(total);
    // Resampling adds noise, and a root of mean squares that is nearly 0 can only grow by it, so that all replicates
    // may lie above the value.
    measurement.low = std::min(measurement.low, measurement.value);
    measurement.high = std::max(measurement.high, measurement.value);
    return measurement;
  };
  AddFigure(name, label, ForEachCandidate(measure), quality);
}

// The figures that all samples and each label have.
void AddNearFigures(const BlockSums<NearSums>& sums, absl::string_view label, uint64_t seed, v1::Quality* quality) {
  AddOverBlocks<NearSums, PairSums>(
      "ld.r2_rmse", label, sums, Window, [](const PairSums& total) { return total.R2Rmse(); }, PairsOf, kNoPairs, seed,
      quality);
  AddOverBlocks<NearSums, PairSums>(
      "ld.corr_score", label, sums, Window, [](const PairSums& total) { return total.CorrelationOfR(); }, PairsOf,
      "There are no two pairs of near variants with different correlations.", seed, quality);
  AddOverBlocks<NearSums, PairSums>(
      "ld.strong_r2_kept", label, sums, Strong, [](const PairSums& total) { return total.compared_r2 / total.real_r2; },
      PairsOf,
      "No pair of near variants that are strongly linked in the training varies, in the hold-out and in the compared "
      "cohort.",
      seed, quality);
  AddOverBlocks<NearSums, DecaySums>(
      "ld.decay_rmse", label, sums, Decay, DecayRmse, ComparedBins,
      absl::StrCat("No bin of distance has ", kDecayPairs, " pairs of variants that vary."), seed, quality);
}

void AddNeighbourFigures(const BlockSums<NearSums>& sums, uint64_t seed, v1::Quality* quality) {
  AddOverBlocks<NearSums, PairSums>(
      "ld.neighbour_r2", "", sums, Neighbours,
      [](const PairSums& total) { return OverPairs(total.compared_r2, total); }, PairsOf, kNoPairs, seed, quality);
  AddOverBlocks<NearSums, PairSums>(
      "ld.neighbour_r2_difference", "", sums, Neighbours,
      [](const PairSums& total) { return OverPairs(total.compared_r2 - total.real_r2, total); }, PairsOf, kNoPairs,
      seed, quality);
}

void AddFarFigures(const BlockSums<PairSums>& sums, uint64_t seed, v1::Quality* quality) {
  const std::string reason =
      absl::StrCat("No two variants that vary are on two contigs or more than ", kLinkageWindow, " variants apart.");
  AddOverBlocks<PairSums, PairSums>(
      "ld.far_r2_rmse", "", sums, Far, [](const PairSums& total) { return total.R2Rmse(); }, PairsOf, reason, seed,
      quality);
  AddOverBlocks<PairSums, PairSums>(
      "ld.far_r2", "", sums, Far, [](const PairSums& total) { return OverPairs(total.compared_r2, total); }, PairsOf,
      reason, seed, quality);
}

// Samples of a label in the set that has the fewest of it.
size_t SamplesWithLabel(const QualitySets& sets, int label) {
  size_t samples = sets.holdout.WithLabel(label).size();
  for (const Cohort& candidate : sets.candidates) samples = std::min(samples, candidate.WithLabel(label).size());
  return samples;
}

void MeasureLabels(const QualitySets& sets, VariantRange range, v1::Quality* quality) {
  std::vector<size_t> samples;
  for (size_t label = 0; label < sets.labels.size(); ++label) {
    samples.push_back(SamplesWithLabel(sets, static_cast<int>(label)));
  }
  std::vector<size_t> largest = samples;
  std::sort(largest.rbegin(), largest.rend());
  const size_t measured = static_cast<size_t>(
      std::count_if(samples.begin(), samples.end(), [](size_t count) { return count >= kLabelSamples; }));
  const std::vector<size_t> ends = NearEnds(sets.variants);
  size_t pairs = 0;
  for (size_t v = 0; v < ends.size(); ++v) pairs += ends[v] - v - 1;
  const size_t stride = std::max<size_t>(1, (pairs * measured + kLabelPairs - 1) / kLabelPairs);
  size_t heatmaps = 0;
  for (size_t label = 0; label < sets.labels.size(); ++label) {
    const std::string& name = sets.labels[label];
    if (samples[label] < kLabelSamples) {
      const std::string reason = absl::StrCat("Only ", samples[label], " of the compared samples have this label; ",
                                              kLabelSamples, " are needed.");
      for (const absl::string_view figure : kLabelFigures) {
        AddMissingFigure(figure, name, reason, quality);
      }
      continue;
    }
    const LinkageSets of_label = LinkageSets::OfLabel(sets, static_cast<int>(label));
    AddNearFigures(SumNearPairs(of_label, sets.variants, stride), name, sets.seed, quality);
    if (range.end > range.begin && heatmaps < kLabelHeatmaps &&
        samples[label] >= largest[std::min(kLabelHeatmaps, largest.size()) - 1]) {
      *quality->add_charts() = HeatmapChart(of_label, sets.variants, range, name);
      ++heatmaps;
    }
  }
}

}  // namespace

std::span<const FigureInfo> LinkageFigures() { return kFigures; }

void MeasureLinkage(const QualitySets& sets, v1::Quality* quality) {
  const LinkageSets all = LinkageSets::Of(sets);
  const BlockSums<NearSums> near = SumNearPairs(all, sets.variants, 1);
  AddNearFigures(near, "", sets.seed, quality);
  AddNeighbourFigures(near, sets.seed, quality);
  AddFarFigures(SumPairs(all, FarPairs(sets.variants, kFarPairs, sets.seed)), sets.seed, quality);
  AddOverBlocks<NearSums, PairSums>("ld.dropped_pairs", "", near, Window, DroppedShare, ConsideredOf,
                                    "No two variants are near one another on one contig.", sets.seed, quality);

  std::array<DecaySums, kCandidates.size()> decay;
  for (size_t c = 0; c < decay.size(); ++c) {
    for (const NearSums& block : near[c]) decay[c] += block.decay;
  }
  *quality->add_charts() = DecayChart(decay);
  const VariantRange range = StrongestRange(all.real, sets.variants);
  if (range.end > range.begin) *quality->add_charts() = HeatmapChart(all, sets.variants, range, "");
  MeasureLabels(sets, range, quality);
}

}  // namespace genoserve

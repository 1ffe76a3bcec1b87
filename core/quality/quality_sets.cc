#include "core/quality/quality_sets.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>

#include "absl/strings/str_format.h"
#include "core/base/philox.h"
#include "core/quality/allele_frequency.h"

namespace genoserve {
namespace {

constexpr size_t kFewest = 20;  // samples of a comparison

// What the draws of this file are for; "sample" of their Philox streams lies above those of bootstraps.
enum class Draw : uint64_t { kTraining = 1, kHoldout = 2, kSynthetic = 3, kNaive = 4 };

PhiloxStream StreamOf(uint64_t seed, Draw draw, size_t index, int haplotype = 0) {
  return {seed, (static_cast<uint64_t>(draw) << 40) + index, haplotype, Purpose::kQuality};
}

// The indices in an order drawn at random: by a random number each, equal ones by index.
std::vector<size_t> Shuffled(std::vector<size_t> indices, uint64_t seed, Draw draw) {
  const PhiloxStream stream = StreamOf(seed, draw, 0);
  std::vector<std::pair<uint32_t, size_t>> keyed;
  keyed.reserve(indices.size());
  for (const size_t index : indices) keyed.emplace_back(stream.Bits(static_cast<uint32_t>(index)), index);
  std::sort(keyed.begin(), keyed.end());
  for (size_t i = 0; i < keyed.size(); ++i) indices[i] = keyed[i].second;
  return indices;
}

// The samples of one label, or all of them, in random order.
std::vector<size_t> Drawn(const Cohort& cohort, int label, uint64_t seed, Draw draw) {
  std::vector<size_t> indices;
  if (label >= 0) {
    indices = cohort.WithLabel(label);
  } else {
    indices.resize(cohort.samples());
    std::iota(indices.begin(), indices.end(), size_t{0});
  }
  return Shuffled(std::move(indices), seed, draw);
}

// Training samples in two parts that share no family, of about the same size. Families stand whole, one after another,
// so that as many of the first samples are of as few families as in a hold-out, which families are kept apart for
// whole: samples of more families would be near to more of the others.
std::array<std::vector<size_t>, 2> Halves(const std::vector<size_t>& shuffled, const std::vector<int>& families) {
  std::array<std::vector<size_t>, 2> halves;
  std::map<int, std::vector<size_t>> members;
  if (!families.empty()) {
    for (const size_t sample : shuffled) members[families[sample]].push_back(sample);
  }
  for (const size_t sample : shuffled) {
    // The smaller half takes the next family, so that both grow alike.
    std::vector<size_t>& half = halves[halves[1].size() < halves[0].size() ? 1 : 0];
    if (families.empty()) {
      half.push_back(sample);
    } else {
      // A family comes where its first sample does.
      std::vector<size_t>& family = members[families[sample]];
      half.insert(half.end(), family.begin(), family.end());
      family.clear();
    }
  }
  return halves;
}

// n samples like those of `like`, each allele drawn by its frequency in the training, per label where there are labels.
Cohort DrawNaive(const QualitySets& sets, const Cohort& like) {
  const Packing packing = like.genotypes.packing();
  const size_t variants = like.genotypes.variants();
  Cohort naive;
  naive.labels = like.labels;
  naive.genotypes = GenotypeMatrix(packing, like.genotypes.rows(), variants);
  const size_t groups = std::max<size_t>(1, sets.labels.size());
  std::vector<std::vector<double>> frequencies(groups);
  for (size_t group = 0; group < groups; ++group) {
    frequencies[group] =
        sets.labels.empty()
            ? AlleleFrequencies(sets.whole_training.genotypes)
            : AlleleFrequencies(sets.whole_training.genotypes, sets.whole_training.WithLabel(static_cast<int>(group)));
  }
  std::vector<uint32_t> bits((2 * variants + 3) / 4 * 4);
  for (size_t sample = 0; sample < like.samples(); ++sample) {
    StreamOf(sets.seed, Draw::kNaive, sample).FillBits(0, bits);
    const std::vector<double>& p = frequencies[like.labels.empty() ? 0 : static_cast<size_t>(like.labels[sample])];
    for (size_t v = 0; v < variants; ++v) {
      const int first = ToUniform(bits[2 * v]) < p[v] ? 1 : 0;
      const int second = ToUniform(bits[2 * v + 1]) < p[v] ? 1 : 0;
      if (packing == Packing::kDiploid2Bit) {
        naive.genotypes.Set(sample, v, first + second);
      } else {
        naive.genotypes.Set(2 * sample, v, first);
        naive.genotypes.Set(2 * sample + 1, v, second);
      }
    }
  }
  return naive;
}

void Append(std::span<const size_t> from, size_t count, std::vector<size_t>* to) {
  const std::span<const size_t> first = from.first(count);
  to->insert(to->end(), first.begin(), first.end());
}

}  // namespace

Cohort Cohort::Select(const std::vector<size_t>& indices) const {
  Cohort selected;
  selected.genotypes = genotypes.SelectSamples(indices);
  if (!labels.empty()) {
    for (const size_t i : indices) selected.labels.push_back(labels[i]);
  }
  for (const std::vector<double>& values : phenotypes) {
    std::vector<double>& to = selected.phenotypes.emplace_back();
    for (const size_t i : indices) to.push_back(values[i]);
  }
  return selected;
}

std::vector<size_t> Cohort::WithLabel(int label) const {
  std::vector<size_t> indices;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == label) indices.push_back(i);
  }
  return indices;
}

std::vector<double> WeightsByLabel(const Cohort& from, const Cohort& like) {
  std::vector<double> weights(from.samples(), 1);
  if (from.labels.empty() || like.labels.empty()) return weights;
  std::map<int, double> wanted;
  std::map<int, double> there;
  for (const int label : from.labels) ++there[label];
  for (const int label : like.labels) {
    if (label >= 0 && there.contains(label)) ++wanted[label];
  }
  double sum = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = wanted[from.labels[i]] / there[from.labels[i]];
    sum += weights[i];
  }
  for (double& weight : weights) weight *= sum > 0 ? static_cast<double>(weights.size()) / sum : 0;
  return weights;
}

absl::Status EqualiseSets(const std::vector<int>& families, QualitySets* sets) {
  std::vector<int> labels(sets->labels.size());
  std::iota(labels.begin(), labels.end(), 0);
  if (labels.empty()) labels.push_back(-1);

  const std::array<std::vector<size_t>, 2> halves =
      Halves(Drawn(sets->whole_training, -1, sets->seed, Draw::kTraining), families);
  std::vector<size_t> members;
  std::vector<size_t> floor;
  std::vector<size_t> reference;
  std::vector<size_t> holdout;
  std::vector<size_t> synthetic;
  for (const int label : labels) {
    const auto with_label = [&](const std::vector<size_t>& half) {
      std::vector<size_t> indices;
      for (const size_t i : half) {
        if (label < 0 || sets->whole_training.labels[i] == label) indices.push_back(i);
      }
      return indices;
    };
    const std::vector<size_t> first = with_label(halves[0]);
    const std::vector<size_t> second = with_label(halves[1]);
    const std::vector<size_t> kept_apart = Drawn(sets->whole_holdout, label, sets->seed, Draw::kHoldout);
    const std::vector<size_t> made = Drawn(sets->whole_synthetic, label, sets->seed, Draw::kSynthetic);
    const size_t count = std::min({first.size(), second.size(), kept_apart.size(), made.size()});
    Append(first, count, &members);
    Append(second, count, &floor);
    Append(std::span(second).subspan(count), std::min(count, second.size() - count), &reference);
    Append(kept_apart, count, &holdout);
    Append(made, count, &synthetic);
  }
  if (holdout.size() < kFewest) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%d training, %d hold-out and %d synthetic samples%s leave %d to compare; a comparison needs %d of each, and "
        "twice as many in the training",
        sets->whole_training.samples(), sets->whole_holdout.samples(), sets->whole_synthetic.samples(),
        sets->labels.empty() ? "" : ", equal in labels,", holdout.size(), kFewest));
  }
  sets->members = sets->whole_training.Select(members);
  sets->holdout = sets->whole_holdout.Select(holdout);
  sets->reference = sets->whole_training.Select(reference);
  sets->candidates[0] = sets->whole_synthetic.Select(synthetic);
  sets->candidates[1] = sets->whole_training.Select(floor);
  sets->candidates[2] = DrawNaive(*sets, sets->holdout);
  return absl::OkStatus();
}

}  // namespace genoserve

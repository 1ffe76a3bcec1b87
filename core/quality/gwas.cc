#include "core/quality/gwas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/quality/use_student.h"

namespace genoserve {
namespace {

constexpr size_t kBlocks = 100;
constexpr double kMedianChi2 = 0.4549364231195724;  // of one degree of freedom
constexpr double kMostMinusLog10P = 1e4;
constexpr double kFewestVariants = 10;
constexpr double kRounding = 1e-20;  // of the square sum, what centring leaves of values that are all equal

size_t BlockOf(size_t variant, size_t variants) { return variant * kBlocks / variants; }

// Sums over blocks, of which a statistic is made.
template <size_t kSums>
using BlockSums = std::vector<std::array<double, kSums>>;

template <size_t kSums>
std::array<double, kSums> SumOf(const BlockSums<kSums>& blocks, std::span<const uint32_t> indices) {
  std::array<double, kSums> sums{};
  for (const uint32_t i : indices) {
    for (size_t k = 0; k < kSums; ++k) sums[k] += blocks[i][k];
  }
  return sums;
}

// Phenotypes centred within groups, groups of samples, and how many there are in each.
struct Centred {
  std::vector<double> values;  // 0 where missing
  std::vector<size_t> groups;  // of each sample
  std::vector<size_t> sizes;   // samples whose phenotype is known
  double squares = 0;
  double magnitude = 0;  // square sum of the values before they were centred
};

Centred CentreWithin(std::span<const double> phenotype, std::span<const int> labels) {
  Centred centred;
  const size_t n = phenotype.size();
  centred.groups.assign(n, 0);
  for (size_t i = 0; i < labels.size(); ++i) centred.groups[i] = static_cast<size_t>(int64_t{labels[i]} + 1);
  const size_t groups = *std::max_element(centred.groups.begin(), centred.groups.end()) + 1;
  centred.sizes.assign(groups, 0);
  std::vector<double> sums(groups, 0);
  for (size_t i = 0; i < n; ++i) {
    if (std::isnan(phenotype[i])) continue;
    ++centred.sizes[centred.groups[i]];
    sums[centred.groups[i]] += phenotype[i];
  }
  centred.values.assign(n, 0);
  for (size_t i = 0; i < n; ++i) {
    if (std::isnan(phenotype[i])) continue;
    const size_t group = centred.groups[i];
    centred.values[i] = phenotype[i] - sums[group] / static_cast<double>(centred.sizes[group]);
    centred.squares += centred.values[i] * centred.values[i];
    centred.magnitude += phenotype[i] * phenotype[i];
  }
  return centred;
}

}  // namespace

AssociationScan ScanAssociations(const GenotypeMatrix& genotypes, std::span<const double> phenotype,
                                 std::span<const int> labels) {
  const size_t variants = genotypes.variants();
  AssociationScan scan;
  scan.variants.resize(variants);
  scan.tested.assign(variants, 0);
  if (phenotype.empty()) return scan;
  const Centred y = CentreWithin(phenotype, labels);
  std::vector<double> with_phenotype(variants, 0);
  std::vector<uint32_t> squares(variants, 0);
  std::vector<std::vector<uint32_t>> sums(y.sizes.size(), std::vector<uint32_t>(variants, 0));
  const size_t rows = RowsPerSample(genotypes.packing());
  std::vector<uint8_t> counts(variants);
  std::vector<uint8_t> second(rows == 2 ? variants : 0);
  for (size_t sample = 0; sample < phenotype.size(); ++sample) {
    if (std::isnan(phenotype[sample])) continue;
    ++scan.samples;
    genotypes.UnpackRow(sample * rows, counts);
    if (rows == 2) {
      genotypes.UnpackRow(sample * rows + 1, second);
      for (size_t v = 0; v < variants; ++v) counts[v] = static_cast<uint8_t>(counts[v] + second[v]);
    }
    const double value = y.values[sample];
    uint32_t* const sum = sums[y.groups[sample]].data();
    for (size_t v = 0; v < variants; ++v) {
      with_phenotype[v] += value * counts[v];
      sum[v] += counts[v];
      squares[v] += static_cast<uint32_t>(counts[v]) * counts[v];
    }
  }
  const auto groups =
      static_cast<size_t>(std::count_if(y.sizes.begin(), y.sizes.end(), [](size_t s) { return s > 0; }));
  if (scan.samples < groups + 3 || !std::isfinite(y.squares) || y.squares <= kRounding * y.magnitude) return scan;
  const auto freedom = static_cast<double>(scan.samples - groups - 1);
  const StudentT student(freedom);
  for (size_t v = 0; v < variants; ++v) {
    double alleles = 0;
    double between = 0;  // sum over groups of (sum of ALT counts)^2 / samples
    for (size_t group = 0; group < sums.size(); ++group) {
      const auto sum = static_cast<double>(sums[group][v]);
      alleles += sum;
      if (sum > 0) between += sum * sum / static_cast<double>(y.sizes[group]);
    }
    const double frequency = alleles / (2 * static_cast<double>(scan.samples));
    const double within = static_cast<double>(squares[v]) - between;
    // A variant that differs between labels only has nothing left to test.
    if (std::min(frequency, 1 - frequency) < kRarestTested || within < 1e-9 * static_cast<double>(squares[v])) continue;
    Association& result = scan.variants[v];
    result.effect = with_phenotype[v] / within;
    const double left = std::max(y.squares - result.effect * with_phenotype[v], y.squares * 1e-15);
    result.chi2 = result.effect * result.effect * within * freedom / left;
    result.minus_log10_p = std::min(kMostMinusLog10P, student.MinusLog10P(std::sqrt(result.chi2)));
    scan.tested[v] = 1;
  }
  return scan;
}

Measurement EffectCorrelation(const AssociationScan& real, const AssociationScan& other, uint64_t seed) {
  BlockSums<6> blocks(kBlocks, {0, 0, 0, 0, 0, 0});
  const size_t variants = real.variants.size();
  double tested = 0;
  for (size_t v = 0; v < variants; ++v) {
    if (real.tested[v] == 0 || other.tested[v] == 0) continue;
    const double x = real.variants[v].effect;
    const double y = other.variants[v].effect;
    std::array<double, 6>& sums = blocks[BlockOf(v, variants)];
    const std::array<double, 6> terms = {1, x, y, x * x, y * y, x * y};
    for (size_t k = 0; k < terms.size(); ++k) sums[k] += terms[k];
    ++tested;
  }
  if (tested < kFewestVariants) {
    return NotMeasured("Fewer than 10 variants are frequent enough in both cohorts to be tested for association.");
  }
  std::erase_if(blocks, [](const std::array<double, 6>& sums) { return sums[0] == 0; });
  Measurement measurement = Bootstrap(
      blocks.size(), seed,
      [&](std::span<const uint32_t> indices) {
        const auto [count, x, y, xx, yy, xy] = SumOf(blocks, indices);
        return (xy - x * y / count) / std::sqrt((xx - x * x / count) * (yy - y * y / count));
      },
      "The effects do not vary.");
  measurement.n = static_cast<int64_t>(tested);
  return measurement;
}

Measurement HitOverlap(const AssociationScan& real, const AssociationScan& other, uint64_t seed) {
  const size_t variants = real.variants.size();
  double tested = 0;
  for (size_t v = 0; v < variants; ++v) tested += real.tested[v] != 0 && other.tested[v] != 0 ? 1 : 0;
  const double threshold = std::log10(std::max(1.0, tested) / 0.05);
  BlockSums<2> blocks(kBlocks, {0, 0});  // both, either
  for (size_t v = 0; v < variants; ++v) {
    if (real.tested[v] == 0 || other.tested[v] == 0) continue;
    const bool in_real = real.variants[v].minus_log10_p > threshold;
    const bool in_other = other.variants[v].minus_log10_p > threshold;
    std::array<double, 2>& sums = blocks[BlockOf(v, variants)];
    sums[0] += in_real && in_other ? 1 : 0;
    sums[1] += in_real || in_other ? 1 : 0;
  }
  std::vector<uint32_t> all(kBlocks);
  std::iota(all.begin(), all.end(), 0U);
  const double either = SumOf(blocks, all)[1];
  if (either == 0) return NotMeasured("No variant is associated with the phenotype at 0.05 / M in either cohort.");
  Measurement measurement = Bootstrap(
      kBlocks, seed,
      [&](std::span<const uint32_t> indices) {
        const auto [both, any] = SumOf(blocks, indices);
        return both / any;
      },
      "");
  measurement.n = static_cast<int64_t>(either);
  return measurement;
}

Measurement GenomicInflation(const AssociationScan& scan, uint64_t seed) {
  const size_t variants = scan.variants.size();
  std::vector<std::pair<double, size_t>> sorted;  // chi2 and block
  for (size_t v = 0; v < variants; ++v) {
    if (scan.tested[v] != 0) sorted.emplace_back(scan.variants[v].chi2, BlockOf(v, variants));
  }
  if (static_cast<double>(sorted.size()) < kFewestVariants) {
    return NotMeasured("Fewer than 10 variants are frequent enough to be tested for association.");
  }
  std::sort(sorted.begin(), sorted.end());
  Measurement measurement = Bootstrap(
      kBlocks, seed,
      [&](std::span<const uint32_t> indices) {
        std::vector<size_t> times(kBlocks, 0);
        for (const uint32_t i : indices) ++times[i];
        size_t total = 0;
        for (const auto& [chi2, block] : sorted) total += times[block];
        if (total == 0) return std::numeric_limits<double>::quiet_NaN();
        // The mean of the two middle ones of all, counted as often as their blocks were drawn.
        const size_t lower = (total - 1) / 2;
        const size_t upper = total / 2;
        double median = 0;
        size_t before = 0;
        for (const auto& [chi2, block] : sorted) {
          const size_t after = before + times[block];
          if (before <= lower && lower < after) median += 0.5 * chi2;
          if (before <= upper && upper < after) {
            median += 0.5 * chi2;
            break;
          }
          before = after;
        }
        return median / kMedianChi2;
      },
      "");
  measurement.n = static_cast<int64_t>(sorted.size());
  return measurement;
}

}  // namespace genoserve

#include "core/quality/linkage_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/base/parallel.h"
#include "core/base/philox.h"
#include "core/kernels/bits.h"

namespace genoserve {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
// So that an r^2 of exactly kStrongR2, which is common among few samples, is strong whichever way it was rounded.
constexpr double kRounding = 1e-9;
// "Sample" of the Philox stream of far pairs, above those of bootstraps and of the sets' own draws.
constexpr uint64_t kFarDraw = uint64_t{20} << 40;

size_t BinOf(int64_t distance) {
  const std::array<int64_t, kDecayBins>& edges = DecayEdges();
  return static_cast<size_t>(std::upper_bound(edges.begin(), edges.end(), distance) - edges.begin()) - 1;
}

// The first variant of a block.
size_t BlockBegin(size_t block, size_t blocks, size_t variants) { return (block * variants + blocks - 1) / blocks; }

LinkageSets Make(const QualitySets& sets, const auto& genotypes_of) {
  const auto candidate = [&](Candidate which) { return VariantCorrelations(genotypes_of(sets.candidate(which))); };
  return {VariantCorrelations(genotypes_of(sets.members)),
          VariantCorrelations(genotypes_of(sets.holdout)),
          {candidate(kCandidates[0]), candidate(kCandidates[1]), candidate(kCandidates[2])}};
}

}  // namespace

const std::array<int64_t, kDecayBins>& DecayEdges() {
  static const std::array<int64_t, kDecayBins> edges = [] {
    std::array<int64_t, kDecayBins> made{};
    for (size_t k = 1; k < kDecayBins; ++k) made[k] = std::llround(std::pow(10.0, static_cast<double>(k - 1) / 5));
    return made;
  }();
  return edges;
}

VariantCorrelations::VariantCorrelations(const GenotypeMatrix& genotypes)
    : planes_(BitPlanes::OfVariants(genotypes)), sums_(planes_.vectors()), inverse_spread_(planes_.vectors()) {
  const auto n = static_cast<double>(planes_.length());
  for (size_t v = 0; v < planes_.vectors(); ++v) {
    const auto once = static_cast<double>(CountBits(planes_.Plane(v, 0)));
    const double twice = planes_.planes() == 2 ? static_cast<double>(CountBits(planes_.Plane(v, 1))) : 0;
    sums_[v] = once + twice;
    // Squares are 1 for one ALT and 4 for two.
    const double spread = n * (once + 3 * twice) - sums_[v] * sums_[v];
    inverse_spread_[v] = spread > 0 ? 1 / std::sqrt(spread) : kNan;
  }
}

double VariantCorrelations::R(size_t i, size_t j, uint64_t product) const {
  const double cov = static_cast<double>(planes_.length()) * static_cast<double>(product) - sums_[i] * sums_[j];
  return cov * inverse_spread_[i] * inverse_spread_[j];
}

void VariantCorrelations::WithNext(size_t first, std::span<double> out) const {
  if (out.empty()) return;
  if (std::isnan(inverse_spread_[first])) {
    std::fill(out.begin(), out.end(), kNan);
    return;
  }
  // Planes of one variant after another are the rows that each plane of the first variant is counted with; the sum of
  // products of ALT counts is the sum over all pairs of planes.
  const size_t planes = planes_.planes();
  const std::span<const uint64_t> next = planes_.Vector(first + 1);
  const std::span<const uint64_t> rows(next.data(), next.size() * out.size());
  std::vector<uint32_t> counts(planes * out.size());
  std::vector<uint64_t> products(out.size());
  for (size_t plane = 0; plane < planes; ++plane) {
    CountAndMany(planes_.Plane(first, plane), rows, counts);
    for (size_t k = 0; k < counts.size(); ++k) products[k / planes] += counts[k];
  }
  for (size_t k = 0; k < out.size(); ++k) out[k] = R(first, first + 1 + k, products[k]);
}

double VariantCorrelations::Of(size_t i, size_t j) const {
  uint64_t product = 0;
  for (size_t a = 0; a < planes_.planes(); ++a) {
    for (size_t b = 0; b < planes_.planes(); ++b) product += CountAnd(planes_.Plane(i, a), planes_.Plane(j, b));
  }
  return R(i, j, product);
}

void PairSums::Add(double real, double compared) {
  ++considered;
  if (std::isnan(real) || std::isnan(compared)) return;
  ++pairs;
  const double gap = compared * compared - real * real;
  squared_gap += gap * gap;
  real_r += real;
  compared_r += compared;
  real_r2 += real * real;
  compared_r2 += compared * compared;
  product_r += real * compared;
}

PairSums& PairSums::operator+=(const PairSums& other) {
  considered += other.considered;
  pairs += other.pairs;
  squared_gap += other.squared_gap;
  real_r += other.real_r;
  compared_r += other.compared_r;
  real_r2 += other.real_r2;
  compared_r2 += other.compared_r2;
  product_r += other.product_r;
  return *this;
}

double PairSums::R2Rmse() const { return pairs == 0 ? kNan : std::sqrt(squared_gap / static_cast<double>(pairs)); }

double PairSums::CorrelationOfR() const {
  const auto n = static_cast<double>(pairs);
  const double real = n * real_r2 - real_r * real_r;
  const double compared = n * compared_r2 - compared_r * compared_r;
  // Below this, what is left is rounding.
  if (real <= 1e-12 * n * real_r2 || compared <= 1e-12 * n * compared_r2) return kNan;
  return (n * product_r - real_r * compared_r) / std::sqrt(real * compared);
}

DecaySums& DecaySums::operator+=(const DecaySums& other) {
  for (size_t k = 0; k < kDecayBins; ++k) {
    bins[k].pairs += other.bins[k].pairs;
    bins[k].real_r2 += other.bins[k].real_r2;
    bins[k].compared_r2 += other.bins[k].compared_r2;
  }
  return *this;
}

LinkageSets LinkageSets::Of(const QualitySets& sets) {
  return Make(sets, [](const Cohort& cohort) -> const GenotypeMatrix& { return cohort.genotypes; });
}

LinkageSets LinkageSets::OfLabel(const QualitySets& sets, int label) {
  return Make(sets, [label](const Cohort& cohort) { return cohort.genotypes.SelectSamples(cohort.WithLabel(label)); });
}

size_t LinkageBlocks(size_t variants) {
  return std::min(variants, std::clamp<size_t>(variants / kLinkageWindow, 20, 500));
}

std::vector<size_t> NearEnds(const VariantTable& variants) {
  std::vector<size_t> ends(variants.size());
  size_t contig_end = variants.size();
  for (size_t v = variants.size(); v-- > 0;) {
    if (v + 1 < variants.size() && variants[v].contig != variants[v + 1].contig) contig_end = v + 1;
    ends[v] = std::min(v + kLinkageWindow + 1, contig_end);
  }
  return ends;
}

BlockSums<NearSums> SumNearPairs(const LinkageSets& sets, const VariantTable& variants, size_t stride) {
  const std::vector<size_t> ends = NearEnds(variants);
  const size_t blocks = LinkageBlocks(variants.size());
  BlockSums<NearSums> sums;
  for (std::vector<NearSums>& of_candidate : sums) of_candidate.resize(blocks);
  ParallelFor(blocks, [&](size_t block) {
    std::vector<double> members;
    std::vector<double> real;
    std::vector<double> compared;
    std::vector<size_t> bins;
    const size_t begin = BlockBegin(block, blocks, variants.size());
    for (size_t i = (begin + stride - 1) / stride * stride; i < BlockBegin(block + 1, blocks, variants.size());
         i += stride) {
      const size_t count = ends[i] - i - 1;
      members.resize(count);
      real.resize(count);
      compared.resize(count);
      bins.resize(count);
      sets.members.WithNext(i, members);
      sets.real.WithNext(i, real);
      for (size_t k = 0; k < count; ++k) bins[k] = BinOf(variants[i + 1 + k].position - variants[i].position);
      for (size_t c = 0; c < sums.size(); ++c) {
        sets.compared[c].WithNext(i, compared);
        NearSums& to = sums[c][block];
        if (count > 0) to.neighbours.Add(real[0], compared[0]);
        for (size_t k = 0; k < count; ++k) {
          to.window.Add(real[k], compared[k]);
          if (members[k] * members[k] >= kStrongR2 - kRounding) to.strong.Add(real[k], compared[k]);
          if (std::isnan(real[k]) || std::isnan(compared[k])) continue;
          DecaySums::Bin& bin = to.decay.bins[bins[k]];
          ++bin.pairs;
          bin.real_r2 += real[k] * real[k];
          bin.compared_r2 += compared[k] * compared[k];
        }
      }
    }
  });
  return sums;
}

std::vector<VariantPair> FarPairs(const VariantTable& variants, size_t most, uint64_t seed) {
  const std::vector<size_t> ends = NearEnds(variants);
  // Far pairs are numbered by their first variant, then by their second.
  std::vector<uint64_t> numbers(variants.size() + 1);  // of the first pair of each first variant
  for (size_t v = 0; v < variants.size(); ++v) numbers[v + 1] = numbers[v] + (variants.size() - ends[v]);
  const uint64_t all = numbers.back();
  const bool draw = all > most;
  const PhiloxStream stream(seed, kFarDraw, 0, Purpose::kQuality);
  std::vector<VariantPair> pairs(draw ? most : all);
  const double width = static_cast<double>(all) / static_cast<double>(std::max<size_t>(1, pairs.size()));
  size_t first = 0;
  for (size_t k = 0; k < pairs.size(); ++k) {
    uint64_t number = k;
    if (draw) {
      const double place = static_cast<double>(k) + ToUniform(stream.Bits(static_cast<uint32_t>(k)));
      number = std::min(all - 1, static_cast<uint64_t>(place * width));
    }
    while (numbers[first + 1] <= number) ++first;
    pairs[k] = {first, ends[first] + (number - numbers[first])};
  }
  return pairs;
}

BlockSums<PairSums> SumPairs(const LinkageSets& sets, std::span<const VariantPair> pairs) {
  const size_t variants = sets.real.variants();
  const size_t blocks = LinkageBlocks(variants);
  BlockSums<PairSums> sums;
  for (std::vector<PairSums>& of_candidate : sums) of_candidate.resize(blocks);
  ParallelFor(blocks, [&](size_t block) {
    const auto before = [](const VariantPair& pair, size_t variant) { return pair.i < variant; };
    const auto begin =
        std::lower_bound(pairs.begin(), pairs.end(), BlockBegin(block, blocks, variants), before) - pairs.begin();
    const auto end =
        std::lower_bound(pairs.begin(), pairs.end(), BlockBegin(block + 1, blocks, variants), before) - pairs.begin();
    for (const VariantPair& pair : pairs.subspan(begin, end - begin)) {
      const double real = sets.real.Of(pair.i, pair.j);
      for (size_t c = 0; c < sums.size(); ++c) sums[c][block].Add(real, sets.compared[c].Of(pair.i, pair.j));
    }
  });
  return sums;
}

}  // namespace genoserve

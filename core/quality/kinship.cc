#include "core/quality/kinship.h"

#include <algorithm>
#include <atomic>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/parallel.h"
#include "core/kernels/bits.h"
#include "core/quality/evenly_spaced.h"

namespace genoserve {
namespace {

constexpr size_t kMostPairs = 20'000'000;  // of near relatives, 320 MB
constexpr char kNotToldApart[] =
    "relatives were not told apart: samples are so nearly related that one family would hold most of them";
constexpr double kLeastMaf = 0.05;
constexpr size_t kPickingSamples = 500;  // that MAF and r^2 are computed of
constexpr size_t kBlock = 256;           // samples that stay in the cache, 128 KB of 2,000 variants
constexpr size_t kSamplesATask = 32;

constexpr size_t kFewestVariants = 500;
constexpr int64_t kShortestStretch = 20'000'000;  // base pairs
constexpr size_t kLargestFamilyShare = 10;        // a tenth of the samples
constexpr size_t kAlwaysAllowed = 10;             // samples of a family
constexpr double kStep = 0.01;

// Sum of ALT counts of a variant.
uint64_t AltCount(const BitPlanes& variants, size_t v) { return CountBits(variants.Vector(v)); }

// r^2 of the ALT counts of two variants that vary.
double SquaredCorrelation(const BitPlanes& variants, size_t u, size_t v) {
  const auto n = static_cast<double>(variants.length());
  const auto sum_of_squares = [&](size_t w) {
    return static_cast<double>(CountBits(variants.Plane(w, 0)) + 3 * CountBits(variants.Plane(w, 1)));
  };
  uint64_t product = 0;
  for (size_t a = 0; a < 2; ++a) {
    for (size_t b = 0; b < 2; ++b) product += CountAnd(variants.Plane(u, a), variants.Plane(v, b));
  }
  const auto x = static_cast<double>(AltCount(variants, u));
  const auto y = static_cast<double>(AltCount(variants, v));
  const double covariance = n * static_cast<double>(product) - x * y;
  return covariance * covariance / ((n * sum_of_squares(u) - x * x) * (n * sum_of_squares(v) - y * y));
}

// A pair of samples with first-degree kinship or a nearer one.
struct Pair {
  uint32_t first;
  uint32_t second;
  double kinship;
};

// All such pairs, in parts. Empty where there are more than kMostPairs, which are too many to tell families apart.
std::optional<std::vector<std::vector<Pair>>> NearPairs(const KinshipSet& set) {
  std::atomic<size_t> count = 0;
  const size_t tasks = (set.samples() + kSamplesATask - 1) / kSamplesATask;
  std::vector<std::vector<Pair>> pairs(tasks);
  ParallelFor(tasks, [&](size_t task) {
    const size_t begin = task * kSamplesATask;
    const size_t end = std::min(set.samples(), begin + kSamplesATask);
    for (size_t first = 0; first < end && count <= kMostPairs; first += kBlock) {
      for (size_t i = begin; i < end; ++i) {
        if (i <= first) continue;
        set.NearerThan(kFirstDegreeKinship, i, first, std::min(kBlock, i - first), [&](size_t j, double kinship) {
          if (++count > kMostPairs) return;
          pairs[task].push_back({static_cast<uint32_t>(i), static_cast<uint32_t>(j), kinship});
        });
      }
    }
  });
  if (count > kMostPairs) return std::nullopt;
  return pairs;
}

// The samples' families by union-find over pairs of at least this kinship: each sample's first relative.
std::vector<size_t> Joined(size_t samples, const std::vector<std::vector<Pair>>& pairs, double least) {
  std::vector<size_t> parent(samples);
  std::iota(parent.begin(), parent.end(), size_t{0});
  const auto root = [&](size_t i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  for (const std::vector<Pair>& part : pairs) {
    for (const Pair& pair : part) {
      if (pair.kinship < least) continue;
      const size_t a = root(pair.first);
      const size_t b = root(pair.second);
      parent[std::max(a, b)] = std::min(a, b);
    }
  }
  for (size_t i = 0; i < samples; ++i) parent[i] = root(i);
  return parent;
}

FamilySearch Describe(const std::vector<size_t>& roots, double least) {
  FamilySearch search;
  search.smallest_kinship = least;
  std::map<size_t, size_t> sizes;
  for (const size_t root : roots) ++sizes[root];
  for (const auto& [root, size] : sizes) {
    if (size < 2) continue;
    ++search.families;
    search.samples += size;
    search.largest = std::max(search.largest, size);
  }
  return search;
}

// Why these variants cannot show relatives; empty where they can.
std::string NoRelativesBecause(const KinshipSet& set, const std::vector<size_t>& picked, const VariantTable& variants) {
  if (picked.size() < kFewestVariants) {
    return absl::StrFormat(
        "relatives were not looked for: %d variants have a minor allele frequency of 5 %% or more, "
        "and it takes %d",
        picked.size(), kFewestVariants);
  }
  if (set.heterozygous() == 0) return "relatives were not looked for: no genotype is heterozygous";
  const VariantRecord& first = variants[picked.front()];
  const VariantRecord& last = variants[picked.back()];
  if (first.contig == last.contig && last.position - first.position < kShortestStretch) {
    return absl::StrCat("relatives were not looked for: all variants are in one stretch of ",
                        (last.position - first.position) / 1000,
                        " kb, which people who are no relatives share too; it takes ", kShortestStretch / 1000, " kb");
  }
  return "";
}

}  // namespace

std::vector<size_t> KinshipVariants(const GenotypeMatrix& genotypes) {
  const GenotypeMatrix some = genotypes.SelectSamples(EvenlySpaced(genotypes.samples(), kPickingSamples)).ToDiploid();
  const BitPlanes planes = BitPlanes::OfVariants(some);
  std::vector<size_t> frequent;
  for (size_t v = 0; v < planes.vectors(); ++v) {
    const double p = static_cast<double>(AltCount(planes, v)) / (2.0 * static_cast<double>(planes.length()));
    // All samples heterozygous: no two of them can be told apart, and r^2 is not defined.
    const bool varies = CountBits(planes.Plane(v, 0)) != CountBits(planes.Plane(v, 1)) + planes.length();
    if (std::min(p, 1 - p) >= kLeastMaf && varies) frequent.push_back(v);
  }
  std::vector<size_t> picked;
  const size_t runs = std::min(frequent.size(), kKinshipVariants);
  for (size_t run = 0; run < runs; ++run) {
    const size_t begin = run * frequent.size() / runs;
    const size_t end = (run + 1) * frequent.size() / runs;
    size_t best = frequent[begin];
    double lowest = std::numeric_limits<double>::infinity();
    for (size_t i = begin; i < end && !picked.empty(); ++i) {
      const double r2 = SquaredCorrelation(planes, picked.back(), frequent[i]);
      if (r2 < lowest) {
        lowest = r2;
        best = frequent[i];
      }
    }
    picked.push_back(best);
  }
  return picked;
}

KinshipSet::KinshipSet(const GenotypeMatrix& genotypes) : planes_(BitPlanes::OfRows(genotypes.ToDiploid())) {
  for (size_t i = 0; i < samples(); ++i) {
    const std::span<const uint64_t> some_alt = planes_.Plane(i, 0);
    const std::span<const uint64_t> two_alt = planes_.Plane(i, 1);
    swapped_.insert(swapped_.end(), two_alt.begin(), two_alt.end());
    swapped_.insert(swapped_.end(), some_alt.begin(), some_alt.end());
    two_alt_.push_back(static_cast<uint32_t>(CountBits(two_alt)));
    heterozygous_.push_back(static_cast<uint32_t>(CountBits(some_alt)) - two_alt_.back());
  }
}

KinshipSet::KinshipSet(const GenotypeMatrix& genotypes, std::span<const size_t> variants)
    : KinshipSet(genotypes.SelectVariants(variants)) {}

uint64_t KinshipSet::heterozygous() const {
  return std::accumulate(heterozygous_.begin(), heterozygous_.end(), uint64_t{0});
}

void KinshipSet::KinshipWith(const KinshipSet& others, size_t sample, size_t first, std::span<double> kinship) const {
  if (kinship.empty()) return;
  const size_t words = planes_.Vector(sample).size();
  const std::span<const uint64_t> rows(others.planes_.Vector(first).data(), kinship.size() * words);
  std::vector<uint32_t> apart(kinship.size());
  std::vector<uint32_t> mixed(kinship.size());
  CountXorMany(planes_.Vector(sample), rows, apart);
  // |two ALT of the one and some ALT of the other|, both ways.
  CountAndMany({swapped_.data() + sample * words, words}, rows, mixed);
  for (size_t j = 0; j < kinship.size(); ++j) kinship[j] = Kinship(others, sample, first + j, apart[j], mixed[j]);
}

double KinshipSet::Kinship(const KinshipSet& others, size_t sample, size_t other, uint32_t apart,
                           uint32_t mixed) const {
  // Opposite homozygotes are two apart, other differences one: (x - y)^2 is |x - y| and two more for each of them.
  const uint32_t opposite = two_alt_[sample] + others.two_alt_[other] - mixed;
  const uint32_t squares = apart + 2 * opposite;
  const uint32_t fewer = std::min(heterozygous_[sample], others.heterozygous_[other]);
  if (squares == 0) return 0.5;
  return fewer == 0 ? -std::numeric_limits<double>::infinity() : 0.5 - squares / (4.0 * fewer);
}

void KinshipSet::NearerThan(double least, size_t sample, size_t first, size_t count,
                            absl::FunctionRef<void(size_t, double)> found) const {
  if (count == 0) return;
  const std::span<const uint64_t> vector = planes_.Vector(sample);
  std::vector<uint32_t> apart(count);
  CountXorMany(vector, {planes_.Vector(first).data(), count * vector.size()}, apart);
  const std::span<const uint64_t> swapped(swapped_.data() + sample * vector.size(), vector.size());
  for (size_t i = 0; i < count; ++i) {
    // `apart` is at most the sum of squares, and 1 / 2 - squares / (4 fewer) >= least asks for few of these. One is
    // allowed for rounding.
    const uint32_t fewer = std::min(heterozygous_[sample], heterozygous_[first + i]);
    if (apart[i] > 4.0 * fewer * (0.5 - least) + 1) continue;
    const auto mixed = static_cast<uint32_t>(CountAnd(swapped, planes_.Vector(first + i)));
    const double kinship = Kinship(*this, sample, first + i, apart[i], mixed);
    if (kinship >= least) found(first + i, kinship);
  }
}

std::vector<double> LargestKinship(const KinshipSet& samples, const KinshipSet& others) {
  std::vector<double> largest(samples.samples(), -std::numeric_limits<double>::infinity());
  const size_t tasks = (samples.samples() + kSamplesATask - 1) / kSamplesATask;
  ParallelFor(tasks, [&](size_t task) {
    const size_t begin = task * kSamplesATask;
    const size_t end = std::min(samples.samples(), begin + kSamplesATask);
    std::vector<double> kinship(kBlock);
    for (size_t first = 0; first < others.samples(); first += kBlock) {
      const std::span<double> block(kinship.data(), std::min(kBlock, others.samples() - first));
      for (size_t i = begin; i < end; ++i) {
        samples.KinshipWith(others, i, first, block);
        largest[i] = std::max(largest[i], *std::max_element(block.begin(), block.end()));
      }
    }
  });
  return largest;
}

std::vector<int> FamilyClusters(const GenotypeMatrix& genotypes, const VariantTable& variants, FamilySearch* found) {
  *found = {};
  const std::vector<size_t> picked = KinshipVariants(genotypes);
  const KinshipSet set(genotypes, picked);
  found->note = NoRelativesBecause(set, picked, variants);
  if (!found->note.empty()) return {};

  const std::optional<std::vector<std::vector<Pair>>> near = NearPairs(set);
  if (!near.has_value()) {
    found->note = kNotToldApart;
    return {};
  }
  const std::vector<std::vector<Pair>>& pairs = *near;
  if (std::all_of(pairs.begin(), pairs.end(), [](const std::vector<Pair>& part) { return part.empty(); })) {
    found->note =
        absl::StrFormat("no relatives were found: no two samples have a kinship of %.3f", kFirstDegreeKinship);
    return {};
  }
  const size_t allowed = std::max(kAlwaysAllowed, set.samples() / kLargestFamilyShare);
  double least = kFirstDegreeKinship;
  std::vector<size_t> roots = Joined(set.samples(), pairs, least);
  *found = Describe(roots, least);
  for (int step = 1; found->largest > allowed && least < 0.5; ++step) {
    least = std::min(0.5, kFirstDegreeKinship + step * kStep);
    roots = Joined(set.samples(), pairs, least);
    *found = Describe(roots, least);
  }
  if (found->families == 0 || found->largest > allowed) {
    *found = {};
    found->note = kNotToldApart;
    return {};
  }
  found->note =
      absl::StrFormat("%d samples are in %d families of relatives (kinship of %.3f or more), the largest of %d",
                      found->samples, found->families, least, found->largest);
  if (least > kFirstDegreeKinship) {
    absl::StrAppend(
        &found->note,
        absl::StrFormat("; relatives of a lower kinship, from %.3f, chain most samples together", kFirstDegreeKinship));
  }
  return {roots.begin(), roots.end()};
}

}  // namespace genoserve

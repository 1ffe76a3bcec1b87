#include "core/quality/linkage.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace genoserve {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Sums over the rows in which both variants of a pair are called.
struct PairSums {
  int64_t n = 0;
  int64_t x = 0;
  int64_t y = 0;
  int64_t xx = 0;
  int64_t yy = 0;
  int64_t xy = 0;
};

double R2(const PairSums& s) {
  const auto n = static_cast<double>(s.n);
  const auto x = static_cast<double>(s.x);
  const auto y = static_cast<double>(s.y);
  const double var_x = n * static_cast<double>(s.xx) - x * x;
  const double var_y = n * static_cast<double>(s.yy) - y * y;
  if (var_x <= 0 || var_y <= 0) return kNan;
  const double cov = n * static_cast<double>(s.xy) - x * y;
  return cov * cov / (var_x * var_y);
}

}  // namespace

std::vector<double> NeighbourR2(const GenotypeMatrix& genotypes, const VariantTable& variants) {
  const size_t count = genotypes.variants();
  if (count < 2) return {};
  const bool diploid = genotypes.packing() == Packing::kDiploid2Bit;
  std::vector<PairSums> sums(count - 1);
  std::vector<uint8_t> codes(count);
  for (size_t row = 0; row < genotypes.rows(); ++row) {
    genotypes.UnpackRow(row, codes);
    for (size_t v = 0; v + 1 < count; ++v) {
      const int64_t x = codes[v];
      const int64_t y = codes[v + 1];
      if (diploid && (x == kMissingGenotype || y == kMissingGenotype)) continue;
      PairSums& s = sums[v];
      ++s.n;
      s.x += x;
      s.y += y;
      s.xx += x * x;
      s.yy += y * y;
      s.xy += x * y;
    }
  }
  std::vector<double> r2(count - 1);
  for (size_t v = 0; v + 1 < count; ++v) {
    r2[v] = variants[v].contig == variants[v + 1].contig ? R2(sums[v]) : kNan;
  }
  return r2;
}

NeighbourLinkage CompareNeighbourLinkage(const GenotypeMatrix& real, const GenotypeMatrix& synthetic,
                                         const VariantTable& variants) {
  const std::vector<double> a = NeighbourR2(real, variants);
  const std::vector<double> b = NeighbourR2(synthetic, variants);
  NeighbourLinkage linkage;
  for (size_t v = 0; v < a.size(); ++v) {
    if (variants[v].contig != variants[v + 1].contig) continue;
    if (std::isnan(a[v]) || std::isnan(b[v])) {
      ++linkage.dropped;
      continue;
    }
    ++linkage.pairs;
    linkage.real += a[v];
    linkage.synthetic += b[v];
  }
  const auto pairs = static_cast<double>(linkage.pairs);
  linkage.real = linkage.pairs == 0 ? kNan : linkage.real / pairs;
  linkage.synthetic = linkage.pairs == 0 ? kNan : linkage.synthetic / pairs;
  return linkage;
}

}  // namespace genoserve

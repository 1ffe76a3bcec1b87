#include "core/quality/allele_frequency.h"

#include <cstdint>
#include <limits>
#include <numeric>

namespace genoserve {

std::vector<double> AlleleFrequencies(const GenotypeMatrix& genotypes) {
  std::vector<size_t> all(genotypes.samples());
  std::iota(all.begin(), all.end(), size_t{0});
  return AlleleFrequencies(genotypes, all);
}

std::vector<double> AlleleFrequencies(const GenotypeMatrix& genotypes, std::span<const size_t> samples) {
  const bool diploid = genotypes.packing() == Packing::kDiploid2Bit;
  const size_t rows_per_sample = RowsPerSample(genotypes.packing());
  std::vector<int64_t> alt(genotypes.variants());
  std::vector<int64_t> alleles(genotypes.variants());
  std::vector<uint8_t> codes(genotypes.variants());
  for (const size_t sample : samples) {
    for (size_t row = sample * rows_per_sample; row < (sample + 1) * rows_per_sample; ++row) {
      genotypes.UnpackRow(row, codes);
      for (size_t v = 0; v < codes.size(); ++v) {
        if (diploid && codes[v] == kMissingGenotype) continue;
        alt[v] += codes[v];
        alleles[v] += diploid ? 2 : 1;
      }
    }
  }
  std::vector<double> frequencies(alt.size());
  for (size_t v = 0; v < alt.size(); ++v) {
    frequencies[v] = alleles[v] == 0 ? std::numeric_limits<double>::quiet_NaN()
                                     : static_cast<double>(alt[v]) / static_cast<double>(alleles[v]);
  }
  return frequencies;
}

}  // namespace genoserve

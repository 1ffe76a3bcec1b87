// Simulated training sets for the tests of recipes.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/philox.h"
#include "core/model/test_models.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// A training set with the part of its manifest that ApplyPreset reads.
struct TestData {
  TrainingSet set;
  v1::Manifest manifest;
};

/// Alleles in blocks of five variants: an allele is 1 where a liability, 0.9 of the block's and 0.44 of its own, passes
/// a threshold that depends on variant and label.
inline TestData SimulateHaplotypes(size_t samples, size_t variants) {
  TestData data;
  data.manifest = SmallAcgan(static_cast<int64_t>(variants), 3);
  data.manifest.clear_generator();
  data.set.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 2 * samples, variants);
  for (size_t i = 0; i < samples; ++i) data.set.labels.push_back(static_cast<int>(i % 3));
  std::vector<float> normal(2 * variants);
  for (size_t row = 0; row < 2 * samples; ++row) {
    PhiloxStream(77, row, 0, Purpose::kLatent).FillNormal(normal);
    for (size_t v = 0; v < variants; ++v) {
      const double liability = 0.9 * normal[v / 5] + 0.44 * normal[variants + v];
      const double threshold =
          1.2 * std::sin(static_cast<double>(v)) + 0.5 * std::cos(3.0 * static_cast<double>(v * 3 + row / 2 % 3));
      data.set.genotypes.Set(row, v, liability > threshold ? 1 : 0);
    }
  }
  return data;
}

/// Genotypes that add two such alleles, whose liabilities also grow with the phenotype weight in the first block; a
/// few values of both phenotypes are missing.
inline TestData SimulateGenotypes(size_t samples, size_t variants) {
  TestData data;
  data.manifest = SmallWganGp(static_cast<int64_t>(variants));
  data.manifest.clear_generator();
  data.set.genotypes = GenotypeMatrix(Packing::kDiploid2Bit, samples, variants);
  data.set.phenotypes.assign(2, std::vector<double>(samples));
  std::vector<float> normal(4 * variants + 1);
  for (size_t row = 0; row < samples; ++row) {
    PhiloxStream(78, row, 0, Purpose::kLatent).FillNormal(normal);
    const double weight = normal[4 * variants];
    data.set.phenotypes[0][row] = row % 50 == 7 ? NAN : 20 + 4 * weight;
    data.set.phenotypes[1][row] = row % 50 == 9 ? NAN : static_cast<double>(row % 3);
    for (size_t v = 0; v < variants; ++v) {
      int code = 0;
      for (size_t haplotype = 0; haplotype < 2; ++haplotype) {
        const float* from = normal.data() + 2 * variants * haplotype;
        const double block = v < 5 ? 0.6 * from[0] + 0.8 * weight : static_cast<double>(from[v / 5]);
        code += 0.9 * block + 0.44 * from[variants + v] > 1.2 * std::sin(static_cast<double>(v)) ? 1 : 0;
      }
      data.set.genotypes.Set(row, v, code);
    }
  }
  return data;
}

}  // namespace genoserve

// Small cohorts that tests/quality/cohorts.py makes too, bit for bit, so that both sides measure the same data.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/genotype/genotype_matrix.h"
#include "core/genotype/variant_table.h"
#include "core/quality/quality_sets.h"

namespace genoserve {

/// SplitMix64 (Steele, Lea and Flood 2014).
class TestRandom {
 public:
  explicit TestRandom(uint64_t seed) : state_(seed) {}

  uint64_t Bits() {
    state_ += 0x9E3779B97F4A7C15U;
    uint64_t z = state_;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
  }
  uint64_t Below(uint64_t bound) { return (Bits() >> 33) % bound; }

 private:
  uint64_t state_;
};

/// Variants every 1,000 bp of one contig.
inline VariantTable EvenVariants(size_t count) {
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < count; ++v) {
    records.push_back({"1", static_cast<int64_t>(1000 * (v + 1)), absl::StrCat("rs", v), "A", "C"});
  }
  return VariantTable::Create(std::move(records), {}).value();
}

/// Haplotypes of samples whose label is their index modulo `labels`: mosaics of six founders of the label, with
/// mutations. Cohorts of one founders_seed are of one population.
inline GenotypeMatrix TestHaplotypes(uint64_t seed, size_t samples, size_t variants, size_t labels = 2,
                                     uint64_t founders_seed = 1) {
  TestRandom random(founders_seed);
  std::vector<std::vector<int>> founders(labels * 6, std::vector<int>(variants));
  for (std::vector<int>& founder : founders) {
    for (size_t v = 0; v < variants; ++v) founder[v] = random.Below(100) < 5 + 10 * (v % 8) ? 1 : 0;
  }
  random = TestRandom(seed);
  GenotypeMatrix rows(Packing::kHaplotype1Bit, 2 * samples, variants);
  for (size_t row = 0; row < 2 * samples; ++row) {
    const size_t pool = 6 * (row / 2 % labels);
    size_t founder = random.Below(6);
    for (size_t v = 0; v < variants; ++v) {
      if (random.Below(16) == 0) founder = random.Below(6);
      int allele = founders[pool + founder][v];
      if (random.Below(64) == 0) allele = 1 - allele;
      rows.Set(row, v, allele);
    }
  }
  return rows;
}

/// The same as a cohort with labels; diploid genotypes where `phased` is false.
inline Cohort TestCohort(uint64_t seed, size_t samples, size_t variants, bool phased, size_t labels = 2) {
  Cohort cohort;
  cohort.genotypes = TestHaplotypes(seed, samples, variants, labels);
  if (!phased) cohort.genotypes = cohort.genotypes.ToDiploid();
  for (size_t i = 0; i < samples; ++i) cohort.labels.push_back(static_cast<int>(i % labels));
  return cohort;
}

/// Sets of one population and two labels: `samples` of training, a quarter of it of hold-out, half of it of what stands
/// for the synthetic cohort, one contig with a variant every 1,000 bp. Equalised.
QualitySets TestSets(size_t samples, size_t variants, bool phased);

}  // namespace genoserve

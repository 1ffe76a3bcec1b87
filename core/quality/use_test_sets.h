// The sets that tests/quality/use.py measures too.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/quality/quality_sets.h"
#include "core/quality/test_cohorts.h"

namespace genoserve {

inline constexpr size_t kUseTestSamples = 80;
inline constexpr size_t kUseTestVariants = 120;
inline constexpr size_t kUseTestCommon = 47;  // a variant with a large effect

/// Values in [0, bound), one a sample.
inline std::vector<int> NoiseOfTest(uint64_t seed, uint64_t kind, uint64_t bound) {
  TestRandom random(1000 * seed + kind);
  std::vector<int> noise(kUseTestSamples);
  for (int& value : noise) value = static_cast<int>(random.Below(bound));
  return noise;
}

/// A cohort with labels and the phenotypes height, case and type, all of them genotype and noise.
inline Cohort UseTestCohort(uint64_t seed, bool phased) {
  Cohort cohort;
  cohort.genotypes = TestHaplotypes(seed, kUseTestSamples, kUseTestVariants, 1);
  const GenotypeMatrix counts = cohort.genotypes.ToDiploid();
  if (!phased) cohort.genotypes = counts;
  const auto sum_every = [&](size_t sample, size_t first, size_t step) {
    int sum = 0;
    for (size_t v = first; v < kUseTestVariants; v += step) sum += counts.Get(sample, v);
    return sum;
  };
  const std::vector<int> height_noise = NoiseOfTest(seed, 0, 40);
  const std::vector<int> case_noise = NoiseOfTest(seed, 1, 6);
  const std::vector<int> type_noise = NoiseOfTest(seed, 2, 8);
  const std::vector<int> label_noise = NoiseOfTest(seed, 3, 5);
  cohort.phenotypes.assign(3, {});
  for (size_t i = 0; i < kUseTestSamples; ++i) {
    int height = height_noise[i] + 16 * counts.Get(i, kUseTestCommon);
    for (size_t v = 0; v < kUseTestVariants; v += 5) height += 2 * (static_cast<int>(v / 5 % 5) - 2) * counts.Get(i, v);
    cohort.phenotypes[0].push_back(i % 11 == 3 ? std::numeric_limits<double>::quiet_NaN() : height);
    cohort.phenotypes[1].push_back(sum_every(i, 0, 7) + case_noise[i] > 18 ? 1 : 0);
    const int type = sum_every(i, 0, 3) + type_noise[i];
    cohort.phenotypes[2].push_back((type > 37 ? 1 : 0) + (type > 41 ? 1 : 0));
    const int label = sum_every(i, 1, 4) + label_noise[i];
    cohort.labels.push_back((label > 22 ? 1 : 0) + (label > 25 ? 1 : 0));
  }
  return cohort;
}

/// Five cohorts of one population.
inline QualitySets UseTestSets(bool phased) {
  QualitySets sets;
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < kUseTestVariants; ++v) {
    records.push_back({"1", static_cast<int64_t>(1000 * (v + 1)), absl::StrCat("rs", v), "A", "C"});
  }
  sets.variants = VariantTable::Create(std::move(records), {}).value();
  sets.labels = {"A", "B", "C"};
  sets.phenotypes = {{"height", {}}, {"case", {"no", "yes"}}, {"type", {"p", "q", "r"}}};
  sets.seed = 7;
  sets.members = UseTestCohort(301, phased);
  sets.holdout = UseTestCohort(302, phased);
  sets.candidates = {UseTestCohort(303, phased), UseTestCohort(304, phased), UseTestCohort(305, phased)};
  sets.candidates[2].phenotypes.clear();
  return sets;
}

}  // namespace genoserve

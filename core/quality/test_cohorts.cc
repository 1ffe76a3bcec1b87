#include "core/quality/test_cohorts.h"

#include <gtest/gtest.h>

namespace genoserve {

QualitySets TestSets(size_t samples, size_t variants, bool phased) {
  QualitySets sets;
  sets.variants = EvenVariants(variants);
  sets.labels = {"A", "B"};
  sets.seed = 11;
  sets.whole_training = TestCohort(101, samples, variants, phased);
  sets.whole_holdout = TestCohort(102, samples / 4, variants, phased);
  sets.whole_synthetic = TestCohort(103, samples / 2, variants, phased);
  EXPECT_TRUE(EqualiseSets({}, &sets).ok());
  return sets;
}

}  // namespace genoserve

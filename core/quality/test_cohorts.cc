#include "core/quality/test_cohorts.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace genoserve {

QualitySets TestSets(size_t samples, size_t variants, bool phased) {
  QualitySets sets;
  std::vector<VariantRecord> records;
  for (size_t v = 0; v < variants; ++v) {
    records.push_back({"1", static_cast<int64_t>(1000 * (v + 1)), absl::StrCat("rs", v), "A", "C"});
  }
  sets.variants = VariantTable::Create(std::move(records), {}).value();
  sets.labels = {"A", "B"};
  sets.seed = 11;
  sets.whole_training = TestCohort(101, samples, variants, phased);
  sets.whole_holdout = TestCohort(102, samples / 4, variants, phased);
  sets.whole_synthetic = TestCohort(103, samples / 2, variants, phased);
  EXPECT_TRUE(EqualiseSets({}, &sets).ok());
  return sets;
}

}  // namespace genoserve

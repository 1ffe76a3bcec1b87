#include "trainer/loop/generator_quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/quality/catalogue.h"
#include "trainer/loop/tiny_generator.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;

// Variants 0 and 1 are ALT in the north only, 2 and 3 in the south only.
class GeneratorQualityTest : public testing::Test {
 protected:
  GeneratorQualityTest() {
    training_.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 80, 4);
    for (size_t row = 0; row < 80; ++row) {
      const bool north = row / 2 % 2 == 0;
      for (size_t v = 0; v < 4; ++v) training_.genotypes.Set(row, v, north == (v < 2) ? 1 : 0);
    }
    for (int i = 0; i < 40; ++i) training_.labels.push_back(i % 2);
  }

  const TinyGenerator tiny_{40};

  TrainingSet training_;
};

TEST_F(GeneratorQualityTest, ACohortLikeTheTrainingSetHasItsLabels) {
  const auto generator = MakeGenerator(tiny_.manifest, tiny_.weights, {});
  ASSERT_TRUE(generator.ok()) << generator.status();
  const absl::StatusOr<GenotypeMatrix> cohort = GenerateLike(**generator, training_, 5, [] { return false; });
  ASSERT_TRUE(cohort.ok()) << cohort.status();
  EXPECT_EQ(*cohort, training_.genotypes);
  EXPECT_TRUE(absl::IsCancelled(GenerateLike(**generator, training_, 5, [] { return true; }).status()));
}

TEST_F(GeneratorQualityTest, MeasuresTheCohortBesideTheHoldout) {
  TrainingSet holdout;
  std::vector<size_t> first;
  for (size_t i = 0; i < 20; ++i) first.push_back(i);
  holdout.genotypes = training_.genotypes.SelectSamples(first);
  holdout.labels.assign(training_.labels.begin(), training_.labels.begin() + 20);
  const std::string note = "no relatives";
  const RealSamples real{training_, holdout, {}, tiny_.variants, note};
  std::vector<std::string> stages;
  const auto progress = [&stages](absl::string_view stage, int /*done*/, int /*stages*/) {
    stages.emplace_back(stage);
    return absl::OkStatus();
  };
  const absl::StatusOr<v1::Quality> quality = MeasureGenerator(tiny_.manifest, real, training_.genotypes, progress);
  ASSERT_TRUE(quality.ok()) << quality.status();
  EXPECT_EQ(quality->inputs().samples_compared(), 20);
  EXPECT_EQ(quality->inputs().sets_size(), 3);
  EXPECT_THAT(quality->inputs().labels(), ElementsAre("north", "south"));
  EXPECT_THAT(quality->inputs().notes(), ElementsAre(note));
  EXPECT_EQ(stages.front(), "frequencies");
  EXPECT_EQ(stages.back(), "done");
  for (const v1::Figure& figure : quality->figures()) {
    EXPECT_NE(figure.has_value(), figure.reason().size() > 0) << figure.name() << ": a value, or why there is none";
    EXPECT_NE(FindFigure(figure.name()), nullptr) << figure.name() << " is not in the catalogue";
  }
  const auto stop = [](absl::string_view, int, int) { return absl::CancelledError("stopped"); };
  EXPECT_TRUE(absl::IsCancelled(MeasureGenerator(tiny_.manifest, real, training_.genotypes, stop).status()));
}

}  // namespace
}  // namespace genoserve

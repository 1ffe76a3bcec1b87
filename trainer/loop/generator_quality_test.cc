#include "trainer/loop/generator_quality.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/quality/catalogue.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;

// A generator of four variants for two labels whose output is its label logits: variants 0 and 1 are ALT in "north"
// only, 2 and 3 in "south" only, with probability sigmoid(40).
class GeneratorQualityTest : public testing::Test {
 protected:
  GeneratorQualityTest() {
    manifest_.set_format_version(1);
    manifest_.set_ploidy(2);
    manifest_.set_phased(true);
    manifest_.set_variant_count(4);
    manifest_.set_label_column("pop");
    for (const char* name : {"north", "south"}) {
      v1::LabelSchema& label = *manifest_.add_labels();
      label.set_name(name);
      label.set_training_samples(20);
    }
    v1::AcganSpec& spec = *manifest_.mutable_generator()->mutable_acgan();
    spec.set_latent_size(2);
    spec.set_label_repeats(1);
    spec.add_hidden_sizes(3);
    spec.set_leaky_slope(0.01);
    spec.set_label_logits(true);
    spec.set_output(v1::ALLELE_OUTPUT_BERNOULLI);
    weights_["hidden.0.weight"] = {{3, 6}, std::vector<float>(18)};
    weights_["hidden.0.bias"] = {{3}, std::vector<float>(3)};
    weights_["output.weight"] = {{4, 3}, std::vector<float>(12)};
    weights_["output.bias"] = {{4}, std::vector<float>(4)};
    weights_["label_logits"] = {{2, 4}, {40, 40, -40, -40, -40, -40, 40, 40}};
    std::vector<VariantRecord> variants;
    for (int64_t i = 1; i <= 4; ++i) variants.push_back({"1", i, "", "A", "C"});
    variants_ = VariantTable::Create(std::move(variants), {}).value();
    training_.genotypes = GenotypeMatrix(Packing::kHaplotype1Bit, 80, 4);
    for (size_t row = 0; row < 80; ++row) {
      const bool north = row / 2 % 2 == 0;
      for (size_t v = 0; v < 4; ++v) training_.genotypes.Set(row, v, north == (v < 2) ? 1 : 0);
    }
    for (int i = 0; i < 40; ++i) training_.labels.push_back(i % 2);
  }

  v1::Manifest manifest_;
  TensorMap weights_;
  VariantTable variants_;
  TrainingSet training_;
};

TEST_F(GeneratorQualityTest, ACohortLikeTheTrainingSetHasItsLabels) {
  const auto generator = MakeGenerator(manifest_, weights_, {});
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
  const RealSamples real{training_, holdout, {}, variants_, note};
  std::vector<std::string> stages;
  const auto progress = [&stages](absl::string_view stage, int /*done*/, int /*stages*/) {
    stages.emplace_back(stage);
    return absl::OkStatus();
  };
  const absl::StatusOr<v1::Quality> quality = MeasureGenerator(manifest_, real, training_.genotypes, progress);
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
  EXPECT_TRUE(absl::IsCancelled(MeasureGenerator(manifest_, real, training_.genotypes, stop).status()));
}

}  // namespace
}  // namespace genoserve

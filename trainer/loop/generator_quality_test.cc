#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "trainer/loop/figures.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A generator of four variants for two labels whose output is its label logits: variants 0 and 1 are ALT in "north"
// only, 2 and 3 in "south" only, with probability sigmoid(40).
class FiguresTest : public testing::Test {
 protected:
  FiguresTest() {
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

TEST_F(FiguresTest, ACohortLikeTheTrainingSetHasItsLabels) {
  const auto generator = MakeGenerator(manifest_, weights_, DeviceKind::kCpu);
  ASSERT_TRUE(generator.ok()) << generator.status();
  const absl::StatusOr<GenotypeMatrix> cohort = GenerateLike(**generator, training_, 5, [] { return false; });
  ASSERT_TRUE(cohort.ok()) << cohort.status();
  EXPECT_EQ(*cohort, training_.genotypes);
  EXPECT_TRUE(absl::IsCancelled(GenerateLike(**generator, training_, 5, [] { return true; }).status()));
}

TEST_F(FiguresTest, FiguresOfAllAndOfEachLabel) {
  const std::vector<SampleGroup> groups = GroupsOf(manifest_, training_);
  ASSERT_EQ(groups.size(), 2);
  EXPECT_EQ(groups[1].name, "south");
  EXPECT_EQ(groups[1].real.size(), 20);
  const CohortComparison comparison =
      CompareCohorts(training_.genotypes, training_.genotypes, variants_, groups).value();
  AddFigures(comparison, manifest_);
  std::map<std::string, double> values;
  for (const v1::Figure& figure : manifest_.figures()) {
    values[figure.label().empty() ? figure.name() : figure.name() + "/" + figure.label()] = figure.value();
  }
  EXPECT_DOUBLE_EQ(values.at("af.pearson/north"), 1);
  EXPECT_DOUBLE_EQ(values.at("af.max_difference/south"), 0);
  EXPECT_DOUBLE_EQ(values.at("ld.neighbour_r2.synthetic"), 1);
  EXPECT_DOUBLE_EQ(values.at("ld.neighbour_r2.pairs"), 3);
  EXPECT_DOUBLE_EQ(values.at("rows.found_in_training"), 1);
  EXPECT_DOUBLE_EQ(values.at("rows.repeated"), 1);
  // All frequencies are one half: no correlation, and the gate does not take that for agreement.
  EXPECT_THAT(std::string(CheckGate(manifest_).message()), HasSubstr("af.pearson is nan, and must be at least 0.9"));
}

TEST_F(FiguresTest, TheGateChecksEveryThreshold) {
  v1::Figure& figure = *manifest_.add_figures();
  figure.set_name("af.pearson");
  figure.set_value(0.95);
  figure.set_minimum(0.9);
  EXPECT_TRUE(CheckGate(manifest_).ok());
  figure.set_value(0.85);
  EXPECT_TRUE(absl::IsAborted(CheckGate(manifest_)));
  figure.clear_minimum();
  figure.set_maximum(0.8);
  figure.set_label("north");
  EXPECT_THAT(std::string(CheckGate(manifest_).message()),
              HasSubstr("af.pearson of north is 0.85, and must be at most 0.8"));
}

TEST(GroupsTest, LevelsOfCategoricalPhenotypesAreGroups) {
  v1::Manifest manifest;
  manifest.add_phenotypes()->mutable_continuous();
  v1::PhenotypeSchema& colour = *manifest.add_phenotypes();
  colour.set_name("colour");
  colour.mutable_categorical()->add_levels("black");
  colour.mutable_categorical()->add_levels("white");
  TrainingSet training;
  training.phenotypes = {{1.5, 2.5, 3.5}, {1, std::nan(""), 0}};
  const std::vector<SampleGroup> groups = GroupsOf(manifest, training);
  ASSERT_EQ(groups.size(), 2);
  EXPECT_EQ(groups[0].name, "colour=black");
  EXPECT_THAT(groups[0].real, ElementsAre(2));
  EXPECT_THAT(groups[1].synthetic, ElementsAre(0));
}

}  // namespace
}  // namespace genoserve

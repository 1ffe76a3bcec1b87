#include "client/cli/models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genoserve {
namespace {

using ::testing::HasSubstr;

v1::Model Model() {
  v1::Model model;
  model.set_name("five");
  model.set_version("2");
  model.set_is_default(true);
  model.set_state(v1::MODEL_STATE_SERVING);
  v1::Manifest& manifest = *model.mutable_manifest();
  manifest.set_variant_count(1000);
  manifest.set_phased(true);
  manifest.set_label_column("pop");
  manifest.add_labels()->set_name("AFR");
  manifest.add_labels()->set_name("EUR");
  return model;
}

TEST(FormatModelsTest, AlignsColumns) {
  v1::ListModelsResponse models;
  *models.add_models() = Model();
  v1::Model& failed = *models.add_models();
  failed.set_name("a-longer-name");
  failed.set_version("10");
  failed.set_state(v1::MODEL_STATE_FAILED);
  EXPECT_EQ(FormatModels(models),
            "MODEL          VERSION  STATE    DEFAULT  VARIANTS  PHASED  LABELS       PHENOTYPES\n"
            "five           2        serving  yes      1000      yes     pop:AFR,EUR  -\n"
            "a-longer-name  10       failed   no       0         no      -            -\n");
}

TEST(FormatModelTest, TellsWhyAVersionDoesNotServe) {
  v1::Model model = Model();
  model.set_state(v1::MODEL_STATE_FAILED);
  model.set_reason("weights.safetensors: wrong digest");
  model.clear_manifest();
  EXPECT_THAT(FormatModel(model), HasSubstr("failed: weights.safetensors: wrong digest"));
}

TEST(FormatModelTest, TellsPhenotypesInTheirUnits) {
  v1::Model model = Model();
  v1::PhenotypeSchema* weight = model.mutable_manifest()->add_phenotypes();
  weight->set_name("body_weight");
  weight->mutable_continuous()->set_unit("g");
  weight->mutable_continuous()->set_minimum(12.5);
  weight->mutable_continuous()->set_maximum(40);
  EXPECT_THAT(FormatModel(model), HasSubstr("body_weight: 12.5 to 40 g"));
}

TEST(FormatModelTest, TellsFiguresAndTheGate) {
  v1::Model model = Model();
  v1::Figure* figure = model.mutable_manifest()->add_figures();
  figure->set_name("af.pearson");
  figure->set_value(0.9912);
  figure->mutable_floor()->set_value(0.9934);
  v1::GateResult* gate = model.mutable_manifest()->mutable_gate();
  gate->set_gate("default");
  gate->set_published_anyway(true);
  gate->add_breaches()->set_message("the cohort lies nearer to the training");
  const std::string text = FormatModel(model);
  EXPECT_THAT(text, HasSubstr("af.pearson"));
  EXPECT_THAT(text, HasSubstr("0.993"));
  EXPECT_THAT(text, HasSubstr("refused"));
  EXPECT_THAT(text, HasSubstr("he cohort lies nearer to the training"));
  EXPECT_THAT(text, HasSubstr("in spite of this"));
}

}  // namespace
}  // namespace genoserve

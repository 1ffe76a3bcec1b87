// The default gate on the example panel: real people pass, and copies, naive draws and a collapsed generator do not.
#include <gmock/gmock.h>

#include <string>

#include "core/io/genotype_source.h"
#include "core/io/sample_tables.h"
#include "core/quality/gate.h"
#include "core/quality/holdout.h"
#include "core/quality/measure.h"

namespace genoserve {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;
using ::testing::Not;

class PanelGateTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string folder = "examples/five-populations/";
    const GenotypeData data = ReadGenotypes(SourceOfPath(folder + "panel.vcf.gz"), {}).value();
    const Labels labels = ReadPanel(folder + "panel.tsv")->LabelsOf(data.samples, "pop").value();
    Cohort all;
    all.genotypes = data.genotypes;
    all.labels = labels.codes;
    const Split split = SplitHoldout(all.samples(), all.labels, {}, kHoldoutShare);
    sets_.variants = data.variants;
    sets_.labels = labels.names;
    sets_.seed = 1;
    sets_.whole_training = all.Select(split.training);
    sets_.whole_holdout = all.Select(split.holdout);
  }

  // The figures that break the default gate with this cohort as the synthetic one.
  std::vector<std::string> BreachesOf(Cohort synthetic) {
    sets_.whole_synthetic = std::move(synthetic);
    v1::Quality quality;
    const auto silent = [](absl::string_view, int, int) { return absl::OkStatus(); };
    EXPECT_TRUE(MeasureQuality({}, &sets_, silent, &quality).ok());
    const v1::GateResult result = Judge(DefaultGate(), "default", quality.mutable_figures());
    std::vector<std::string> figures;
    for (const v1::Breach& breach : result.breaches()) figures.push_back(breach.figure());
    return figures;
  }

  QualitySets sets_;
};

TEST_F(PanelGateTest, RealPeopleWhomNobodySawPass) {
  // Half of the hold-out stands for the synthetic cohort, and the other half judges.
  const Split halves = SplitHoldout(sets_.whole_holdout.samples(), sets_.whole_holdout.labels, {}, 0.5);
  Cohort unseen = sets_.whole_holdout.Select(halves.training);
  sets_.whole_holdout = sets_.whole_holdout.Select(halves.holdout);
  EXPECT_THAT(BreachesOf(std::move(unseen)), IsEmpty());
}

TEST_F(PanelGateTest, CopiesOfTheTrainingAreRefusedForPrivacy) {
  const std::vector<std::string> breaches = BreachesOf(sets_.whole_training);
  EXPECT_THAT(breaches, Contains("privacy.identical_excess"));
  EXPECT_THAT(breaches, Contains("privacy.loss"));
  EXPECT_THAT(breaches, Contains("mia.auc"));
}

TEST_F(PanelGateTest, NaiveDrawsAreRefusedForLinkage) {
  sets_.whole_synthetic = sets_.whole_training;
  ASSERT_TRUE(EqualiseSets({}, &sets_).ok());
  const std::vector<std::string> breaches = BreachesOf(sets_.candidate(Candidate::kNaive));
  EXPECT_THAT(breaches, Contains("ld.decay_rmse"));
  EXPECT_THAT(breaches, Not(Contains("mia.auc")));
}

TEST_F(PanelGateTest, ACollapsedGeneratorIsRefused) {
  // One person of each label, over and over, whom nobody saw.
  std::vector<size_t> indices;
  for (size_t i = 0; i < sets_.whole_training.samples(); ++i) {
    indices.push_back(sets_.whole_holdout.WithLabel(sets_.whole_training.labels[i]).front());
  }
  const std::vector<std::string> breaches = BreachesOf(sets_.whole_holdout.Select(indices));
  EXPECT_THAT(breaches, Contains("privacy.repeated"));
  EXPECT_THAT(breaches, Contains("af.pearson"));
}

}  // namespace
}  // namespace genoserve

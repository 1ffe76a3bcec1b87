// The default gate on the example panel: real people pass, and copies, naive draws and a collapsed generator do not.
#include <gmock/gmock.h>

#include <string>

#include "core/base/philox.h"
#include "core/io/genotype_reader.h"
#include "core/io/sample_tables.h"
#include "core/quality/gate.h"
#include "core/quality/holdout.h"
#include "core/quality/kinship.h"
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
    FamilySearch found;
    const std::vector<int> families = FamilyClusters(all.genotypes.ToDiploid(), data.variants, &found);
    const Split split = SplitHoldout(all.samples(), all.labels, families, kHoldoutShare);
    for (const size_t i : split.training) {
      if (!families.empty()) families_.push_back(families[i]);
    }
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
    EXPECT_TRUE(MeasureQuality(families_, &sets_, silent, &quality).ok());
    const v1::GateResult result = Judge(DefaultGate(), "default", quality.mutable_figures());
    std::vector<std::string> figures;
    for (const v1::Breach& breach : result.breaches()) figures.push_back(breach.figure());
    return figures;
  }

  QualitySets sets_;
  std::vector<int> families_;  // of the training
};

TEST_F(PanelGateTest, RealPeopleWhomNobodySawPass) {
  // Half of the hold-out stands for the synthetic cohort, and the other half judges; all of one label, few of another.
  const Cohort both = sets_.whole_holdout;
  const Split halves = SplitHoldout(both.samples(), both.labels, {}, 0.5);
  sets_.whole_holdout = both.Select(halves.holdout);
  std::vector<size_t> uneven;
  for (const size_t i : halves.training) {
    if (both.labels[i] != 0 || i % 2 == 0) uneven.push_back(i);
  }
  for (const uint64_t seed : {1, 2, 3, 4, 5}) {
    SCOPED_TRACE(seed);
    sets_.seed = seed;
    EXPECT_THAT(BreachesOf(both.Select(halves.training)), IsEmpty());
    EXPECT_THAT(BreachesOf(both.Select(uneven)), IsEmpty());
  }
}

TEST_F(PanelGateTest, MosaicsOfTrainingPeopleWithFewChangesAreRefused) {
  // A fifth of an otherwise unseen cohort: haplotypes of two training people each, one allele in a thousand changed.
  Cohort cohort = sets_.whole_holdout;
  for (size_t sample = 0; sample < cohort.samples(); sample += 5) {
    const std::vector<size_t> people = sets_.whole_training.WithLabel(cohort.labels[sample]);
    for (size_t h = 0; h < 2; ++h) {
      const size_t from = 2 * people[(sample + 7 * h) % people.size()] + h;
      const PhiloxStream changes(9, sample, static_cast<int>(h), Purpose::kTraining);
      for (size_t v = 0; v < cohort.genotypes.variants(); ++v) {
        const int allele = sets_.whole_training.genotypes.Get(from, v);
        const bool changed = ToUniform(changes.Bits(static_cast<uint32_t>(v))) < 0.001;
        cohort.genotypes.Set(2 * sample + h, v, changed ? 1 - allele : allele);
      }
    }
  }
  EXPECT_THAT(BreachesOf(std::move(cohort)), Contains("privacy.near_training"));
}

TEST_F(PanelGateTest, OneCopyIsRefused) {
  Cohort cohort = sets_.whole_holdout;
  const Split halves = SplitHoldout(cohort.samples(), cohort.labels, {}, 0.5);
  Cohort unseen = cohort.Select(halves.training);
  sets_.whole_holdout = cohort.Select(halves.holdout);
  const size_t copied = sets_.whole_training.WithLabel(unseen.labels[0]).front();
  for (size_t h = 0; h < 2; ++h) {
    for (size_t v = 0; v < unseen.genotypes.variants(); ++v) {
      unseen.genotypes.Set(h, v, sets_.whole_training.genotypes.Get(2 * copied + h, v));
    }
  }
  EXPECT_THAT(BreachesOf(std::move(unseen)), Contains("kinship.duplicates_training"));
}

TEST_F(PanelGateTest, CopiesOfTheTrainingAreRefusedForPrivacy) {
  const std::vector<std::string> breaches = BreachesOf(sets_.whole_training);
  EXPECT_THAT(breaches, Contains("privacy.identical_excess"));
  EXPECT_THAT(breaches, Contains("kinship.duplicates_training"));
  EXPECT_THAT(breaches, Contains("privacy.near_training"));
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

#include "server/cohort/cohort_plan.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/model/test_models.h"

namespace genoserve {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kMost = 1'000'000;

v1::StreamCohortRequest Request(const std::string& text) {
  v1::StreamCohortRequest request;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &request));
  return request;
}

absl::StatusOr<CohortPlan> Plan(const std::string& text, const v1::Manifest& manifest) {
  return CohortPlan::Make(Request(text), manifest, kMost);
}

v1::Manifest Haplotypes() {
  v1::Manifest manifest = SmallAcgan(10, 3);
  manifest.mutable_labels(0)->set_training_samples(100);
  manifest.mutable_labels(1)->set_training_samples(0);
  manifest.mutable_labels(2)->set_training_samples(300);
  return manifest;
}

std::vector<int> Labels(const CohortPlan& plan, uint64_t seed = 1) {
  std::vector<int> labels;
  for (int64_t i = 0; i < plan.sample_count(); ++i) labels.push_back(plan.Label(seed, plan.first_sample() + i));
  return labels;
}

std::vector<double> Values(const CohortPlan& plan, int64_t sample, uint64_t seed = 1) {
  std::vector<double> values(plan.phenotype_count());
  plan.Phenotypes(seed, sample, values);
  return values;
}

TEST(CohortPlanTest, CountsMakeBlocksInTheOrderGiven) {
  const auto plan = Plan(
      "condition { label_counts { counts { label: 'L2' count: 2 } counts { label: 'L0' count: 1 } } }", Haplotypes());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->cohort_size(), 3);
  EXPECT_THAT(Labels(*plan), ElementsAre(2, 2, 0));
}

TEST(CohortPlanTest, ARangeOfACohortHasTheLabelsOfTheWhole) {
  const std::string counts =
      "condition { label_counts { counts { label: 'L1' count: 3 } counts { label: 'L0' count: 3 } } }";
  const auto plan = Plan(counts + " first_sample: 2 sample_count: 2", Haplotypes());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Labels(*plan), ElementsAre(1, 0));
}

TEST(CohortPlanTest, ProportionsBecomeCountsAndMayLeaveALabelOut) {
  const auto plan = Plan(
      "cohort_size: 4 condition { label_proportions { proportions { label: 'L0' proportion: 0.01 } "
      "proportions { label: 'L1' proportion: 3 } proportions { label: 'L2' proportion: 1 } } }",
      Haplotypes());
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(Labels(*plan), ElementsAre(1, 1, 1, 2));
}

TEST(CohortPlanTest, LabelsThatWereNotAskedForAreAsFrequentAsInTheTraining) {
  const auto plan = Plan("cohort_size: 10000", Haplotypes());
  ASSERT_TRUE(plan.ok()) << plan.status();
  const std::vector<int> labels = Labels(*plan);
  EXPECT_NEAR(static_cast<double>(std::count(labels.begin(), labels.end(), 0)), 2500, 150);
  EXPECT_EQ(std::count(labels.begin(), labels.end(), 1), 0);
  EXPECT_NE(labels, Labels(*plan, 2));
  // A shard draws what the whole draws.
  const auto shard = Plan("cohort_size: 10000 first_sample: 5000 sample_count: 10", Haplotypes());
  ASSERT_TRUE(shard.ok());
  EXPECT_EQ(Labels(*shard), std::vector<int>(labels.begin() + 5000, labels.begin() + 5010));
}

TEST(CohortPlanTest, AModelWithoutLabelsHasNone) {
  const auto plan = Plan("cohort_size: 1", SmallWganGp(10));
  ASSERT_TRUE(plan.ok());
  EXPECT_EQ(plan->Label(1, 0), -1);
}

TEST(CohortPlanTest, PhenotypesAreFixedGivenOrDrawn) {
  const auto fixed = Plan(
      "cohort_size: 2 condition { phenotypes { name: 'coat' level: 'c' } phenotypes { name: 'weight' number: 12.5 } }",
      SmallWganGp(10));
  ASSERT_TRUE(fixed.ok()) << fixed.status();
  EXPECT_THAT(Values(*fixed, 0), ElementsAre(12.5, 2));

  const auto given = Plan(
      "cohort_size: 9 first_sample: 4 sample_count: 2 condition { per_sample { phenotypes { name: 'weight' numbers: 11 "
      "numbers: 12 } } }",
      SmallWganGp(10));
  ASSERT_TRUE(given.ok()) << given.status();
  EXPECT_EQ(Values(*given, 4)[0], 11);
  EXPECT_EQ(Values(*given, 5)[0], 12);

  const auto levels = Plan(
      "cohort_size: 9 condition { phenotypes { name: 'coat' levels { proportions { level: 'b' proportion: 2 } } } }",
      SmallWganGp(10));
  ASSERT_TRUE(levels.ok()) << levels.status();
  EXPECT_EQ(Values(*levels, 3)[1], 1);
}

TEST(CohortPlanTest, DrawsHaveTheDistributionAskedFor) {
  const auto moments = [](const std::string& term) {
    const auto plan =
        Plan("cohort_size: 20000 condition { phenotypes { name: 'weight' " + term + " } }", SmallWganGp(10));
    EXPECT_TRUE(plan.ok()) << plan.status();
    double sum = 0;
    double squares = 0;
    for (int64_t i = 0; i < 20000; ++i) {
      const double value = Values(*plan, i)[0];
      EXPECT_GE(value, 10);
      EXPECT_LE(value, 30);
      sum += value;
      squares += value * value;
    }
    const double mean = sum / 20000;
    return std::pair{mean, std::sqrt(squares / 20000 - mean * mean)};
  };
  const auto normal = moments("normal { mean: 18 standard_deviation: 2 }");
  EXPECT_NEAR(normal.first, 18, 0.1);
  EXPECT_NEAR(normal.second, 2, 0.1);
  const auto uniform = moments("uniform { low: 12 high: 18 }");
  EXPECT_NEAR(uniform.first, 15, 0.1);
  EXPECT_NEAR(uniform.second, 6 / std::sqrt(12.0), 0.1);
  EXPECT_EQ(moments("normal { mean: 20 standard_deviation: 0 }").first, 20);
  // Far tails are moved to the ends of the training range.
  moments("normal { mean: 20 standard_deviation: 1000 }");
}

TEST(CohortPlanTest, ExtrapolatesByTheWidthOfTheTrainingRange) {
  const auto plan = [](const std::string& number) {
    return Plan("cohort_size: 1 condition { extrapolate: true phenotypes { name: 'weight' number: " + number + " } }",
                SmallWganGp(10));
  };
  const auto inside = plan("49.5");
  ASSERT_TRUE(inside.ok()) << inside.status();
  EXPECT_EQ(Values(*inside, 0)[0], 49.5);
  EXPECT_TRUE(plan("-10").ok());
  for (const std::string number : {"50.5", "-10.5", "inf", "nan"}) {
    const auto refused = plan(number);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument) << number;
    EXPECT_THAT(std::string(refused.status().message()), HasSubstr("weight, -10 to 50")) << number;
  }
}

struct Refusal {
  const char* request;
  const char* field;
  const char* allowed;
};

class CohortPlanRefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(CohortPlanRefusalTest, NamesTheFieldAndWhatIsAllowed) {
  v1::Manifest manifest = SmallWganGp(10);
  *manifest.mutable_labels() = Haplotypes().labels();
  const auto plan = Plan(GetParam().request, manifest);
  EXPECT_EQ(plan.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(plan.status().message()), AllOf(HasSubstr(GetParam().field), HasSubstr(GetParam().allowed)));
}

INSTANTIATE_TEST_SUITE_P(
    All, CohortPlanRefusalTest,
    testing::Values(
        Refusal{"cohort_size: 4 condition { label_counts { counts { label: 'L0' count: 5 } } }", "cohort_size",
                "sum to 5"},
        Refusal{"condition { label_counts { } }", "condition.label_counts.counts", "at least one"},
        Refusal{"condition { label_counts { counts { label: 'L0' count: 0 } } }", "counts[0].count", "at least 1"},
        Refusal{
            "condition { label_counts { counts { label: 'L0' count: 600000 } counts { label: 'L1' count: 600000 } } }",
            "counts[1].count", "1000000 in all"},
        Refusal{"condition { label_counts { counts { label: 'X' count: 1 } } }", "counts[0].label", "L0, L1, L2"},
        Refusal{"condition { label_counts { counts { label: 'L0' count: 1 } counts { label: 'L0' count: 1 } } }",
                "counts[1].label", "twice"},
        Refusal{"cohort_size: 2 condition { label_proportions { proportions { label: 'L0' proportion: -1 } } }",
                "proportions[0].proportion", "above 0"},
        Refusal{"cohort_size: 2 condition { label_proportions { proportions { label: 'L0' proportion: nan } } }",
                "proportions[0].proportion", "finite"},
        Refusal{"cohort_size: 2 condition { label_proportions { proportions { label: 'L0' proportion: 1e308 } "
                "proportions { label: 'L1' proportion: 1e308 } } }",
                "label_proportions.proportions", "sum"},
        Refusal{"condition { label_proportions { proportions { label: 'L0' proportion: 1 } } }", "cohort_size", "1 to"},
        Refusal{"cohort_size: 2 condition { per_sample { labels: 'L0' } }", "per_sample.labels", "one a sample"},
        Refusal{"cohort_size: 1 condition { per_sample { labels: 'X' } }", "per_sample.labels[0]", "L0, L1, L2"},
        Refusal{"cohort_size: 1 condition { per_sample { } phenotypes { name: 'coat' level: 'a' } }", "per_sample",
                "excludes"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'height' number: 1 } }", "phenotypes[0].name",
                "weight, coat"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'coat' level: 'a' } phenotypes { name: 'coat' level: "
                "'a' } }",
                "phenotypes[1].name", "twice"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' } }", "phenotypes[0]", "give a number"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' number: nan } }", "number", "10 to 30 g"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' number: 9.99 } }", "number", "10 to 30 g"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' number: inf } }", "number", "10 to 30 g"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' level: 'a' } }", "level", "continuous"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'coat' number: 1 } }", "number", "a, b, c"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'coat' level: 'd' } }", "level", "a, b, c"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' normal { mean: 20 standard_deviation: -1 } } }",
                "standard_deviation", "from 0"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'weight' uniform { low: 20 high: 19 } } }", "uniform",
                "above high"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'coat' levels { } } }", "levels.proportions",
                "at least one"},
        Refusal{"cohort_size: 1 condition { phenotypes { name: 'coat' levels { proportions { level: 'a' proportion: 0 "
                "} } } }",
                "proportions[0].proportion", "above 0"},
        Refusal{"cohort_size: 1 condition { per_sample { phenotypes { name: 'weight' numbers: 20 numbers: 20 } } }",
                "numbers", "one a sample"},
        Refusal{"cohort_size: 1 condition { per_sample { phenotypes { name: 'weight' numbers: 31 } } }", "numbers[0]",
                "10 to 30 g"},
        Refusal{"cohort_size: 1 condition { per_sample { phenotypes { name: 'coat' numbers: 1 } } }", "numbers",
                "categorical"}));

TEST(CohortPlanTest, LabelsOfAModelThatHasNoneAreRefused) {
  const auto plan = Plan("condition { label_counts { counts { label: 'L0' count: 1 } } }", SmallWganGp(10));
  EXPECT_THAT(std::string(plan.status().message()), HasSubstr("no population labels"));
}

}  // namespace
}  // namespace genoserve

// The evaluate command through the real program.
#include "trainer/evaluate_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "trainer/test_data.h"
#include "trainer/test_program.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() : data_(testing::UnitTest::GetInstance()->current_test_info()->name()) {}

  std::vector<std::string> Arguments(const std::string& synthetic, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"evaluate", "--vcf", data_.Path("real.vcf"), "--synthetic", synthetic};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TestData data_;
};

TEST_F(EvaluateTest, ACopyAgreesInAllAndIsFoundOut) {
  const ProgramResult result =
      RunTrainer(Arguments(data_.Path("real.vcf"), {"--panel", data_.Path("panel.tsv"), "--label-column", "pop",
                                                    "--synthetic-panel", data_.Path("panel.tsv"), "--json"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const nlohmann::json json = nlohmann::json::parse(result.out);
  ASSERT_EQ(json["allele_frequencies"].size(), 3);
  EXPECT_EQ(json["allele_frequencies"][1]["label"], "north");
  EXPECT_EQ(json["allele_frequencies"][1]["real_samples"], 40);
  EXPECT_DOUBLE_EQ(json["allele_frequencies"][1]["pearson"], 1);
  EXPECT_EQ(json["neighbour_r2"]["real"], json["neighbour_r2"]["synthetic"]);
  EXPECT_GT(json["neighbour_r2"]["real"], 0.2);
  EXPECT_EQ(json["rows"]["found_in_real"], json["rows"]["synthetic"]);
}

TEST_F(EvaluateTest, PrintsATableOfPopulations) {
  const ProgramResult result =
      RunTrainer(Arguments(data_.Path("real.vcf"), {"--panel", data_.Path("panel.tsv"), "--label-column", "pop",
                                                    "--synthetic-panel", data_.Path("panel.tsv")}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("pop"), HasSubstr("all"), HasSubstr("south"), HasSubstr("n synthetic"),
                                HasSubstr("Mean r^2"), HasSubstr("160 of 160 (100 %)")));
}

TEST_F(EvaluateTest, ComparesSharedVariantsWhateverTheirOrderAndTellsTheRest) {
  // The second variant is another allele here, so it is not the same variant.
  const std::string text = absl::StrReplaceAll(data_.vcf(), {{"1\t200\tv1\tA\tC", "1\t200\tv1\tA\tG"}});
  const ProgramResult result = RunTrainer(Arguments(data_.Write("other.vcf", text), {"--json"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("39 variants are in both files; 1 real and 1 synthetic ones are left out"));
  EXPECT_EQ(nlohmann::json::parse(result.out)["allele_frequencies"][0]["variants"], 39);
}

TEST_F(EvaluateTest, UnphasedFilesAreComparedAsGenotypes) {
  std::string text = absl::StrReplaceAll(data_.vcf(), {{"|", "/"}});
  const ProgramResult result = RunTrainer(Arguments(data_.Write("unphased.vcf", text), {"--json"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["rows"]["synthetic"], TestData::kSamples);
}

TEST_F(EvaluateTest, LabelsOfOnePanelOnlyAreTold) {
  std::string panel = "sample\tgroup\n";
  for (int i = 0; i < TestData::kSamples; ++i) absl::StrAppend(&panel, "S", i, i < 9 ? "\teast\n" : "\tnorth\n");
  const ProgramResult result = RunTrainer(Arguments(
      data_.Path("real.vcf"), {"--panel", data_.Path("panel.tsv"), "--label-column", "pop", "--synthetic-panel",
                               data_.Write("synthetic.tsv", panel), "--synthetic-label-column", "group"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("label south is in"), HasSubstr("label east is in")));
  EXPECT_THAT(result.out, AllOf(HasSubstr("north"), Not(HasSubstr("south"))));
}

TEST_F(EvaluateTest, SaysWhatIsWrong) {
  const std::string moved = absl::StrReplaceAll(data_.vcf(), {{"\n1\t", "\n2\t"}, {"ID=1,", "ID=2,"}});
  ProgramResult result = RunTrainer(Arguments(data_.Write("moved.vcf", moved)));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("have no variant in common"));
  EXPECT_THAT(result.out, IsEmpty());
  result = RunTrainer(Arguments(data_.Path("cohort")));
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.err, HasSubstr("cohort."));
  result = RunTrainer(Arguments(data_.Path("real.vcf"), {"--synthetic-panel", data_.Path("panel.tsv")}));
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--synthetic-panel needs --panel"));
}

}  // namespace
}  // namespace genoserve

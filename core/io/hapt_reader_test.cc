#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/io/genotype_reader.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ReadOptions kKeep{MissingCalls::kKeep};
constexpr ReadOptions kImpute{MissingCalls::kImpute};
constexpr char kLegend[] = "id position a0 a1\n1:100_C_T 100 C T\n1:200_A_G 200 A G\n2:50_G_GA 50 G GA\n";
constexpr char kHapt[] = "EUR x_A 0 1 0\nEUR x_B 1 1 0\nAFR y_A 0 0 1\nAFR y_B 1 0 1\n";

class HaptReaderTest : public FolderTest {
 protected:
  absl::StatusOr<GenotypeData> ReadFiles(absl::string_view hapt, absl::string_view legend,
                                         const ReadOptions& options = kKeep) const {
    return ReadHapt(Write("x.hapt", hapt), Write("x.legend", legend), options);
  }
  std::string Error(absl::string_view hapt, absl::string_view legend) const {
    return Message(ReadFiles(hapt, legend).status());
  }
};

TEST_F(HaptReaderTest, ReadsHaplotypesAndTheirLegend) {
  const auto data = ReadFiles(kHapt, kLegend);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->samples, ElementsAre("x", "y"));
  EXPECT_EQ(data->variants[2], (VariantRecord{"2", 50, "2:50_G_GA", "G", "GA"}));
  ASSERT_EQ(data->genotypes.packing(), Packing::kHaplotype1Bit);
  EXPECT_THAT(data->genotypes.bytes(), ElementsAre(0b010, 0b011, 0b100, 0b101));
}

TEST_F(HaptReaderTest, MissingAllelesAreImputedOrRefused) {
  const char* hapt = "EUR x_A . 1 0\nEUR x_B . 1 0\nAFR y_A 1 . 0\nAFR y_B 1 1 .\n";
  const auto data = ReadFiles(hapt, kLegend, kImpute);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->genotypes.bytes(), ElementsAre(0b011, 0b011, 0b011, 0b011)) << "the draws are sure";
  EXPECT_EQ(data->imputed_calls, 3) << "a call is a sample's pair of alleles";
  EXPECT_THAT(Error(hapt, kLegend),
              HasSubstr("x.hapt: variant 1:100_C_T, sample x: the call is missing, which haplotypes cannot hold"));
}

TEST_F(HaptReaderTest, BadFilesAreNamedWithTheirPlace) {
  EXPECT_THAT(Error("EUR x_A 0 1 0\n", kLegend), HasSubstr("x.hapt: has 1 lines, expected an even number"));
  EXPECT_THAT(Error("EUR x_A 0 1 0\nEUR x_B 1 1\n", kLegend),
              HasSubstr("line 2: expected a label, an id and 3 alleles"));
  EXPECT_THAT(Error("EUR x_A 0 2 0\nEUR x_B 1 1 0\n", kLegend),
              HasSubstr("line 1: allele 2 is \"2\", expected 0 or 1"));
  EXPECT_THAT(Error("EUR x_A 0 1 0\nEUR y_B 1 1 0\n", kLegend),
              HasSubstr("line 2: the id \"y_B\" does not follow \"x_A\""));
  EXPECT_THAT(Error("EUR x_B 0 1 0\nEUR x_A 1 1 0\n", kLegend), HasSubstr("line 1: the id \"x_B\" does not end in _A"));
  EXPECT_THAT(Error("E x_A 0 1 0\nE x_B 1 1 0\nE x_A 0 1 0\nE x_B 1 1 0\n", kLegend),
              HasSubstr("line 3: sample x is on line 1 already"));
  EXPECT_THAT(Error("", kLegend), HasSubstr("x.hapt: is empty"));
  EXPECT_THAT(Error(kHapt, "position\n"), HasSubstr("x.legend: line 1: expected the header"));
  EXPECT_THAT(Error(kHapt, "id position a0 a1\nv 1 A\n"), HasSubstr("x.legend: line 2: expected 4 columns, found 3"));
  EXPECT_THAT(Error(kHapt, "id position a0 a1\nv x A G\n"), HasSubstr("the position \"x\" is not a number"));
  EXPECT_THAT(Error(kHapt, "id position a0 a1\n"), HasSubstr("x.legend: has no variants"));
  EXPECT_EQ(ReadHapt(Path("none"), Path("no"), kKeep).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace genoserve

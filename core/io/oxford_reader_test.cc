#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/io/test_files.h"
#include "core/io/test_panels.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kSample[] = "ID_1 ID_2 missing sex\n0 0 0 D\n0 a 0 2\n0 b 0 1\n";

class OxfordReaderTest : public FolderTest {
 protected:
  /// The one message that reading these files as .haps ends with.
  std::string Error(absl::string_view haps, absl::string_view sample = kSample) const {
    Write("e.sample", sample);
    Write("e.haps", haps);
    return ReadAsText(Path("e.haps")).back();
  }
};

TEST_F(OxfordReaderTest, ReadsWhatPlink2AndBcftoolsExport) {
  Write("x.vcf", RandomVcf({.samples = 60, .variants = 80, .phased = true}));
  const std::vector<std::string> all = ReadAsText(Path("x.vcf"));
  // bcftools keeps phase, missing calls and, with --vcf-ids, names; it has sites in the lines, or a legend.
  Run("bcftools convert --vcf-ids --hapsample b.hap.gz,b.sample x.vcf && gunzip -c b.hap.gz > b.haps && "
      "bcftools convert --vcf-ids --haplegendsample c.hap.gz,c.legend.gz,c.sample x.vcf");
  ExpectSameLines(ReadAsText(Path("b.haps")), all);
  ExpectSameLines(ReadAsText(Path("c.hap.gz")), all);
  // plink2 takes no missing calls.
  Write("x.vcf", RandomVcf({.samples = 60, .variants = 80, .phased = true, .missing = false}));
  const std::vector<std::string> whole = ReadAsText(Path("x.vcf"));
  Run("plink2 --vcf x.vcf --export haps ref-first --out p && plink2 --vcf x.vcf --export hapslegend ref-first --out q");
  ExpectSameLines(ReadAsText(Path("p.haps")), whole);
  ExpectSameLines(ReadAsText(Path("q.haps")), whole);
}

TEST_F(OxfordReaderTest, HaploidUnphasedAndMissingCallsAreToldApart) {
  Write("h.samples", "sample population group sex\na EUR EUR 2\nb AFR AFR 1\n");
  Write("h.hap", "0 1 1 -\n? ? ? -\n1* 0* 0 1\n1 0 1 ?\n");
  Write("h.legend", "id position a0 a1\nX:5_A_G 5 A G\nX:6_A_G 6 A G\nX:7_A_G 7 A G\nX:8_A_G 8 A G\n");
  EXPECT_THAT(ReadAsText(Path("h.hap")),
              ElementsAre("X:5 X:5_A_G A G h1'", "X:6 X:6_A_G A G ..", "X:7 X:7_A_G A G hh", "X:8 X:8_A_G A G H."));
  const auto opened = OpenVariantReader(SourceOfPath(Path("h.hap")), {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_THAT((*opened)->sexes(), ElementsAre(2, 1));
  VariantCalls calls;
  std::vector<std::string> phases;
  while ((*opened)->Next().value()) {
    ASSERT_EQ((*opened)->ReadCalls(&calls), absl::OkStatus());
    phases.push_back(absl::StrCat(calls.phased ? "phased " : "", calls.unphased ? "unphased" : ""));
  }
  EXPECT_THAT(phases, ElementsAre("phased ", "", "phased unphased", "phased "));
  ASSERT_EQ(calls.half_calls.size(), 1u);
  EXPECT_EQ(calls.half_calls[0].sample, 1u);
  EXPECT_EQ(calls.half_calls[0].missing_haplotype, 1);
  EXPECT_EQ(calls.half_calls[0].allele, 1);
}

TEST_F(OxfordReaderTest, BadFilesAreNamedWithTheirPlace) {
  EXPECT_THAT(Error("1 rs1 5 A G 0 1 1\n"), HasSubstr("e.haps: line 1: expected contig, id, position, a0, a1 and 4 "
                                                      "alleles, two for each of 2 samples, found 8 words"));
  EXPECT_THAT(Error("1 rs1 5 A G 0 1 1 0 1\n"), HasSubstr("found 10 words"));
  EXPECT_THAT(Error("1 rs1 5 A G 0 1 2 0\n"), HasSubstr("line 1: sample b: the call is \"2 0\", expected two of"));
  EXPECT_THAT(Error("1 rs1 five A G 0 1 1 0\n"), HasSubstr("the position \"five\" is not a number"));
  EXPECT_THAT(Error(""), HasSubstr("e.haps: is empty"));
  EXPECT_THAT(Error("", "a b\n"), HasSubstr("e.sample: line 1: expected the header \"ID_1 ID_2 missing"));
  EXPECT_THAT(Error("", "ID_1 ID_2 missing\n1 a 0\n"), HasSubstr("line 2: expected the types of the columns"));
  EXPECT_THAT(Error("", "ID_1 ID_2 missing\n0 0 0\n1 a 0\n2 a 0\n"), HasSubstr("sample a is on line 3 already"));
  EXPECT_THAT(Error("", "ID_1 ID_2 missing\n0 0 0\n"), HasSubstr("has no samples"));
  Write("f.sample", kSample);
  Write("f.hap", "0 1 1 0\n");
  Write("f.legend", "id position a0 a1\nv 5 A G\nw 6 A G\n");
  EXPECT_THAT(ReadAsText(Path("f.hap")).back(), HasSubstr("f.hap: has fewer lines than"));
  Write("f.hap", "0 1 1 0\n0 1 1 0\n0 1 1 0\n");
  EXPECT_THAT(ReadAsText(Path("f.hap")).back(), HasSubstr("f.hap: has more lines than"));
  // Gzipped files that are cut short.
  Run("bgzip -c f.hap > g.hap.gz && cp f.legend g.legend && cp f.sample g.sample");
  const std::string whole = Read(Path("g.hap.gz"));
  for (size_t size = 0; size < whole.size(); ++size) {
    Write("g.hap.gz", whole.substr(0, size));
    EXPECT_THAT(ReadAsText(Path("g.hap.gz")).back(), HasSubstr("g.hap.gz")) << size;
  }
}

}  // namespace
}  // namespace genoserve

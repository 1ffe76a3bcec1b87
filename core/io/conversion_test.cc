#include "core/io/conversion.h"

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
using ::testing::Not;
using ::testing::SizeIs;

constexpr char kHeader[] =
    "##fileformat=VCFv4.3\n##contig=<ID=1,length=1000>\n##contig=<ID=X,length=156040895>\n"
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\td\n";

class ConversionTest : public FolderTest {
 protected:
  /// From files in the folder to others there.
  Conversion Plan(const std::string& from, const std::string& to) const {
    Conversion conversion;
    conversion.from = SourceOfPath(Path(from));
    conversion.reader.haploid = HaploidCalls::kDouble;
    conversion.path = Path(to);
    conversion.format = FormatOfPath(to).value();
    return conversion;
  }
  static absl::StatusOr<ConversionSummary> Run(const Conversion& conversion) {
    return Convert(conversion, [](int64_t, int64_t) { return absl::OkStatus(); });
  }
  ConversionSummary MustRun(const Conversion& conversion) const {
    const absl::StatusOr<ConversionSummary> summary = Run(conversion);
    EXPECT_TRUE(summary.ok()) << summary.status();
    return summary.ok() ? *summary : ConversionSummary();
  }
  std::string Error(const Conversion& conversion) const { return Message(Run(conversion).status()); }
  void WriteVcf(absl::string_view records) const { Write("x.vcf", absl::StrCat(kHeader, records)); }
  std::vector<std::string> Text(const std::string& name) const {
    return ReadAsText(Path(name), {MultiAllelic::kRefuse, HaploidCalls::kDouble});
  }
};

TEST_F(ConversionTest, RoundTripsThroughEveryFormatAreExact) {
  struct Case {
    PanelShape shape;
    std::vector<std::string> formats;
  };
  const Case cases[] = {
      {{.samples = 301, .variants = 90}, {"vcf", "vcf.gz", "bcf", "bed", "pgen", "npy", "zarr"}},
      {{.samples = 301, .variants = 90, .phased = true, .missing = false, .legend_names = true},
       {"vcf", "vcf.gz", "bcf", "pgen", "hap", "haps", "hapt", "npy", "zarr"}},
  };
  for (const auto& [shape, formats] : cases) {
    Write("x.vcf", RandomVcf(shape));
    const std::vector<std::string> original = Text("x.vcf");
    for (size_t i = 0; i < formats.size(); ++i) {
      const std::string& first = formats[i];
      const ConversionSummary there = MustRun(Plan("x.vcf", "a." + first));
      EXPECT_EQ(there.haplotypes, shape.phased) << first;
      // To itself, and to the next one, so that each is read and written with several others.
      for (const std::string& second : {first, formats[(i + 1) % formats.size()]}) {
        MustRun(Plan("a." + first, "b." + second));
        ExpectSameLines(Text("b." + second), original);
        if (HasFailure()) FAIL() << first << " to " << second;
      }
      const auto reader = OpenVariantReader(SourceOfPath(Path("a." + first)), {});
      ASSERT_TRUE(reader.ok()) << reader.status();
      EXPECT_EQ((*reader)->samples().front(), "S1");
      EXPECT_EQ((*reader)->samples().back(), "S301");
    }
  }
}

TEST_F(ConversionTest, AgreesWithPlink2AndBcftoolsOnTheSameInput) {
  Write("x.vcf", RandomVcf({.samples = 200, .variants = 120}));
  MustRun(Plan("x.vcf", "ours.bed"));
  FolderTest::Run(
      "plink2 --vcf x.vcf --make-bed --out p && cmp p.bed ours.bed && plink1.9 --vcf x.vcf --keep-allele-order "
      "--make-bed --out q && cmp q.bed ours.bed");
  MustRun(Plan("x.vcf", "ours.bcf"));
  EXPECT_EQ(FolderTest::Run("bcftools query -f '%CHROM %POS %ID %REF %ALT[ %GT]\\n' ours.bcf"),
            FolderTest::Run("bcftools query -f '%CHROM %POS %ID %REF %ALT[ %GT]\\n' x.vcf"));
}

TEST_F(ConversionTest, WhatBio2zarrWritesIsRead) {
  Write("x.vcf", RandomVcf({.samples = 200, .variants = 120}));
  FolderTest::Run(
      "bcftools view x.vcf -Oz -o x.vcf.gz && bcftools index x.vcf.gz && "
      "$(dirname " GENOSERVE_READERS
      ")/vcf2zarr convert --no-progress --variants-chunk-size 50 --samples-chunk-size 70 x.vcf.gz x.vcz");
  MustRun(Plan("x.vcz", "ours.vcf"));
  ExpectSameLines(Text("ours.vcf"), Text("x.vcf"));
}

TEST_F(ConversionTest, FiltersAgreeWithPlink2) {
  Write("x.vcf", RandomVcf({.samples = 200, .variants = 300}));
  Write("keep.txt", [] {
    std::string names;
    for (int i = 150; i > 20; i -= 3) absl::StrAppend(&names, "S", i, "\n");
    return names;
  }());
  Write("ids.txt", [] {
    std::string ids;
    for (int i = 1; i <= 300; ++i) {
      if (i % 5 != 2) absl::StrAppend(&ids, "rs", i, "\n");
    }
    return ids;
  }());
  Conversion conversion = Plan("x.vcf", "ours.bed");
  VariantFilters& filters = conversion.filters;
  for (int i = 150; i > 20; i -= 3) filters.samples.push_back(absl::StrCat("S", i));
  filters.file_order = true;
  filters.extract = true;
  for (int i = 1; i <= 300; ++i) {
    if (i % 5 != 2) filters.ids.insert(absl::StrCat("rs", i));
  }
  filters.regions = {{"1", 200, 2800}};
  filters.min_maf = 0.05;
  filters.max_variant_missing = 0.06;
  const ConversionSummary summary = MustRun(conversion);
  FolderTest::Run(
      "plink2 --vcf x.vcf --keep keep.txt --extract ids.txt --chr 1 --from-bp 200 --to-bp 2800 --maf 0.05 --geno 0.06 "
      "--force-intersect "
      "--make-bed --out p && cmp p.bed ours.bed && cut -f 1,2,4,5,6 p.bim > p.sites && "
      "cut -f 1,2,4,5,6 ours.bim | cmp - p.sites");
  const FilterCounts& counts = summary.counts;
  EXPECT_EQ(counts.samples_read, 200);
  EXPECT_EQ(counts.samples_not_wanted, 200 - 44);
  EXPECT_EQ(counts.variants_read, 300);
  EXPECT_EQ(counts.outside_regions, 39);
  EXPECT_EQ(counts.not_extracted, 52);
  EXPECT_GT(counts.rare, 0);
  EXPECT_GT(counts.missing, 0);
  EXPECT_EQ(counts.outside_regions + counts.not_extracted + counts.rare + counts.missing + counts.variants_kept, 300);
}

TEST_F(ConversionTest, SamplesComeInTheOrderAskedForAndThoseWithoutCallsGo) {
  WriteVcf(
      "1\t1\tr1\tA\tG\t.\t.\t.\tGT\t0/0\t./.\t1/1\t0/1\n1\t2\tr2\tA\tG\t.\t.\t.\tGT\t0/1\t./.\t1/1\t./.\n"
      "1\t3\tr3\tA\tG\t.\t.\t.\tGT\t1/1\t0/0\t0/0\t0/1\n");
  Conversion conversion = Plan("x.vcf", "y.vcf");
  conversion.filters.samples = {"d", "b", "a"};
  MustRun(conversion);
  EXPECT_THAT(Text("y.vcf"), ElementsAre("1:1 r1 A G h.0", "1:2 r2 A G ..h", "1:3 r3 A G h01"));
  conversion.filters.max_sample_missing = 0.5;
  const ConversionSummary summary = MustRun(conversion);
  EXPECT_THAT(Text("y.vcf"), ElementsAre("1:1 r1 A G h0", "1:2 r2 A G .h", "1:3 r3 A G h1"));
  EXPECT_EQ(summary.counts.samples_missing, 1);
  EXPECT_EQ(summary.counts.samples_not_wanted, 1);
  EXPECT_EQ(summary.missing_calls, 1);
  conversion.filters.samples = {"d", "x"};
  EXPECT_THAT(Error(conversion), HasSubstr("there is no sample x among the 4 of the files, a to d"));
  conversion.filters.samples = {"d", "d"};
  EXPECT_THAT(Error(conversion), HasSubstr("sample d is asked for twice"));
  conversion.filters = {};
  conversion.filters.max_sample_missing = 0.5;
  conversion.filters.samples = {"b"};
  EXPECT_THAT(Error(conversion), HasSubstr("no sample is left: all miss more than 0.5"));
  conversion.filters = {};
  conversion.filters.regions = {{"1", 1, 2}, {"2", 5, 9}};
  EXPECT_THAT(Error(conversion), HasSubstr("region 2:5-9: holds no variant of"));
  conversion.filters.regions = {};
  conversion.filters.min_maf = 0.3;
  conversion.filters.max_variant_missing = 0;
  EXPECT_EQ(MustRun(conversion).counts.variants_kept, 1);
  conversion.filters.extract = true;
  EXPECT_THAT(Error(conversion), HasSubstr("no variant is left of 3"));
}

TEST_F(ConversionTest, MalesKeepTheirHaploidCallsOnX) {
  WriteVcf(
      "1\t10\tr1\tA\tG\t.\t.\t.\tGT\t0/1\t1/1\t0/0\t0/1\n"
      "X\t50000000\tr2\tA\tG\t.\t.\t.\tGT\t0/1\t1\t0\t1/1\nX\t50000001\tr3\tA\tG\t.\t.\t.\tGT\t0/0\t0\t.\t./.\n");
  const ConversionSummary summary = MustRun(Plan("x.vcf", "y.bed"));
  EXPECT_EQ(summary.inferred_males, 2);
  const auto reader = OpenVariantReader(SourceOfPath(Path("y")), {});
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_THAT((*reader)->sexes(), ElementsAre(kFemale, kMale, kMale, kFemale));
  MustRun(Plan("y.bed", "z.vcf"));
  EXPECT_EQ(FolderTest::Run("bcftools query -f '[%GT ]\\n' z.vcf"),
            FolderTest::Run("bcftools query -f '[%GT ]\\n' x.vcf"));
  // plink2 finds no heterozygous male, and writes the same calls.
  FolderTest::Run("plink2 --bfile y --export vcf --out p");
  EXPECT_EQ(FolderTest::Run("bcftools query -f '[%GT ]\\n' p.vcf"),
            FolderTest::Run("bcftools query -f '[%GT ]\\n' x.vcf"));
}

TEST_F(ConversionTest, ContigsThatPlinkNumbersKeepTheirHaploidCalls) {
  WriteVcf(
      "22\t10\tr1\tA\tG\t.\t.\t.\tGT\t0/1\t1/1\t0/0\t0/1\n"
      "23\t50000000\tr2\tA\tG\t.\t.\t.\tGT\t0/1\t1\t0\t1/1\n"
      "24\t50000\tr3\tA\tG\t.\t.\t.\tGT\t0\t1\t0\t1\nchr26\t5\tr4\tA\tG\t.\t.\t.\tGT\t1\t0\t1\t0\n");
  EXPECT_EQ(MustRun(Plan("x.vcf", "y.bed")).doubled_calls, 0);
  MustRun(Plan("y.bed", "z.vcf"));
  EXPECT_THAT(Text("z.vcf"), ElementsAre("22:10 r1 A G h10h", "23:50000000 r2 A G h1'0'1", "24:50000 r3 A G 0'1'0'1'",
                                         "chr26:5 r4 A G 1'0'1'0'"));
}

TEST_F(ConversionTest, DrawnCallsOfMalesOnXHaveTwoEqualAlleles) {
  std::string records = "X\t50000000\tr\tA\tG\t.\t.\t.\tGT\t0/1\t1\t0\t0/1\n";
  for (int i = 0; i < 20; ++i) {
    absl::StrAppend(&records, "X\t", 60000000 + i, "\tq", i, "\tA\tG\t.\t.\t.\tGT\t0/1\t1\t.\t./.\n");
  }
  WriteVcf(records);
  Conversion impute = Plan("x.vcf", "y.bed");
  impute.missing = MissingPolicy::kImpute;
  EXPECT_EQ(MustRun(impute).imputed_calls, 40);
  std::string males;
  std::string females;
  for (const std::string& line : Text("y.bed")) {
    males += line[line.size() - 2];
    females += line.back();
  }
  EXPECT_THAT(males, Not(HasSubstr("h")));
  EXPECT_THAT(males, HasSubstr("1"));
  EXPECT_THAT(females.substr(1), HasSubstr("h"));
}

TEST_F(ConversionTest, PhaseIsKeptWholeOrDroppedWhenAsked) {
  WriteVcf("1\t10\tr1\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t0|0\t1|1\n1\t20\tr2\tA\tG\t.\t.\t.\tGT\t0|1\t1/0\t0|0\t1|1\n");
  Conversion conversion = Plan("x.vcf", "y.bcf");
  EXPECT_THAT(Error(conversion), HasSubstr("some calls have a phase and some have none; --unphased drops it"));
  conversion.unphased = true;
  EXPECT_TRUE(MustRun(conversion).phase_dropped);
  EXPECT_THAT(Text("y.bcf"), ElementsAre("1:10 r1 A G hh01", "1:20 r2 A G hh01"));
  EXPECT_TRUE(MustRun(Plan("x.vcf", "y.bed")).phase_dropped) << "a BED holds none anyway";
  WriteVcf("1\t10\tr1\tA\tG\t.\t.\t.\tGT\t0|1\t.|.\t0|0\t0|0\n");
  conversion = Plan("x.vcf", "y.vcf");
  EXPECT_THAT(Error(conversion), HasSubstr("record 1:10, sample b: the call is missing, which haplotypes cannot hold; "
                                           "--missing impute fills such calls in, --unphased drops the phase"));
  conversion.missing = MissingPolicy::kRefuse;
  EXPECT_THAT(Error(conversion), HasSubstr("record 1:10, sample b: the call is missing"));
  conversion.missing = MissingPolicy::kImpute;
  const ConversionSummary summary = MustRun(conversion);
  EXPECT_TRUE(summary.haplotypes);
  EXPECT_EQ(summary.imputed_calls, 1);
  EXPECT_THAT(Text("y.vcf"), SizeIs(1));
}

TEST_F(ConversionTest, NamesThatCannotStayAreToldOf) {
  WriteVcf(
      "1\t10\t.\tA\tG,T\t.\t.\t.\tGT\t0/1\t0/2\t1/2\t./.\n1\t20\trs\tA\tG\t.\t.\t.\tGT\t0/1\t0\t0/0\t0/0\n"
      "1\t30\trs\tA\tG\t.\t.\t.\tGT\t0/1\t0/0\t0/0\t0/0\n");
  Conversion conversion = Plan("x.vcf", "y.vcf");
  EXPECT_THAT(Error(conversion), HasSubstr("record 1:10: has 2 ALT alleles"));
  conversion.reader.multi_allelic = MultiAllelic::kSplit;
  const ConversionSummary summary = MustRun(conversion);
  EXPECT_EQ(summary.renamed_variants, 4);
  EXPECT_EQ(summary.doubled_calls, 1);
  EXPECT_THAT(Text("y.vcf"), ElementsAre("1:10 1:10:A:G A G h0h.", "1:10 1:10:A:T A T 0hh.", "1:20 1:20:A:G A G h000",
                                         "1:30 1:30:A:G A G h000"));
  WriteVcf("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0/1\t0/1\t./.\nchr1\t10\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0/1\t0/1\t./.\n");
  EXPECT_THAT(Error(conversion), HasSubstr("x.vcf: names a contig both chr1 and 1; give all names one form first"));
}

TEST_F(ConversionTest, NothingIsLeftOfAConversionThatIsStopped) {
  Write("x.vcf", RandomVcf({.samples = 20, .variants = 30}));
  for (const int64_t stop : {0, 25}) {
    for (const bool writing : {false, true}) {
      const auto status =
          Convert(Plan("x.vcf", "y.bcf"), [&](int64_t done, int64_t total) {
            return done == stop && (total > 0) == writing ? absl::CancelledError("stop") : absl::OkStatus();
          }).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
      EXPECT_THAT(Names(), ElementsAre("x.vcf"));
    }
  }
}

}  // namespace
}  // namespace genoserve

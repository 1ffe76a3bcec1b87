#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/io/genotype_reader.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ReadOptions kKeep{MissingCalls::kKeep};
constexpr ReadOptions kImpute{MissingCalls::kImpute};

// Five samples, two variants. Variant 1: hom A1, het, hom A2, missing | hom A1; variant 2: hom A2 throughout.
constexpr char kFam[] = "f a 0 0 0 -9\nf b 0 0 1 -9\nf\tc\t0\t0\t2\t-9\nf d 0 0 0 1\nf e 0 0 0 2\n";
constexpr char kBim[] = "1 rs1 0 100 G A\n1\trs2\t0.5\t200\tT\tC\n";
const std::string kBed("\x6c\x1b\x01\x78\x00\xff\x03", 7);

class BedReaderTest : public FolderTest {
 protected:
  absl::StatusOr<GenotypeData> ReadFiles(absl::string_view fam, absl::string_view bim, absl::string_view bed,
                                         const ReadOptions& options = kKeep) const {
    Write("x.fam", fam);
    Write("x.bim", bim);
    Write("x.bed", bed);
    return ReadBed(Path("x"), options);
  }
  std::string Error(absl::string_view fam, absl::string_view bim, absl::string_view bed) const {
    return Message(ReadFiles(fam, bim, bed).status());
  }
};

TEST_F(BedReaderTest, ReadsHandWorkedBytes) {
  const auto data = ReadFiles(kFam, kBim, kBed);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->samples, ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_EQ(data->variants[0], (VariantRecord{"1", 100, "rs1", "A", "G"})) << "A1 is ALT, A2 is REF";
  ASSERT_EQ(data->genotypes.rows(), 5u);
  std::vector<int> codes;
  for (size_t i = 0; i < 5; ++i) codes.push_back(data->genotypes.Get(i, 0));
  EXPECT_THAT(codes, ElementsAre(2, 1, 0, 3, 2));
  for (size_t i = 0; i < 5; ++i) EXPECT_EQ(data->genotypes.Get(i, 1), 0);
}

TEST_F(BedReaderTest, TextsWhoseLastLineDoesNotEndAreCutShort) {
  const absl::string_view fam = kFam;
  const absl::string_view bim = kBim;
  EXPECT_THAT(Error(fam.substr(0, fam.size() - 1), kBim, kBed),
              HasSubstr("x.fam: line 5: the last line does not end: the file is cut short"));
  EXPECT_THAT(Error(kFam, bim.substr(0, bim.size() - 1), kBed), HasSubstr("x.bim: line 2: the last line does not end"));
}

TEST_F(BedReaderTest, ImputesMissingCalls) {
  // Variant 1: three samples hom A1 and one missing, so that the draw is sure.
  const auto data = ReadFiles("0 a 0 0 0 0\n0 b 0 0 0 0\n0 c 0 0 0 0\n0 d 0 0 0 0\n", "1 v 0 1 G A\n",
                              std::string("\x6c\x1b\x01\x40", 4), kImpute);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->imputed_calls, 1);
  EXPECT_EQ(data->genotypes.Get(3, 0), 2);
  EXPECT_THAT(Message(ReadFiles("0 a 0 0 0 0\n", "1 v 0 1 G A\n", "\x6c\x1b\x01\x01", kImpute).status()),
              HasSubstr("variant 1 (v): no sample has a call"));
}

TEST_F(BedReaderTest, AgreesWithTheVcfReaderOnWhatPlinkConverts) {
  std::string vcf =
      "##fileformat=VCFv4.3\n##contig=<ID=1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=\"G\">\n#"
      "CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT";
  for (int s = 0; s < 71; ++s) absl::StrAppend(&vcf, "\ts", s);
  for (int v = 1; v <= 1100; ++v) {  // more than either reader takes at a time
    absl::StrAppend(&vcf, "\n1\t", 10 * v, "\tid", v, "\tA\tG\t.\tPASS\t.\tGT");
    constexpr const char* kCalls[] = {"0/0", "0/1", "1/1", "./."};
    for (int s = 0; s < 71; ++s) absl::StrAppend(&vcf, "\t", kCalls[(s * s + v * 7 + s * v) % 13 % 4]);
  }
  Write("x.vcf", absl::StrCat(vcf, "\n"));
  Run("plink2 --vcf x.vcf --make-bed --out x");
  for (const ReadOptions& options : {kKeep, kImpute}) {
    const auto from_vcf = ReadVcf(Path("x.vcf"), options);
    const auto from_bed = ReadBed(Path("x"), options);
    ASSERT_TRUE(from_vcf.ok() && from_bed.ok()) << from_vcf.status() << from_bed.status();
    EXPECT_EQ(from_vcf->genotypes, from_bed->genotypes);
    EXPECT_EQ(from_vcf->samples, from_bed->samples);
    EXPECT_EQ(from_vcf->variants.variants(), from_bed->variants.variants());
    EXPECT_EQ(from_vcf->imputed_calls, from_bed->imputed_calls);
  }
}

TEST_F(BedReaderTest, BadFilesAreNamedWithTheirPlace) {
  EXPECT_THAT(Error("f a 0 0 0\n", kBim, kBed), HasSubstr("x.fam: line 1: expected 6 columns (FID IID PAT"));
  EXPECT_THAT(Error("f a 0 0 0 0\nf a 0 0 0 0\n", kBim, kBed),
              HasSubstr("x.fam: line 2: sample a is on line 1 already"));
  EXPECT_THAT(Error("", kBim, kBed), HasSubstr("x.fam: is empty"));
  EXPECT_THAT(Error(kFam, "1 rs1 0 100 G A\n1 rs2 0 ten T C\n", kBed),
              HasSubstr("x.bim: line 2: the position \"ten\" is not a number from 1 on"));
  EXPECT_THAT(Error(kFam, "1 rs1 0 100 0 A\n", kBed), HasSubstr("x.bim: line 1: an allele is \"0\""));
  EXPECT_THAT(Error(kFam, "1 rs1 0 100 A A\n", kBed), HasSubstr("x.bim: line 1: A1 and A2 are the same"));
  EXPECT_THAT(Error(kFam, "1 rs1 0 100 G A\n1 rs2 0 50 T C\n", kBed),
              HasSubstr("x.bim: variant 2 (1:50:C:T): comes after"));
  EXPECT_THAT(Error(kFam, kBim, "abc"), HasSubstr("x.bed: is not a PLINK 1 .bed"));
  EXPECT_THAT(Error(kFam, kBim, std::string("\x6c\x1b\x00", 3)), HasSubstr("third byte is 00, expected 01"));
  for (const std::string& bytes : {kBed.substr(0, 6), kBed + "x"}) {
    const absl::Status status = ReadFiles(kFam, kBim, bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_THAT(Message(status), HasSubstr("expected 7 for 2 variants and 5 samples"));
  }
  EXPECT_EQ(ReadBed(Path("none"), kKeep).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace genoserve

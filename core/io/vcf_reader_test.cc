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

constexpr char kHeader[] =
    "##fileformat=VCFv4.3\n##contig=<ID=1,length=1000>\n"
    "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">\n"
    "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb\tc\n";

constexpr ReadOptions kKeep{MissingCalls::kKeep};
constexpr ReadOptions kImpute{MissingCalls::kImpute};

class VcfReaderTest : public FolderTest {
 protected:
  std::string Vcf(absl::string_view records) const { return Write("x.vcf", absl::StrCat(kHeader, records)); }

  absl::Status Error(absl::string_view records, const ReadOptions& options = kKeep) const {
    const absl::Status status = ReadVcf(Vcf(records), options).status();
    EXPECT_FALSE(status.ok()) << records;
    EXPECT_THAT(Message(status), HasSubstr("x.vcf"));
    return status;
  }
};

std::vector<int> RowOf(const GenotypeMatrix& matrix, size_t row) {
  std::vector<int> codes;
  for (size_t v = 0; v < matrix.variants(); ++v) codes.push_back(matrix.Get(row, v));
  return codes;
}

TEST_F(VcfReaderTest, PhasedThroughoutGivesHaplotypes) {
  const auto data = ReadVcf(Vcf("1\t10\trs1\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n"
                                "1\t20\t.\tC\tCTT\t.\tq10\tDP=3\tGT:DP\t0|0:1\t0|1:2\t1|0:3\n"
                                "2\t5\trs2\tg\tt\t.\t.\t.\tGT\t1|1\t0|0\t0|1\n"),
                            kImpute);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_THAT(data->samples, ElementsAre("a", "b", "c"));
  EXPECT_EQ(data->variants[0], (VariantRecord{"1", 10, "rs1", "A", "G"}));
  EXPECT_EQ(data->variants[1].id, "1:20:C:CTT");
  EXPECT_THAT(data->variants.contigs(), ElementsAre(ContigRecord{"1", 1000}, ContigRecord{"2", 0}));
  ASSERT_EQ(data->genotypes.packing(), Packing::kHaplotype1Bit);
  ASSERT_EQ(data->genotypes.rows(), 6u);
  EXPECT_THAT(RowOf(data->genotypes, 0), ElementsAre(0, 0, 1));
  EXPECT_THAT(RowOf(data->genotypes, 1), ElementsAre(1, 0, 1));
  EXPECT_THAT(RowOf(data->genotypes, 2), ElementsAre(1, 0, 0));
  EXPECT_THAT(RowOf(data->genotypes, 3), ElementsAre(0, 1, 0));
  EXPECT_THAT(RowOf(data->genotypes, 4), ElementsAre(1, 1, 0));
  EXPECT_THAT(RowOf(data->genotypes, 5), ElementsAre(1, 0, 1));
  EXPECT_EQ(data->imputed_calls, 0);
}

TEST_F(VcfReaderTest, OneUnphasedCallMakesAllDiploid) {
  const auto data = ReadVcf(Vcf("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n"
                                "1\t20\t.\tC\tT\t.\t.\t.\tGT\t0|0\t0/1\t./.\n"
                                "1\t30\t.\tC\tT\t.\t.\t.\tGT\t1|1\t.\t.|.\n"),
                            kKeep);
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->genotypes.packing(), Packing::kDiploid2Bit);
  EXPECT_THAT(RowOf(data->genotypes, 0), ElementsAre(1, 0, 2));
  EXPECT_THAT(RowOf(data->genotypes, 1), ElementsAre(1, 1, 3));
  EXPECT_THAT(RowOf(data->genotypes, 2), ElementsAre(2, 3, 3));
  EXPECT_EQ(data->imputed_calls, 0);
}

TEST_F(VcfReaderTest, MissingCallsOfHaplotypesAreImputedOrRefused) {
  const char* records =
      "1\t10\t.\tA\tG\t.\t.\t.\tGT\t1|1\t./.\t1|1\n"
      "1\t20\t.\tC\tT\t.\t.\t.\tGT\t.|.\t0|0\t.\n"
      "1\t30\t.\tC\tT\t.\t.\t.\tGT\t0|1\t0|1\t0|1\n";
  const auto data = ReadVcf(Vcf(records), kImpute);
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_EQ(data->genotypes.packing(), Packing::kHaplotype1Bit) << "a missing call has no phase";
  EXPECT_EQ(data->imputed_calls, 3);
  EXPECT_THAT(RowOf(data->genotypes, 2), ElementsAre(1, 0, 0)) << "all called alleles are alike, so the draw is sure";
  EXPECT_THAT(RowOf(data->genotypes, 0), ElementsAre(1, 0, 0));
  EXPECT_THAT(Message(Error(records)), HasSubstr("record 1:10, sample b: the call is missing, which haplotypes"));
}

TEST_F(VcfReaderTest, ImputationFollowsTheAlleleFrequencyAndNeverChanges) {
  std::string header = kHeader;
  std::string calls;
  header.pop_back();
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&header, "\ts", i);
    absl::StrAppend(&calls, i % 2 == 0 ? "\t./." : i % 4 == 1 ? "\t0/0" : "\t0/1");
  }
  const std::string path =
      Write("x.vcf", absl::StrCat(header, "\n1\t10\t.\tA\tG\t.\t.\t.\tGT\t0/0\t0/0\t0/0", calls, "\n"));
  const auto data = ReadVcf(path, kImpute);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->imputed_calls, 500);
  int alt = 0;
  for (size_t i = 3; i < 1003; i += 2) alt += data->genotypes.Get(i, 0);
  EXPECT_NEAR(alt / 1000.0, 0.25, 0.05);
  EXPECT_EQ(ReadVcf(path, kImpute)->genotypes, data->genotypes);
}

TEST_F(VcfReaderTest, RefusesWhatAGenotypeCannotHold) {
  const auto refused = [this](absl::string_view records) {
    const absl::Status status = Error(records);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
    return Message(status);
  };
  EXPECT_THAT(refused("1\t10\t.\tA\tG,T\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n"),
              HasSubstr("record 1:10: has 2 ALT alleles; split such sites with \"bcftools norm -m-\""));
  EXPECT_THAT(refused("1\t10\t.\tA\t.\t.\t.\t.\tGT\t0|0\t0|0\t0|0\n"), HasSubstr("record 1:10: has no ALT allele"));
  EXPECT_THAT(refused("1\t10\t.\tA\t<DEL>\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n"), HasSubstr("the allele \"<DEL>\" is not"));
  EXPECT_THAT(refused("1\t10\t.\tA\t*\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n"), HasSubstr("the allele \"*\" is not"));
  EXPECT_THAT(refused("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1\t0|0\n"),
              HasSubstr("record 1:10: sample b: the call has 1 alleles; only diploid calls are read"));
  EXPECT_THAT(refused("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0|1\t0|0\n"), HasSubstr("sample b: the call has 3 alleles"));
  EXPECT_THAT(refused("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t.|1\t0|0\n"), HasSubstr("sample b: the call is half missing"));
  EXPECT_THAT(refused("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|2\t0|0\n"),
              HasSubstr("sample b: the call names allele 2, which the site lacks"));
  EXPECT_THAT(refused("1\t10\t.\tA\tG\t.\t.\t.\tDP\t1\t2\t3\n"), HasSubstr("record 1:10: has no GT field"));
  EXPECT_THAT(refused("1\t0\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n"),
              HasSubstr("the position is not a number from 1 on"));
  EXPECT_THAT(refused(""), HasSubstr("has no records"));
  EXPECT_THAT(refused("1\t20\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n"),
              HasSubstr("comes after position 20; sort the file"));
  EXPECT_THAT(refused("1\t20\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0\t0|0\nchr1\t30\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n"),
              HasSubstr("names a contig both chr1 and 1"));
  EXPECT_THAT(Message(Error("1\t10\t.\tA\tG\t.\t.\t.\tGT\t./.\t./.\t./.\n", kImpute)),
              HasSubstr("record 1:10: no sample has a call"));
}

TEST_F(VcfReaderTest, RefusesBrokenText) {
  const std::string site = "1\t20\t.\tA\tG\t.\t.\t.\tGT";
  const auto refused = [this](const std::string& broken) {
    const absl::Status status = Error("1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t0|0\t0|0\n" + broken);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status << broken;
    return Message(status);
  };
  EXPECT_THAT(refused(site + "\t0|1\t0|0\n"), HasSubstr("line 6: has 11 columns, expected 12 as in the header"));
  EXPECT_THAT(refused(site + "\t0|1\t0|0\t0|0\t0|0\n"), HasSubstr("line 6: has 13 columns, expected 12"));
  EXPECT_THAT(refused("1\t20\t.\tA\n"), HasSubstr("line 6: has 4 columns"));
  EXPECT_THAT(refused("\n"), HasSubstr("line 6: has 1 columns"));
  EXPECT_THAT(refused(site + "\t0|1\tx|0\t0|0\n"), HasSubstr("is malformed or truncated after record 1:10"));
}

TEST_F(VcfReaderTest, RefusesFilesThatAreNotVcf) {
  EXPECT_EQ(ReadVcf(Path("none.vcf"), kKeep).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(ReadVcf(Write("t.vcf", "hello\tworld\n"), kKeep).status()),
              HasSubstr("is not a VCF or BCF file"));
  EXPECT_THAT(Message(ReadVcf(Write("t.vcf", ""), kKeep).status()), HasSubstr("is not a VCF or BCF file"));
  EXPECT_THAT(Message(ReadVcf(folder_.string(), kKeep).status()), HasSubstr("genoserve_io"));
  EXPECT_FALSE(ReadVcf(folder_.string(), kKeep).ok());
  EXPECT_THAT(Message(ReadVcf(Write("t.vcf", "##fileformat=VCFv4.3\n1\t10\t.\tA\tG\t.\t.\t.\n"), kKeep).status()),
              HasSubstr("the header is malformed"));
  std::string twice = kHeader;
  twice.replace(twice.find("a\tb"), 3, "a\ta");
  EXPECT_THAT(Message(ReadVcf(Write("t.vcf", twice), kKeep).status()), HasSubstr("names a sample twice"));
  std::string sites = kHeader;
  sites.replace(sites.find("\tFORMAT\ta"), std::string::npos, "\n1\t10\t.\tA\tG\t.\t.\t.\n");
  EXPECT_THAT(Message(ReadVcf(Write("t.vcf", sites), kKeep).status()), HasSubstr("has no samples"));
}

TEST_F(VcfReaderTest, ReadsCompressedAndBinaryFilesAlike) {
  std::string records;
  for (int i = 1; i <= 3000; ++i) {
    absl::StrAppend(&records, "1\t", i, "\t.\tA\tG\t.\t.\t.\tGT\t", i % 2, "|0\t0|", i / 2 % 2, "\t1|", i / 3 % 2,
                    "\n");
  }
  const auto plain = ReadVcf(Vcf(records), kImpute);
  ASSERT_TRUE(plain.ok()) << plain.status();
  Run("bcftools view -Oz -o x.vcf.gz x.vcf && bcftools view -Ob -o x.bcf x.vcf && bcftools view -Ou -o u.bcf x.vcf && "
      "gzip -c x.vcf > plain.vcf.gz");
  for (const char* name : {"x.vcf.gz", "x.bcf", "u.bcf", "plain.vcf.gz"}) {
    const auto data = ReadVcf(Path(name), kImpute);
    ASSERT_TRUE(data.ok()) << name << data.status();
    EXPECT_EQ(data->genotypes, plain->genotypes) << name;
    EXPECT_EQ(data->variants.variants(), plain->variants.variants()) << name;
  }
}

TEST_F(VcfReaderTest, EveryTruncationOfACompressedFileIsSeen) {
  std::string records;
  for (int i = 1; i <= 20; ++i) absl::StrAppend(&records, "1\t", i, "\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n");
  Vcf(records);
  Run("bcftools view -Oz -o x.vcf.gz x.vcf && bcftools view -Ob -o x.bcf x.vcf && gzip -c x.vcf > plain.vcf.gz");
  for (const char* name : {"x.vcf.gz", "x.bcf", "plain.vcf.gz"}) {
    const std::string whole = Read(Path(name));
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(ReadVcf(Write("cut", whole.substr(0, size)), kImpute).ok()) << name << " cut to " << size;
    }
    if (std::string(name) != "plain.vcf.gz") {
      EXPECT_THAT(Message(ReadVcf(Write("cut", whole.substr(0, whole.size() - 28)), kImpute).status()),
                  HasSubstr("is truncated: the empty BGZF block"));
    }
  }
  // A flipped bit is caught by the block's checksum.
  std::string flipped = Read(Path("x.vcf.gz"));
  flipped[flipped.size() - 60] = static_cast<char>(flipped[flipped.size() - 60] ^ 4);
  EXPECT_EQ(ReadVcf(Write("cut", flipped), kImpute).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(VcfReaderTest, NoChangedByteOfABinaryFileEndsTheProcess) {
  std::string records;
  for (int i = 1; i <= 3; ++i) absl::StrAppend(&records, "1\t", i, "\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n");
  Vcf(records);
  Run("bcftools view --no-version -Ou -o x.bcf x.vcf");
  const std::string whole = Read(Path("x.bcf"));
  const size_t first_record = whole.find("\tc\n") + 4;
  int refused = 0;
  for (size_t i = first_record; i < whole.size(); ++i) {
    for (const int change : {1, 2, 0x10, 0xFF}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ change);
      refused += ReadVcf(Write("changed.bcf", changed), kImpute).ok() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 200) << "most bytes matter";
}

TEST_F(VcfReaderTest, TruncatedTextIsSeenUnlessItEndsWithALine) {
  const std::string records =
      "1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n1\t20\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n";
  const size_t first = records.find('\n') + 1;
  for (size_t size = first + 1; size < records.size(); ++size) {
    const absl::Status status = Error(records.substr(0, size));
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << size;
    EXPECT_THAT(Message(status), HasSubstr("line 6: the last line does not end: the file is cut short"));
    // Compressed as a whole after it was cut.
    Run("gzip -c x.vcf > x.vcf.gz && bgzip -c x.vcf > b.vcf.gz");
    for (const char* name : {"x.vcf.gz", "b.vcf.gz"}) {
      EXPECT_THAT(Message(ReadVcf(Path(name), kImpute).status()), HasSubstr("the last line does not end")) << size;
    }
  }
  EXPECT_TRUE(ReadVcf(Vcf(records.substr(0, first)), kImpute).ok());
}

TEST_F(VcfReaderTest, ReadsLinesThatEndAsOnWindowsAndFilesOfSeveralBgzfParts) {
  const std::string first = absl::StrCat(kHeader, "1\t10\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n");
  const std::string second = "1\t20\t.\tA\tG\t.\t.\t.\tGT\t0|1\t1|0\t1|1\n";
  Write("a.vcf", first);
  Write("b.txt", second);
  Run("cat a.vcf b.txt > x.vcf && sed 's/$/\\r/' x.vcf > r.vcf && bgzip -c r.vcf > r.vcf.gz && "
      "bgzip a.vcf && bgzip b.txt && cat a.vcf.gz b.txt.gz > x.vcf.gz");
  const auto expected = ReadVcf(Path("x.vcf"), kImpute);
  ASSERT_TRUE(expected.ok()) << expected.status();
  EXPECT_EQ(expected->variants.size(), 2u);
  for (const char* name : {"x.vcf.gz", "r.vcf", "r.vcf.gz"}) {
    const auto data = ReadVcf(Path(name), kImpute);
    ASSERT_TRUE(data.ok()) << name << data.status();
    EXPECT_EQ(data->genotypes, expected->genotypes) << name;
    EXPECT_EQ(data->variants.variants(), expected->variants.variants()) << name;
  }
}

}  // namespace
}  // namespace genoserve

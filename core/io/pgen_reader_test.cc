#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/io/genotype_reader.h"
#include "core/io/genotype_source.h"
#include "core/io/test_files.h"
#include "core/io/test_panels.h"

namespace genoserve {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

constexpr VariantReaderOptions kSplit{MultiAllelic::kSplit, HaploidCalls::kRefuse};

class PgenReaderTest : public FolderTest {
 protected:
  /// Writes the panel, and has plink2 make a fileset of it.
  void MakePgen(const PanelShape& shape, const std::string& flags = "") const {
    Write("x.vcf", RandomVcf(shape));
    Run(absl::StrCat("plink2 --vcf x.vcf ", flags, " --make-pgen --out x"));
  }

  /// The types of the records of x.pgen, of one block and 8 bits each or 4.
  std::set<int> Types() const {
    const std::string bytes = Read(Path("x.pgen"));
    const size_t variants = static_cast<uint8_t>(bytes[3]) + 256U * static_cast<uint8_t>(bytes[4]);
    std::set<int> types;
    for (size_t i = 0; i < variants; ++i) {
      const bool whole = (bytes[11] & 4) != 0;
      const int byte = static_cast<uint8_t>(bytes[20 + (whole ? i : i / 2)]);
      types.insert(whole ? byte : (byte >> (4 * (i % 2))) & 15);
    }
    return types;
  }
};

TEST_F(PgenReaderTest, ReadsWhatPlink2MakesOfUnphasedPanels) {
  // Below 256 and 65,536 samples, and from there on, a list of samples has numbers of 1, 2 and 3 bytes.
  for (const size_t samples : {1, 7, 255, 256, 1000, 65535, 65536}) {
    MakePgen({.samples = samples, .variants = samples > 10'000 ? 60U : 400U});
    ExpectSameLines(ReadAsText(Path("x.pgen")), ReadAsText(Path("x.vcf")));
    if (samples == 1000) {
      EXPECT_THAT(Types(), IsSupersetOf({0, 1, 2, 3, 4, 6})) << "forms of the main track";
    }
  }
}

TEST_F(PgenReaderTest, ReadsPhaseOfAllOrOfSomeCalls) {
  MakePgen({.samples = 900, .variants = 300, .phased = true});
  ExpectSameLines(ReadAsText(Path("x.pgen")), ReadAsText(Path("x.vcf")));
  EXPECT_THAT(Types(), IsSupersetOf({0x10, 0x11, 0x12, 0x14}));
  MakePgen({.samples = 900, .variants = 300, .phased = true, .half_phased = true});
  ExpectSameLines(ReadAsText(Path("x.pgen")), ReadAsText(Path("x.vcf")));
}

TEST_F(PgenReaderTest, GenotypesInMemoryAreHaplotypesWhereAllHeterozygousCallsHaveAPhase) {
  MakePgen({.samples = 50, .variants = 1100, .phased = true, .missing = false});
  const auto vcf = ReadGenotypes(SourceOfPath(Path("x.vcf")), {});
  const auto pgen = ReadGenotypes(SourceOfPath(Path("x.pgen")), {});
  ASSERT_TRUE(vcf.ok() && pgen.ok()) << vcf.status() << pgen.status();
  EXPECT_EQ(pgen->genotypes.packing(), Packing::kHaplotype1Bit);
  EXPECT_EQ(pgen->genotypes, vcf->genotypes);
  EXPECT_EQ(pgen->variants.variants(), vcf->variants.variants());
  EXPECT_EQ(pgen->samples, vcf->samples);
  MakePgen({.samples = 50, .variants = 1100});
  const auto unphased = ReadGenotypes(SourceOfPath(Path("x.pgen")), {MissingCalls::kKeep});
  ASSERT_TRUE(unphased.ok()) << unphased.status();
  EXPECT_EQ(unphased->genotypes, ReadVcf(Path("x.vcf"), {MissingCalls::kKeep})->genotypes);
}

TEST_F(PgenReaderTest, MultiAllelicSitesAreSplitAsBcftoolsDoesOrRefused) {
  for (const bool phased : {false, true}) {
    MakePgen({.samples = 300, .variants = 200, .phased = phased, .multi_allelic = true});
    Run("bcftools norm -m- -o split.vcf x.vcf");
    const std::vector<std::string> split = ReadAsText(Path("split.vcf"));
    ExpectSameLines(ReadAsText(Path("x.pgen"), kSplit), split);
    ExpectSameLines(ReadAsText(Path("x.vcf"), kSplit), split);
    EXPECT_THAT(ReadAsText(Path("x.pgen")).back(), HasSubstr("x.pvar: line 7: has 2 ALT alleles"));
  }
}

TEST_F(PgenReaderTest, FilesOfManyBlocksAreReadAcrossThem) {
  std::string vcf = RandomVcf({.samples = 3, .variants = 1});
  vcf.resize(vcf.find("\n1\t") + 1);
  constexpr const char* kCalls[] = {"0/0", "0/1", "1/1", "./."};
  for (unsigned v = 1; v <= 66'000; ++v) {
    absl::StrAppend(&vcf, "1\t", v, "\t.\tA\tG\t.\t.\t.\tGT\t");
    absl::StrAppend(&vcf, kCalls[v % 3], "\t", kCalls[v / 3 % 4], "\t", kCalls[v / 100 % 3], "\n");
  }
  Write("x.vcf", vcf);
  Run("plink2 --vcf x.vcf --make-pgen --out x");
  ExpectSameLines(ReadAsText(Path("x.pgen")), ReadAsText(Path("x.vcf")));
}

TEST_F(PgenReaderTest, DosagesArePassedOver) {
  std::string vcf = RandomVcf({.samples = 40, .variants = 60, .phased = true, .missing = false});
  Write("x.vcf", vcf);
  // Dosages beside half of the calls.
  size_t call = 0;
  std::string dosed;
  for (const char c : vcf) {
    if ((c == '\t' || c == '\n') && dosed.size() > 3 && dosed[dosed.size() - 2] == '|') {
      const int sum = dosed[dosed.size() - 3] + dosed.back() - 2 * '0';
      absl::StrAppend(&dosed, ":", sum == 2 ? 1.9 : sum + (call++ % 2 == 0 ? 0.05 : 0.0));
    }
    dosed += c;
  }
  for (size_t at = 0; (at = dosed.find("\tGT\t", at)) != std::string::npos; ++at) dosed.replace(at, 4, "\tGT:DS\t");
  dosed.insert(dosed.find("#CHROM"), "##FORMAT=<ID=DS,Number=A,Type=Float,Description=\"Dosage\">\n");
  Write("d.vcf", dosed);
  Run("plink2 --vcf d.vcf dosage=DS --make-pgen --out x");
  bool any_dosage = false;
  for (const int type : Types()) any_dosage |= (type & 0x60) != 0;
  EXPECT_TRUE(any_dosage);
  ExpectSameLines(ReadAsText(Path("x.pgen")), ReadAsText(Path("x.vcf")));
}

TEST_F(PgenReaderTest, ReadsTheFixedWidthFormAndEachFormOfItsTables) {
  // Two variants of five samples: codes 0 1 2 3 0 and 2 2 2 2 1; the padding is not 0.
  const std::string header("\x6c\x1b\x02\x02\0\0\0\x05\0\0\0\x40", 12);
  Write("f.pgen", header + "\xe4\xfc\xaa\x01");
  Write("f.pvar", "##contig=<ID=7,length=500>\n#CHROM\tPOS\tID\tREF\tALT\n7\t5\ta\tA\tG\n7\t9\tb\tC\tCT\n");
  Write("f.psam", "#FID\tIID\tSEX\n0\ta\t1\n0\tb\t2\n0\tc\tNA\n0\td\tM\n0\te\tf\n");
  EXPECT_THAT(ReadAsText(Path("f.pgen")), ElementsAre("7:5 a A G 0h1.0", "7:9 b C CT 1111h"));
  const auto opened = OpenVariantReader(SourceOfPath(Path("f")), {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_THAT((*opened)->samples(), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_THAT((*opened)->sexes(), ElementsAre(1, 2, 0, 1, 2));
  EXPECT_THAT((*opened)->contigs(), ElementsAre(ContigRecord{"7", 500}));
  // Some REF alleles provisional: a bit for each variant lies before the calls.
  std::string flagged = header;
  flagged[11] = '\xc0';
  Write("f.pgen", flagged + std::string("\x01\xe4\x00\xaa\x01", 5));
  EXPECT_THAT(ReadAsText(Path("f.pgen")), ElementsAre("7:5 a A G 0h1.0", "7:9 b C CT 1111h"));
  // Tables without headers have the columns of PLINK 1.
  Write("f.psam", "0 a 0 0 1 -9\n0 b 0 0 2 -9\n0 c 0 0 0 -9\n0 d 0 0 1 -9\n0 e 0 0 0 -9\n");
  Write("f.pvar", "7 a 0 5 G A\n7 b 0 9 CT C\n");
  EXPECT_THAT(ReadAsText(Path("f.pgen")), ElementsAre("7:5 a A G 0h1.0", "7:9 b C CT 1111h"));
}

TEST_F(PgenReaderTest, VariantsThatAreNotReadDoNotSpoilThoseThatDifferFromThem) {
  MakePgen({.samples = 500, .variants = 200});
  const std::vector<std::string> all = ReadAsText(Path("x.vcf"));
  const auto opened = OpenVariantReader(SourceOfPath(Path("x")), {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  VariantCalls calls;
  for (size_t i = 0; (*opened)->Next().value(); ++i) {
    if (i % 7 != 3 && i % 7 != 5) continue;  // those like the one before
    ASSERT_EQ((*opened)->ReadCalls(&calls), absl::OkStatus());
    EXPECT_EQ(CallsText(calls, 500), all[i].substr(all[i].rfind(' ') + 1)) << i;
  }
}

TEST_F(PgenReaderTest, BadFilesAreNamedWithTheirPlace) {
  MakePgen({.samples = 20, .variants = 30});
  const std::string pgen = Read(Path("x.pgen"));
  const std::string pvar = Read(Path("x.pvar"));
  const auto error = [this](const std::string& file, const std::string& bytes) {
    const std::string before = Read(Path(file));
    Write(file, bytes);
    const std::string text = ReadAsText(Path("x.pgen")).back();
    Write(file, before);
    return text;
  };
  EXPECT_THAT(error("x.pgen", "abc"), HasSubstr("x.pgen: is not a PLINK 2 .pgen"));
  EXPECT_THAT(error("x.pgen", pgen.substr(0, 60)), HasSubstr("its header alone has"));
  EXPECT_THAT(error("x.pgen", pgen.substr(0, pgen.size() - 1)), HasSubstr("x.pgen: ends before its data do"));
  EXPECT_THAT(error("x.pgen", std::string(pgen).replace(2, 1, "\x03")), HasSubstr("storage mode 03; 02 and 10"));
  EXPECT_THAT(error("x.psam", "#IID\na\n"), HasSubstr("has 20 samples, its .psam names 1"));
  EXPECT_THAT(error("x.psam", "#IID\na\na\n"), HasSubstr("x.psam: line 3: sample a is on line 2 already"));
  EXPECT_THAT(error("x.pvar", pvar + "1\t9999\tn\tA\tG\tPASS\n"),
              HasSubstr("x.pvar: has more than the 30 variants of"));
  EXPECT_THAT(error("x.pvar", pvar.substr(0, pvar.find("rs30") - 6)), HasSubstr("has fewer than the 30 variants"));
  EXPECT_THAT(error("x.pvar", pvar.substr(0, pvar.size() - 1)), HasSubstr("line 32: the last line does not end"));
  EXPECT_THAT(error("x.pvar", "#CHROM\tPOS\tREF\n1\t5\tA\n"), HasSubstr("lacks one of the columns POS, REF and ALT"));
  EXPECT_THAT(error("x.pvar", "#CHROM\tPOS\tID\tREF\tALT\n1\t5\ta\tA\t<DEL>\n"),
              HasSubstr("x.pvar: line 2: the allele \"<DEL>\" is not a sequence of bases"));
  EXPECT_THAT(ReadAsText(Path("none.pgen")).back(), HasSubstr("none.psam: cannot open"));
}

// As plink2 --make-pgen vzs writes them.
TEST_F(PgenReaderTest, VariantsMayBePackedByZstd) {
  MakePgen({.samples = 20, .variants = 3000});
  const std::vector<std::string> plain = ReadAsText(Path("x.pgen"));
  // Two frames, of which neither begins or ends with a line.
  Run("head -c 5000 x.pvar | zstd -q > x.pvar.zst && tail -c +5001 x.pvar | zstd -q >> x.pvar.zst && rm x.pvar");
  EXPECT_EQ(ReadAsText(Path("x.pgen")), plain);
  EXPECT_THAT(FilesOf(SourceOfPath(Path("x.pgen"))), Contains(Path("x.pvar.zst")));
  const std::string packed = Read(Path("x.pvar.zst"));
  for (const size_t size : {packed.size() - 1, packed.size() / 2, size_t{7}}) {
    Write("x.pvar.zst", packed.substr(0, size));
    EXPECT_THAT(ReadAsText(Path("x.pgen")).back(), HasSubstr("x.pvar.zst: cannot be read, or is not whole")) << size;
  }
}

TEST_F(PgenReaderTest, NoChangedOrMissingByteEndsTheProcess) {
  MakePgen({.samples = 90, .variants = 60, .phased = true, .half_phased = true, .multi_allelic = true});
  const std::string whole = Read(Path("x.pgen"));
  const std::vector<std::string> right = ReadAsText(Path("x.pgen"), kSplit);
  size_t differ = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {1, 0x10, 0xFF}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ change);
      Write("x.pgen", changed);
      differ += ReadAsText(Path("x.pgen"), kSplit) != right ? 1 : 0;
    }
  }
  EXPECT_GT(differ, 2 * whole.size());
  for (size_t size = 0; size < whole.size(); size += 5) {
    Write("x.pgen", whole.substr(0, size));
    EXPECT_NE(ReadAsText(Path("x.pgen"), kSplit), right) << size;
  }
}

}  // namespace
}  // namespace genoserve

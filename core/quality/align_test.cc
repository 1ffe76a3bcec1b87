#include "core/quality/align.h"

#include <gmock/gmock.h>

#include "core/quality/test_genotypes.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

GenotypeData Data(std::vector<VariantRecord> variants, const std::vector<std::vector<uint8_t>>& rows,
                  Packing packing = Packing::kDiploid2Bit) {
  GenotypeData data;
  data.variants = VariantTable::Create(std::move(variants), {}).value();
  data.genotypes = MatrixOf(packing, rows);
  return data;
}

TEST(AlignTest, KeepsWhatAllHaveAndTurnsSwappedAllelesRound) {
  GenotypeData real =
      Data({{"1", 10, "a", "A", "C"}, {"1", 20, "b", "G", "T"}, {"1", 30, "c", "A", "T"}}, {{0, 1, 2}, {2, 0, 1}});
  GenotypeData other = Data({{"chr1", 20, "x", "T", "G"}, {"chr1", 25, "y", "A", "C"}, {"chr1", 30, "c", "A", "T"}},
                            {{0, 1, 2}, {1, 0, 0}, {3, 1, 1}});
  const auto counts = AlignVariants({{"real", &real}, {"other", &other}});
  ASSERT_TRUE(counts.ok()) << counts.status();
  EXPECT_EQ((*counts)[0].left_out, 1);
  EXPECT_EQ((*counts)[0].swapped, 0);
  EXPECT_EQ((*counts)[1].variants, 3);
  EXPECT_EQ((*counts)[1].left_out, 1);
  EXPECT_EQ((*counts)[1].swapped, 1);
  EXPECT_EQ(real.genotypes, Diploid({{1, 2}, {0, 1}}));
  EXPECT_EQ(other.genotypes, Diploid({{2, 2}, {1, 0}, {3, 1}})) << "2 - count where swapped, missing stays";
  EXPECT_EQ(other.variants, real.variants);
}

TEST(AlignTest, SwapsHaplotypes) {
  GenotypeData real = Data({{"1", 10, "a", "A", "C"}}, {{0}, {1}}, Packing::kHaplotype1Bit);
  GenotypeData other = Data({{"1", 10, "a", "C", "A"}}, {{0}, {1}}, Packing::kHaplotype1Bit);
  ASSERT_TRUE(AlignVariants({{"real", &real}, {"other", &other}}).ok());
  EXPECT_EQ(other.genotypes, Haplotypes({{1}, {0}}));
}

std::string ErrorOf(std::vector<VariantRecord> a, std::vector<VariantRecord> b) {
  const std::vector<std::vector<uint8_t>> first(1, std::vector<uint8_t>(a.size()));
  const std::vector<std::vector<uint8_t>> second(1, std::vector<uint8_t>(b.size()));
  GenotypeData real = Data(std::move(a), first);
  GenotypeData other = Data(std::move(b), second);
  const auto counts = AlignVariants({{"real.vcf", &real}, {"other.vcf", &other}});
  EXPECT_EQ(counts.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(counts.status().message());
}

TEST(AlignTest, SaysWhatDiffers) {
  EXPECT_THAT(ErrorOf({{"1", 10, "", "A", "C"}}, {{"2", 10, "", "A", "C"}}),
              AllOf(HasSubstr("no variant in common"), HasSubstr("1:10:A:C and 2:10:A:C")));
  EXPECT_THAT(ErrorOf({{"1", 10, "", "A", "C"}}, {{"1", 10, "", "A", "G"}}),
              HasSubstr("1 variants at the same positions with other alleles and 0 with the same"));
  EXPECT_THAT(ErrorOf({{"1", 10, "rs1", "A", "C"}, {"1", 20, "rs2", "A", "C"}, {"1", 30, "rs3", "A", "C"}},
                      {{"1", 15, "rs1", "A", "C"}, {"1", 25, "rs2", "A", "C"}, {"1", 30, "rs3", "A", "C"}}),
              HasSubstr("different genome builds"));
  // The complement of each allele: A/T looks like a swap.
  EXPECT_THAT(ErrorOf({{"1", 10, "", "A", "C"}, {"1", 20, "", "A", "T"}, {"1", 30, "", "G", "A"}},
                      {{"1", 10, "", "T", "G"}, {"1", 20, "", "T", "A"}, {"1", 30, "", "C", "T"}}),
              HasSubstr("another strand"));
}

}  // namespace
}  // namespace genoserve

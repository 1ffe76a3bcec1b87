#include "core/io/transposed_part.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "core/io/test_cohorts.h"
#include "core/io/test_files.h"

namespace genoserve {
namespace {

class TransposedPartTest : public FolderTest,
                           public testing::WithParamInterface<std::tuple<Packing, size_t, size_t>> {};

TEST_P(TransposedPartTest, GivesEveryGenotypeBackWhateverTheMemory) {
  const auto [packing, samples, memory] = GetParam();
  const size_t variants = 333;
  const GenotypeMatrix genotypes = TestGenotypes(packing, samples, variants);
  const PartShape shape{packing, variants, {static_cast<int64_t>(samples)}, memory, ""};
  auto part = TransposedPart::Open({PartPlace::Kind::kNameless, folder_.string()}, shape, {});
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_TRUE(Names().empty()) << "the file has no name";
  for (size_t first = 0; first < samples; first += 37) {
    ASSERT_TRUE((*part)->Append(0, SamplesOf(genotypes, first, first + 37)).ok());
  }
  ASSERT_EQ((*part)->appended(0), static_cast<int64_t>(samples));

  size_t variant = 0;
  int64_t sample = 0;
  size_t largest = 0;
  const absl::Status status = (*part)->ForEachSegment([&](const VariantSegment& segment) {
    EXPECT_EQ(segment.variant, variant);
    EXPECT_EQ(segment.first_sample, sample);
    EXPECT_EQ(segment.codes.size(), static_cast<size_t>(segment.samples + 3) / 4);
    largest = std::max(largest, segment.codes.size());
    for (int64_t i = 0; i < segment.samples; ++i) {
      const auto at = static_cast<size_t>(i);
      const int code = (segment.codes[at / 4] >> (at % 4 * 2)) & 3;
      const auto row = static_cast<size_t>(sample + i);
      const int expected = packing == Packing::kDiploid2Bit
                               ? genotypes.Get(row, variant)
                               : genotypes.Get(2 * row, variant) + 2 * genotypes.Get(2 * row + 1, variant);
      EXPECT_EQ(code, expected);
    }
    sample += segment.samples;
    if (sample == static_cast<int64_t>(samples)) {
      sample = 0;
      ++variant;
    }
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(variant, variants);
  EXPECT_LE(largest, std::max<size_t>(memory, 16));
}

// Memory for one sample, a few shards, parts of a variant at a time, and everything.
INSTANTIATE_TEST_SUITE_P(Sizes, TransposedPartTest,
                         testing::Combine(testing::Values(Packing::kDiploid2Bit, Packing::kHaplotype1Bit),
                                          testing::Values(1, 63, 64, 65, 1001),
                                          testing::Values(1, 40, 300, 20'000, 1 << 20)));

const PartShape kSmall{Packing::kDiploid2Bit, 5, {1}, 1 << 20, ""};

class TransposedPartErrorTest : public FolderTest {};

TEST_F(TransposedPartErrorTest, AnErrorOfTheTakerStopsAndIsReturned) {
  auto part = TransposedPart::Open({PartPlace::Kind::kNameless, folder_.string()}, kSmall, {});
  ASSERT_TRUE((*part)->Append(0, GenotypeMatrix(Packing::kDiploid2Bit, 1, 5)).ok());
  int calls = 0;
  const absl::Status status = (*part)->ForEachSegment(
      [&calls](const VariantSegment&) { return ++calls == 2 ? absl::AbortedError("enough") : absl::OkStatus(); });
  EXPECT_EQ(status, absl::AbortedError("enough"));
  EXPECT_EQ(calls, 2);
}

TEST_F(TransposedPartErrorTest, AFolderThatIsNotThereIsNamed) {
  const auto part = TransposedPart::Open({PartPlace::Kind::kNameless, Path("none")}, kSmall, {});
  EXPECT_EQ(part.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Message(part.status()), testing::HasSubstr("none: cannot create a temporary file in this folder"));
}

}  // namespace
}  // namespace genoserve

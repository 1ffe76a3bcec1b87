#include "core/model/tile_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "core/model/test_models.h"
#include "core/model/tile_library.h"

namespace genoserve {
namespace {

// Two parts of the output layer, the second one neither whole blocks nor whole bytes.
constexpr int64_t kVariants = 9003;
constexpr size_t kSamples = 40;
const std::vector<std::vector<double>> kPhenotypes = {{20, 0}, {27.5, 2}, {NAN, 1}, {12, NAN}};

std::vector<v1::Manifest> Manifests() {
  v1::Manifest plain = SmallAcgan(kVariants, 4);
  plain.mutable_generator()->mutable_acgan()->set_rank(0);
  plain.mutable_generator()->mutable_acgan()->set_latent_skip(false);
  plain.mutable_generator()->mutable_acgan()->set_label_logits(false);
  plain.mutable_generator()->mutable_acgan()->set_output(v1::ALLELE_OUTPUT_TANH_THRESHOLD);
  return {SmallAcgan(kVariants, 4), plain, SmallWganGp(kVariants)};
}

std::vector<SampleSpec> Samples(uint64_t first, size_t count) {
  std::vector<SampleSpec> samples;
  for (uint64_t i = first; i < first + count; ++i) {
    samples.push_back({.seed = 7, .sample = i, .label = static_cast<int>(i % 4), .phenotypes = kPhenotypes[i % 4]});
  }
  return samples;
}

GenotypeMatrix Generate(const Generator& generator, const std::vector<SampleSpec>& samples,
                        const std::vector<uint32_t>& blocks = {}) {
  GenotypeMatrix rows(generator.packing(), samples.size() * RowsPerSample(generator.packing()),
                      generator.variant_count());
  const absl::Status status = generator.Generate(samples, blocks, rows);
  EXPECT_TRUE(status.ok()) << status;
  return rows;
}

// What a GPU runs, on the CPU.
absl::StatusOr<std::unique_ptr<MeasuredGenerator>> MakeFrom(const v1::Manifest& manifest, const TensorMap& weights,
                                                            Precision precision) {
  static const auto device = OpenTileDevice(DeviceKind::kCpu);
  if (!device.ok()) return device.status();
  return MakeTileGenerator(**device, manifest, ShapeOfGenerator(manifest).value(), weights, precision);
}

std::unique_ptr<MeasuredGenerator> Make(const v1::Manifest& manifest, Precision precision) {
  auto generator = MakeFrom(manifest, RandomWeights(manifest, 3), precision);
  EXPECT_TRUE(generator.ok()) << generator.status();
  return std::move(generator).value();
}

double Differing(const GenotypeMatrix& a, const GenotypeMatrix& b) {
  std::vector<uint8_t> left(a.variants());
  std::vector<uint8_t> right(a.variants());
  size_t count = 0;
  for (size_t row = 0; row < a.rows(); ++row) {
    UnpackCodes(a.packing(), a.Row(row), left);
    UnpackCodes(b.packing(), b.Row(row), right);
    for (size_t i = 0; i < left.size(); ++i) count += left[i] != right[i] ? 1 : 0;
  }
  return static_cast<double>(count) / static_cast<double>(a.rows() * a.variants());
}

TEST(TileGeneratorTest, GenotypesAreThoseOfTheKernelsButForRounding) {
  for (const v1::Manifest& manifest : Manifests()) {
    const auto kernels = MakeGenerator(manifest, RandomWeights(manifest, 3), {});
    ASSERT_TRUE(kernels.ok()) << kernels.status();
    const GenotypeMatrix wanted = Generate(**kernels, Samples(0, kSamples));
    EXPECT_LT(Differing(Generate(*Make(manifest, Precision::kFp32), Samples(0, kSamples)), wanted), 1e-4);
    const double rounded = Differing(Generate(*Make(manifest, Precision::kBf16), Samples(0, kSamples)), wanted);
    EXPECT_GT(rounded, 0.0) << "nothing was rounded";
    EXPECT_LT(rounded, 0.02);
  }
}

TEST(TileGeneratorTest, ASamplesBytesDependOnNothingElse) {
  for (const v1::Manifest& manifest : {SmallAcgan(kVariants, 4), SmallWganGp(kVariants)}) {
    const Precision precision = manifest.phased() ? Precision::kFp32 : Precision::kBf16;
    const auto generator = Make(manifest, precision);
    const GenotypeMatrix whole = Generate(*generator, Samples(0, kSamples));
    EXPECT_TRUE(whole.PaddingIsZero());
    EXPECT_EQ(Generate(*generator, Samples(0, kSamples)), whole);
    EXPECT_EQ(Generate(*generator, Samples(9, 1)), whole.SelectSamples(std::vector<size_t>{9}));
    // In a larger tile.
    const GenotypeMatrix larger = Generate(*generator, Samples(0, 70));
    std::vector<size_t> first(kSamples);
    for (size_t i = 0; i < kSamples; ++i) first[i] = i;
    EXPECT_EQ(larger.SelectSamples(first), whole);
    // Blocks of the second part alone, and of both.
    for (const std::vector<uint32_t>& blocks : {std::vector<uint32_t>{272}, {3, 256}}) {
      const GenotypeMatrix some = Generate(*generator, Samples(0, kSamples), blocks);
      for (const uint32_t block : blocks) {
        const size_t from = RowBytes(whole.packing(), block * kBlockVariants);
        const size_t end = RowBytes(whole.packing(), std::min<size_t>(kVariants, (block + 1) * kBlockVariants));
        for (size_t row = 0; row < whole.rows(); ++row) {
          ASSERT_TRUE(
              std::ranges::equal(some.Row(row).subspan(from, end - from), whole.Row(row).subspan(from, end - from)));
        }
      }
    }
  }
}

TEST(TileGeneratorTest, WorkersSideBySideGetTheirOwnRows) {
  const auto generator = Make(SmallWganGp(kVariants), Precision::kFp32);
  std::vector<GenotypeMatrix> rows;
  for (size_t i = 0; i < 4; ++i) rows.push_back(Generate(*generator, Samples(10 * i, 10)));
  std::vector<GenotypeMatrix> again = rows;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < rows.size(); ++i) {
    threads.emplace_back([&, i] { again[i] = Generate(*generator, Samples(10 * i, 10)); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(again, rows);
}

TEST(TileGeneratorTest, RefusesWhatItCannotGenerate) {
  const v1::Manifest manifest = SmallAcgan(kVariants, 4);
  const auto generator = Make(manifest, Precision::kFp32);
  const auto refused = [&](std::vector<SampleSpec> samples) {
    GenotypeMatrix rows(generator->packing(), samples.size() * 2, kVariants);
    return generator->Generate(samples, {}, rows);
  };
  EXPECT_TRUE(absl::IsInvalidArgument(refused({SampleSpec{0, 0, 4, {}}})));
  EXPECT_TRUE(absl::IsInvalidArgument(refused({SampleSpec{0, uint64_t{1} << 48, 0, {}}})));
  EXPECT_TRUE(absl::IsInvalidArgument(refused(Samples(0, generator->max_tile_samples() + 1))));
  TensorMap weights = RandomWeights(manifest, 3);
  for (float& value : weights.at("output.weight").values) value = std::numeric_limits<float>::max();
  const auto overflow = MakeFrom(manifest, weights, Precision::kFp32);
  EXPECT_TRUE(absl::IsInvalidArgument(overflow.status())) << overflow.status();
}

}  // namespace
}  // namespace genoserve

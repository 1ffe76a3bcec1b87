#include "core/model/precision_effect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "core/artifact/artifact.h"
#include "core/model/test_models.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// An artifact with random weights, those of the output layer scaled.
Artifact RandomArtifact(const v1::Manifest& manifest, float output_scale) {
  Artifact artifact;
  artifact.model = "m";
  artifact.version = 3;
  artifact.manifest = manifest;
  artifact.weights = RandomWeights(manifest, 4);
  for (float& value : artifact.weights["output.weight"].values) value *= output_scale;
  return artifact;
}

TEST(PrecisionEffectTest, IsMeasuredWhereSomethingIsRounded) {
  for (const v1::Manifest& manifest : {SmallAcgan(700, 4), SmallWganGp(700)}) {
    const Artifact artifact = RandomArtifact(manifest, 0.02F);
    const auto exact = LoadGenerator(artifact, {.precision = Precision::kFp32});
    ASSERT_TRUE(exact.ok()) << exact.status();
    EXPECT_FALSE((*exact)->precision_effect().has_value());
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      const auto rounded = LoadGenerator(artifact, {.precision = precision});
      ASSERT_TRUE(rounded.ok()) << rounded.status();
      const auto effect = (*rounded)->precision_effect();
      ASSERT_TRUE(effect.has_value());
      EXPECT_EQ(effect->rows, 1024U);
      EXPECT_EQ(effect->variants, 700U);
      EXPECT_LE(effect->differing, kMostDiffering);
      EXPECT_LE(effect->frequency_shift, kMostFrequencyShift);
    }
  }
}

// With outputs that are small differences of large values, rounding decides many alleles.
TEST(PrecisionEffectTest, RefusesWhatChangesTooMuch) {
  v1::Manifest manifest = SmallAcgan(700, 4);
  auto& spec = *manifest.mutable_generator()->mutable_acgan();
  spec.set_output(v1::ALLELE_OUTPUT_TANH_THRESHOLD);
  spec.set_label_logits(false);
  Artifact artifact = RandomArtifact(manifest, 1);
  for (const char* name : {"rank.weight", "rank.bias", "skip.weight"}) {
    std::vector<float>& values = artifact.weights[name].values;
    const size_t width = values.size() / static_cast<size_t>(spec.rank());
    for (size_t i = 0; i < values.size(); ++i) {
      if (i / width % 2 == 1) values[i] = 1.01F * values[i - width];
    }
  }
  std::vector<float>& outputs = artifact.weights["output.weight"].values;
  for (size_t i = 1; i < outputs.size(); i += 2) outputs[i] = -outputs[i - 1];
  for (float& value : artifact.weights["output.bias"].values) value = 0.549F;
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    const auto rounded = LoadGenerator(artifact, {.precision = precision});
    EXPECT_EQ(rounded.status().code(), absl::StatusCode::kFailedPrecondition) << rounded.status();
    EXPECT_THAT(std::string(rounded.status().message()),
                AllOf(HasSubstr("model m version 3"), HasSubstr(PrecisionName(precision)),
                      HasSubstr("at most 0.2000 % and 0.0400 are allowed")));
  }
  EXPECT_TRUE(LoadGenerator(artifact, {.precision = Precision::kFp32}).ok());
}

TEST(PrecisionEffectTest, Int8IsForCpus) {
  const auto generator = LoadGenerator(RandomArtifact(SmallAcgan(700, 4), 1),
                                       {.device = DeviceKind::kCuda, .precision = Precision::kInt8});
  EXPECT_EQ(generator.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(generator.status().message()), HasSubstr("int8 is for CPUs"));
}

TEST(PrecisionEffectTest, EachBoundCounts) {
  constexpr auto kBf16 = Precision::kBf16;
  EXPECT_TRUE(CheckPrecision({.differing = kMostDiffering, .frequency_shift = kMostFrequencyShift}, kBf16).ok());
  EXPECT_FALSE(CheckPrecision({.differing = kMostDiffering * 1.01, .frequency_shift = 0}, kBf16).ok());
  EXPECT_FALSE(CheckPrecision({.differing = 0, .frequency_shift = kMostFrequencyShift * 1.01}, kBf16).ok());
}

// Of a model with a wide layer, fewer blocks are compared.
TEST(PrecisionEffectTest, LargeModelsAreComparedInPart) {
  v1::Manifest manifest = SmallWganGp(20000);
  auto& spec = *manifest.mutable_generator()->mutable_wgan_gp();
  spec.set_hidden_sizes(2, 800);
  spec.set_rank(0);
  spec.set_latent_skip(false);
  const auto rounded = LoadGenerator(RandomArtifact(manifest, 0.02F), {.precision = Precision::kBf16});
  ASSERT_TRUE(rounded.ok()) << rounded.status();
  const auto effect = (*rounded)->precision_effect();
  EXPECT_EQ(effect->rows, 1024U);
  EXPECT_GE(effect->variants, 10000U);
  EXPECT_LT(effect->variants, 20000U);
}

}  // namespace
}  // namespace genoserve

#include "core/model/weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "core/model/generator.h"
#include "core/model/test_models.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

// The message of the refusal of a manifest and weights.
std::string Refusal(const v1::Manifest& manifest, const TensorMap& weights) {
  const auto generator = MakeGenerator(manifest, weights, {});
  EXPECT_EQ(generator.status().code(), absl::StatusCode::kInvalidArgument) << generator.status();
  return std::string(generator.status().message());
}

TEST(WeightsTest, RefusesTensorsThatDoNotFitTheSpec) {
  for (const v1::Manifest& manifest : {SmallAcgan(50, 3), SmallWganGp(50)}) {
    const TensorMap good = RandomWeights(manifest, 1);
    ASSERT_TRUE(MakeGenerator(manifest, good, {}).ok());
    for (const auto& [name, tensor] : good) {
      TensorMap bad = good;
      bad.erase(name);
      EXPECT_THAT(Refusal(manifest, bad), HasSubstr(name + " is missing"));
      bad = good;
      bad[name].shape.back() += 1;
      EXPECT_THAT(Refusal(manifest, bad), HasSubstr(name + " has shape"));
      bad = good;
      bad[name].values.pop_back();
      EXPECT_THAT(Refusal(manifest, bad), HasSubstr(name));
      bad = good;
      bad[name].values.back() = std::numeric_limits<float>::quiet_NaN();
      EXPECT_THAT(Refusal(manifest, bad), HasSubstr(name + " has values that are not finite"));
    }
    TensorMap more = good;
    more["extra"] = Tensor{{1}, {0}};
    EXPECT_THAT(Refusal(manifest, more), HasSubstr("extra"));
  }
}

TEST(WeightsTest, RefusesWeightsThatOverflow) {
  const v1::Manifest manifest = SmallAcgan(50, 3);
  TensorMap weights = RandomWeights(manifest, 1);
  for (auto& [name, tensor] : weights) {
    for (float& value : tensor.values) value *= 1e30F;
  }
  EXPECT_THAT(Refusal(manifest, weights), HasSubstr("not finite"));
}

TEST(WeightsTest, RefusesSpecsThatMakeNoSense) {
  const v1::Manifest acgan = SmallAcgan(50, 3);
  const v1::Manifest wgan_gp = SmallWganGp(50);
  const auto refusal = [](v1::Manifest manifest, auto change) {
    change(manifest);
    const auto shape = ShapeOfGenerator(manifest);
    EXPECT_EQ(shape.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(shape.status().message());
  };
  EXPECT_THAT(refusal(acgan, [](auto& m) { m.clear_generator(); }), HasSubstr("no generator spec"));
  EXPECT_THAT(refusal(acgan, [](auto& m) { m.clear_labels(); }), HasSubstr("labels"));
  EXPECT_THAT(refusal(acgan, [](auto& m) { m.set_phased(false); }), HasSubstr("phased"));
  EXPECT_THAT(refusal(acgan, [](auto& m) { m.set_variant_count(0); }), HasSubstr("variant_count"));
  const auto change_acgan = [&](auto change) {
    return refusal(acgan, [&](auto& m) { change(*m.mutable_generator()->mutable_acgan()); });
  };
  EXPECT_THAT(change_acgan([](auto& s) { s.set_latent_size(0); }), HasSubstr("latent_size"));
  EXPECT_THAT(change_acgan([](auto& s) { s.set_hidden_sizes(0, -4); }), HasSubstr("hidden_sizes"));
  EXPECT_THAT(change_acgan([](auto& s) { s.set_rank(0); }), HasSubstr("rank"));
  EXPECT_THAT(change_acgan([](auto& s) { s.set_leaky_slope(2); }), HasSubstr("leaky_slope"));
  EXPECT_THAT(change_acgan([](auto& s) { s.clear_output(); }), HasSubstr("output"));
  EXPECT_THAT(change_acgan([](auto& s) {
                for (int i = 0; i < 4; ++i) s.add_hidden_sizes(1 << 22);
              }),
              HasSubstr("more than"));
  EXPECT_THAT(refusal(wgan_gp, [](auto& m) { m.mutable_generator()->mutable_wgan_gp()->set_condition_size(5); }),
              HasSubstr("condition_size"));
  EXPECT_THAT(refusal(wgan_gp, [](auto& m) { m.set_phased(true); }), HasSubstr("phased"));
  EXPECT_THAT(refusal(wgan_gp, [](auto& m) { m.add_labels(); }), HasSubstr("labels"));
}

}  // namespace
}  // namespace genoserve

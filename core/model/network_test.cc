#include "core/model/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "core/model/blocks.h"
#include "core/model/cpu_network.h"
#include "core/model/test_models.h"

namespace genoserve {
namespace {

// More than one block of variants, and neither a whole block nor a whole panel.
constexpr int64_t kVariants = 1100;
constexpr size_t kRows = 200;

struct Model {
  const char* name;
  v1::Manifest manifest;
};

std::vector<Model> Models() {
  v1::Manifest plain = SmallAcgan(kVariants, 4);
  plain.mutable_generator()->mutable_acgan()->set_rank(0);
  plain.mutable_generator()->mutable_acgan()->set_latent_skip(false);
  v1::Manifest wide = SmallAcgan(kVariants, 4);
  wide.mutable_generator()->mutable_acgan()->set_hidden_sizes(0, 2100);  // more than a kernel takes in at once
  v1::Manifest no_skip = SmallWganGp(kVariants);
  no_skip.mutable_generator()->mutable_wgan_gp()->set_latent_skip(false);
  return {{"acgan", SmallAcgan(kVariants, 4)},
          {"plain", plain},
          {"wide", wide},
          {"wgan-gp", SmallWganGp(kVariants)},
          {"no skip", no_skip}};
}

// Random rows: normal latents, and for acgan a one-hot label.
std::vector<float> Inputs(const GeneratorShape& shape, size_t rows) {
  const size_t stride = shape.latent_size + shape.condition_size;
  std::vector<float> inputs(rows * stride);
  for (size_t row = 0; row < rows; ++row) {
    const auto values = std::span(inputs).subspan(row * stride, stride);
    PhiloxStream(5, row, 0, Purpose::kLatent).FillNormal(values);
    if (shape.states == 3) continue;
    const auto labels = values.subspan(shape.latent_size);
    std::fill(labels.begin(), labels.end(), 0.0F);
    labels[row % labels.size()] = 1.0F;
  }
  return inputs;
}

// [row][state * variants + variant]; NaN where nothing came.
using Logits = std::vector<std::vector<float>>;

Logits OutputsOf(const Network& network, const GeneratorShape& shape, const std::vector<float>& inputs,
                 const std::vector<uint32_t>& blocks = {}) {
  const size_t rows = inputs.size() / (shape.latent_size + shape.condition_size);
  Logits logits(rows, std::vector<float>(shape.states * shape.variants, NAN));
  const absl::Status status = network.Forward(rows, inputs, blocks, [&](const LogitBlock& block) {
    for (size_t row = 0; row < block.rows; ++row) {
      for (size_t state = 0; state < shape.states; ++state) {
        const auto from = block.Row(row, state);
        auto& to = logits[block.first_row + row];
        std::copy(from.begin(), from.end(),
                  to.begin() + static_cast<ptrdiff_t>(state * shape.variants + block.first_variant));
      }
    }
  });
  EXPECT_TRUE(status.ok()) << status;
  return logits;
}

// The formulas of GeneratorShape in double precision.
class Reference {
 public:
  Reference(const v1::Manifest& manifest, const GeneratorShape& shape, const TensorMap& weights)
      : manifest_(manifest), shape_(shape), weights_(weights) {}

  std::vector<double> Forward(std::span<const float> inputs) const {
    const std::vector<double> z(inputs.begin(), inputs.begin() + static_cast<ptrdiff_t>(shape_.latent_size));
    const std::vector<double> c(inputs.begin() + static_cast<ptrdiff_t>(shape_.latent_size), inputs.end());
    const std::vector<double> all(inputs.begin(), inputs.end());
    std::vector<double> x;
    if (shape_.states == 1) {
      const auto& spec = manifest_.generator().acgan();
      for (int i = 0; i < 2 * spec.label_repeats() + 1; ++i) {
        const auto& part = i == spec.label_repeats() ? z : c;
        x.insert(x.end(), part.begin(), part.end());
      }
      for (int i = 0; i < spec.hidden_sizes_size(); ++i) {
        x = Leaky(Linear("hidden." + std::to_string(i), x), spec.leaky_slope());
      }
      return Linear("output", Ranked(x, z));
    }
    const auto& spec = manifest_.generator().wgan_gp();
    x = Leaky(Linear("first", all), spec.leaky_slope());
    for (int i = 0; i + 1 < spec.hidden_sizes_size(); ++i) {
      const std::string block = "block." + std::to_string(i);
      x.insert(x.end(), c.begin(), c.end());
      const auto inner = Leaky(Linear(block + ".residual1", x), spec.leaky_slope());
      auto sum = Linear(block + ".residual2", inner);
      for (size_t k = 0; k < sum.size(); ++k) sum[k] += x[k];
      x = Leaky(Linear(block + ".out", Leaky(sum, spec.leaky_slope())), spec.leaky_slope());
    }
    return Linear("output", Ranked(x, all));
  }

 private:
  std::vector<double> Linear(const std::string& name, const std::vector<double>& x) const {
    const Tensor& weight = weights_.at(name + ".weight");
    std::vector<double> y(static_cast<size_t>(weight.shape[0]));
    for (size_t o = 0; o < y.size(); ++o) {
      y[o] = weights_.contains(name + ".bias") ? static_cast<double>(weights_.at(name + ".bias").values[o]) : 0.0;
      for (size_t i = 0; i < x.size(); ++i) y[o] += static_cast<double>(weight.values[o * x.size() + i]) * x[i];
    }
    return y;
  }
  static std::vector<double> Leaky(std::vector<double> x, double slope) {
    for (double& value : x) value = value > 0 ? value : slope * value;
    return x;
  }
  std::vector<double> Ranked(const std::vector<double>& x, const std::vector<double>& skip_inputs) const {
    if (!weights_.contains("rank.weight")) return x;
    std::vector<double> ranked = Linear("rank", x);
    if (!weights_.contains("skip.weight")) return ranked;
    const std::vector<double> skip = Linear("skip", skip_inputs);
    for (size_t i = 0; i < ranked.size(); ++i) ranked[i] += skip[i];
    return ranked;
  }

  const v1::Manifest& manifest_;
  const GeneratorShape& shape_;
  const TensorMap& weights_;
};

// Bits of outputs, not draws of them: a kernel that mixed rows by a rounding would be seen at once.
TEST(CpuNetworkTest, ARowsOutputsAreTheSameToTheBitWhereverItStands) {
  for (const Model& model : Models()) {
    const GeneratorShape shape = ShapeOfGenerator(model.manifest).value();
    const TensorMap weights = RandomWeights(model.manifest, 3);
    const std::vector<float> inputs = Inputs(shape, kRows);
    const size_t stride = shape.latent_size + shape.condition_size;
    for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
      SCOPED_TRACE(model.name);
      const auto network = MakeCpuNetwork(model.manifest, shape, weights, precision);
      const Logits whole = OutputsOf(*network, shape, inputs);
      for (const size_t count : {size_t{1}, size_t{2}, size_t{13}, size_t{64}}) {
        for (size_t first = 0; first < kRows; first += count + 17) {
          std::vector<float> some;
          std::vector<size_t> rows;
          for (size_t i = 0; i < count; ++i) {
            rows.push_back((first + 37 * i) % kRows);
            const auto from = inputs.begin() + static_cast<ptrdiff_t>(rows.back() * stride);
            some.insert(some.end(), from, from + static_cast<ptrdiff_t>(stride));
          }
          const Logits again = OutputsOf(*network, shape, some);
          for (size_t i = 0; i < count; ++i) ASSERT_EQ(again[i], whole[rows[i]]) << count << " rows, row " << rows[i];
        }
      }
      // The last block, runs of a piece and beyond, and blocks apart.
      std::vector<uint32_t> all(BlockCount(kVariants));
      std::iota(all.begin(), all.end(), 0U);
      for (const std::vector<uint32_t>& blocks : {std::vector<uint32_t>{0},
                                                  {all.back()},
                                                  {1, 3, 4, 20},
                                                  {all.begin() + 5, all.begin() + 22},
                                                  {all.begin() + 2, all.begin() + 27},
                                                  all}) {
        const Logits part = OutputsOf(*network, shape, inputs, blocks);
        for (size_t row = 0; row < kRows; ++row) {
          for (size_t i = 0; i < part[row].size(); ++i) {
            const auto block = static_cast<uint32_t>(i % shape.variants / kBlockVariants);
            const bool asked = std::count(blocks.begin(), blocks.end(), block) > 0;
            ASSERT_EQ(std::isnan(part[row][i]), !asked);
            if (asked) {
              ASSERT_EQ(part[row][i], whole[row][i]) << row << ", " << i;
            }
          }
        }
      }
    }
  }
}

TEST(CpuNetworkTest, OutputsAreThoseOfTheFormulas) {
  for (const Model& model : Models()) {
    SCOPED_TRACE(model.name);
    const GeneratorShape shape = ShapeOfGenerator(model.manifest).value();
    const TensorMap weights = RandomWeights(model.manifest, 3);
    const std::vector<float> inputs = Inputs(shape, 20);
    const size_t stride = shape.latent_size + shape.condition_size;
    const Logits exact = OutputsOf(*MakeCpuNetwork(model.manifest, shape, weights, Precision::kFp32), shape, inputs);
    const std::vector<Logits> rounded = {
        OutputsOf(*MakeCpuNetwork(model.manifest, shape, weights, Precision::kBf16), shape, inputs),
        OutputsOf(*MakeCpuNetwork(model.manifest, shape, weights, Precision::kInt8), shape, inputs)};
    const Reference reference(model.manifest, shape, weights);
    double largest = 0;
    std::vector<double> largest_rounded(rounded.size());
    for (size_t row = 0; row < exact.size(); ++row) {
      const auto expected = reference.Forward(std::span(inputs).subspan(row * stride, stride));
      for (size_t i = 0; i < expected.size(); ++i) {
        largest = std::max(largest, std::fabs(static_cast<double>(exact[row][i]) - expected[i]));
        for (size_t k = 0; k < rounded.size(); ++k) {
          largest_rounded[k] =
              std::max(largest_rounded[k], std::fabs(static_cast<double>(rounded[k][row][i]) - expected[i]));
        }
      }
    }
    EXPECT_LT(largest, 1e-4);
    EXPECT_THAT(largest_rounded, testing::Each(testing::AllOf(testing::Gt(1e-3), testing::Lt(0.5))));
  }
}

}  // namespace
}  // namespace genoserve

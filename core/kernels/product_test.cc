#include "core/kernels/product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/philox.h"
#include "core/kernels/product_kernels.h"
#include "core/kernels/test_targets.h"

namespace genoserve {
namespace {

using Form = PackedLayer::Form;

struct Layer {
  Layer(size_t layer_inputs, size_t layer_outputs)
      : inputs(layer_inputs), outputs(layer_outputs), weight(inputs * outputs), bias(outputs) {
    PhiloxStream(inputs, outputs, 0, Purpose::kLatent).FillNormal(weight);
    PhiloxStream(inputs, outputs, 1, Purpose::kLatent).FillNormal(bias);
  }

  PackedLayer Packed(Form form) const { return {form, weight, bias, inputs}; }

  size_t inputs;
  size_t outputs;
  std::vector<float> weight;
  std::vector<float> bias;
};

std::vector<float> RandomRows(size_t rows, size_t inputs) {
  std::vector<float> values(rows * inputs);
  PhiloxStream(7, rows, 0, Purpose::kLatent).FillNormal(values);
  return values;
}

constexpr std::array kForms = {Form::kFp32, Form::kBf16, Form::kInt8};

const char* NameOf(Form form) {
  if (form == Form::kInt8) return "int8";
  return form == Form::kBf16 ? "bf16" : "fp32";
}

float Rounded(float value) { return FromBf16(ToBf16(value)); }

// One output of kInt8 by the contract's formula.
float Int8Twin(const Layer& layer, const float* inputs, size_t output) {
  const float* weight = &layer.weight[output * layer.inputs];
  float largest = 0;
  for (size_t i = 0; i < layer.inputs; ++i) largest = std::max(largest, std::fabs(weight[i]));
  const auto [low, high] = std::minmax_element(inputs, inputs + layer.inputs);
  const float range = *high - *low;
  int64_t sum = 0;
  int64_t sum_of_weights = 0;
  for (size_t i = 0; i < layer.inputs; ++i) {
    const auto number = std::lrint(weight[i] * (127 / largest));
    sum_of_weights += number;
    if (range > 0) sum += number * std::lrint((inputs[i] - *low) * (255 / range));
  }
  const float scale = largest / 127;
  const float base = std::fma(*low, scale * static_cast<float>(sum_of_weights), layer.bias[output]);
  return std::fma(static_cast<float>(sum), range / 255 * scale, base);
}

// One output of the contract's formula by the scalar twin.
float Twin(Form form, const Layer& layer, const float* inputs, size_t output) {
  if (form == Form::kInt8) return Int8Twin(layer, inputs, output);
  const float* weight = &layer.weight[output * layer.inputs];
  float sum = layer.bias[output];
  if (form == Form::kFp32) {
    for (size_t i = 0; i < layer.inputs; ++i) sum = std::fma(inputs[i], weight[i], sum);
    return sum;
  }
  for (size_t i = 0; i < layer.inputs; i += 2) {
    if (i + 1 < layer.inputs) sum = std::fma(Rounded(inputs[i + 1]), Rounded(weight[i + 1]), sum);
    sum = std::fma(Rounded(inputs[i]), Rounded(weight[i]), sum);
  }
  return sum;
}

std::vector<float> Product(const PackedLayer& layer, const std::vector<float>& inputs, size_t rows) {
  const size_t stride = layer.panels() * PackedLayer::kPanel;
  std::vector<float> outputs(rows * stride, 99.0F);
  Multiply(layer, inputs.data(), layer.inputs(), rows, 0, layer.panels(), outputs.data(), stride);
  return outputs;
}

// Bits, in which a NaN equals itself and 0 differs from -0.
bool SameBits(const float* a, const float* b, size_t size) { return std::memcmp(a, b, size * sizeof(float)) == 0; }

// Sizes around those of pairs, panels, kernels and blocks of inputs; with every instruction set.
TEST(ProductTest, EachOutputIsTheScalarTwinToTheBit) {
  for (const Form form : kForms) {
    for (const size_t inputs : {1UL, 2UL, 31UL, 513UL, 2049UL}) {
      for (const size_t outputs : {1UL, 32UL, 43UL}) {
        const Layer layer(inputs, outputs);
        const PackedLayer packed = layer.Packed(form);
        const size_t stride = packed.panels() * PackedLayer::kPanel;
        for (const size_t rows : {1UL, 5UL, 14UL, 29UL}) {
          const std::vector<float> values = RandomRows(rows, inputs);
          std::vector<float> wanted(rows * stride);
          for (size_t row = 0; row < rows; ++row) {
            for (size_t output = 0; output < outputs; ++output) {
              wanted[row * stride + output] = Twin(form, layer, &values[row * inputs], output);
            }
          }
          OnEachTarget([&] {
            EXPECT_EQ(Product(packed, values, rows), wanted)
                << inputs << " inputs, " << outputs << " outputs, " << rows << " rows, " << NameOf(form);
          });
        }
      }
    }
  }
}

// A row has the same bits alone, among others, at another place, and computed by a part of its panels.
TEST(ProductTest, RowsAndPanelsDoNotMix) {
  constexpr size_t kInputs = 700;
  constexpr size_t kRows = 300;
  const Layer layer(kInputs, 150);
  const std::vector<float> values = RandomRows(kRows, kInputs);
  for (const Form form : kForms) {
    const PackedLayer packed = layer.Packed(form);
    const size_t stride = packed.panels() * PackedLayer::kPanel;
    const std::vector<float> whole = Product(packed, values, kRows);
    for (size_t row = 0; row < kRows; row += 13) {
      const std::vector<float> one(values.begin() + static_cast<ptrdiff_t>(row * kInputs),
                                   values.begin() + static_cast<ptrdiff_t>((row + 1) * kInputs));
      const std::vector<float> alone = Product(packed, one, 1);
      ASSERT_TRUE(SameBits(alone.data(), &whole[row * stride], stride)) << row;
    }
    for (const size_t rows : {3UL, 16UL, 64UL, 256UL, 257UL}) {
      const std::vector<float> some = Product(packed, values, rows);
      ASSERT_TRUE(SameBits(some.data(), whole.data(), rows * stride)) << rows;
    }
    for (size_t panel = 0; panel < packed.panels(); ++panel) {
      // Inputs and outputs with gaps between the rows, which stay as they are.
      constexpr size_t kGap = 5;
      std::vector<float> gaps(kRows * (PackedLayer::kPanel + kGap), -7.0F);
      Multiply(packed, values.data(), kInputs, kRows, panel, 1, gaps.data(), PackedLayer::kPanel + kGap);
      for (size_t row = 0; row < kRows; ++row) {
        const float* found = &gaps[row * (PackedLayer::kPanel + kGap)];
        ASSERT_TRUE(SameBits(found, &whole[row * stride + panel * PackedLayer::kPanel], PackedLayer::kPanel));
        for (size_t i = 0; i < kGap; ++i) ASSERT_EQ(found[PackedLayer::kPanel + i], -7.0F);
      }
    }
  }
}

// Planes lie apart and are computed beside each other, by the same panels of each.
TEST(ProductTest, PlanesAreProductsOfTheirOwn) {
  constexpr size_t kInputs = 37;
  constexpr size_t kPlanes = 3;
  constexpr size_t kOutputs = 75;  // of a plane
  constexpr size_t kRows = 17;
  const Layer layer(kInputs, kPlanes * kOutputs);
  const std::vector<float> values = RandomRows(kRows, kInputs);
  for (const Form form : kForms) {
    const PackedLayer packed(form, layer.weight, layer.bias, kInputs, kPlanes);
    ASSERT_EQ(packed.panels(), 3U);
    constexpr size_t kPanels = 2;
    constexpr size_t kStride = kPlanes * kPanels * PackedLayer::kPanel;
    std::vector<float> found(kRows * kStride);
    Multiply(packed, values.data(), kInputs, kRows, 1, kPanels, found.data(), kStride);
    for (size_t row = 0; row < kRows; ++row) {
      for (size_t i = PackedLayer::kPanel; i < kOutputs; ++i) {
        for (size_t plane = 0; plane < kPlanes; ++plane) {
          const size_t at = (plane * kPanels - 1) * PackedLayer::kPanel + i;
          ASSERT_EQ(found[row * kStride + at], Twin(form, layer, &values[row * kInputs], plane * kOutputs + i))
              << NameOf(form) << ", plane " << plane << ", output " << i;
        }
      }
    }
  }
}

// Two roundings, each of 1,024 products of size one, add up as a random walk: in bf16 of 2^-9 relative at most, in int8
// of a 254th of a row's range, some seven standard deviations, evenly spread over a step.
TEST(ProductTest, RoundedFormsAreNearFp32) {
  constexpr size_t kInputs = 1024;
  constexpr size_t kRows = 8;
  const Layer layer(kInputs, 96);
  const std::vector<float> values = RandomRows(kRows, kInputs);
  const std::vector<float> exact = Product(layer.Packed(Form::kFp32), values, kRows);
  for (const auto& [form, step] : {std::pair{Form::kBf16, 0x1p-9}, {Form::kInt8, 7.5 / 254 / std::sqrt(12)}}) {
    const std::vector<float> rounded = Product(layer.Packed(form), values, kRows);
    double squares = 0;
    for (size_t i = 0; i < exact.size(); ++i) squares += std::pow(static_cast<double>(exact[i]) - rounded[i], 2);
    const double error = std::sqrt(squares / static_cast<double>(exact.size()));
    EXPECT_LT(error, std::sqrt(2.0 * kInputs) * step) << NameOf(form);
    EXPECT_GT(error, 0.0) << NameOf(form);
  }
}

// The largest sums that there are, of numbers of one sign and beyond 16 bits in every pair, are exact.
TEST(ProductTest, Int8TakesTheLargestSums) {
  constexpr size_t kInputs = PackedLayer::kMostInt8Inputs;
  const std::vector<float> weight(kInputs, 2.0F);
  const std::vector<float> bias(1, 1.0F);
  const PackedLayer packed(Form::kInt8, weight, bias, kInputs);
  std::vector<float> values(kInputs, 3.0F);
  values[5] = 0;
  OnEachTarget([&] {
    const float wanted = 6.0F * (kInputs - 1) + 1;
    EXPECT_NEAR(Product(packed, values, 1)[0], wanted, 1e-6F * wanted);
  });
}

// Ranges whose inverse is no number, and ranges that fp32 does not hold.
TEST(ProductTest, Int8DefinesExtremeRows) {
  constexpr size_t kStride = 64;  // of outputs
  constexpr size_t kInputs = 37;
  Layer layer(kInputs, 40);
  std::fill_n(layer.weight.begin(), kInputs, 0.0F);      // the first output's
  std::fill_n(&layer.weight[kInputs], kInputs, 1e-44F);  // the second one's
  const float most = std::numeric_limits<float>::max();
  std::vector<float> values(4 * kInputs, -0.25F);      // a constant row
  std::fill_n(&values[kInputs], kInputs / 2, 1e-40F);  // one that counts as constant but for the rest of it
  std::fill_n(&values[kInputs + kInputs / 2], kInputs - kInputs / 2, 3e-40F);
  std::fill_n(&values[2 * kInputs], kInputs, -most);  // one whose range is beyond fp32
  values[3 * kInputs - 1] = most;
  std::fill_n(&values[3 * kInputs], kInputs, 0.0F);  // and one of large values that is not
  values[3 * kInputs + 4] = most / 64;
  const PackedLayer packed = layer.Packed(Form::kInt8);
  OnEachTarget([&] {
    const std::vector<float> found = Product(packed, values, 4);
    for (size_t output = 0; output < 40; ++output) {
      double sum = 0;
      for (size_t i = 0; i < kInputs; ++i) sum += static_cast<double>(layer.weight[output * kInputs + i]);
      EXPECT_NEAR(found[output], layer.bias[output] - 0.25 * sum, 0.25 * kInputs * 0.02) << output;
      EXPECT_FLOAT_EQ(found[kStride + output], layer.bias[output]) << output;
      EXPECT_TRUE(std::isnan(found[2 * kStride + output])) << output;
      EXPECT_TRUE(std::isfinite(found[3 * kStride + output])) << output;
    }
    EXPECT_EQ(found[0], layer.bias[0]);
    EXPECT_EQ(found[1], layer.bias[1]);
  });
}

// What is not a number stays so, and only in the row that it came from.
TEST(ProductTest, NanAndInfinityPassThrough) {
  constexpr size_t kInputs = 70;
  constexpr size_t kRows = 20;
  const Layer layer(kInputs, 40);
  std::vector<float> values = RandomRows(kRows, kInputs);
  values[3 * kInputs + 69] = std::numeric_limits<float>::quiet_NaN();
  values[4 * kInputs] = std::numeric_limits<float>::infinity();
  for (const Form form : kForms) {
    const PackedLayer packed = layer.Packed(form);
    OnEachTarget([&] {
      const std::vector<float> found = Product(packed, values, kRows);
      for (size_t row = 0; row < kRows; ++row) {
        for (size_t output = 0; output < 40; ++output) {
          const float value = found[row * 64 + output];
          // In int8 a row with an infinity has no range.
          EXPECT_EQ(std::isnan(value), row == 3 || (row == 4 && form == Form::kInt8)) << row;
          EXPECT_EQ(std::isinf(value), row == 4 && form != Form::kInt8) << row;
        }
      }
    });
  }
}

TEST(ProductTest, Bfloat16IsTheNearestEven) {
  EXPECT_EQ(ToBf16(1.0F), 0x3F80);
  EXPECT_EQ(ToBf16(1.00390625F), 0x3F80);   // halfway, down to even
  EXPECT_EQ(ToBf16(1.01171875F), 0x3F82);   // halfway, up to even
  EXPECT_EQ(ToBf16(1.003906369F), 0x3F81);  // just above halfway
  EXPECT_EQ(ToBf16(-0.0F), 0x8000);
  EXPECT_EQ(ToBf16(-1e-39F), 0x8000);
  EXPECT_EQ(ToBf16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_EQ(ToBf16(-std::numeric_limits<float>::infinity()), 0xFF80);
  EXPECT_TRUE(std::isnan(Rounded(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace genoserve

#include "core/kernels/product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
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

float Rounded(float value) { return FromBf16(ToBf16(value)); }

// One output of the contract's formula by the scalar twin.
float Twin(Form form, const Layer& layer, const float* inputs, size_t output) {
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
  for (const Form form : {Form::kFp32, Form::kBf16}) {
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
            EXPECT_EQ(Product(packed, values, rows), wanted) << inputs << " inputs, " << outputs << " outputs, " << rows
                                                             << " rows" << (form == Form::kBf16 ? ", bf16" : ", fp32");
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
  for (const Form form : {Form::kFp32, Form::kBf16}) {
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

TEST(ProductTest, Bf16IsNearFp32) {
  constexpr size_t kInputs = 1024;
  constexpr size_t kRows = 8;
  const Layer layer(kInputs, 96);
  const std::vector<float> values = RandomRows(kRows, kInputs);
  const std::vector<float> exact = Product(layer.Packed(Form::kFp32), values, kRows);
  const std::vector<float> rounded = Product(layer.Packed(Form::kBf16), values, kRows);
  // Two roundings of 2^-9 relative, each of 1,024 products of size one, add up as a random walk.
  double squares = 0;
  for (size_t i = 0; i < exact.size(); ++i) squares += std::pow(static_cast<double>(exact[i]) - rounded[i], 2);
  const double error = std::sqrt(squares / static_cast<double>(exact.size()));
  EXPECT_LT(error, std::sqrt(2.0 * kInputs) * 0x1p-9);
  EXPECT_GT(error, 0.0);
}

// What is not a number stays so, and only in the row that it came from.
TEST(ProductTest, NanAndInfinityPassThrough) {
  const Layer layer(70, 40);
  constexpr size_t kRows = 20;
  std::vector<float> values = RandomRows(kRows, 70);
  values[3 * 70 + 69] = std::numeric_limits<float>::quiet_NaN();
  values[4 * 70] = std::numeric_limits<float>::infinity();
  for (const Form form : {Form::kFp32, Form::kBf16}) {
    const PackedLayer packed = layer.Packed(form);
    OnEachTarget([&] {
      const std::vector<float> found = Product(packed, values, kRows);
      for (size_t row = 0; row < kRows; ++row) {
        for (size_t output = 0; output < 40; ++output) {
          const float value = found[row * 64 + output];
          EXPECT_EQ(std::isnan(value), row == 3) << row;
          EXPECT_EQ(std::isinf(value), row == 4) << row;
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

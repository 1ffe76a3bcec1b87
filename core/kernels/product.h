// Products of tiles with the weights of a layer, on one thread: what serving spends its time on. Each output is one
// chain of additions in the order of the inputs, so that a row's bits depend on that row alone, whatever the number of
// rows and columns and wherever it lies.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// A layer's weights and biases in the order in which Multiply reads them. Immutable after it was made, hence
/// thread-safe.
class PackedLayer {
 public:
  /// How weights and inputs are held.
  ///
  /// kFp32: one fused multiply-add an input, from the bias on.
  /// kBf16: inputs and weights are rounded to bfloat16, to nearest even, subnormal ones to 0. Of each pair of inputs
  /// the second is added before the first, by a fused multiply-add each: what AVX-512 BF16 does in one instruction, and
  /// others do in fp32. That instruction also takes subnormal sums for 0.
  /// kInt8: weights are 8-bit numbers, -127 to 127, times a scale of their output, and inputs are 8-bit numbers, 0 to
  /// 255, times a scale of their row plus an offset, its smallest input; both rounded to the nearest, even. Products of
  /// numbers are summed exactly; one fp32 multiply-add each applies the scales and adds the offset and the bias. A row
  /// that has an infinity or a NaN, or a range beyond that of fp32, has NaN for all outputs; one whose range is below
  /// 1e-30 counts as constant.
  ///
  /// All give the same bits on every machine, but for subnormal sums in kBf16.
  enum class Form { kFp32, kBf16, kInt8 };

  /// The most inputs of a layer in kInt8, whose sums need 32 bits.
  static constexpr size_t kMostInt8Inputs = 65536;

  /// Outputs of a panel, the fewest that Multiply computes.
  static constexpr size_t kPanel = 32;

  PackedLayer() = default;
  /// `weight` is [outputs, inputs], finite, `bias` [outputs]. Outputs are parted into planes of one size, each of which
  /// is padded with zeros to whole panels.
  PackedLayer(Form form, std::span<const float> weight, std::span<const float> bias, size_t inputs, size_t planes = 1);

  Form form() const { return form_; }
  size_t inputs() const { return inputs_; }
  size_t outputs() const { return outputs_; }
  size_t planes() const { return planes_; }
  /// Panels of a plane.
  size_t panels() const { return (outputs_ / planes_ + kPanel - 1) / kPanel; }

 private:
  struct alignas(64) CacheLine {
    std::array<uint8_t, 64> bytes;
  };

  friend void Multiply(const PackedLayer& layer, const float* inputs, size_t input_stride, size_t rows,
                       size_t first_panel, size_t panels, float* outputs, size_t output_stride);

  Form form_ = Form::kFp32;
  size_t inputs_ = 0;
  size_t outputs_ = 0;
  size_t planes_ = 1;
  // Of each output, padded; the second and third in kInt8 only.
  std::vector<float> bias_;
  std::vector<float> scale_;
  std::vector<float> sum_;  // of its weights as they are held
  // [plane][panel][step][kPanel]: an input in fp32, two in bfloat16 or four in 8 bits, the first input's lowest.
  std::vector<CacheLine> weights_;
};

/// outputs[row, j] = bias[j] + sum over i of inputs[row, i] * weight[j, i], for the outputs of `panels` panels from
/// `first_panel` on of each plane. The first plane's go to outputs[row * output_stride] and the kPanel * panels - 1
/// places behind it, those of the next plane behind these. Strides are floats from row to row; padded outputs are
/// written too. Nothing is allocated after a thread's first calls.
void Multiply(const PackedLayer& layer, const float* inputs, size_t input_stride, size_t rows, size_t first_panel,
              size_t panels, float* outputs, size_t output_stride);

}  // namespace genoserve

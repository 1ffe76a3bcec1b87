#include "core/kernels/product.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "core/kernels/product_kernels.h"

// The kernels are compiled for several instruction sets and the best one that the CPU has is chosen at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/product.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace genoserve::HWY_NAMESPACE {
namespace {

// Inputs of a block, prepared as fp32.
constexpr size_t kFloats = kPreparedBytes / sizeof(float);

#if HWY_NATIVE_FMA
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Words = hn::RebindToUnsigned<Floats>;
using Vector = hn::Vec<Floats>;
constexpr size_t kLanes = hn::MaxLanes(Floats());
// Two sums a row, two weights and an input are all that the registers hold: 32 with AVX-512, else 16.
constexpr size_t kMostRows = kLanes == 16 ? kMostKernelRows : 6;

// Adds the products of step `i` to the sums.
template <PackedLayer::Form kForm, size_t... kRow>
HWY_INLINE void Step(const float* HWY_RESTRICT inputs, const void* HWY_RESTRICT weights, size_t i, Vector* left,
                     Vector* right) {
  const Floats d;
  constexpr size_t kStride = kPreparedStride / sizeof(float);
  const auto add = [](float input, Vector weights0, Vector weights1, Vector& sum0, Vector& sum1) HWY_ATTR {
    const auto value = hn::Set(Floats(), input);
    sum0 = hn::MulAdd(value, weights0, sum0);
    sum1 = hn::MulAdd(value, weights1, sum1);
  };
  if constexpr (kForm == PackedLayer::Form::kFp32) {
    const auto* at = static_cast<const float*>(weights) + i * PackedLayer::kPanel;
    const auto weights0 = hn::Load(d, at);
    const auto weights1 = hn::Load(d, at + kLanes);
    (add(inputs[kRow * kStride + i], weights0, weights1, left[kRow], right[kRow]), ...);
  } else {
    // The second of a pair first, as the instruction does.
    const Words w;
    const auto* at = static_cast<const uint32_t*>(weights) + i * PackedLayer::kPanel;
    const auto pairs0 = hn::Load(w, at);
    const auto pairs1 = hn::Load(w, at + kLanes);
    const auto upper = hn::Set(w, 0xFFFF0000);
    const auto second0 = hn::BitCast(d, hn::And(pairs0, upper));
    const auto second1 = hn::BitCast(d, hn::And(pairs1, upper));
    (add(inputs[kRow * kStride + 2 * i + 1], second0, second1, left[kRow], right[kRow]), ...);
    const auto first0 = hn::BitCast(d, hn::ShiftLeft<16>(pairs0));
    const auto first1 = hn::BitCast(d, hn::ShiftLeft<16>(pairs1));
    (add(inputs[kRow * kStride + 2 * i], first0, first1, left[kRow], right[kRow]), ...);
  }
}

template <PackedLayer::Form kForm, size_t... kRow>
void Kernel(const void* prepared, const void* weights, size_t steps, const float* start, const Int8Ending* /*ending*/,
            float* outputs, size_t output_stride) {
  const Floats d;
  const auto* inputs = static_cast<const float*>(prepared);
  // A weight or a pair of them is four bytes.
  for (size_t part = 0; part < PackedLayer::kPanel; part += 2 * kLanes) {
    const void* some = static_cast<const uint32_t*>(weights) + part;
    float* to = outputs + part;
    Vector left[sizeof...(kRow)];
    Vector right[sizeof...(kRow)];
    if (start != nullptr) {
      ((left[kRow] = hn::LoadU(d, start + part), right[kRow] = hn::LoadU(d, start + part + kLanes)), ...);
    } else {
      ((left[kRow] = hn::LoadU(d, to + kRow * output_stride),
        right[kRow] = hn::LoadU(d, to + kRow * output_stride + kLanes)),
       ...);
    }
    for (size_t i = 0; i < steps; ++i) Step<kForm, kRow...>(inputs, some, i, left, right);
    ((hn::StoreU(left[kRow], d, to + kRow * output_stride),
      hn::StoreU(right[kRow], d, to + kRow * output_stride + kLanes)),
     ...);
  }
}
#else
constexpr size_t kMostRows = 1;

// The scalar twin, for a CPU without fused multiply-add.
template <PackedLayer::Form kForm, size_t kRow>
void Kernel(const void* prepared, const void* weights, size_t steps, const float* start, const Int8Ending* /*ending*/,
            float* outputs, size_t /*output_stride*/) {
  const auto* inputs = static_cast<const float*>(prepared);
  if (start != nullptr) std::copy_n(start, PackedLayer::kPanel, outputs);
  for (size_t i = 0; i < steps; ++i) {
    for (size_t j = 0; j < PackedLayer::kPanel; ++j) {
      const size_t at = i * PackedLayer::kPanel + j;
      if constexpr (kForm == PackedLayer::Form::kFp32) {
        outputs[j] = std::fma(inputs[i], static_cast<const float*>(weights)[at], outputs[j]);
      } else {
        const auto* pair = static_cast<const uint16_t*>(weights) + 2 * at;
        outputs[j] = std::fma(inputs[2 * i + 1], FromBf16(pair[1]), outputs[j]);
        outputs[j] = std::fma(inputs[2 * i], FromBf16(pair[0]), outputs[j]);
      }
    }
  }
}
#endif

template <PackedLayer::Form kForm, size_t... kRow>
constexpr ProductKernel KernelOf(std::index_sequence<kRow...> /*rows*/) {
  return Kernel<kForm, kRow...>;
}

template <PackedLayer::Form kForm>
constexpr ProductKernels AllKernels() {
  ProductKernels all;
  all.block = kFloats;
  all.most_rows = kMostRows;
  all.kernels = KernelsUpTo<kMostRows>([](auto rows) { return KernelOf<kForm>(rows); });
  return all;
}

void Copy(const float* inputs, size_t size, const RowCode& /*code*/, void* prepared) {
  std::memcpy(prepared, inputs, size * sizeof(float));
}

void Round(const float* inputs, size_t size, const RowCode& /*code*/, void* prepared) {
  auto* to = static_cast<float*>(prepared);
  for (size_t i = 0; i < size; ++i) to[i] = FromBf16(ToBf16(inputs[i]));
  if (size % 2 != 0) to[size] = 0.0F;
}

ProductKernels Fp32Kernels() {
  ProductKernels all = AllKernels<PackedLayer::Form::kFp32>();
  all.prepare = Copy;
  return all;
}

// For products of bfloat16: the CPU's own where it has them, else by fp32 arithmetic.
ProductKernels RoundedKernels() {
#if HWY_TARGET <= HWY_AVX3
  if (const ProductKernels* native = NativeBf16Kernels(); native != nullptr) return *native;
#endif
  ProductKernels all = AllKernels<PackedLayer::Form::kBf16>();
  all.prepare = Round;
  return all;
}

}  // namespace
}  // namespace genoserve::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace genoserve {
namespace {

using Form = PackedLayer::Form;

// Rows whose inputs are prepared at a time, which bounds what a thread keeps: 528 KiB, of a size with the cache's.
constexpr size_t kMostRows = 256;

constexpr size_t InputsOfAStep(Form form) {
  if (form == Form::kInt8) return 4;
  return form == Form::kBf16 ? 2 : 1;
}

// Steps of the layer's chain of additions.
size_t Steps(Form form, size_t inputs) { return (inputs + InputsOfAStep(form) - 1) / InputsOfAStep(form); }

}  // namespace

HWY_EXPORT(Fp32Kernels);
HWY_EXPORT(RoundedKernels);

PackedLayer::PackedLayer(Form form, std::span<const float> weight, std::span<const float> bias, size_t inputs,
                         size_t planes)
    : form_(form), inputs_(inputs), outputs_(bias.size()), planes_(planes), bias_(planes * panels() * kPanel) {
  const size_t steps = Steps(form, inputs);
  weights_.resize(bias_.size() * steps * kStepBytes / sizeof(CacheLine));
  auto* to = reinterpret_cast<uint8_t*>(weights_.data());
  if (form == Form::kInt8) {
    scale_.resize(bias_.size());
    sum_.resize(bias_.size());
  }
  for (size_t output = 0; output < outputs_; ++output) {
    const std::span<const float> from = weight.subspan(output * inputs, inputs);
    const size_t of_plane = outputs_ / planes;
    const size_t place = output / of_plane * panels() * kPanel + output % of_plane;
    bias_[place] = bias[output];
    // Writes the weight of an input as it is held.
    const auto put = [&](size_t input, auto value) {
      const size_t step = (place / kPanel * steps + input / InputsOfAStep(form)) * kPanel + place % kPanel;
      std::memcpy(to + step * kStepBytes + input % InputsOfAStep(form) * sizeof(value), &value, sizeof(value));
    };
    if (form == Form::kFp32) {
      for (size_t input = 0; input < inputs; ++input) put(input, from[input]);
    } else if (form == Form::kBf16) {
      for (size_t input = 0; input < inputs; ++input) put(input, ToBf16(from[input]));
    } else {
      float largest = 0;
      for (const float value : from) largest = std::max(largest, std::fabs(value));
      if (largest < kLeastRange) continue;
      int sum = 0;
      for (size_t input = 0; input < inputs; ++input) {
        const auto number = static_cast<int8_t>(std::nearbyint(from[input] * (127 / largest)));
        put(input, number);
        sum += number;
      }
      scale_[place] = largest / 127;
      sum_[place] = scale_[place] * static_cast<float>(sum);
    }
  }
}

void Multiply(const PackedLayer& layer, const float* inputs, size_t input_stride, size_t rows, size_t first_panel,
              size_t panels, float* outputs, size_t output_stride) {
  constexpr size_t kPanel = PackedLayer::kPanel;
  static constexpr std::array<float, kPanel> kZeros{};
  const bool is_int8 = layer.form_ == Form::kInt8;
  const ProductKernels set = is_int8                      ? Int8Kernels()
                             : layer.form_ == Form::kBf16 ? HWY_DYNAMIC_DISPATCH(RoundedKernels)()
                                                          : HWY_DYNAMIC_DISPATCH(Fp32Kernels)();
  const size_t of_a_step = InputsOfAStep(layer.form_);
  const size_t steps = Steps(layer.form_, layer.inputs_);
  // Blocks of inputs of about one size, and of whole steps.
  const size_t blocks = std::max<size_t>(1, (layer.inputs_ + set.block - 1) / set.block);
  const size_t block_steps = std::max<size_t>(1, (steps + blocks - 1) / blocks);
  thread_local std::vector<PackedLayer::CacheLine> scratch;
  thread_local std::array<RowCode, kMostRows> codes;
  const size_t lines = std::min(rows, kMostRows) * kPreparedStride / sizeof(PackedLayer::CacheLine);
  if (scratch.size() < lines) scratch.resize(lines);
  auto* prepared = reinterpret_cast<uint8_t*>(scratch.data());
  for (size_t first_row = 0; first_row < rows; first_row += kMostRows) {
    const size_t some = std::min(kMostRows, rows - first_row);
    const size_t groups = (some + set.most_rows - 1) / set.most_rows;
    for (size_t row = 0; is_int8 && row < some; ++row) {
      codes[row] = set.code(inputs + (first_row + row) * input_stride, layer.inputs_);
    }
    for (size_t step = 0; step < std::max<size_t>(steps, 1); step += block_steps) {
      const size_t size = std::min(block_steps, steps - step);
      const size_t first_input = of_a_step * step;
      const size_t input_count = std::min(of_a_step * size, layer.inputs_ - first_input);
      for (size_t row = 0; row < some; ++row) {
        set.prepare(inputs + (first_row + row) * input_stride + first_input, input_count, codes[row],
                    prepared + row * kPreparedStride);
      }
      for (size_t panel = 0; panel < layer.planes_ * panels; ++panel) {
        const size_t output = (panel / panels * layer.panels() + first_panel + panel % panels) * kPanel;
        const auto* weights =
            layer.weights_.data() + (output * steps + step * kPanel) * kStepBytes / sizeof(PackedLayer::CacheLine);
        const float* begin = is_int8 ? kZeros.data() : &layer.bias_[output];
        const float* start = step == 0 ? begin : nullptr;
        // Groups of rows that differ by one at most.
        for (size_t group = 0; group < groups; ++group) {
          const size_t row = group * some / groups;
          const size_t count = (group + 1) * some / groups - row;
          float* to = outputs + (first_row + row) * output_stride + panel * kPanel;
          const Int8Ending ending = {&codes[row], layer.scale_.data() + output, layer.sum_.data() + output,
                                     &layer.bias_[output]};
          set.kernels[count - 1](prepared + row * kPreparedStride, weights, size, start,
                                 is_int8 && step + size == steps ? &ending : nullptr, to, output_stride);
        }
      }
    }
  }
}

}  // namespace genoserve
#endif  // HWY_ONCE

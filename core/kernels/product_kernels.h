// What Multiply is made of: for each instruction set, kernels that compute a few rows of one panel.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace genoserve {

/// Bytes of a row's prepared inputs that a kernel reads in one call, and how far apart rows of them are: one cache line
/// more, lest the rows of a kernel fall into the same few places of the cache.
inline constexpr size_t kPreparedBytes = 2048;
inline constexpr size_t kPreparedStride = kPreparedBytes + 64;

/// The most rows that any kernel computes in one call: 2 * 14 sums, 2 weights and an input fill 32 registers.
inline constexpr size_t kMostKernelRows = 14;

/// Bytes of a step, the inputs that a kernel takes in at a time: one in fp32, two in bf16, four in int8.
inline constexpr size_t kStepBytes = 4;

/// A range of inputs or a largest weight below this one counts as 0 in int8, lest its inverse overflow.
inline constexpr float kLeastRange = 1e-30F;

/// How the 8-bit numbers of a row stand for its inputs: offset + scale * number. `inverse` is 1 / scale.
struct RowCode {
  float offset = 0;
  float scale = 0;
  float inverse = 0;
};

/// What makes an output of a sum of int8: the codes of the kernel's rows, and of each output of the panel the scale of
/// its weights, the sum of them as they are held, and its bias.
struct Int8Ending {
  const RowCode* codes;
  const float* scale;
  const float* sum;
  const float* bias;
};

/// Adds the products of `steps` steps of inputs, rows of which are kPreparedStride bytes apart, with the weights of a
/// panel to sums that begin with `start`, kPanel of them for each row, or with what stands in `outputs` where `start`
/// is null. Writes the sums to `outputs`. In int8 sums are 32-bit integers in the place of floats, and those of the
/// last block become outputs by `ending`, which is null for the others and in other forms.
using ProductKernel = void (*)(const void* prepared, const void* weights, size_t steps, const float* start,
                               const Int8Ending* ending, float* outputs, size_t output_stride);

using KernelTable = std::array<ProductKernel, kMostKernelRows>;

/// The kernels of 1 to `kMost` rows, where kernel_of(std::index_sequence of 0 to n - 1) gives the one of n rows.
template <size_t kMost, typename KernelOf>
constexpr KernelTable KernelsUpTo(KernelOf kernel_of) {
  KernelTable all{};
  [&]<size_t... kIndex>(std::index_sequence<kIndex...> /*indices*/) {
    ((all[kIndex] = kernel_of(std::make_index_sequence<kIndex + 1>())), ...);
  }
  (std::make_index_sequence<kMost>());
  return all;
}

struct ProductKernels {
  /// Inputs of a block: what of a row fills kPreparedBytes.
  size_t block = 0;
  /// Rows of the largest kernel.
  size_t most_rows = 0;
  /// kernels[n - 1] computes n rows.
  KernelTable kernels{};
  /// Writes `size` inputs of one row in the form that the kernels read, a last step that is not whole filled up with 0.
  /// Only int8 needs the row's code.
  void (*prepare)(const float* inputs, size_t size, const RowCode& code, void* prepared) = nullptr;
  /// The code of a whole row of inputs; int8 only.
  RowCode (*code)(const float* inputs, size_t size) = nullptr;
};

/// The kernels of this CPU with AVX-512 BF16, or null where it lacks that.
const ProductKernels* NativeBf16Kernels();

/// kernels[n - 1] computes n rows of int8 with AVX-512 VNNI; null where this CPU lacks that.
const KernelTable* NativeInt8Kernels();

/// The best kernels of int8 that this CPU has.
ProductKernels Int8Kernels();

/// Rounded to bfloat16, to nearest even, as the instructions do: subnormal numbers count as 0, a NaN stays one.
inline uint16_t ToBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  if (magnitude < 0x00800000) return static_cast<uint16_t>(bits >> 16 & 0x8000);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/// The number that 16 bits of bfloat16 stand for.
inline float FromBf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace genoserve

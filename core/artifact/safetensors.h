// safetensors: named tensors in one file without code in it. An 8-byte little-endian length, a JSON header, the data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// A dense tensor, row-major: fp32, or unsigned 32-bit integers where it has `words`.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values = {};    ///< F32: product of the shape of them
  std::vector<uint32_t> words = {};  ///< U32: product of the shape of them, and `values` is empty
};

/// Tensors by name.
using TensorMap = std::map<std::string, Tensor>;

/// The bytes of a file with these tensors, sorted by name; equal maps give equal bytes.
std::string SerializeSafetensors(const TensorMap& tensors);

/// Reads a file. INVALID_ARGUMENT, with what is wrong, for a header that is longer than 16 MiB or than the file, is
/// not JSON, names another type than F32 and U32, or has offsets that overlap, leave holes, or do not fit shape or
/// file.
absl::StatusOr<TensorMap> ParseSafetensors(absl::string_view bytes);

}  // namespace genoserve

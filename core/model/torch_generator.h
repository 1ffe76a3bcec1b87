// The generator of a network on a GPU, by LibTorch: from the noise to the packed rows all is done there. No LibTorch in
// this header.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/model/generator.h"
#include "core/model/measured_generator.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Makes the generator of a manifest from weights that CheckWeights has passed, and proves on random rows which of its
/// tile shapes give equal bits whatever the order of rows: only those are used, padded. INTERNAL where the largest does
/// not; INVALID_ARGUMENT where outputs are not finite; other errors, also of Generate, are those of GuardTorch. Runs on
/// the CPU too, where tests exercise it.
absl::StatusOr<std::unique_ptr<MeasuredGenerator>> MakeTorchGenerator(const v1::Manifest& manifest,
                                                                      const GeneratorShape& shape,
                                                                      const TensorMap& weights,
                                                                      const GeneratorOptions& options);

}  // namespace genoserve

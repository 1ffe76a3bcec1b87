// The generator of a network on a GPU: from the noise to the packed rows all is done there, by LibTorch.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/gpu/tile_device.h"
#include "core/model/generator.h"
#include "core/model/measured_generator.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Makes the generator of a manifest from weights that CheckWeights has passed, in fp32 or bf16. Errors, also of
/// Generate, are those of TileDevice and ModelTiles.
absl::StatusOr<std::unique_ptr<MeasuredGenerator>> MakeTileGenerator(const TileDevice& device,
                                                                     const v1::Manifest& manifest,
                                                                     const GeneratorShape& shape,
                                                                     const TensorMap& weights, Precision precision);

}  // namespace genoserve

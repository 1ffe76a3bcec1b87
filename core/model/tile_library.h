// Opens the library by which models run on a GPU.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/gpu/tile_device.h"
#include "core/model/generator.h"

namespace genoserve {

/// Opens libgenoserve_torch.so, which is looked for in ../lib beside the program and then where the system looks, and a
/// device by it. FAILED_PRECONDITION, with what to install, where the library, LibTorch or the device is missing.
absl::StatusOr<std::unique_ptr<TileDevice>> OpenTileDevice(DeviceKind kind);

/// The process's GPU: opened by the first call, never closed. Errors as of FindGpu and OpenTileDevice.
absl::StatusOr<const TileDevice*> OpenGpu();

}  // namespace genoserve

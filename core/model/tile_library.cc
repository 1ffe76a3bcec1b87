#include "core/model/tile_library.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/model/cuda_driver.h"

namespace genoserve {

absl::StatusOr<std::unique_ptr<TileDevice>> OpenTileDevice(DeviceKind kind) {
  void* library = dlopen(kTileLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = dlerror();
    return absl::FailedPreconditionError(
        absl::StrCat("cannot load ", kTileLibrary,
                     ", by which models run on a GPU: ", reason != nullptr ? reason : "no reason is told",
                     "; it belongs in ../lib beside the program, and needs LibTorch 2.11.0"));
  }
  auto* const open = reinterpret_cast<OpenTileDeviceFunction*>(dlsym(library, kOpenTileDevice));
  if (open == nullptr) return absl::FailedPreconditionError(absl::StrCat(kTileLibrary, " is of another version"));
  absl::StatusOr<std::unique_ptr<TileDevice>> device;
  open(kind == DeviceKind::kCuda, &device);
  return device;
}

absl::StatusOr<const TileDevice*> OpenGpu() {
  GENOSERVE_RETURN_IF_ERROR(FindGpu());
  // Not destroyed at exit, when CUDA may be gone.
  static const auto& gpu = *new absl::StatusOr<std::unique_ptr<TileDevice>>(OpenTileDevice(DeviceKind::kCuda));
  GENOSERVE_RETURN_IF_ERROR(gpu.status());
  return gpu->get();
}

}  // namespace genoserve

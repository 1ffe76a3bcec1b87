#include "core/model/tile_library.h"

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/model/cuda_driver.h"

namespace genoserve {
namespace {

// By its place, since a program with AddressSanitizer does not look along its RPATH.
std::string LibraryPath() {
  std::error_code none;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", none);
  const auto beside = program.parent_path().parent_path() / "lib" / kTileLibrary;
  return std::filesystem::exists(beside, none) ? beside.string() : kTileLibrary;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TileDevice>> OpenTileDevice(DeviceKind kind) {
  void* library = dlopen(LibraryPath().c_str(), RTLD_NOW | RTLD_LOCAL);
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

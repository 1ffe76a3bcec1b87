#include "core/model/cuda_driver.h"

#include <dlfcn.h>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

// The driver's own library, which comes with the driver and not with CUDA; never closed.
constexpr const char* kDriver = "libcuda.so.1";
// CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR.
constexpr int kMajor = 75;
constexpr int kMinor = 76;

// A function of the driver, whose results are 0 where all went well; null where there is none.
template <class Function>
Function* DriverFunction(const char* name) {
  void* driver = dlopen(kDriver, RTLD_NOW | RTLD_LOCAL);
  return driver == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(driver, name));
}

}  // namespace

absl::Status FindGpu() {
  auto* const initialise = DriverFunction<int(unsigned)>("cuInit");
  auto* const count_devices = DriverFunction<int(int*)>("cuDeviceGetCount");
  if (initialise == nullptr || count_devices == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("no usable GPU: ", kDriver, " cannot be loaded; install NVIDIA's driver"));
  }
  int count = 0;
  int error = initialise(0);
  if (error == 0) error = count_devices(&count);
  if (error != 0) {
    return absl::FailedPreconditionError(absl::StrCat("no usable GPU: NVIDIA's driver fails with error ", error));
  }
  if (count == 0) return absl::FailedPreconditionError("no usable GPU: NVIDIA's driver shows none");
  return absl::OkStatus();
}

std::string GpuArchitecture() {
  auto* const get_device = DriverFunction<int(int*, int)>("cuDeviceGet");
  auto* const get_attribute = DriverFunction<int(int*, int, int)>("cuDeviceGetAttribute");
  int device = 0;
  int major = 0;
  int minor = 0;
  if (get_device == nullptr || get_attribute == nullptr || get_device(&device, 0) != 0 ||
      get_attribute(&major, kMajor, device) != 0 || get_attribute(&minor, kMinor, device) != 0) {
    return "sm_unknown";
  }
  return absl::StrCat("sm_", major, minor);
}

}  // namespace genoserve

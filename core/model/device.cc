// Where generators run: finding the device and setting LibTorch up for it.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <dlfcn.h>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/kernels/product_kernels.h"
#include "core/model/generator.h"
#include "core/model/torch_guard.h"

namespace genoserve {
namespace {

// The number of usable GPUs. LibTorch asks for its CUDA hooks once, so the library must be there before.
size_t CountGpus(std::string& why_not) {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    why_not = reason != nullptr ? reason : "libtorch_cuda.so cannot be loaded";
    return 0;
  }
  size_t count = 0;
  const absl::Status status = GuardTorch([&] {
    count = at::getNumGPUs();
    return absl::OkStatus();
  });
  why_not = status.ok() ? "the driver shows no GPU" : std::string(status.message());
  return count;
}

}  // namespace

absl::StatusOr<DeviceChoice> ParseDeviceChoice(absl::string_view text) {
  if (text == "auto") return DeviceChoice::kAuto;
  if (text == "cpu") return DeviceChoice::kCpu;
  if (text == "cuda") return DeviceChoice::kCuda;
  return absl::InvalidArgumentError(absl::StrCat("device \"", text, "\" is unknown; it must be auto, cpu or cuda"));
}

const char* PrecisionName(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  return "";
}

absl::StatusOr<Precision> ParsePrecision(absl::string_view text) {
  if (text == "fp32") return Precision::kFp32;
  if (text == "bf16") return Precision::kBf16;
  if (text == "int8") return Precision::kInt8;
  return absl::InvalidArgumentError(absl::StrCat("precision \"", text, "\"; fp32, bf16 and int8 are allowed"));
}

absl::StatusOr<DeviceKind> ResolveDevice(DeviceChoice choice) {
  if (choice == DeviceChoice::kCpu) return DeviceKind::kCpu;
  std::string why_not;
  if (CountGpus(why_not) > 0) {
    // Reduced-precision products would break the promise that "fp32" makes.
    GENOSERVE_RETURN_IF_ERROR(GuardTorch([] {
      at::globalContext().setAllowTF32CuBLAS(false);
      return absl::OkStatus();
    }));
    return DeviceKind::kCuda;
  }
  if (choice == DeviceChoice::kAuto) return DeviceKind::kCpu;
  return absl::FailedPreconditionError(absl::StrCat("no usable GPU: ", why_not));
}

void SetUpGeneratorThreads() {
  at::set_num_threads(1);
  // May be set only once and before the first use; whoever did it before has decided.
  (void)GuardTorch([] {
    at::set_num_interop_threads(1);
    return absl::OkStatus();
  });
}

std::string InstructionSet(DeviceKind device, Precision precision) {
  if (device == DeviceKind::kCuda) {
    // The runtime that came with libtorch_cuda.so; 75 and 76 are cudaDevAttrComputeCapabilityMajor and -Minor.
    using GetAttribute = int (*)(int*, int, int);
    const auto get = reinterpret_cast<GetAttribute>(dlsym(RTLD_DEFAULT, "cudaDeviceGetAttribute"));
    int major = 0;
    int minor = 0;
    if (get != nullptr && get(&major, 75, 0) == 0 && get(&minor, 76, 0) == 0) return absl::StrCat("sm_", major, minor);
    return "sm_unknown";
  }
  if (precision != Precision::kBf16) return "x86-64-v3";
  return NativeBf16Kernels() != nullptr ? "avx512-bf16" : "emulated";
}

}  // namespace genoserve

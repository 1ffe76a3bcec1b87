// Where generators run and in what form.
#include "absl/strings/str_cat.h"
#include "core/kernels/product_kernels.h"
#include "core/model/cuda_driver.h"
#include "core/model/generator.h"
#include "core/model/tile_library.h"

namespace genoserve {

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
  const absl::Status opened = OpenGpu().status();
  if (opened.ok()) return DeviceKind::kCuda;
  if (choice == DeviceChoice::kAuto) return DeviceKind::kCpu;
  return opened;
}

std::string InstructionSet(DeviceKind device, Precision precision) {
  if (device == DeviceKind::kCuda) return GpuArchitecture();
  if (precision != Precision::kBf16) return "x86-64-v3";
  return NativeBf16Kernels() != nullptr ? "avx512-bf16" : "emulated";
}

}  // namespace genoserve

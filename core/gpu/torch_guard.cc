#include "core/gpu/torch_guard.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

// cudaErrorMemoryAllocation.
constexpr int32_t kOutOfMemory = 2;

// Errors after which each further call of the process fails, or which tell of broken hardware. In CUDA's names:
// DevicesUnavailable, ECCUncorrectable, NvlinkUncorrectable, Contained, IllegalAddress, LaunchTimeout,
// ContextIsDestroyed, Assert, HardwareStackError, IllegalInstruction, MisalignedAddress, InvalidAddressSpace,
// InvalidPc, LaunchFailure, TensorMemoryLeak, Unknown.
constexpr std::array<int32_t, 16> kSticky = {46,  214, 220, 226, 700, 702, 709, 710,
                                             714, 715, 716, 717, 718, 719, 721, 999};

// The first line of LibTorch's message; what follows are stack traces.
std::string FirstLine(const c10::Error& error) {
  std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

absl::Status OutOfDeviceMemory(const std::string& text) {
  return absl::ResourceExhaustedError(absl::StrCat("out of device memory: ", text));
}

absl::Status Broken(const std::string& text) {
  return absl::UnavailableError(absl::StrCat("the device is broken: ", text));
}

}  // namespace

absl::Status GuardTorch(absl::FunctionRef<absl::Status()> body) {
  try {
    return body();
  } catch (const c10::OutOfMemoryError& error) {
    return OutOfDeviceMemory(FirstLine(error));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const c10::AcceleratorError& error) {
    const std::string text = FirstLine(error);
    if (error.get_error_code() == kOutOfMemory) return OutOfDeviceMemory(text);
    const bool sticky = std::ranges::find(kSticky, error.get_error_code()) != kSticky.end();
    return sticky ? Broken(text) : absl::InternalError(text);
  } catch (const c10::Error& error) {
    const std::string text = FirstLine(error);
    // LibTorch's allocator of main memory has no type of its own for running out, nor have cuBLAS's errors one.
    if (absl::StrContains(text, "DefaultCPUAllocator")) return absl::ResourceExhaustedError(text);
    if (absl::StrContains(text, "_STATUS_ALLOC_FAILED")) return OutOfDeviceMemory(text);
    // Other statuses of cuBLAS are about arguments.
    const bool failed = absl::StrContains(text, "_STATUS_EXECUTION_FAILED") ||
                        absl::StrContains(text, "_STATUS_INTERNAL_ERROR") || !absl::StrContains(text, "_STATUS_");
    if (absl::StrContains(text, "CUDA error") && failed) return Broken(text);
    return absl::InternalError(text);
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace genoserve

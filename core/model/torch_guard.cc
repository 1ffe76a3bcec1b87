#include "core/model/torch_guard.h"

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

// The first line of LibTorch's message; what follows are stack traces.
std::string FirstLine(const c10::Error& error) {
  std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

}  // namespace

absl::Status GuardTorch(absl::FunctionRef<absl::Status()> body) {
  try {
    return body();
  } catch (const c10::OutOfMemoryError& error) {
    return absl::ResourceExhaustedError(absl::StrCat("out of device memory: ", FirstLine(error)));
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory");
  } catch (const c10::AcceleratorError& error) {
    return absl::UnavailableError(absl::StrCat("the device is broken: ", FirstLine(error)));
  } catch (const c10::Error& error) {
    const std::string text = FirstLine(error);
    // LibTorch's allocator of main memory has no type of its own for running out, nor has cuBLAS for a broken device.
    if (absl::StrContains(text, "DefaultCPUAllocator")) return absl::ResourceExhaustedError(text);
    if (absl::StrContains(text, "CUDA error"))
      return absl::UnavailableError(absl::StrCat("the device is broken: ", text));
    return absl::InternalError(text);
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace genoserve

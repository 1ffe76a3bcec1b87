// weights.safetensors as a stranger may write it: read, and written again.
#include <cstdint>
#include <cstdlib>

#include "core/artifact/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tensors = genoserve::ParseSafetensors({reinterpret_cast<const char*>(data), size});
  if (!tensors.ok()) return 0;
  // What passes can be written, and reads as the same.
  const std::string bytes = genoserve::SerializeSafetensors(*tensors);
  const auto again = genoserve::ParseSafetensors(bytes);
  if (!again.ok() || genoserve::SerializeSafetensors(*again) != bytes) std::abort();
  return 0;
}

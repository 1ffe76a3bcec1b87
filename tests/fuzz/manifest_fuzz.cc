// manifest.json as a stranger may write it: read, judged, and written again.
#include <cstdint>
#include <cstdlib>

#include "core/artifact/artifact.h"
#include "core/artifact/manifest_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto manifest = genoserve::ParseManifest({reinterpret_cast<const char*>(data), size});
  if (!manifest.ok() || !genoserve::ValidateManifest(*manifest).ok()) return 0;
  // What passes can be written, and reads as the same.
  const auto json = genoserve::SerializeManifest(*manifest);
  if (!json.ok()) std::abort();
  const auto again = genoserve::ParseManifest(*json);
  if (!again.ok() || genoserve::SerializeManifest(*again).value() != *json) std::abort();
  return 0;
}

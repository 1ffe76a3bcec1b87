// A server's configuration, and labels of a store, as somebody may mistype them.
#include <cstdint>
#include <cstdlib>

#include "core/store/label_file.h"
#include "server/config.h"
#include "server/config_change.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto label = genoserve::ParseLabel(text); label.ok()) {
    if (genoserve::ParseLabel(genoserve::FormatLabel(*label)).value() != *label) std::abort();
  }
  genoserve::v1::ServerConfig config = genoserve::DefaultConfig();
  if (!genoserve::ParseConfig(text, config).ok() || !genoserve::ValidateConfig(config).ok()) return 0;
  // A configuration that is taken can be taken again, which changes nothing.
  if (!genoserve::DescribeChanges(config, config).empty()) std::abort();
  if (!genoserve::CheckReloadable(config, config).ok()) std::abort();
  (void)genoserve::DescribeChanges(genoserve::DefaultConfig(), config);
  return 0;
}

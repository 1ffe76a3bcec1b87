// The command line of genoserve-server.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/logging.h"
#include "genoserve/v1/config.pb.h"

namespace genoserve {

/// What the command line asks for.
struct CommandLine {
  v1::ServerConfig config;
  LogFormat log = LogFormat::kJson;
  bool has_config_file = false;     ///< --config was given
  bool hash_token = false;          ///< the command hash-token
  std::optional<std::string> help;  ///< text to print instead of running
};

/// Reads the command line, and the file of --config where it names one; flags win over the file. INVALID_ARGUMENT for
/// unknown flags and values that are not of their type, and the errors of ReadConfigFile; what the values mean together
/// is ValidateConfig's business.
absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv);

}  // namespace genoserve

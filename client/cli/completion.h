// Completion of the command line in shells.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/command_tree.h"

namespace genoserve {

/// A script that completes the commands, options and values of `program` in a shell, "bash" or "zsh": to be sourced, or
/// to lie where the shell looks for completions. INVALID_ARGUMENT for another shell.
absl::StatusOr<std::string> CompletionScript(const Command& program, absl::string_view shell);

}  // namespace genoserve

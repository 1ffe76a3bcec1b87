// Manual pages of the program.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/command_tree.h"

namespace genoserve {

/// The page of a command, in the macros of man(7): of the program itself where `command` is `program`, else of one of
/// its commands with all that are below it. No date, so that the same program gives the same page.
std::string ManPage(const Command& program, const Command& command, absl::string_view version);

/// Writes genoserve.1, and genoserve-COMMAND.1 for each command, into a folder that is there. Errors as of FileSystem.
absl::Status WriteManPages(const Command& program, absl::string_view version, const std::string& folder);

}  // namespace genoserve

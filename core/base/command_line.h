// What is wrong with a command line, for people.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace genoserve {

/// One sentence on why `app` could not parse its arguments: an unknown option or command with the nearest one there is,
/// or with the command it goes after; a command that is due with those there are; and all else as CLI11 has it.
std::string ParseComplaint(const CLI::App& app, const CLI::ParseError& error);

}  // namespace genoserve

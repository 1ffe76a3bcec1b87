// Runs the real genoserve-trainer in tests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace genoserve {

/// How to run the program.
struct ProgramOptions {
  uint64_t largest_file = 0;   ///< bytes that a file may have (RLIMIT_FSIZE); 0 = no limit
  bool interrupted = false;    ///< SIGTERM is there from the start, and is delivered once it is caught
  int signal = 0;              ///< sent once, at the first of what follows; 0 = none
  std::string signal_at = {};  ///< text on standard error
  std::string signal_on = {};  ///< file that gets its name, by being renamed to it, in a folder that is there
  std::map<std::string, std::string> environment = {};     ///< beside that of the test
  std::map<std::string, std::function<void()>> when = {};  ///< called once its text is on standard error
};

/// What it did.
struct ProgramResult {
  int exit_code = -1;  ///< minus the signal that ended it
  std::string out;
  std::string err;
};

/// Runs bin/genoserve-trainer of the build that the test belongs to, and waits for its end.
ProgramResult RunTrainer(const std::vector<std::string>& arguments, const ProgramOptions& options = {});

/// A port of this machine that was free a moment ago.
int FreePort();

}  // namespace genoserve

// A program run by a test.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

namespace genoserve {

/// How a program ended and what it said.
struct ProgramResult {
  int exit_code = -1;  ///< -1 where a signal ended it
  int signal = 0;      ///< that ended it, or 0
  std::string out;
  std::string err;
};

/// One run of a program; standard input is empty. Not thread-safe.
class Subprocess {
 public:
  /// `program` is looked up in PATH. `environment` is added to this process's own. Standard output goes to `out`, or is
  /// collected where that is empty. A program that cannot be started ends with exit code 127.
  explicit Subprocess(const std::vector<std::string>& arguments,
                      const std::vector<std::pair<std::string, std::string>>& environment = {},
                      const std::string& out = "");
  /// Kills the program if it still runs.
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  /// Sends a signal.
  void Signal(int signal);
  /// Waits for the end.
  ProgramResult Wait();

 private:
  pid_t pid_ = -1;
  std::string out_path_;  // empty where standard output is not collected
  std::string err_path_;
};

/// Runs a program to its end.
ProgramResult RunProgram(const std::vector<std::string>& arguments,
                         const std::vector<std::pair<std::string, std::string>>& environment = {},
                         const std::string& out = "");

}  // namespace genoserve

// genoserve convert: genotype files of one format to another, without a server.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"
#include "client/cli/output.h"

namespace genoserve {

/// What `genoserve convert` is told, as it was typed.
struct ConvertArguments {
  std::string input;
  OutputArguments output;
  std::string regions;
  std::string regions_file;
  std::string samples;       ///< names with commas
  std::string samples_file;  ///< one name a line
  std::string keep;          ///< file of PLINK: FID and IID, or IID
  std::string extract;       ///< file of variant ids
  double maf = 0;
  double max_missing = 1;
  double mind = 1;
  std::string multiallelic = "refuse";
  std::string missing = "keep";
  bool unphased = false;
  bool force = false;
  bool quiet = false;
};

/// Adds the command `convert`.
void AddConvertCommand(CLI::App* app, ConvertArguments* arguments);

/// Runs it; tells on standard error what was read, dropped and written. The status holds its exit code as ExitCodeOf
/// reads it.
absl::Status RunConvert(const ConvertArguments& arguments, Interrupt* interrupt);

}  // namespace genoserve

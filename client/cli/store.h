// genoserve store: looks at a checkpoint store and keeps it tidy, without a server.
#pragma once

#include <CLI/App.hpp>
#include <string>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"

namespace genoserve {

/// What the commands of `genoserve store` are told, as it was typed.
struct StoreArguments {
  std::string store;  ///< URL; empty = GENOSERVE_STORE
  std::string model;  ///< NAME[@VERSION], where a label may stand for the version
  std::string label;
  std::string version;  ///< that the label is to point at; empty = tell where it points
  std::string target;   ///< URL of the store to copy to
  std::string target_model;
  std::string older_than = "24h";
  std::string keep;  ///< empty = all
  bool dry_run = false;
  bool remove = false;
  bool json = false;
};

/// Adds the command `store` with all of its own.
void AddStoreCommands(CLI::App* app, StoreArguments* arguments);

/// Runs the command that was given of `store`, the one that AddStoreCommands made.
absl::Status RunStoreCommand(const CLI::App& store, const StoreArguments& arguments, Interrupt* interrupt);

}  // namespace genoserve

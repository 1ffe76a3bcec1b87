// genoserve models status and genoserve admin: how a server fares, and what those who run it tell it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"
#include "client/lib/client_options.h"
#include "genoserve/v1/operations.pb.h"

namespace genoserve {

/// What an admin command is about.
struct AdminArguments {
  std::string model;    ///< NAME[@VERSION]
  std::string label;    ///< of `admin label`
  std::string version;  ///< of `admin label`; needed unless `remove`
  bool remove = false;  ///< the label or the pin
  bool json = false;
};

/// Prints what became of all versions, or of those of `model`, and of the store: a table or JSON.
absl::Status ShowStatus(const ClientOptions& options, const std::string& model, bool json, Interrupt* interrupt);

/// Each tells the server one thing and prints what it did. `verb` is reload, retry, pin, unload or label.
absl::Status Administer(const ClientOptions& options, const std::string& verb, const AdminArguments& arguments,
                        Interrupt* interrupt);

/// A table of versions, one line each, then reasons of failures and the state of the store.
std::string FormatStatus(const v1::ServerStatus& status);

}  // namespace genoserve

// genoserve models and variants: what a server has.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/cli/interrupt.h"
#include "client/lib/client.h"
#include "client/lib/client_options.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// Prints all models of the server, as a table or as the JSON form of ListModelsResponse.
absl::Status ListModels(const ClientOptions& options, bool json, Interrupt* interrupt);

/// Prints what is known of "NAME[@VERSION]", as text or as the JSON form of Model.
absl::Status ShowModel(const ClientOptions& options, const std::string& model, bool json, Interrupt* interrupt);

/// Prints the variants of "NAME[@VERSION]", all or those of `regions` (as -r of fetch), as a sites-only VCF.
absl::Status PrintVariants(const ClientOptions& options, const std::string& model, const std::string& regions,
                           Interrupt* interrupt);

/// Runs `body` with a client that an interrupt cancels.
absl::Status WithClient(const ClientOptions& options, Interrupt* interrupt,
                        const std::function<absl::Status(Client*)>& body);

/// Writes to standard output.
absl::Status Print(const std::string& text);
/// Writes the JSON form of a message there.
absl::Status PrintJson(const google::protobuf::Message& message);

/// Rows of equally many cells as lines, columns aligned.
std::string FormatTable(const std::vector<std::vector<std::string>>& rows);
/// "serving".
std::string StateName(v1::ModelState state);

/// A table of models, one line each, columns aligned.
std::string FormatModels(const v1::ListModelsResponse& models);
/// All of one model that a person may want to know.
std::string FormatModel(const v1::Model& model);

}  // namespace genoserve

#include "client/cli/admin.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/exit_code.h"
#include "client/cli/models.h"
#include "client/cli/selection.h"
#include "client/lib/client.h"
#include "core/base/count_text.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

std::string Bytes(int64_t bytes) { return FormatBytes(static_cast<uint64_t>(bytes)); }

// "serving (default)", "failed, again 2026-11-22T04:00:00Z", "failed, quarantined".
std::string StateText(const v1::VersionStatus& version) {
  std::string text = StateName(version.state());
  if (version.is_default()) text += " (default)";
  if (version.is_canary()) text += " (canary)";
  if (version.quarantined()) text += ", quarantined";
  if (!version.retry_at().empty()) absl::StrAppend(&text, ", again ", version.retry_at());
  return text;
}

std::vector<std::string> Row(const v1::VersionStatus& version) {
  std::vector<std::string> labels(version.labels().begin(), version.labels().end());
  if (version.pinned()) labels.push_back("(pinned)");
  return {version.model(),
          version.version(),
          StateText(version),
          labels.empty() ? "-" : absl::StrJoin(labels, ","),
          absl::StrCat(version.handles()),
          version.memory_bytes() == 0 ? "-" : Bytes(version.memory_bytes()),
          version.load_seconds() > 0 ? absl::StrFormat("%.2f s", version.load_seconds()) : "-",
          version.changed_at()};
}

std::string FormatVersions(const google::protobuf::RepeatedPtrField<v1::VersionStatus>& versions) {
  std::vector<std::vector<std::string>> rows = {
      {"MODEL", "VERSION", "STATE", "LABELS", "REQUESTS", "MEMORY", "LOADED IN", "SINCE"}};
  for (const v1::VersionStatus& version : versions) rows.push_back(Row(version));
  return FormatTable(rows);
}

// The name and the version of NAME@VERSION, which has to have one.
absl::StatusOr<std::pair<std::string, std::string>> WholeName(const std::string& text) {
  auto name = ParseModelName(text);
  if (name.ok() && name->second.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(text, ": a version is needed too, as in ", name->first, "@3"));
  }
  return name;
}

absl::Status Reload(Client* client, const AdminArguments& arguments) {
  GENOSERVE_ASSIGN_OR_RETURN(const v1::ReloadConfigResponse response, client->ReloadConfig());
  if (arguments.json) return PrintJson(response);
  if (response.changes().empty())
    return Print("the configuration says what it said; files that it names were read again\n");
  return Print(absl::StrCat(absl::StrJoin(response.changes(), "\n"), "\n"));
}

absl::Status Retry(Client* client, const AdminArguments& arguments) {
  const auto name = WholeName(arguments.model);
  if (!name.ok()) return Local(name.status());
  v1::RetryVersionRequest request;
  request.set_model(name->first);
  request.set_version(name->second);
  GENOSERVE_ASSIGN_OR_RETURN(const v1::VersionStatus version, client->RetryVersion(request));
  return arguments.json ? PrintJson(version) : Print(absl::StrCat(arguments.model, ": will be tried again\n"));
}

absl::Status Pin(Client* client, const AdminArguments& arguments) {
  const auto name = WholeName(arguments.model);
  if (!name.ok()) return Local(name.status());
  v1::PinVersionRequest request;
  request.set_model(name->first);
  request.set_version(name->second);
  request.set_unpin(arguments.remove);
  GENOSERVE_ASSIGN_OR_RETURN(const v1::VersionStatus version, client->PinVersion(request));
  if (arguments.json) return PrintJson(version);
  return Print(absl::StrCat(arguments.model, arguments.remove ? ": not pinned any more\n" : ": stays loaded\n"));
}

absl::Status Unload(Client* client, const AdminArguments& arguments) {
  const auto name = ParseModelName(arguments.model);
  if (!name.ok()) return Local(name.status());
  v1::UnloadModelRequest request;
  request.set_model(name->first);
  request.set_version(name->second);
  GENOSERVE_ASSIGN_OR_RETURN(const v1::UnloadModelResponse response, client->UnloadModel(request));
  return arguments.json ? PrintJson(response) : Print(FormatVersions(response.versions()));
}

absl::Status MoveLabel(Client* client, const AdminArguments& arguments) {
  v1::SetLabelRequest request;
  request.set_model(arguments.model);
  request.set_label(arguments.label);
  request.set_version(arguments.version);
  GENOSERVE_ASSIGN_OR_RETURN(const v1::SetLabelResponse response, client->SetLabel(request));
  return arguments.json ? PrintJson(response) : Print(FormatVersions(response.versions()));
}

}  // namespace

std::string FormatStatus(const v1::ServerStatus& status) {
  std::string text = FormatVersions(status.versions());
  for (const v1::VersionStatus& version : status.versions()) {
    if (version.reason().empty()) continue;
    absl::StrAppend(&text, "\n", version.model(), "@", version.version(), " after ", version.attempts(),
                    version.attempts() == 1 ? " attempt: " : " attempts: ", version.reason(), "\n");
  }
  absl::StrAppend(&text, "\nstore   ",
                  status.store_error().empty()
                      ? absl::StrCat("read at ", status.last_look_at())
                      : absl::StrCat("cannot be read: ", status.store_error(), "; last read ",
                                     status.last_look_at().empty() ? "never" : status.last_look_at()),
                  "\nmemory  ", Bytes(status.memory_bytes()),
                  status.memory_budget() == 0 ? "" : absl::StrCat(" of ", Bytes(status.memory_budget())), "\nconfig  ",
                  status.config_digest().substr(0, 12), "\n");
  return text;
}

absl::Status ShowStatus(const ClientOptions& options, const std::string& model, bool json, Interrupt* interrupt) {
  return WithClient(options, interrupt, [&](Client* client) -> absl::Status {
    GENOSERVE_ASSIGN_OR_RETURN(const v1::ServerStatus status, client->GetStatus(model));
    return json ? PrintJson(status) : Print(FormatStatus(status));
  });
}

absl::Status Administer(const ClientOptions& options, const std::string& verb, const AdminArguments& arguments,
                        Interrupt* interrupt) {
  if (verb == "label" && arguments.remove != arguments.version.empty()) {
    return Local(absl::InvalidArgumentError("label: give the version that it is to point at, or --remove"));
  }
  return WithClient(options, interrupt, [&](Client* client) -> absl::Status {
    if (verb == "reload") return Reload(client, arguments);
    if (verb == "retry") return Retry(client, arguments);
    if (verb == "pin") return Pin(client, arguments);
    if (verb == "unload") return Unload(client, arguments);
    return MoveLabel(client, arguments);
  });
}

}  // namespace genoserve

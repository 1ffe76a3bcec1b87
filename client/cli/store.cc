#include "client/cli/store.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/cli/exit_code.h"
#include "client/cli/models.h"
#include "client/cli/selection.h"
#include "client/cli/store_text.h"
#include "core/artifact/artifact.h"
#include "core/artifact/store_labels.h"
#include "core/artifact/store_tools.h"
#include "core/base/status.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {
namespace {

// A folder that cannot be used is a wrong argument; a bucket may be away, or not allow it.
absl::Status OfStore(const std::string& url, const absl::Status& status) {
  return absl::StrContains(url, "://") ? status : Local(status);
}

// --store, else GENOSERVE_STORE.
absl::StatusOr<std::string> StoreUrl(const StoreArguments& arguments) {
  if (!arguments.store.empty()) return arguments.store;
  const char* url = std::getenv("GENOSERVE_STORE");
  if (url != nullptr && *url != '\0') return std::string(url);
  return absl::InvalidArgumentError(
      "which store? give --store, a folder or s3://BUCKET/PREFIX, or set GENOSERVE_STORE");
}

absl::StatusOr<std::unique_ptr<CheckpointStore>> Open(const StoreArguments& arguments) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string url, StoreUrl(arguments));
  auto store = OpenStore(url, /*create=*/false);
  if (!store.ok()) return OfStore(url, store.status());
  return store;
}

// A model, and a version where one was given.
struct Selected {
  std::string model;
  std::optional<int64_t> version;
};

// NAME, NAME@VERSION or NAME@LABEL. The version is there; the model is where there is a version.
absl::StatusOr<Selected> Select(const CheckpointStore& store, const std::string& text) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto name, ParseModelName(text));
  Selected selected{name.first, std::nullopt};
  GENOSERVE_RETURN_IF_ERROR(ValidateModelName(selected.model));
  if (name.second.empty()) return selected;
  int64_t version = 0;
  if (!absl::SimpleAtoi(name.second, &version)) {
    GENOSERVE_RETURN_IF_ERROR(VersionsOf(store, selected.model).status());
    GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(selected.model));
    const auto label = labels.find(name.second);
    if (label == labels.end()) {
      return absl::NotFoundError(
          absl::StrCat("model ", selected.model, " has no label ", name.second, "; a version is a number or a label"));
    }
    version = label->second.version;
  }
  GENOSERVE_RETURN_IF_ERROR(RequireVersion(store, selected.model, version));
  selected.version = version;
  return selected;
}

// The same for commands that need one version.
absl::StatusOr<Selected> SelectVersion(const CheckpointStore& store, const std::string& text) {
  GENOSERVE_ASSIGN_OR_RETURN(const Selected selected, Select(store, text));
  if (selected.version.has_value()) return selected;
  GENOSERVE_RETURN_IF_ERROR(VersionsOf(store, selected.model).status());
  return absl::InvalidArgumentError(
      absl::StrCat("which version of ", selected.model, "? give ", selected.model, "@VERSION"));
}

absl::StatusOr<std::vector<std::string>> ModelsOf(const CheckpointStore& store, const Selected& selected) {
  if (selected.model.empty()) return store.ListModels();
  return std::vector<std::string>{selected.model};
}

absl::StatusOr<StoreContents> Look(const CheckpointStore& store, const Selected& selected) {
  StoreContents contents;
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> models, ModelsOf(store, selected));
  for (const std::string& model : models) {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<VersionSummary> versions, SummarizeModel(store, model));
    for (const VersionSummary& version : versions) {
      if (selected.version.value_or(version.version) == version.version) contents.versions.push_back(version);
    }
    GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
    for (const auto& [name, label] : labels) {
      const absl::Status there = RequireVersion(store, model, label.version);
      if (there.ok()) continue;
      if (!absl::IsNotFound(there)) return there;
      contents.astray.push_back(
          absl::StrCat(model, ": label ", name, " points at version ", label.version, ", which is not there"));
    }
  }
  GENOSERVE_ASSIGN_OR_RETURN(contents.debris, store.ListDebris());
  std::erase_if(contents.debris,
                [&](const Debris& debris) { return !selected.model.empty() && debris.model != selected.model; });
  return contents;
}

absl::StatusOr<Selected> SelectAny(const CheckpointStore& store, const std::string& text) {
  if (text.empty()) return Selected();
  return Select(store, text);
}

absl::Status List(const CheckpointStore& store, const StoreArguments& arguments) {
  GENOSERVE_ASSIGN_OR_RETURN(const Selected selected, SelectAny(store, arguments.model));
  GENOSERVE_ASSIGN_OR_RETURN(const StoreContents contents, Look(store, selected));
  return Print(arguments.json ? ContentsJson(contents) : FormatContents(contents, absl::Now()));
}

VerifiedVersion Verify(const CheckpointStore& store, const std::string& model, int64_t version) {
  VerifiedVersion verified{model, version, absl::OkStatus(), "", 0};
  const auto artifact = ReadArtifact(store, model, version);
  verified.status = artifact.status();
  if (!artifact.ok()) return verified;
  verified.digest = artifact->digest;
  for (const v1::ArtifactFile& file : artifact->manifest.files()) verified.size += static_cast<uint64_t>(file.size());
  return verified;
}

// Whether the bytes are at fault, and not the way to them.
bool IsDamage(const absl::Status& status) { return absl::IsDataLoss(status) || absl::IsInvalidArgument(status); }

absl::Status VerifyAll(const CheckpointStore& store, const StoreArguments& arguments, Interrupt* interrupt) {
  GENOSERVE_ASSIGN_OR_RETURN(const Selected selected, SelectAny(store, arguments.model));
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> models, ModelsOf(store, selected));
  std::vector<VerifiedVersion> all;
  int64_t damaged = 0;
  for (const std::string& model : models) {
    GENOSERVE_ASSIGN_OR_RETURN(std::vector<int64_t> versions, VersionsOf(store, model));
    if (selected.version.has_value()) versions = {*selected.version};
    for (const int64_t version : versions) {
      if (interrupt->raised()) return absl::CancelledError("interrupted");
      all.push_back(Verify(store, model, version));
      const absl::Status& status = all.back().status;
      if (!status.ok() && !IsDamage(status)) return status;
      damaged += status.ok() ? 0 : 1;
      if (!arguments.json) GENOSERVE_RETURN_IF_ERROR(Print(FormatVerified(all.back())));
    }
  }
  if (arguments.json) GENOSERVE_RETURN_IF_ERROR(Print(VerifiedJson(all)));
  if (!arguments.json && all.empty()) GENOSERVE_RETURN_IF_ERROR(Print("no models\n"));
  if (damaged == 0) return absl::OkStatus();
  return absl::DataLossError(absl::StrFormat("%d of %d versions cannot be used", damaged, all.size()));
}

// "24h", "90m", "7d".
absl::StatusOr<absl::Duration> ParseAge(const std::string& text) {
  absl::Duration age;
  absl::string_view number = text;
  int64_t days = 0;
  if (absl::ConsumeSuffix(&number, "d") && absl::SimpleAtoi(number, &days)) {
    age = absl::Hours(24) * days;
  } else if (!absl::ParseDuration(text, &age)) {
    return absl::InvalidArgumentError(absl::StrCat("--older-than: \"", text, "\" is no time such as 24h, 90m or 7d"));
  }
  if (age >= absl::ZeroDuration()) return age;
  return absl::InvalidArgumentError(absl::StrCat("--older-than: \"", text, "\" must be at least 0h"));
}

absl::Status Collect(CheckpointStore& store, const StoreArguments& arguments, Interrupt* interrupt) {
  const absl::Time now = absl::Now();
  GcOptions options;
  const auto age = ParseAge(arguments.older_than);
  if (!age.ok()) return Local(age.status());
  options.debris_before = now - *age;
  options.dry_run = arguments.dry_run;
  if (!arguments.keep.empty()) {
    int64_t keep = 0;
    if (!absl::SimpleAtoi(arguments.keep, &keep) || keep < 1) {
      return Local(absl::InvalidArgumentError(
          absl::StrCat("--keep: \"", arguments.keep, "\" is not a whole number of at least 1")));
    }
    options.keep = keep;
  }
  GcReport report;
  absl::Status status = CollectGarbage(
      store, options, [interrupt] { return interrupt->raised(); }, &report);
  const std::string text =
      arguments.json ? GcJson(report, options.dry_run) : FormatGc(report, options.dry_run, absl::Now());
  if (status.ok() || !report.debris.empty() || !report.versions.empty()) GENOSERVE_RETURN_IF_ERROR(Print(text));
  return status;
}

absl::Status Copy(const CheckpointStore& store, const StoreArguments& arguments, Interrupt* interrupt) {
  GENOSERVE_ASSIGN_OR_RETURN(Selected selected, Select(store, arguments.model));
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, VersionsOf(store, selected.model));
  const int64_t version = selected.version.value_or(versions.back());
  const std::string as = arguments.target_model.empty() ? selected.model : arguments.target_model;
  if (const absl::Status name = ValidateModelName(as); !name.ok()) return Local(Annotate(name, "--as"));
  const auto target = OpenStore(arguments.target, /*create=*/true);
  if (!target.ok()) return OfStore(arguments.target, target.status());
  GENOSERVE_ASSIGN_OR_RETURN(const CopyReport report, CopyVersion(store, selected.model, version, **target, as,
                                                                  [interrupt] { return interrupt->raised(); }));
  return Print(arguments.json ? CopyJson(arguments.target, as, report)
                              : FormatCopy(absl::StrCat(selected.model, "@", version), arguments.target, as, report));
}

absl::Status Pin(CheckpointStore& store, const StoreArguments& arguments) {
  GENOSERVE_ASSIGN_OR_RETURN(const Selected selected, SelectVersion(store, arguments.model));
  const std::string name = absl::StrCat(selected.model, "@", *selected.version);
  const std::string label = PinLabel(*selected.version);
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(selected.model));
  const bool pinned = labels.contains(label);
  if (pinned != arguments.remove) {
    return Print(absl::StrCat(name, arguments.remove ? " was not pinned\n" : " was pinned already\n"));
  }
  if (arguments.remove) {
    GENOSERVE_RETURN_IF_ERROR(DropLabel(store, selected.model, label).status());
    return Print(absl::StrCat(name, " was pinned, and is not now; gc may remove it\n"));
  }
  GENOSERVE_RETURN_IF_ERROR(MoveLabel(store, selected.model, label, *selected.version).status());
  return Print(absl::StrCat(name, " was not pinned, and is now; gc leaves it\n"));
}

absl::Status Tell(const CheckpointStore& store, const std::string& model, const std::string& name) {
  GENOSERVE_RETURN_IF_ERROR(VersionsOf(store, model).status());
  GENOSERVE_ASSIGN_OR_RETURN(const auto labels, store.ListLabels(model));
  const auto label = labels.find(name);
  if (label == labels.end()) {
    return absl::NotFoundError(absl::StrCat("model ", model, " has no label ", name, "; give a version to set it"));
  }
  const int64_t previous = label->second.previous;
  return Print(absl::StrCat(model, ": label ", name, " points at version ", label->second.version,
                            previous == 0 ? "" : absl::StrCat(", and pointed at ", previous, " before"), "\n"));
}

absl::Status SetOrTell(CheckpointStore& store, const StoreArguments& arguments) {
  const std::string& model = arguments.model;
  const std::string& label = arguments.label;
  if (absl::StrContains(model, "@")) {
    return Local(absl::InvalidArgumentError(absl::StrCat("the version comes last: genoserve store label ",
                                                         model.substr(0, model.find('@')), " ", label, " ",
                                                         model.substr(model.find('@') + 1))));
  }
  GENOSERVE_RETURN_IF_ERROR(Local(ValidateModelName(model)));
  GENOSERVE_RETURN_IF_ERROR(Local(ValidateLabelName(label)));
  if (IsPinLabel(label)) {
    return Local(absl::InvalidArgumentError(
        absl::StrCat("label ", label, " is how a pin is kept; genoserve store pin sets and removes it")));
  }
  if (arguments.remove && !arguments.version.empty()) {
    return Local(absl::InvalidArgumentError("--remove takes no version"));
  }
  if (!arguments.remove && arguments.version.empty()) return Tell(store, model, label);
  if (arguments.remove) {
    GENOSERVE_ASSIGN_OR_RETURN(const LabelMove move, DropLabel(store, model, label));
    return Print(FormatMove(model, label, move));
  }
  // A label may be moved to where another one points.
  GENOSERVE_ASSIGN_OR_RETURN(const Selected selected, Select(store, absl::StrCat(model, "@", arguments.version)));
  GENOSERVE_ASSIGN_OR_RETURN(const LabelMove move, MoveLabel(store, model, label, *selected.version));
  return Print(FormatMove(model, label, move));
}

absl::StatusOr<std::string> ModelAlone(const StoreArguments& arguments, const char* command) {
  if (absl::StrContains(arguments.model, "@")) {
    return Local(absl::InvalidArgumentError(absl::StrCat(command, " takes a model without a version")));
  }
  if (const absl::Status name = ValidateModelName(arguments.model); !name.ok()) return Local(name);
  return arguments.model;
}

absl::Status Run(const std::string& command, CheckpointStore& store, const StoreArguments& arguments,
                 Interrupt* interrupt) {
  if (command == "ls") return List(store, arguments);
  if (command == "verify") return VerifyAll(store, arguments, interrupt);
  if (command == "gc") return Collect(store, arguments, interrupt);
  if (command == "copy") return Copy(store, arguments, interrupt);
  if (command == "pin") return Pin(store, arguments);
  if (command == "label") return SetOrTell(store, arguments);
  GENOSERVE_ASSIGN_OR_RETURN(const std::string model, ModelAlone(arguments, command.c_str()));
  GENOSERVE_ASSIGN_OR_RETURN(const LabelMove move,
                             command == "rollback" ? RollBack(store, model) : Promote(store, model));
  GENOSERVE_RETURN_IF_ERROR(Print(FormatMove(model, kStableLabel, move)));
  return command == "rollback" ? absl::OkStatus() : Print(absl::StrCat(model, ": label canary is removed\n"));
}

}  // namespace

absl::Status RunStoreCommand(const CLI::App& store, const StoreArguments& arguments, Interrupt* interrupt) {
  const auto opened = Open(arguments);
  if (!opened.ok()) return opened.status();
  const absl::Status status = Run(store.get_subcommands().front()->get_name(), **opened, arguments, interrupt);
  // Nothing to go back to or to promote; or, in a folder, files that this user may not touch.
  const bool folders = !absl::StrContains(absl::StrCat(*StoreUrl(arguments), arguments.target), "://");
  return absl::IsFailedPrecondition(status) || (folders && absl::IsPermissionDenied(status)) ? Local(status) : status;
}

}  // namespace genoserve

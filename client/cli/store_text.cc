#include "client/cli/store_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/models.h"
#include "core/base/count_text.h"

namespace genoserve {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kShortDigest = 12;  // digits

std::string Rfc3339(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

// Names of files may hold any bytes; JSON holds UTF-8.
std::string Dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string Age(absl::Duration age) {
  const int64_t hours = absl::ToInt64Hours(age);
  if (hours >= 48) return absl::StrCat(hours / 24, " days");
  if (hours >= 2) return absl::StrCat(hours, " hours");
  return absl::StrCat(std::max<int64_t>(absl::ToInt64Minutes(age), 0), " min");
}

std::string LabelsOf(const VersionSummary& version) {
  std::vector<std::string> names = version.labels;
  if (version.pinned) names.push_back("(pinned)");
  return names.empty() ? "-" : absl::StrJoin(names, ",");
}

std::string GateOf(const VersionSummary& version) {
  if (!version.manifest.ok()) return "unreadable";
  if (!version.gate.has_value()) return "-";
  return version.gate->passed() ? "passed" : "refused";
}

std::string NameOf(absl::string_view model, int64_t version) { return absl::StrCat(model, "@", version); }

std::string Count(size_t count, absl::string_view what) {
  return absl::StrCat(count, " ", what, count == 1 ? "" : "s");
}

}  // namespace

std::string FormatContents(const StoreContents& contents, absl::Time now) {
  std::vector<std::vector<std::string>> rows = {{"MODEL", "VERSION", "LABELS", "SIZE", "PUBLISHED", "GATE", "DIGEST"}};
  std::string notes;
  for (const VersionSummary& version : contents.versions) {
    const bool readable = version.manifest.ok();
    rows.push_back({version.model, absl::StrCat(version.version), LabelsOf(version),
                    readable ? FormatBytes(version.size) : "-", Rfc3339(version.published_at), GateOf(version),
                    readable ? version.digest.substr(0, kShortDigest) : "-"});
    if (!readable) {
      absl::StrAppend(&notes, NameOf(version.model, version.version), ": ",
                      absl::string_view(version.manifest.message()), "\n");
    }
  }
  for (const std::string& sentence : contents.astray) absl::StrAppend(&notes, sentence, "\n");
  if (!contents.debris.empty()) {
    const auto older = [](const Debris& a, const Debris& b) { return a.last_change < b.last_change; };
    const Debris& oldest = *std::min_element(contents.debris.begin(), contents.debris.end(), older);
    absl::StrAppend(&notes, Count(contents.debris.size(), "unfinished upload"), ", the oldest untouched for ",
                    Age(now - oldest.last_change), "; genoserve store gc removes dead ones\n");
  }
  return absl::StrCat(contents.versions.empty() ? "no models\n" : FormatTable(rows), notes);
}

std::string ContentsJson(const StoreContents& contents) {
  Json versions = Json::array();
  for (const VersionSummary& version : contents.versions) {
    Json json = {{"model", version.model},
                 {"version", version.version},
                 {"labels", version.labels},
                 {"pinned", version.pinned},
                 {"published_at", Rfc3339(version.published_at)}};
    if (version.manifest.ok()) {
      json["size"] = version.size;
      json["digest"] = version.digest;
      if (version.gate.has_value()) json["gate_passed"] = version.gate->passed();
    } else {
      json["error"] = std::string(version.manifest.message());
    }
    versions.push_back(json);
  }
  Json debris = Json::array();
  for (const Debris& left : contents.debris) {
    debris.push_back({{"model", left.model}, {"path", left.path}, {"last_change", Rfc3339(left.last_change)}});
  }
  return Dump({{"versions", versions}, {"debris", debris}, {"notes", contents.astray}});
}

std::string FormatVerified(const VerifiedVersion& verified) {
  const std::string name = NameOf(verified.model, verified.version);
  if (!verified.status.ok()) {
    return absl::StrCat(name, "  damaged: ", absl::string_view(verified.status.message()), "\n");
  }
  return absl::StrCat(name, "  good, ", FormatBytes(verified.size), ", digest ",
                      verified.digest.substr(0, kShortDigest), "\n");
}

std::string VerifiedJson(const std::vector<VerifiedVersion>& versions) {
  Json all = Json::array();
  for (const VerifiedVersion& verified : versions) {
    Json json = {{"model", verified.model}, {"version", verified.version}, {"good", verified.status.ok()}};
    if (verified.status.ok()) {
      json["digest"] = verified.digest;
      json["size"] = verified.size;
    } else {
      json["error"] = std::string(verified.status.message());
    }
    all.push_back(json);
  }
  return Dump({{"versions", all}});
}

std::string FormatGc(const GcReport& report, bool dry_run, absl::Time now) {
  const char* verb = dry_run ? "would remove " : "removed ";
  std::string text;
  for (const Debris& left : report.debris) {
    absl::StrAppend(&text, verb, left.path, ", an unfinished upload untouched for ", Age(now - left.last_change), "\n");
  }
  uint64_t bytes = 0;
  for (const GcReport::Version& version : report.versions) {
    absl::StrAppend(&text, verb, NameOf(version.model, version.version), ", ", FormatBytes(version.size), "\n");
    bytes += version.size;
  }
  if (text.empty()) return "nothing to remove\n";
  absl::StrAppend(&text, Count(report.versions.size(), "version"), " and ",
                  Count(report.debris.size(), "unfinished upload"), "; ", FormatBytes(bytes), " of versions ",
                  dry_run ? "would come free\n" : "came free\n");
  return text;
}

std::string GcJson(const GcReport& report, bool dry_run) {
  Json versions = Json::array();
  uint64_t bytes = 0;
  for (const GcReport::Version& version : report.versions) {
    versions.push_back({{"model", version.model}, {"version", version.version}, {"size", version.size}});
    bytes += version.size;
  }
  Json debris = Json::array();
  for (const Debris& left : report.debris) {
    debris.push_back({{"model", left.model}, {"path", left.path}, {"last_change", Rfc3339(left.last_change)}});
  }
  return Dump({{"dry_run", dry_run}, {"versions", versions}, {"debris", debris}, {"freed_bytes", bytes}});
}

std::string FormatCopy(const std::string& from, const std::string& target, const std::string& target_model,
                       const CopyReport& report) {
  return absl::StrCat(from, report.was_there ? " is already " : " is now ", NameOf(target_model, report.version),
                      " in ", target, ": ", FormatBytes(report.size), ", digest ",
                      report.digest.substr(0, kShortDigest), report.was_there ? "; nothing was copied\n" : "\n");
}

std::string CopyJson(const std::string& target, const std::string& target_model, const CopyReport& report) {
  return Dump({{"store", target},
               {"model", target_model},
               {"version", report.version},
               {"copied", !report.was_there},
               {"digest", report.digest},
               {"size", report.size}});
}

std::string FormatMove(absl::string_view model, absl::string_view label, const LabelMove& move) {
  std::string text = absl::StrCat(model, ": label ", label);
  if (move.before.version == move.after.version) {
    return absl::StrCat(text, " points at version ", move.after.version, " already\n");
  }
  absl::StrAppend(&text,
                  move.before.version == 0 ? " is new" : absl::StrCat(" pointed at version ", move.before.version));
  return move.after.version == 0 ? absl::StrCat(text, ", and is removed now\n")
                                 : absl::StrCat(text, ", and points at version ", move.after.version, " now\n");
}

}  // namespace genoserve

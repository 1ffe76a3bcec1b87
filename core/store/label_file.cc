#include "core/store/label_file.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

bool ParseLine(absl::string_view line, absl::string_view key, int64_t smallest, int64_t* value) {
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
  return parts.first == key && absl::SimpleAtoi(parts.second, value) && *value >= smallest;
}

bool DecidesWhatAnswers(absl::string_view label) { return label == kStableLabel || label == kCanaryLabel; }

}  // namespace

std::string FormatLabel(const Label& label) {
  return absl::StrCat("version ", label.version, "\nprevious ", label.previous, "\n");
}

absl::StatusOr<Label> ParseLabel(absl::string_view text) {
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  Label label;
  if (lines.size() == 3 && lines[2].empty() && ParseLine(lines[0], "version", 1, &label.version) &&
      ParseLine(lines[1], "previous", 0, &label.previous)) {
    return label;
  }
  return absl::DataLossError(
      absl::StrCat("its ", text.size(),
                   " bytes are no label; two lines are, \"version N\" and \"previous N\", 0 for no previous one"));
}

absl::StatusOr<Label> LabelOf(const absl::StatusOr<std::string>& text, absl::string_view place) {
  if (!text.ok()) return text.status();
  absl::StatusOr<Label> label = ParseLabel(*text);
  return label.ok() ? label : Annotate(label.status(), place);
}

absl::Status ValidateVersion(int64_t version) {
  if (version > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("version ", version, ": versions begin at 1"));
}

absl::Status AddLabel(absl::string_view name, const absl::StatusOr<Label>& read, std::map<std::string, Label>* labels) {
  if (read.ok()) {
    labels->emplace(name, *read);
    return absl::OkStatus();
  }
  if (absl::IsNotFound(read.status())) return absl::OkStatus();
  if (absl::IsDataLoss(read.status()) && !DecidesWhatAnswers(name)) return absl::OkStatus();
  return read.status();
}

absl::StatusOr<Label> Moved(const absl::StatusOr<Label>& before, int64_t version) {
  if (!before.ok() && !absl::IsNotFound(before.status()) && !absl::IsDataLoss(before.status())) {
    return before.status();
  }
  const Label label = before.value_or(Label());
  return version == label.version ? label : Label{version, label.version};
}

}  // namespace genoserve

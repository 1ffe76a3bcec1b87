#include "core/genotype/panel.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace genoserve {

absl::StatusOr<Panel> Panel::Create(std::vector<std::string> columns, std::vector<std::vector<std::string>> rows) {
  Panel panel;
  if (std::set<std::string>(columns.begin(), columns.end()).size() != columns.size()) {
    return absl::InvalidArgumentError("a column name comes twice");
  }
  panel.columns_ = std::move(columns);
  for (std::vector<std::string>& row : rows) {
    if (row.size() != panel.columns_.size() + 1) {
      return absl::InvalidArgumentError(absl::StrFormat("sample %s: expected %d columns, found %d",
                                                        row.empty() ? "" : row[0], panel.columns_.size() + 1,
                                                        row.size()));
    }
    if (!panel.index_.emplace(row[0], panel.samples_.size()).second) {
      return absl::InvalidArgumentError(absl::StrCat("sample ", row[0], " is there twice"));
    }
    panel.samples_.push_back(row[0]);
    panel.values_.emplace_back(std::make_move_iterator(row.begin() + 1), std::make_move_iterator(row.end()));
  }
  return panel;
}

absl::StatusOr<Labels> Panel::LabelsOf(const std::vector<std::string>& samples, absl::string_view column) const {
  const auto found = std::find(columns_.begin(), columns_.end(), column);
  if (found == columns_.end()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the panel has no column \"%s\"; it has %s", column, absl::StrJoin(columns_, ", ")));
  }
  const auto at = static_cast<size_t>(found - columns_.begin());
  Labels labels;
  labels.column = std::string(column);
  std::vector<const std::string*> values;
  std::set<std::string> names;
  for (const std::string& sample : samples) {
    const auto row = index_.find(sample);
    if (row == index_.end()) return absl::InvalidArgumentError(absl::StrCat("sample ", sample, " is not in the panel"));
    const std::string& value = values_[row->second][at];
    if (value.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("sample ", sample, " has no ", column, " in the panel"));
    }
    values.push_back(&value);
    names.insert(value);
  }
  labels.names.assign(names.begin(), names.end());
  for (const std::string* value : values) {
    labels.codes.push_back(
        static_cast<int>(std::lower_bound(labels.names.begin(), labels.names.end(), *value) - labels.names.begin()));
  }
  return labels;
}

}  // namespace genoserve

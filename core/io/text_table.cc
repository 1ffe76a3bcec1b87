#include "core/io/text_table.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestFile = uint64_t{1} << 30;

std::vector<std::string> SplitCells(absl::string_view line, bool tabs) {
  if (tabs) return absl::StrSplit(line, '\t');
  return absl::StrSplit(line, ' ', absl::SkipEmpty());
}

/// Drops empty cells at the end, down to `keep`: the panel of 1000 Genomes has tabs after the last column.
void DropEmptyCells(std::vector<std::string>& cells, size_t keep) {
  while (cells.size() > keep && cells.back().empty()) cells.pop_back();
}

size_t FindSampleColumn(const std::vector<std::string>& columns) {
  for (const absl::string_view name : {"sample", "Sample name", "IID"}) {
    for (size_t i = 0; i < columns.size(); ++i) {
      if (absl::EqualsIgnoreCase(columns[i], name)) return i;
    }
  }
  return 0;
}

absl::Status ReadHeader(TextTable& table, size_t line, std::vector<std::string> cells) {
  table.columns = std::move(cells);
  DropEmptyCells(table.columns, 1);
  table.columns[0] = std::string(absl::StripPrefix(table.columns[0], "#"));
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].empty()) {
      return ErrorAtLine(table.path, line, absl::StrCat("column ", i + 1, " has no name"));
    }
    if (std::find(table.columns.begin(), table.columns.begin() + static_cast<ptrdiff_t>(i), table.columns[i]) !=
        table.columns.begin() + static_cast<ptrdiff_t>(i)) {
      return ErrorAtLine(table.path, line, absl::StrCat("column ", table.columns[i], " is there twice"));
    }
  }
  table.sample_column = FindSampleColumn(table.columns);
  return absl::OkStatus();
}

}  // namespace

absl::Status ErrorAtLine(absl::string_view path, size_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": line ", line, ": ", what));
}

std::vector<absl::string_view> SplitLines(absl::string_view text) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (lines.back().empty()) lines.pop_back();
  for (absl::string_view& line : lines) line = absl::StripSuffix(line, "\r");
  return lines;
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(std::string text, FileSystem::Posix().ReadFile(path, kLargestFile));
  if (text.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is not a text file (it holds a NUL byte)"));
  }
  return text;
}

absl::StatusOr<TextTable> ReadTextTable(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path));
  TextTable table;
  table.path = path;
  absl::flat_hash_map<std::string, size_t> sample_lines;
  bool tabs = false;
  size_t number = 0;
  for (absl::string_view line : SplitLines(absl::StripPrefix(text, "\xEF\xBB\xBF"))) {
    ++number;
    if (absl::StripAsciiWhitespace(line).empty()) continue;
    if (table.columns.empty()) {
      tabs = absl::StrContains(line, '\t');
      GENOSERVE_RETURN_IF_ERROR(ReadHeader(table, number, SplitCells(line, tabs)));
      continue;
    }
    std::vector<std::string> cells = SplitCells(line, tabs);
    DropEmptyCells(cells, table.columns.size());
    if (cells.size() != table.columns.size()) {
      return ErrorAtLine(path, number,
                         absl::StrFormat("expected %d columns as in the header, separated by %s, found %d",
                                         table.columns.size(), tabs ? "tabs" : "spaces", cells.size()));
    }
    const std::string& sample = cells[table.sample_column];
    if (sample.empty()) return ErrorAtLine(path, number, "the sample has no name");
    const auto [earlier, added] = sample_lines.emplace(sample, number);
    if (!added) {
      return ErrorAtLine(path, number, absl::StrCat("sample ", sample, " is on line ", earlier->second, " already"));
    }
    table.rows.push_back(std::move(cells));
  }
  if (table.columns.empty())
    return absl::InvalidArgumentError(absl::StrCat(path, ": is empty; expected a header line"));
  if (table.rows.empty()) return absl::InvalidArgumentError(absl::StrCat(path, ": has a header line but no samples"));
  return table;
}

}  // namespace genoserve

#include "trainer/sweep_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace genoserve {
namespace {

using Cells = std::vector<std::string>;

// The figure of all, else the highest one of its labels.
std::optional<double> FigureOf(const v1::Manifest& manifest, const std::string& name) {
  std::optional<double> value;
  for (const v1::Figure& figure : manifest.figures()) {
    if (figure.name() != name || !figure.has_value()) continue;
    if (figure.label().empty()) return figure.value();
    value = std::max(value.value_or(-std::numeric_limits<double>::infinity()), figure.value());
  }
  return value;
}

std::string Plain(const std::string& text) { return absl::StrReplaceAll(text, {{"\t", " "}, {"\n", " "}}); }

// The header, then one line a run.
std::vector<Cells> Table(const Cells& axes, const std::vector<SweepRow>& rows) {
  Cells header = {"run"};
  header.insert(header.end(), axes.begin(), axes.end());
  for (const char* const name : {"steps", "seconds", "score"}) header.emplace_back(name);
  header.insert(header.end(), SweepFigures().begin(), SweepFigures().end());
  for (const char* const name : {"gate", "note"}) header.emplace_back(name);
  std::vector<Cells> table = {header};
  for (const SweepRow& row : rows) {
    Cells cells = {row.run};
    for (const std::string& value : row.values) cells.push_back(Plain(value));
    if (row.manifest.has_value()) {
      const v1::Manifest& manifest = *row.manifest;
      cells.push_back(absl::StrCat(manifest.training().steps()));
      cells.push_back(absl::StrFormat("%.0f", manifest.training().seconds()));
      cells.push_back(absl::StrFormat("%.4f", row.score));
      for (const std::string& name : SweepFigures()) {
        const std::optional<double> value = FigureOf(manifest, name);
        cells.push_back(value.has_value() ? absl::StrFormat("%.4f", *value) : "");
      }
      cells.emplace_back(manifest.gate().passed() ? "passed" : "broken");
    }
    cells.resize(header.size() - 1);
    cells.push_back(Plain(row.note));
    table.push_back(std::move(cells));
  }
  return table;
}

}  // namespace

const std::vector<std::string>& SweepFigures() {
  static const auto* const names =
      new std::vector<std::string>{"af.rmse", "ld.strong_r2_kept", "cover.f1", "privacy.aa", "privacy.loss", "mia.auc"};
  return *names;
}

void SortByScore(std::vector<SweepRow>& rows) {
  const auto score = [](const SweepRow& row) {
    return row.manifest.has_value() ? row.score : -std::numeric_limits<double>::infinity();
  };
  std::stable_sort(rows.begin(), rows.end(),
                   [&score](const SweepRow& a, const SweepRow& b) { return score(a) > score(b); });
}

std::string SweepTsv(const Cells& axes, const std::vector<SweepRow>& rows) {
  return absl::StrJoin(Table(axes, rows), "", [](std::string* out, const Cells& cells) {
    absl::StrAppend(out, absl::StrJoin(cells, "\t"), "\n");
  });
}

std::string SweepText(const Cells& axes, const std::vector<SweepRow>& rows) {
  const std::vector<Cells> table = Table(axes, rows);
  std::vector<size_t> widths(table[0].size());
  for (const Cells& cells : table) {
    for (size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], cells[i].size());
  }
  std::string text;
  for (const Cells& cells : table) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) {
      if (widths[i] > 0) absl::StrAppendFormat(&line, "%-*s  ", static_cast<int>(widths[i]), cells[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    absl::StrAppend(&text, line, "\n");
  }
  return text;
}

}  // namespace genoserve

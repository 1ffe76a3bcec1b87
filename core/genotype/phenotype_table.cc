#include "core/genotype/phenotype_table.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace genoserve {
namespace {

bool IsMissing(absl::string_view cell) {
  return cell.empty() || cell == "." || absl::EqualsIgnoreCase(cell, "NA") || absl::EqualsIgnoreCase(cell, "NaN");
}

CategoricalValues MakeCategorical(const std::vector<absl::string_view>& cells) {
  CategoricalValues column;
  std::set<std::string> levels;
  for (const absl::string_view cell : cells) {
    if (!IsMissing(cell)) levels.insert(std::string(cell));
  }
  column.levels.assign(levels.begin(), levels.end());
  for (const absl::string_view cell : cells) {
    column.codes.push_back(IsMissing(cell)
                               ? -1
                               : static_cast<int>(std::lower_bound(column.levels.begin(), column.levels.end(), cell) -
                                                  column.levels.begin()));
  }
  return column;
}

}  // namespace

absl::StatusOr<PhenotypeTable> PhenotypeTable::Create(std::vector<std::string> samples,
                                                      std::vector<std::string> columns,
                                                      const std::vector<std::vector<std::string>>& cells,
                                                      const std::vector<std::string>& categorical) {
  PhenotypeTable table;
  if (std::set<std::string>(samples.begin(), samples.end()).size() != samples.size()) {
    std::set<std::string> seen;
    for (const std::string& sample : samples) {
      if (!seen.insert(sample).second)
        return absl::InvalidArgumentError(absl::StrCat("sample ", sample, " is there twice"));
    }
  }
  const std::set<std::string> names(columns.begin(), columns.end());
  if (names.size() != columns.size()) return absl::InvalidArgumentError("a column name comes twice");
  for (const std::string& name : categorical) {
    if (names.count(name) == 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("there is no phenotype \"%s\"; there are %s", name, absl::StrJoin(columns, ", ")));
    }
  }
  for (size_t c = 0; c < columns.size(); ++c) {
    std::vector<double> numbers;
    bool continuous = std::find(categorical.begin(), categorical.end(), columns[c]) == categorical.end();
    for (size_t i = 0; continuous && i < cells[c].size(); ++i) {
      double number = std::numeric_limits<double>::quiet_NaN();
      if (!IsMissing(cells[c][i])) {
        continuous = absl::SimpleAtod(cells[c][i], &number);
        if (continuous && !std::isfinite(number)) {
          return absl::InvalidArgumentError(
              absl::StrFormat("sample %s: %s \"%s\" is not a finite number", samples[i], columns[c], cells[c][i]));
        }
      }
      numbers.push_back(number);
    }
    PhenotypeColumn column{columns[c], {}};
    if (continuous) {
      column.values = ContinuousValues{std::move(numbers)};
    } else {
      column.values = MakeCategorical({cells[c].begin(), cells[c].end()});
    }
    table.columns_.push_back(std::move(column));
  }
  table.samples_ = std::move(samples);
  return table;
}

absl::StatusOr<PhenotypeTable> PhenotypeTable::Select(const std::vector<std::string>& samples,
                                                      const std::vector<std::string>& columns) const {
  absl::flat_hash_map<absl::string_view, size_t> index;
  for (size_t i = 0; i < samples_.size(); ++i) index.emplace(samples_[i], i);
  std::vector<ptrdiff_t> from;
  bool any = samples.empty();
  for (const std::string& sample : samples) {
    const auto found = index.find(sample);
    from.push_back(found == index.end() ? -1 : static_cast<ptrdiff_t>(found->second));
    any = any || found != index.end();
  }
  if (!any) {
    return absl::InvalidArgumentError(
        absl::StrCat("none of the samples of the genotypes is in the phenotype table; the first is ", samples.front()));
  }
  PhenotypeTable selected;
  selected.samples_ = samples;
  for (const std::string& name : columns) {
    if (std::count(columns.begin(), columns.end(), name) > 1) {
      return absl::InvalidArgumentError(absl::StrFormat("phenotype \"%s\" is asked for twice", name));
    }
    const auto found =
        std::find_if(columns_.begin(), columns_.end(), [&name](const PhenotypeColumn& c) { return c.name == name; });
    if (found == columns_.end()) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "there is no phenotype \"%s\"; there are %s", name,
          absl::StrJoin(columns_, ", ",
                        [](std::string* out, const PhenotypeColumn& c) { absl::StrAppend(out, c.name); })));
    }
    PhenotypeColumn column{name, {}};
    if (found->is_continuous()) {
      ContinuousValues values;
      for (const ptrdiff_t i : from) {
        values.values.push_back(i < 0 ? std::numeric_limits<double>::quiet_NaN()
                                      : found->continuous().values[static_cast<size_t>(i)]);
      }
      column.values = std::move(values);
    } else {
      const CategoricalValues& all = found->categorical();
      std::vector<absl::string_view> cells;
      for (const ptrdiff_t i : from) {
        const int code = i < 0 ? -1 : all.codes[static_cast<size_t>(i)];
        cells.push_back(code < 0 ? absl::string_view() : absl::string_view(all.levels[static_cast<size_t>(code)]));
      }
      column.values = MakeCategorical(cells);
    }
    selected.columns_.push_back(std::move(column));
  }
  return selected;
}

std::vector<double> NumbersOf(const PhenotypeColumn& column, const std::vector<std::string>& levels) {
  if (column.is_continuous()) return column.continuous().values;
  const CategoricalValues& categorical = column.categorical();
  std::vector<double> numbers;
  for (const int code : categorical.codes) {
    const auto found = code < 0
                           ? levels.end()
                           : std::find(levels.begin(), levels.end(), categorical.levels[static_cast<size_t>(code)]);
    numbers.push_back(found == levels.end() ? std::numeric_limits<double>::quiet_NaN()
                                            : static_cast<double>(found - levels.begin()));
  }
  return numbers;
}

}  // namespace genoserve

#include "core/io/sample_columns.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"

namespace genoserve {

absl::StatusOr<std::unique_ptr<SampleColumns>> SampleColumns::Open(const CohortDescription& cohort) {
  std::unique_ptr<SampleColumns> table(new SampleColumns(cohort));
  if (cohort.sample_table.empty()) {
    if (cohort.population_column.empty()) return table;
    return absl::InvalidArgumentError("the population is to come from a table of samples, but there is none");
  }
  GENOSERVE_ASSIGN_OR_RETURN(table->lines_, LineReader::Open(cohort.sample_table, LastLine::kMayNotEnd));
  GENOSERVE_ASSIGN_OR_RETURN(const bool header, table->lines_->Next());
  if (!header) return absl::DataLossError(absl::StrCat(cohort.sample_table, ": is empty"));
  table->names_ = absl::StrSplit(table->lines_->line(), '\t');
  table->names_.erase(table->names_.begin());
  const auto population = std::find(table->names_.begin(), table->names_.end(), cohort.population_column);
  table->population_ = static_cast<size_t>(population - table->names_.begin());
  if (!cohort.population_column.empty() && population == table->names_.end()) {
    return absl::InvalidArgumentError(absl::StrCat(cohort.sample_table, ": has no column ", cohort.population_column));
  }
  return table;
}

absl::Status SampleColumns::Next(int64_t sample) {
  sample_ = SampleName(cohort_, sample);
  if (lines_ == nullptr) return absl::OkStatus();
  GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
  if (more) {
    values_ = absl::StrSplit(lines_->line(), '\t');
    if (values_.size() == names_.size() + 1 && values_.front() == absl::string_view(sample_)) {
      values_.erase(values_.begin());
      return absl::OkStatus();
    }
  }
  return absl::DataLossError(absl::StrCat(lines_->path(), ": line ", sample + 2, " is not that of sample ", sample_));
}

std::string AsWord(absl::string_view text) {
  std::string word(text);
  std::replace_if(
      word.begin(), word.end(), [](unsigned char c) { return std::isspace(c) != 0; }, '_');
  return word;
}

}  // namespace genoserve

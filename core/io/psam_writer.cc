// PLINK 2 .psam, and the table of samples beside a NumPy file.
#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/sample_columns.h"

namespace genoserve {
namespace {

bool IsMissing(absl::string_view value) {
  return value.empty() || absl::EqualsIgnoreCase(value, "NA") || absl::EqualsIgnoreCase(value, "nan");
}

/// For each column whether all of its values are numbers or missing.
absl::StatusOr<std::vector<bool>> NumericColumns(const CohortDescription& cohort) {
  GENOSERVE_ASSIGN_OR_RETURN(const auto table, SampleColumns::Open(cohort));
  std::vector<bool> numeric(table->names().size(), true);
  if (numeric.empty()) return numeric;
  for (int64_t i = 0; i < cohort.sample_count; ++i) {
    GENOSERVE_RETURN_IF_ERROR(table->Next(i));
    for (size_t c = 0; c < numeric.size(); ++c) {
      double number = 0;
      const absl::string_view value = table->values()[c];
      if (numeric[c] && !IsMissing(value) && !absl::SimpleAtod(value, &number)) numeric[c] = false;
    }
  }
  return numeric;
}

/// PLINK 2 takes a column for categories where its values begin with letters; "NONE" is the missing one.
std::string Category(absl::string_view value) {
  if (IsMissing(value)) return "NONE";
  return absl::StrCat(std::isalpha(static_cast<unsigned char>(value[0])) != 0 ? "" : "C", AsWord(value));
}

/// The name of a column that is not one of PLINK 2's own.
std::string ColumnName(absl::string_view name) {
  constexpr std::array<absl::string_view, 6> kOwn = {"FID", "IID", "SID", "PAT", "MAT", "SEX"};
  return absl::StrCat(AsWord(name), std::find(kOwn.begin(), kOwn.end(), name) == kOwn.end() ? "" : "_");
}

}  // namespace

absl::Status WritePsam(const CohortDescription& cohort, PlainOutput& output) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<bool> numeric, NumericColumns(cohort));
  GENOSERVE_ASSIGN_OR_RETURN(const auto table, SampleColumns::Open(cohort));
  std::string line = "#IID\tSEX";
  for (const std::string& name : table->names()) absl::StrAppend(&line, "\t", ColumnName(name));
  for (int64_t i = 0; i < cohort.sample_count; ++i) {
    GENOSERVE_RETURN_IF_ERROR(output.Write(absl::StrCat(line, "\n")));
    GENOSERVE_RETURN_IF_ERROR(table->Next(i));
    const int sex = SexOf(cohort, i);
    line = absl::StrCat(table->sample(), sex == kMale ? "\t1" : sex == kFemale ? "\t2" : "\tNA");
    for (size_t c = 0; c < numeric.size(); ++c) {
      const absl::string_view value = table->values()[c];
      if (!numeric[c]) {
        absl::StrAppend(&line, "\t", Category(value));
      } else {
        absl::StrAppend(&line, "\t", IsMissing(value) ? "NA" : value);
      }
    }
  }
  return output.Write(absl::StrCat(line, "\n"));
}

}  // namespace genoserve

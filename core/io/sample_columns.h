// The table of samples that goes beside a cohort, read along with the samples.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/io/cohort_writer.h"
#include "core/io/line_reader.h"

namespace genoserve {

/// The lines of CohortDescription::sample_table. Where a cohort has none, a table without columns. Not thread-safe.
class SampleColumns {
 public:
  /// Opens the table of a cohort, which must live longer.
  static absl::StatusOr<std::unique_ptr<SampleColumns>> Open(const CohortDescription& cohort);

  /// The columns after the sample's name.
  const std::vector<std::string>& names() const { return names_; }
  /// Where the population is among them; names().size() = there is none.
  size_t population() const { return population_; }

  /// Goes to the next sample, `sample` being its index in the file. DATA_LOSS where the table's line is not that
  /// sample's.
  absl::Status Next(int64_t sample);
  /// The sample's name, and its values, one a column; until the next call of Next.
  const std::string& sample() const { return sample_; }
  const std::vector<absl::string_view>& values() const { return values_; }

 private:
  explicit SampleColumns(const CohortDescription& cohort) : cohort_(cohort) {}

  const CohortDescription& cohort_;
  std::unique_ptr<LineReader> lines_;  // null = no table
  std::vector<std::string> names_;
  size_t population_ = 0;
  std::string sample_;
  std::vector<absl::string_view> values_;
};

/// `text` with "_" for all white space, for files that are read word by word.
std::string AsWord(absl::string_view text);

}  // namespace genoserve

// A panel: which population each sample belongs to.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// A population label for each sample of a matrix, as codes into a sorted list of names.
struct Labels {
  std::string column;              ///< of the panel, such as "super_pop"
  std::vector<std::string> names;  ///< sorted
  std::vector<int> codes;          ///< one a sample
};

/// Samples by name, with named columns of text: sample, pop, super_pop, gender. Const methods are thread-safe.
class Panel {
 public:
  Panel() = default;
  /// `columns` are the names of all columns but the first; each row has its sample first and as many values after it.
  /// INVALID_ARGUMENT where a sample or column comes twice.
  static absl::StatusOr<Panel> Create(std::vector<std::string> columns, std::vector<std::vector<std::string>> rows);

  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::string>& samples() const { return samples_; }

  /// The labels of these samples in their order. INVALID_ARGUMENT, with the sample or the columns that there are, for
  /// an unknown column, a sample that the panel lacks, or an empty label.
  absl::StatusOr<Labels> LabelsOf(const std::vector<std::string>& samples, absl::string_view column) const;

 private:
  std::vector<std::string> columns_;
  std::vector<std::string> samples_;
  std::vector<std::vector<std::string>> values_;
  absl::flat_hash_map<std::string, size_t> index_;
};

}  // namespace genoserve

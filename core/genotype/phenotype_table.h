// Phenotypes of samples: columns that are continuous or categorical, any of them with missing values.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"

namespace genoserve {

/// Values in the unit of the file, one a sample; NaN = missing.
struct ContinuousValues {
  std::vector<double> values;
};

/// Codes into `levels`, one a sample; -1 = missing.
struct CategoricalValues {
  std::vector<std::string> levels;  ///< sorted
  std::vector<int> codes;
};

/// One phenotype of all samples.
struct PhenotypeColumn {
  std::string name;
  std::variant<ContinuousValues, CategoricalValues> values;

  bool is_continuous() const { return std::holds_alternative<ContinuousValues>(values); }
  /// The values; the column must be of that kind.
  const ContinuousValues& continuous() const { return std::get<ContinuousValues>(values); }
  const CategoricalValues& categorical() const { return std::get<CategoricalValues>(values); }
};

/// The values as numbers, one a sample: those of a continuous column, and of a categorical one the index of the
/// sample's level among `levels`. NaN = missing, or a level that is not among them.
std::vector<double> NumbersOf(const PhenotypeColumn& column, const std::vector<std::string>& levels);

/// Samples by name with phenotype columns. Const methods are thread-safe.
class PhenotypeTable {
 public:
  PhenotypeTable() = default;

  /// Takes text cells, `cells[column][sample]`. "NA", "nan", "." and "" are missing. A column of which every value is
  /// a number is continuous, unless its name is in `categorical`; all others are categorical. INVALID_ARGUMENT where a
  /// sample or column comes twice, a number is not finite, or a name of `categorical` is unknown.
  static absl::StatusOr<PhenotypeTable> Create(std::vector<std::string> samples, std::vector<std::string> columns,
                                               const std::vector<std::vector<std::string>>& cells,
                                               const std::vector<std::string>& categorical);

  const std::vector<std::string>& samples() const { return samples_; }
  const std::vector<PhenotypeColumn>& columns() const { return columns_; }

  /// These columns for these samples, in the orders given. A sample that the table lacks has missing values; levels
  /// that none of the samples has are dropped. INVALID_ARGUMENT, with the columns that there are, for an unknown
  /// column or one that comes twice; and where no sample at all is in the table.
  absl::StatusOr<PhenotypeTable> Select(const std::vector<std::string>& samples,
                                        const std::vector<std::string>& columns) const;

 private:
  std::vector<std::string> samples_;
  std::vector<PhenotypeColumn> columns_;
};

}  // namespace genoserve

// Tables of text with a header line, as panels and phenotype files are: the common part of their readers.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// A table with as many cells in every row as there are columns.
struct TextTable {
  std::string path;                            ///< where it was read from, for messages
  std::vector<std::string> columns;            ///< unique names; a leading '#' of the first is dropped
  std::vector<std::vector<std::string>> rows;  ///< at least one
  size_t sample_column = 0;                    ///< sample, "Sample name", IID or else the first; cells are unique
};

/// Reads a table of at most 1 GiB. Cells are separated by tabs where the header line has one, by runs of spaces
/// otherwise; empty lines are skipped, and so are empty cells beyond the last named column. INVALID_ARGUMENT with file
/// and line where it is not text, a row has another number of cells than the header, a column or sample comes twice,
/// a sample has no name, or there are no rows.
absl::StatusOr<TextTable> ReadTextTable(const std::string& path);

/// INVALID_ARGUMENT with the file, the line, from 1, and what is wrong with it.
absl::Status ErrorAtLine(absl::string_view path, size_t line, absl::string_view what);

/// The lines of a text without their ends ("\n" or "\r\n"); a line that the end of the text cuts short counts.
std::vector<absl::string_view> SplitLines(absl::string_view text);

/// Reads a text file of at most 1 GiB whole. INVALID_ARGUMENT where it holds a NUL byte, as compressed files do.
absl::StatusOr<std::string> ReadTextFile(const std::string& path);

}  // namespace genoserve

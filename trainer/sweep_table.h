// What came out of a sweep, as a table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// One run of a sweep.
struct SweepRow {
  std::string run;                  ///< name of its folder
  std::vector<std::string> values;  ///< one an axis
  /// Of what it made; nothing where it made nothing.
  std::optional<v1::Manifest> manifest;
  double score = 0;  ///< of the manifest's figures, higher is better
  std::string note;  ///< why it made nothing
};

/// The figures of a table, by their names in the catalogue of core/quality. Of those that each attack has, the worst
/// one.
const std::vector<std::string>& SweepFigures();

/// Best score first; runs that made nothing last, in their order.
void SortByScore(std::vector<SweepRow>& rows);

/// Tab-separated with a header: run, the axes, steps, seconds, score, SweepFigures, gate ("passed" or "broken") and
/// note. What is not known is empty.
std::string SweepTsv(const std::vector<std::string>& axes, const std::vector<SweepRow>& rows);

/// The same with columns that line up, for a terminal.
std::string SweepText(const std::vector<std::string>& axes, const std::vector<SweepRow>& rows);

}  // namespace genoserve

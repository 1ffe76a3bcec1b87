// Readers of the files that name the samples of a fileset.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace genoserve {

/// The samples of a fileset in its order.
struct SampleList {
  std::vector<std::string> names;  ///< unique, at least one
  std::vector<uint8_t> sexes;      ///< one a sample: 1 male, 2 female, 0 unknown
};

/// Reads a PLINK 1 .fam: six columns; names are the IIDs.
absl::StatusOr<SampleList> ReadFam(const std::string& path);

/// Reads a PLINK 2 .psam: a header that begins with #FID or #IID, or none and the columns of a .fam; further columns
/// are left out. Names are the IIDs.
absl::StatusOr<SampleList> ReadPsam(const std::string& path);

/// Reads an Oxford .sample in either layout: "ID_1 ID_2 missing [sex] ..." with a line of types below, names are ID_2;
/// or "sample population group sex".
absl::StatusOr<SampleList> ReadOxfordSamples(const std::string& path);

}  // namespace genoserve

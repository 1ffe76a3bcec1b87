// The manifest as JSON. Equal manifests give equal bytes, since the artifact digest is taken over them.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// The bytes of manifest.json: the fields under their names in the proto, indented, with a newline at the end.
/// INVALID_ARGUMENT where a text is not UTF-8.
absl::StatusOr<std::string> SerializeManifest(const v1::Manifest& manifest);

/// Reads manifest.json without judging its values. INVALID_ARGUMENT where it is not JSON, holds a field that this build
/// does not know, or has a format version newer than kManifestFormatVersion, which is then what is said.
absl::StatusOr<v1::Manifest> ParseManifest(absl::string_view json);

}  // namespace genoserve

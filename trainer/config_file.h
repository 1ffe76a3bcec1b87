// Configurations as text: the file that a user writes, and the one that an artifact keeps.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/manifest.pb.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// The file of an artifact that tells how it was trained.
inline constexpr absl::string_view kConfigFile = "train.txtpb";

/// Reads a TrainConfig in protobuf text form. INVALID_ARGUMENT has "FILE:LINE:COLUMN", the field, and for an unknown
/// field the nearest one.
absl::StatusOr<v1::TrainConfig> ReadConfigFile(const std::string& path);

/// A configuration in protobuf text form, as ReadConfigFile reads it.
std::string ConfigText(const v1::TrainConfig& config);

/// What the artifact keeps of a run: its configuration with the recipe, the sizes and the number of steps of the
/// manifest. Folders are taken off paths; servers and how they are reached are left out.
std::string ArtifactConfigText(const v1::TrainConfig& config, const v1::Manifest& manifest);

/// SHA-256, 64 hexadecimal digits, of all settings that the weights depend on beside the data: those of the
/// configuration, and the generator and recipe of the manifest, which FillManifest must have filled. Paths, outputs,
/// the device and what only watches a run do not count.
std::string ConfigDigest(const v1::TrainConfig& config, const v1::Manifest& manifest);

}  // namespace genoserve

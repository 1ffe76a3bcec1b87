// The manifest that lies beside the files of a cohort.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/cli/interrupt.h"
#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/cohort_manifest.pb.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// The newest CohortManifest.schema_version that this build writes and reads.
inline constexpr int kCohortManifestVersion = 1;

/// PREFIX.manifest.json.
std::string ManifestPath(absl::string_view prefix);

/// The request as manifest and part keep it: without what changes no byte of the files, and without the values of
/// single samples, of which `conditions_digest` is set to the digest, or to "" where there are none.
v1::StreamCohortRequest RequestForFiles(const v1::StreamCohortRequest& request, std::string* conditions_digest);

/// The manifest of a cohort, all but its files. `state` is of a fetch whose samples are all there, `label_counts` holds
/// the samples of each label of its header, and `model` is what the model tells of itself.
v1::CohortManifest DescribeCohort(const v1::CohortPart& state, const v1::Manifest& model,
                                  const std::vector<int64_t>& label_counts);

/// Size and SHA-256 of a regular file, read in pieces; its name is left empty. CANCELLED where `interrupt`, if there is
/// one, was raised meanwhile; errors of files.
absl::StatusOr<v1::CohortFile> DescribeFile(const std::string& path, const Interrupt* interrupt);

/// Adds the files to the manifest, a folder with all that is in it, in order of names. All must lie in `folder`.
absl::Status AddFiles(const std::string& folder, const std::vector<std::string>& paths, const Interrupt* interrupt,
                      v1::CohortManifest* manifest);

/// Reads a manifest. DATA_LOSS where it is none, or names files outside its folder; INVALID_ARGUMENT where its version
/// is newer than this build; errors of files.
absl::StatusOr<v1::CohortManifest> ReadCohortManifest(const std::string& path);

}  // namespace genoserve

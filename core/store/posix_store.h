// The checkpoint store in a folder: <folder>/<model>/<version>/<file>.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "core/base/file.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// Opens the store in `folder` over `files`, which must outlive it; see OpenStore for `create` and errors.
///
/// A version number is claimed by making its folder, which one publisher alone can do. Files are synced as they are
/// written; then the folders that lead to them; then the manifest is written under a temporary name, synced, renamed,
/// and its folder synced. So whoever sees a manifest, even after a power cut, finds every file that it lists. A
/// publisher that dies leaves a folder without a manifest, which no reader sees and whose number is not used again.
absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenPosixStore(const FileSystem& files, const std::string& folder,
                                                                bool create);

/// The same for reading without a look whether it is there, for those who can do without: while it is not, lists of
/// models and versions and labels are errors, and reading is UNAVAILABLE.
std::unique_ptr<CheckpointStore> PosixStoreThatMayBeAway(const FileSystem& files, const std::string& folder);

}  // namespace genoserve

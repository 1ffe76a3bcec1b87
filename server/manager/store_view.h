// What is in a store: the source of everything that the manager wants.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {

/// One model of a store.
struct ModelListing {
  std::vector<int64_t> versions;        ///< that exist, ascending
  std::map<std::string, Label> labels;  ///< by name

  bool Has(int64_t version) const;
  /// Where a label points, whether or not that is there; 0 = there is no such label.
  int64_t LabelTarget(absl::string_view label) const;

  bool operator==(const ModelListing&) const = default;
};

/// Everything that is in a store, by the names of the models that have a version.
using StoreListing = std::map<std::string, ModelListing>;

/// A look at a store.
struct StoreLook {
  StoreListing listing;
  absl::Status status;     ///< OK, or why models, or the ones that it names, could not be read: UNAVAILABLE
  bool reachable = false;  ///< the models could be listed
};

/// Looks at a store. What cannot be read is in the listing as it was `before`: an error means that nothing new is known
/// of a model, not that it has gone.
StoreLook LookAtStore(const CheckpointStore& store, const StoreListing& before);

}  // namespace genoserve

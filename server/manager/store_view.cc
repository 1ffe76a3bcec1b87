#include "server/manager/store_view.h"

#include <algorithm>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

absl::StatusOr<ModelListing> ListModel(const CheckpointStore& store, const std::string& model) {
  ModelListing listing;
  // Labels first: one that has been moved to a version that was just published is then seen with that version.
  GENOSERVE_ASSIGN_OR_RETURN(listing.labels, store.ListLabels(model));
  GENOSERVE_ASSIGN_OR_RETURN(listing.versions, store.ListVersions(model));
  return listing;
}

}  // namespace

bool ModelListing::Has(int64_t version) const { return std::binary_search(versions.begin(), versions.end(), version); }

int64_t ModelListing::LabelTarget(absl::string_view label) const {
  const auto found = labels.find(std::string(label));
  return found == labels.end() ? 0 : found->second.version;
}

StoreLook LookAtStore(const CheckpointStore& store, const StoreListing& before) {
  StoreLook look;
  const absl::StatusOr<std::vector<std::string>> models = store.ListModels();
  look.reachable = models.ok();
  if (!models.ok()) {
    look.listing = before;
    look.status = absl::UnavailableError(absl::StrCat("store cannot be read: ", models.status().message()));
    return look;
  }
  bool away = false;  // it went while it was being read: its other models would each be waited for in vain
  for (const std::string& model : *models) {
    absl::StatusOr<ModelListing> listing =
        away ? absl::UnavailableError("the store went away") : ListModel(store, model);
    away = away || absl::IsUnavailable(listing.status());
    if (listing.ok()) {
      if (!listing->versions.empty()) look.listing.emplace(model, *std::move(listing));
      continue;
    }
    if (const auto known = before.find(model); known != before.end()) look.listing.insert(*known);
    look.status.Update(absl::UnavailableError(
        absl::StrCat("model ", model, " of the store cannot be read: ", listing.status().message())));
  }
  return look;
}

}  // namespace genoserve

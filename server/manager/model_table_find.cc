// How requests find versions in the table, and what they are told where there is none for them.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/manager/model_table.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

using Phase = VersionPhase;

constexpr absl::Duration kLoadingRetry = absl::Seconds(1);
// Without a budget nothing else bounds what callers may have loaded.
constexpr int64_t kMostOnDemand = 16;
constexpr absl::Duration kOnDemandRetry = absl::Seconds(10);

absl::Status Later(absl::string_view message, absl::Duration delay = kLoadingRetry) {
  return RetryLater(absl::StatusCode::kUnavailable, message, delay);
}

}  // namespace

absl::StatusOr<ModelHandle> ModelTable::Find(const std::string& model, int64_t version, const std::string& digest,
                                             absl::Time now, bool* wake) const {
  const auto found = models_.find(model);
  if (found == models_.end()) return NoModel(model);
  const auto& versions = found->second.versions;
  if (version != 0) {
    const auto entry = versions.find(version);
    if (entry == versions.end()) return NoVersion(model, version);
    return Lend(model, version, entry->second, now, wake);
  }
  if (digest.empty()) return FindDefault(model, found->second, now, wake);
  bool all_known = true;
  for (const auto& [number, entry] : versions) {
    if (entry.digest == digest) return Lend(model, number, entry, now, wake);
    all_known = all_known && (!entry.digest.empty() || entry.digest_tried);
  }
  if (all_known) return FindDefault(model, found->second, now, wake);
  *found->second.digest_asked = true;
  *wake = true;
  return Later(absl::StrCat("the version of model \"", model, "\" with this digest is being looked for"));
}

absl::StatusOr<ModelHandle> ModelTable::Lend(const std::string& model, int64_t version, const Entry& entry,
                                             absl::Time now, bool* wake) const {
  const Phase phase = entry.harness.phase();
  entry.use->Note(now);
  // One that was replaced is only lent to those who name it, until its last stream ends.
  if (phase != Phase::kServing && phase != Phase::kRetiring) {
    if (!entry.use->asked && settings_.memory_budget == 0 && OnDemand() >= kMostOnDemand) {
      return Later(absl::StrCat(kMostOnDemand, " versions are loaded on demand, as many as a server without a memory ",
                                "budget keeps; name one of those, or none"),
                   kOnDemandRetry);
    }
    entry.use->asked = true;
    *wake = true;
  }
  if (entry.closed) {
    return Later(absl::StrCat(NameOfVersion(model, version), " gives its memory to the version that replaces it"));
  }
  if (ModelHandle handle = entry.borrowed.lock()) return handle;
  return WhyNot(model, version, entry, now);
}

int64_t ModelTable::OnDemand() const {
  int64_t asked = 0;
  for (const auto& [name, model] : models_) {
    for (const auto& [version, entry] : model.versions) asked += entry.use->asked ? 1 : 0;
  }
  return asked;
}

absl::StatusOr<ModelHandle> ModelTable::FindDefault(const std::string& name, const Model& model, absl::Time now,
                                                    bool* wake) const {
  if (model.answering != 0) return Lend(name, model.answering, model.versions.at(model.answering), now, wake);
  const int64_t target = WishesOf(FactsOf(name, model, now), now).target;
  if (target != 0) return Lend(name, target, model.versions.at(target), now, wake);
  for (auto entry = model.versions.rbegin(); entry != model.versions.rend(); ++entry) {
    if (entry->second.harness.state() == v1::MODEL_STATE_FAILED) {
      return WhyNot(name, entry->first, entry->second, now);
    }
  }
  return UnmetPrecondition(
      "model", absl::StrCat("model \"", name, "\" has versions, and the server's policy wants none of them; name one"));
}

absl::Status ModelTable::WhyNot(const std::string& model, int64_t version, const Entry& entry, absl::Time now) const {
  const std::string name = NameOfVersion(model, version);
  const VersionHarness& harness = entry.harness;
  switch (harness.phase()) {
    case Phase::kQuarantined:
    case Phase::kTooLarge:
      return UnmetPrecondition("version", absl::StrCat(name, " could not be loaded: ", harness.reason()));
    case Phase::kFailed:
      return Later(absl::StrCat(name, " could not be loaded: ", harness.reason()),
                   std::max(harness.retry_at() - now, kLoadingRetry));
    default:
      break;
  }
  const int64_t budget = settings_.memory_budget;
  if (harness.phase() == Phase::kLoading || budget == 0 || MemoryInUse() + entry.bytes <= budget) {
    return Later(absl::StrCat(name, " is being loaded"));
  }
  return Later(absl::StrCat(name, " waits for ", entry.bytes, " bytes of memory; of the budget of ", budget, " bytes ",
                            MemoryInUse(), " are in use"));
}

absl::Status ModelTable::NoModel(const std::string& model) const {
  if (!read_whole_) {
    return Later(
        absl::StrCat("model \"", model, "\" is not known, and the store could not be read yet, or not all of it"));
  }
  std::vector<std::string> names;
  for (const auto& [name, versions] : models_) names.push_back(name);
  return MissingResource("model", model,
                         absl::StrCat("there is no model \"", model, "\"; ",
                                      names.empty() ? "the store has no models" : "there are ", ListNames(names)));
}

absl::Status ModelTable::NoVersion(const std::string& model, int64_t version) const {
  const auto found = models_.find(model);
  if (found == models_.end()) return NoModel(model);
  std::vector<std::string> served;
  std::vector<std::string> all;
  for (const auto& [number, entry] : found->second.versions) {
    all.push_back(absl::StrCat(number));
    if (entry.handle != nullptr) served.push_back(absl::StrCat(number));
  }
  return MissingResource("version", absl::StrCat(model, "@", version),
                         absl::StrCat("there is no ", NameOfVersion(model, version), "; there are ", ListNames(all),
                                      ", ", served.empty() ? "none is served now" : "served are ", ListNames(served)));
}

}  // namespace genoserve

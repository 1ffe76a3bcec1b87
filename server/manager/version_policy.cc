#include "server/manager/version_policy.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"

namespace genoserve {
namespace {

using Phase = VersionPhase;

// Facts with what follows from them, for one decision.
class Decision {
 public:
  Decision(const ModelFacts& model, absl::Time now) : model_(model), now_(now) { ChooseByPolicy(); }

  ModelWishes Wishes() const {
    ModelWishes wishes;
    wishes.target = Target();
    wishes.answering = Answering(wishes.target);
    wishes.canary = Canary(wishes.target);
    for (const auto& [version, facts] : model_.versions) {
      const bool named = version == wishes.target || version == wishes.answering || version == wishes.canary;
      // A whole model that has gone is more likely a mistake than a wish.
      const bool lost = model_.listing.versions.empty() && facts.phase == Phase::kServing;
      if (named || lost || facts.pinned || IsAsked(facts) || chosen_.contains(version) || standing_.contains(version)) {
        wishes.keep.insert(version);
        if (const auto urgency = UrgencyOf(version, facts, wishes); urgency.has_value()) {
          wishes.get.emplace(version, *urgency);
        }
      }
    }
    return wishes;
  }

 private:
  const VersionFacts* Facts(int64_t version) const {
    const auto found = model_.versions.find(version);
    return found == model_.versions.end() ? nullptr : &found->second;
  }
  bool IsServing(int64_t version) const {
    const VersionFacts* facts = Facts(version);
    return facts != nullptr && facts->phase == Phase::kServing;
  }
  // In memory, or may be brought there.
  bool IsAvailable(int64_t version) const {
    const VersionFacts* facts = Facts(version);
    if (facts == nullptr) return false;
    if (!model_.listing.Has(version)) return facts->phase == Phase::kServing;
    if (facts->phase == Phase::kFailed) return facts->retry_at <= now_;
    return facts->phase != Phase::kQuarantined && facts->phase != Phase::kTooLarge;
  }
  bool IsAsked(const VersionFacts& facts) const {
    return facts.asked && (facts.held || now_ - facts.last_use < kOnDemandIdle);
  }

  // The policy's versions, and those that stand in for them until they are there.
  void ChooseByPolicy() {
    const v1::VersionPolicy& policy = model_.config.policy();
    const std::vector<int64_t>& listed = model_.listing.versions;
    switch (policy.policy_case()) {
      case v1::VersionPolicy::kAll:
        Choose(listed);
        return;
      case v1::VersionPolicy::kSpecific:
        for (const int64_t version : policy.specific().versions()) {
          if (model_.listing.Has(version)) Choose({version});
        }
        return;
      case v1::VersionPolicy::kLabel: {
        const int64_t version = model_.listing.LabelTarget(policy.label());
        if (model_.listing.Has(version)) Choose({version});
        return;
      }
      default:
        ChooseLatest(policy.has_latest() ? std::max(1, policy.latest()) : 1);
    }
  }
  void Choose(const std::vector<int64_t>& versions) {
    for (const int64_t version : versions) {
      if (IsAvailable(version)) chosen_.insert(version);
    }
  }
  // The newest ones that are not in trouble; those that are get their retries beside them.
  void ChooseLatest(int count) {
    const std::vector<int64_t>& listed = model_.listing.versions;
    int chosen = 0;
    int standing = 0;
    for (auto version = listed.rbegin(); version != listed.rend() && standing < count; ++version) {
      if (IsServing(*version)) {
        standing_.insert(*version);
        ++standing;
      }
      if (chosen == count || !IsAvailable(*version)) continue;
      chosen_.insert(*version);
      if (IsServing(*version) || Facts(*version)->attempts == 0) ++chosen;
    }
  }

  int64_t Target() const {
    const int64_t stable = model_.listing.LabelTarget(kStableLabel);
    if (stable != 0 && IsAvailable(stable)) return stable;
    if (stable != 0 && IsServing(model_.answering)) return model_.answering;
    // A label that was moved back says that what is newer is not to answer; a failure that passes is waited out.
    const VersionFacts* facts = Facts(stable);
    if (facts != nullptr && facts->phase == Phase::kFailed) return 0;
    if (!chosen_.empty()) return *chosen_.rbegin();
    return IsServing(model_.answering) ? model_.answering : 0;
  }

  int64_t Answering(int64_t target) const {
    if (IsServing(target)) return target;
    if (IsServing(model_.answering)) return model_.answering;
    if (target == 0) return 0;
    const VersionFacts* facts = Facts(target);
    if (facts != nullptr && (facts->phase == Phase::kUnloaded || facts->phase == Phase::kParking)) return 0;
    const auto serving =
        std::find_if(chosen_.rbegin(), chosen_.rend(), [this](int64_t version) { return IsServing(version); });
    return serving == chosen_.rend() ? 0 : *serving;
  }

  int64_t Canary(int64_t target) const {
    const int64_t canary = model_.listing.LabelTarget(kCanaryLabel);
    if (canary == target || !(model_.config.canary_percent() > 0) || !IsAvailable(canary)) return 0;
    return canary;
  }

  std::optional<Urgency> UrgencyOf(int64_t version, const VersionFacts& facts, const ModelWishes& wishes) const {
    if (facts.phase == Phase::kServing || facts.phase == Phase::kLoading || !IsAvailable(version)) return std::nullopt;
    const bool asked = IsAsked(facts);
    const bool parked = facts.phase == Phase::kUnloaded || facts.phase == Phase::kParking;
    if (parked && !asked && !facts.pinned) return std::nullopt;
    if (version == wishes.target && wishes.answering == 0) return Urgency::kOutage;
    if (asked) return Urgency::kAsked;
    if (version == wishes.target) return Urgency::kDefault;
    if (facts.pinned || version == wishes.canary || chosen_.contains(version)) return Urgency::kWanted;
    return std::nullopt;
  }

  const ModelFacts& model_;
  const absl::Time now_;
  std::set<int64_t> chosen_;
  std::set<int64_t> standing_;
};

}  // namespace

ModelWishes WishesOf(const ModelFacts& model, absl::Time now) { return Decision(model, now).Wishes(); }

bool HasBeenTried(const ModelFacts& model, absl::Time now) {
  const ModelWishes wishes = WishesOf(model, now);
  if (wishes.target == 0 || wishes.answering != 0) return true;
  const VersionFacts& target = model.versions.at(wishes.target);
  return target.phase == Phase::kUnloaded || target.phase == Phase::kDeferred || target.attempts > 0;
}

bool GoesToCanary(absl::string_view model, absl::string_view sticky, double percent) {
  if (sticky.empty() || !(percent > 0)) return false;
  Sha256 hash;
  hash.Update(absl::StrCat(model, "\n", sticky));
  const Sha256Digest digest = hash.Finish();
  uint64_t number = 0;
  for (int i = 0; i < 6; ++i) number = number << 8 | digest[static_cast<size_t>(i)];
  return static_cast<double>(number) < percent / 100 * 0x1p48;
}

}  // namespace genoserve

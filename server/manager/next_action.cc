#include "server/manager/next_action.h"

#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

namespace genoserve {
namespace {

using Kind = Action::Kind;
using Phase = VersionPhase;

// A version that is to be brought into memory.
struct Candidate {
  Urgency urgency = Urgency::kWanted;
  const std::string* model = nullptr;
  int64_t version = 0;
  const VersionFacts* facts = nullptr;
};

bool IsLeaving(const VersionFacts& facts) { return facts.phase == Phase::kRetiring || facts.phase == Phase::kParking; }

class Planner {
 public:
  explicit Planner(const ServerFacts& facts) : facts_(facts), budget_(facts.memory_budget), used_(MemoryInUse(facts)) {
    for (const auto& [name, model] : facts.models) {
      wishes_.emplace(name, WishesOf(model, facts.now));
      for (const auto& [version, each] : model.versions) {
        if (IsLeaving(each)) leaving_ += each.bytes;
      }
    }
  }

  Action Next() {
    if (auto action = DropUnwanted(); action.kind != Kind::kNone) return action;
    if (budget_ > 0 && used_ - leaving_ > budget_) {
      if (auto idle = IdleBefore(absl::InfiniteFuture(), ""); !idle.empty()) return idle.front();
    }
    for (const Candidate& candidate : Candidates()) {
      if (auto action = Get(candidate); action.kind != Kind::kNone) return action;
    }
    return {};
  }

 private:
  Action DropUnwanted() const {
    for (const auto& [name, model] : facts_.models) {
      for (const auto& [version, each] : model.versions) {
        if (each.phase != Phase::kServing || wishes_.at(name).keep.contains(version)) continue;
        return {each.asked ? Kind::kPark : Kind::kRetire, name, version};
      }
    }
    return {};
  }

  std::vector<Candidate> Candidates() const {
    std::vector<Candidate> all;
    for (const auto& [name, wishes] : wishes_) {
      const auto& versions = facts_.models.at(name).versions;
      for (const auto& [version, urgency] : wishes.get) all.push_back({urgency, &name, version, &versions.at(version)});
    }
    // Of one model the newest first.
    std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return std::tuple(a.urgency, *a.model, -a.version) < std::tuple(b.urgency, *b.model, -b.version);
    });
    return all;
  }

  // Versions that may be parked for others, the least recently used first, and the bytes of them all.
  struct Idle {
    std::vector<std::pair<absl::Time, Action>> actions;
    int64_t bytes = 0;
    bool empty() const { return actions.empty(); }
    Action front() const { return actions.front().second; }
  };
  Idle IdleBefore(absl::Time time, const std::string& for_model) const {
    Idle idle;
    for (const auto& [name, model] : facts_.models) {
      for (const auto& [version, each] : model.versions) {
        const bool free = each.phase == Phase::kServing && !each.held && !each.pinned && each.last_use < time;
        if (!free || (name == for_model && version == wishes_.at(name).answering)) continue;
        idle.actions.emplace_back(each.last_use, Action{Kind::kPark, name, version});
        idle.bytes += each.bytes;
      }
    }
    std::stable_sort(idle.actions.begin(), idle.actions.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    return idle;
  }

  absl::Time LastUse(const std::string& model) const {
    absl::Time last = absl::InfinitePast();
    for (const auto& [version, each] : facts_.models.at(model).versions) last = std::max(last, each.last_use);
    return last;
  }

  // What to do for a candidate; kNone where it has to wait.
  Action Get(const Candidate& candidate) {
    const VersionFacts& each = *candidate.facts;
    const bool leaving = IsLeaving(each);
    const auto act = [&candidate](Kind kind) { return Action{kind, *candidate.model, candidate.version}; };
    const Kind bring = leaving ? Kind::kRevive : Kind::kLoad;
    if (leaving && !each.held) return Wait(candidate);  // its memory is being given back
    if (facts_.loading && !leaving) return {};
    if (budget_ == 0) return act(bring);
    if (each.bytes == 0) return act(Kind::kEstimate);
    if (each.bytes > budget_ && !each.pinned && !leaving) return act(Kind::kOutgrow);
    const int64_t now = leaving ? 0 : each.bytes;
    // When all that leaves has left, without this one if it is among that.
    const int64_t later = used_ - leaving_ + reserved_ + each.bytes;
    if (used_ + now <= budget_ && later <= budget_) return act(bring);
    if (later <= budget_) return Wait(candidate);

    const bool asked = each.asked && facts_.now - each.last_use < kOnDemandIdle;
    const bool urgent = asked || each.pinned;
    const Idle idle = IdleBefore(urgent ? absl::InfiniteFuture() : LastUse(*candidate.model), *candidate.model);
    if (later - idle.bytes <= budget_) return idle.front();
    if (const int64_t old = Replaceable(candidate); old != 0) {
      const int64_t freed = facts_.models.at(*candidate.model).versions.at(old).bytes;
      if (later - idle.bytes - freed <= budget_) {
        if (!each.verified) return act(Kind::kVerify);
        return later - freed <= budget_ ? Action{Kind::kRetire, *candidate.model, old} : idle.front();
      }
    }
    if (each.pinned) return idle.empty() ? act(bring) : idle.front();
    return each.phase == Phase::kNew ? act(Kind::kDefer) : Action{};
  }

  Action Wait(const Candidate& candidate) {
    reserved_ += candidate.facts->bytes;
    return {};
  }

  // What answers for the candidate's model and may be given up for it; 0 = nothing.
  int64_t Replaceable(const Candidate& candidate) const {
    const ModelWishes& wishes = wishes_.at(*candidate.model);
    if (candidate.version != wishes.target || wishes.answering == 0 || IsLeaving(*candidate.facts)) return 0;
    const VersionFacts& old = facts_.models.at(*candidate.model).versions.at(wishes.answering);
    return old.pinned ? 0 : wishes.answering;
  }

  const ServerFacts& facts_;
  const int64_t budget_;
  const int64_t used_;
  std::map<std::string, ModelWishes> wishes_;
  int64_t leaving_ = 0;
  int64_t reserved_ = 0;  // for candidates that wait for what leaves
};

}  // namespace

Action NextAction(const ServerFacts& facts) { return Planner(facts).Next(); }

int64_t MemoryInUse(const ServerFacts& facts) {
  int64_t bytes = 0;
  for (const auto& [name, model] : facts.models) {
    for (const auto& [version, each] : model.versions) bytes += IsInMemory(each.phase) ? each.bytes : 0;
  }
  return bytes;
}

}  // namespace genoserve

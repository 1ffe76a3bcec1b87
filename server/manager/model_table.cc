#include "server/manager/model_table.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

using Phase = VersionPhase;

bool SameAnswers(const AnswerMap& a, const AnswerMap& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.handle == y.second.handle && x.second.canary == y.second.canary &&
           x.second.canary_use == y.second.canary_use && x.second.canary_percent == y.second.canary_percent;
  });
}

}  // namespace

std::string NameOfVersion(const std::string& model, int64_t version) {
  return absl::StrCat("version ", version, " of model \"", model, "\"");
}

void ModelTable::Configure(ManagerSettings settings, absl::Time now) {
  const bool other_budget = settings.memory_budget != settings_.memory_budget;
  const bool other_gate = settings.gate != settings_.gate;
  settings_ = std::move(settings);
  Forgive(now, [other_budget, other_gate](const Entry& entry) {
    const Phase phase = entry.harness.phase();
    return (other_budget && phase == Phase::kTooLarge) || (other_gate && phase == Phase::kQuarantined);
  });
  Refresh(now);
}

void ModelTable::SetListing(StoreListing listing, absl::Time now) {
  listing_ = std::move(listing);
  for (const auto& [name, listed] : listing_) {
    Model& model = models_[name];
    for (const int64_t version : listed.versions) model.versions.try_emplace(version);
  }
  for (auto model = models_.begin(); model != models_.end();) {
    const auto listed = listing_.find(model->first);
    auto& versions = model->second.versions;
    for (auto entry = versions.begin(); entry != versions.end();) {
      entry->second.digest_tried = false;
      const bool there = listed != listing_.end() && listed->second.Has(entry->first);
      if (there || IsInMemory(entry->second.harness.phase())) {
        ++entry;
        continue;
      }
      if (hooks_.on_state) hooks_.on_state(model->first, entry->first, v1::MODEL_STATE_UNSPECIFIED);
      entry = versions.erase(entry);
    }
    model = versions.empty() ? models_.erase(model) : std::next(model);
  }
  Refresh(now);
}

v1::ModelConfig ModelTable::ConfigOf(const std::string& model) const {
  const v1::ModelConfig* found = nullptr;
  for (const v1::ModelConfig& config : settings_.models) {
    if (config.name() == model) return config;
    if (config.name().empty()) found = &config;
  }
  return found == nullptr ? v1::ModelConfig() : *found;
}

int64_t ModelTable::Held(const Model& model, int64_t version, const Entry& entry) {
  int64_t own = entry.handle != nullptr ? 1 : 0;
  if (version == model.answering) ++own;
  if (version == model.canary) ++own;
  // Readers may hold a map that has been replaced for a moment, never fewer than the table itself.
  return std::max<int64_t>(0, entry.borrowed.use_count() - own);
}

ModelFacts ModelTable::FactsOf(const std::string& name, const Model& model, absl::Time now) const {
  ModelFacts facts;
  if (const auto listed = listing_.find(name); listed != listing_.end()) facts.listing = listed->second;
  facts.config = ConfigOf(name);
  facts.answering = model.answering;
  for (const auto& [version, entry] : model.versions) {
    VersionFacts& each = facts.versions[version];
    each.phase = entry.harness.phase();
    each.retry_at = entry.harness.retry_at();
    each.attempts = entry.harness.attempts();
    each.pinned = entry.pinned;
    each.asked = entry.use->asked;
    each.held = Held(model, version, entry) > 0;
    if (each.held) entry.use->Note(now);
    each.verified = entry.harness.verified();
    each.last_use = absl::FromUnixNanos(entry.use->last_nanos);
    each.bytes = entry.bytes;
  }
  return facts;
}

ServerFacts ModelTable::Facts(absl::Time now, bool loading) const {
  ServerFacts facts;
  for (const auto& [name, model] : models_) facts.models.emplace(name, FactsOf(name, model, now));
  facts.memory_budget = settings_.memory_budget;
  facts.loading = loading;
  facts.now = now;
  return facts;
}

ModelTable::Entry* ModelTable::FindEntry(const std::string& model, int64_t version) {
  const auto found = models_.find(model);
  if (found == models_.end()) return nullptr;
  const auto entry = found->second.versions.find(version);
  return entry == found->second.versions.end() ? nullptr : &entry->second;
}

bool ModelTable::Move(const std::string& model, int64_t version, Entry& entry, VersionEvent event, absl::Time now) {
  if (!entry.harness.Apply(event, now)) return false;
  Tell(model, version, entry);
  return true;
}

void ModelTable::Tell(const std::string& model, int64_t version, const Entry& entry) const {
  if (hooks_.on_state) hooks_.on_state(model, version, entry.harness.state());
}

void ModelTable::Apply(const Action& action, absl::Time now) {
  Entry* const entry = FindEntry(action.model, action.version);
  if (entry == nullptr) return;
  const int64_t budget = settings_.memory_budget;
  switch (action.kind) {
    case Action::Kind::kRetire:
      if (Move(action.model, action.version, *entry, VersionEvent::kRetire, now)) {
        entry->handle.reset();
        // What still answers when it is retired gives its room away.
        entry->closed = models_[action.model].answering == action.version;
      }
      break;
    case Action::Kind::kPark:
      entry->use->asked = false;
      if (Move(action.model, action.version, *entry, VersionEvent::kPark, now)) entry->handle.reset();
      break;
    case Action::Kind::kRevive:
      if (ModelHandle handle = entry->borrowed.lock()) {
        if (Move(action.model, action.version, *entry, VersionEvent::kRevive, now)) entry->handle = std::move(handle);
        entry->closed = false;
      }
      break;
    case Action::Kind::kOutgrow:
      if (Move(action.model, action.version, *entry, VersionEvent::kOutgrow, now)) {
        entry->harness.set_reason(
            absl::StrCat("needs ", entry->bytes, " bytes of memory; the memory budget is ", budget, " bytes"));
      }
      break;
    case Action::Kind::kDefer: {
      const int64_t used = MemoryInUse();
      if (Move(action.model, action.version, *entry, VersionEvent::kDefer, now)) {
        entry->harness.set_reason(absl::StrCat("needs ", entry->bytes, " bytes of memory; of the memory budget of ",
                                               budget, " bytes ", used, " are in use"));
      }
      break;
    }
    case Action::Kind::kVerify:
    case Action::Kind::kLoad:
      Move(action.model, action.version, *entry, VersionEvent::kLoad, now);
      break;
    case Action::Kind::kEstimate:
    case Action::Kind::kNone:
      break;
  }
  Refresh(now);
}

void ModelTable::SetEstimate(const std::string& model, int64_t version, int64_t bytes) {
  if (Entry* const entry = FindEntry(model, version); entry != nullptr) entry->bytes = bytes;
}

void ModelTable::SetLoaded(const std::string& model, int64_t version, ModelHandle handle, int64_t bytes,
                           absl::Duration duration, absl::Time now) {
  Entry* const entry = FindEntry(model, version);
  if (entry == nullptr || !Move(model, version, *entry, VersionEvent::kLoaded, now)) return;
  entry->digest = handle->digest;
  entry->bytes = bytes;
  entry->load_duration = duration;
  entry->borrowed = handle;
  entry->handle = std::move(handle);
  Refresh(now);
}

void ModelTable::SetVerified(const std::string& model, int64_t version, absl::Time now) {
  if (Entry* const entry = FindEntry(model, version); entry != nullptr) {
    Move(model, version, *entry, VersionEvent::kVerified, now);
  }
  Refresh(now);
}

void ModelTable::SetFailed(const std::string& model, int64_t version, const std::string& digest,
                           const absl::Status& status, double jitter, absl::Time now) {
  Entry* const entry = FindEntry(model, version);
  if (entry == nullptr || !entry->harness.Fail(status, jitter, now)) return;
  entry->digest = digest;
  Tell(model, version, *entry);
  Refresh(now);
}

void ModelTable::SetFreed(const std::string& model, int64_t version, absl::Time now) {
  Entry* const entry = FindEntry(model, version);
  if (entry == nullptr) return;
  Move(model, version, *entry, VersionEvent::kFree, now);
  entry->closed = false;
  const auto listed = listing_.find(model);
  if (!IsInMemory(entry->harness.phase()) && (listed == listing_.end() || !listed->second.Has(version))) {
    if (hooks_.on_state) hooks_.on_state(model, version, v1::MODEL_STATE_UNSPECIFIED);
    models_[model].versions.erase(version);
  }
  Refresh(now);
}

std::vector<ModelTable::Named> ModelTable::Quarantined() const {
  std::vector<Named> all;
  for (const auto& [name, model] : models_) {
    for (const auto& [version, entry] : model.versions) {
      if (entry.harness.phase() == Phase::kQuarantined) all.push_back({name, version, entry.digest});
    }
  }
  return all;
}

std::optional<ModelTable::Named> ModelTable::UnknownDigest() const {
  for (const auto& [name, model] : models_) {
    if (!*model.digest_asked) continue;
    for (auto entry = model.versions.rbegin(); entry != model.versions.rend(); ++entry) {
      if (entry->second.digest.empty() && !entry->second.digest_tried) return Named{name, entry->first, ""};
    }
    *model.digest_asked = false;
  }
  return std::nullopt;
}

void ModelTable::SetDigest(const std::string& model, int64_t version, const std::string& digest, absl::Time now) {
  Entry* const entry = FindEntry(model, version);
  if (entry == nullptr) return;
  entry->digest_tried = true;
  if (digest.empty() || digest == entry->digest) return;
  entry->digest = digest;
  if (entry->harness.phase() == Phase::kQuarantined) {
    Move(model, version, *entry, VersionEvent::kForgive, now);
    Refresh(now);
  }
}

void ModelTable::Forgive(absl::Time now, const std::function<bool(const Entry&)>& which) {
  for (auto& [name, model] : models_) {
    for (auto& [version, entry] : model.versions) {
      if (which(entry)) Move(name, version, entry, VersionEvent::kForgive, now);
    }
  }
}

absl::Status ModelTable::Retry(const std::string& model, int64_t version, absl::Time now) {
  Entry* const entry = FindEntry(model, version);
  if (entry == nullptr) return NoVersion(model, version);
  if (entry->harness.state() != v1::MODEL_STATE_FAILED) {
    return UnmetPrecondition("version", absl::StrCat(NameOfVersion(model, version), " has not failed"));
  }
  Move(model, version, *entry, VersionEvent::kForgive, now);
  entry->use->asked = true;
  entry->use->Note(now);
  Refresh(now);
  return absl::OkStatus();
}

absl::Status ModelTable::Pin(const std::string& model, int64_t version, bool pinned, absl::Time now) {
  Entry* const entry = FindEntry(model, version);
  if (entry == nullptr) return NoVersion(model, version);
  entry->pinned = pinned;
  Refresh(now);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<int64_t>> ModelTable::Unload(const std::string& model, int64_t version, absl::Time now) {
  const auto found = models_.find(model);
  if (found == models_.end() || (version != 0 && !found->second.versions.contains(version))) {
    return NoVersion(model, version);
  }
  std::vector<int64_t> unloaded;
  for (const auto& [number, entry] : found->second.versions) {
    const Phase phase = entry.harness.phase();
    if ((version != 0 && number != version) || !IsInMemory(phase) || phase == Phase::kLoading) continue;
    if (entry.pinned) {
      return UnmetPrecondition("version", absl::StrCat(NameOfVersion(model, number), " is pinned; unpin it first"));
    }
    unloaded.push_back(number);
  }
  for (const int64_t number : unloaded) Apply({Action::Kind::kPark, model, number}, now);
  return unloaded;
}

void ModelTable::Refresh(absl::Time now) {
  auto answers = std::make_shared<AnswerMap>();
  for (auto& [name, model] : models_) {
    const ModelFacts facts = FactsOf(name, model, now);
    const ModelWishes wishes = WishesOf(facts, now);
    const int64_t before = std::exchange(model.answering, wishes.answering);
    model.canary = 0;
    if (wishes.answering == 0) continue;
    const Entry& entry = model.versions.at(wishes.answering);
    // From now on it is the policy that wants it.
    entry.use->asked = false;
    Answers& answer = (*answers)[name];
    answer.handle = entry.handle;
    answer.use = entry.use;
    if (const auto canary = model.versions.find(wishes.canary); canary != model.versions.end()) {
      const Phase phase = canary->second.harness.phase();
      const bool parked = phase == Phase::kUnloaded || phase == Phase::kParking;
      if (canary->second.handle != nullptr) {
        model.canary = wishes.canary;
        answer.canary = canary->second.handle;
      }
      if (answer.canary != nullptr || parked) {
        answer.canary_use = canary->second.use;
        answer.canary_percent = facts.config.canary_percent();
      }
    }
    if (before != wishes.answering && hooks_.on_answer) hooks_.on_answer(name, before, wishes.answering);
  }
  if (!SameAnswers(*answers, *answers_)) answers_ = std::move(answers);
}

int64_t ModelTable::MemoryInUse() const {
  int64_t bytes = 0;
  for (const auto& [name, model] : models_) {
    for (const auto& [version, entry] : model.versions) bytes += IsInMemory(entry.harness.phase()) ? entry.bytes : 0;
  }
  return bytes;
}

int64_t ModelTable::Handles() const {
  int64_t handles = 0;
  for (const auto& [name, model] : models_) {
    for (const auto& [version, entry] : model.versions) handles += Held(model, version, entry);
  }
  return handles;
}

int64_t ModelTable::InMemory() const {
  int64_t count = 0;
  for (const auto& [name, model] : models_) {
    for (const auto& [version, entry] : model.versions) count += entry.borrowed.expired() ? 0 : 1;
  }
  return count;
}

bool ModelTable::AllTried(const std::vector<std::string>& models, absl::Time now) const {
  bool any_wanted = false;
  for (const std::string& name : models) {
    const auto found = models_.find(name);
    if (found == models_.end()) continue;
    const ModelFacts facts = FactsOf(name, found->second, now);
    if (!HasBeenTried(facts, now)) return false;
    any_wanted = any_wanted || WishesOf(facts, now).target != 0 ||
                 std::any_of(facts.versions.begin(), facts.versions.end(),
                             [](const auto& each) { return StateOf(each.second.phase) == v1::MODEL_STATE_FAILED; });
  }
  return !any_wanted || !answers_->empty();
}

std::vector<VersionStatus> ModelTable::List() const {
  std::vector<VersionStatus> list;
  for (const auto& [name, model] : models_) {
    const auto listed = listing_.find(name);
    for (auto each = model.versions.rbegin(); each != model.versions.rend(); ++each) {
      const auto& [version, entry] = *each;
      VersionStatus status;
      status.state = entry.harness.state();
      if (entry.harness.phase() == Phase::kNew) {
        // Of these only those that are to be loaded for somebody; all others are of no concern here.
        if (!entry.pinned && !entry.use->asked) continue;
        status.state = v1::MODEL_STATE_LOADING;
      }
      status.model = name;
      status.version = version;
      status.is_default = version == model.answering;
      status.is_canary = version == model.canary;
      status.pinned = entry.pinned;
      if (listed != listing_.end()) {
        for (const auto& [label, target] : listed->second.labels) {
          if (target.version == version) status.labels.push_back(label);
        }
      }
      status.reason = entry.harness.reason();
      status.digest = entry.digest;
      status.attempts = entry.harness.attempts();
      status.retry_at = entry.harness.retry_at();
      status.quarantined = entry.harness.phase() == Phase::kQuarantined;
      status.memory_bytes = IsInMemory(entry.harness.phase()) ? entry.bytes : 0;
      status.handles = Held(model, version, entry);
      status.load_duration = entry.load_duration;
      status.changed_at = entry.harness.changed_at();
      status.handle = entry.borrowed.lock();
      list.push_back(std::move(status));
    }
  }
  return list;
}

}  // namespace genoserve

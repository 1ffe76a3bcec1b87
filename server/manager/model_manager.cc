#include "server/manager/model_manager.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

constexpr size_t kMostLookers = 256;  // that wait for one look at the store
constexpr absl::Duration kLoadingRetry = absl::Seconds(1);

ModelSnapshot Snapshot(const auto& entries) {
  ModelSnapshot snapshot;
  for (const auto& [version, entry] : entries) snapshot[version] = {entry.state, entry.retry_at};
  return snapshot;
}

void LogEvent(spdlog::level::level_enum level, const nlohmann::json& fields) {
  spdlog::log(level, "{}", fields.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

absl::Status Stopping() {
  return RetryLater(absl::StatusCode::kUnavailable, "the server is shutting down", kLoadingRetry);
}

}  // namespace

ModelManager::ModelManager(CheckpointStore& store, Metrics& metrics, Options options)
    : store_(store),
      metrics_(metrics),
      options_(std::move(options)),
      mailbox_(std::make_shared<Mailbox>()),
      serving_(std::make_shared<const ServingMap>()),
      settings_(options_.settings) {}

ModelManager::~ModelManager() {
  Stop();
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](ModelManager* self) ABSL_EXCLUSIVE_LOCKS_REQUIRED(self->mutex_) { return !self->loading_; }, this));
}

void ModelManager::Start() {
  Step();
  thread_ = std::thread([this] { Run(); });
}

void ModelManager::Stop() {
  {
    absl::MutexLock lock(&mailbox_->mutex);
    mailbox_->stopping = true;
  }
  if (thread_.joinable()) thread_.join();
  for (const Looker& looker : TakeLookers()) looker.done(Stopping());
}

void ModelManager::LookNow(const std::function<void(const absl::Status&)>& done) const { Enqueue({nullptr, done}); }

void ModelManager::ChangeStore(std::function<absl::Status()> task,
                               const std::function<void(const absl::Status&)>& done) {
  Enqueue({std::move(task), done});
}

void ModelManager::Enqueue(Looker looker) const {
  const absl::Status refused = [&]() -> absl::Status {
    absl::MutexLock lock(&mailbox_->mutex);
    if (mailbox_->stopping) return Stopping();
    if (mailbox_->lookers.size() >= kMostLookers) {
      return RetryLater(absl::StatusCode::kResourceExhausted, "too many wait for a look at the store already",
                        kLoadingRetry);
    }
    mailbox_->lookers.push_back(looker);
    mailbox_->woken = true;
    return absl::OkStatus();
  }();
  if (!refused.ok()) looker.done(refused);
}

void ModelManager::Configure(ManagerSettings settings) {
  absl::MutexLock lock(&mailbox_->mutex);
  mailbox_->settings = std::move(settings);
  mailbox_->woken = true;
}

std::vector<ModelManager::Looker> ModelManager::TakeLookers() {
  absl::MutexLock lock(&mailbox_->mutex);
  return std::exchange(mailbox_->lookers, {});
}

void ModelManager::Run() {
  while (true) {
    absl::Duration poll;
    {
      absl::ReaderMutexLock lock(&mutex_);
      poll = settings_.poll;
    }
    {
      absl::MutexLock lock(&mailbox_->mutex);
      mailbox_->mutex.AwaitWithTimeout(
          absl::Condition(
              +[](Mailbox* box) ABSL_EXCLUSIVE_LOCKS_REQUIRED(box->mutex) { return box->woken || box->stopping; },
              mailbox_.get()),
          poll);
      if (mailbox_->stopping) return;
      mailbox_->woken = false;
    }
    Step();
  }
}

void ModelManager::Step() {
  FreeUnheld();
  std::optional<ManagerSettings> settings;
  {
    absl::MutexLock lock(&mailbox_->mutex);
    settings.swap(mailbox_->settings);
  }
  const auto lookers = TakeLookers();
  std::vector<absl::Status> changed_store;
  for (const Looker& looker : lookers) changed_store.push_back(looker.task ? looker.task() : absl::OkStatus());
  bool look = !lookers.empty();
  {
    absl::MutexLock lock(&mutex_);
    if (settings.has_value()) settings_ = *std::move(settings);
    const absl::Time now = options_.clock->Now();
    look = look || now >= next_look_;
    if (look) next_look_ = now + settings_.poll;
  }
  const absl::Status looked = look ? LookAtStore() : absl::OkStatus();
  BeginLoad();
  bool changed = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!ready_ && AllTried()) ready_ = changed_ = true;
    changed = std::exchange(changed_, false);
  }
  if (changed && options_.on_change) options_.on_change();
  for (size_t i = 0; i < lookers.size(); ++i) {
    changed_store[i].Update(looked);
    lookers[i].done(changed_store[i]);
  }
}

// Frees versions whose last stream has ended.
void ModelManager::FreeUnheld() {
  std::vector<std::unique_ptr<const ServingVersion>> unheld;
  {
    absl::MutexLock lock(&mailbox_->mutex);
    unheld.swap(mailbox_->unheld);
  }
  if (unheld.empty()) return;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& version : unheld) {
      LogEvent(spdlog::level::info,
               {{"event", "version freed"}, {"model", version->model}, {"version", version->version}});
      Entries& entries = models_[version->model];
      const auto entry = entries.find(version->version);
      if (entry == entries.end() || entry->second.state != v1::MODEL_STATE_DRAINING) continue;
      SetState(version->model, version->version, entry->second, v1::MODEL_STATE_UNSPECIFIED);
      entries.erase(entry);
    }
  }
  unheld.clear();
  malloc_trim(0);
}

absl::Status ModelManager::LookAtStore() {
  absl::StatusOr<StoreListing> listing = ListStore(store_);
  {
    absl::MutexLock lock(&mutex_);
    const bool away = !listing.ok();
    const bool was_away = !std::exchange(store_state_.status, listing.status()).ok();
    if (!away) store_state_.last_look = options_.clock->Now();
    if (away != was_away) {
      LogEvent(away ? spdlog::level::warn : spdlog::level::info,
               {{"event", away ? "store cannot be read" : "store is back"},
                {"reason", std::string(listing.status().message())}});
    }
    if (away) return absl::UnavailableError(absl::StrCat("store cannot be read: ", listing.status().message()));
    if (!std::exchange(looked_, true)) {
      for (const auto& [model, versions] : *listing) first_models_.push_back(model);
    }
    listing_ = *std::move(listing);
    // Versions that failed and were deleted since are forgotten; those that serve go on.
    for (auto& [model, entries] : models_) {
      const auto found = listing_.find(model);
      for (auto entry = entries.begin(); entry != entries.end();) {
        const bool listed =
            found != listing_.end() && std::binary_search(found->second.begin(), found->second.end(), entry->first);
        if (entry->second.state == v1::MODEL_STATE_FAILED && !listed) {
          SetState(model, entry->first, entry->second, v1::MODEL_STATE_UNSPECIFIED);
          entry = entries.erase(entry);
        } else {
          ++entry;
        }
      }
    }
  }
  LiftQuarantines();
  return absl::OkStatus();
}

// A quarantined version is tried again once its manifest has another digest.
void ModelManager::LiftQuarantines() {
  struct Suspect {
    std::string model;
    int64_t version;
    std::string digest;
  };
  std::vector<Suspect> suspects;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [model, entries] : models_) {
      for (const auto& [version, entry] : entries) {
        if (entry.state == v1::MODEL_STATE_FAILED && entry.retry_at == absl::InfiniteFuture()) {
          suspects.push_back({model, version, entry.digest});
        }
      }
    }
  }
  for (const Suspect& suspect : suspects) {
    const absl::StatusOr<std::string> digest = ManifestDigest(store_, suspect.model, suspect.version);
    if (!digest.ok() || *digest == suspect.digest) continue;
    absl::MutexLock lock(&mutex_);
    Entry& entry = models_[suspect.model][suspect.version];
    entry.attempts = 0;
    entry.retry_at = absl::InfinitePast();
  }
}

void ModelManager::BeginLoad() {
  std::string model;
  int64_t version = 0;
  {
    absl::MutexLock lock(&mutex_);
    if (loading_) return;
    // Models that cannot answer at all come before better versions of those that can.
    for (const bool served : {false, true}) {
      for (const auto& [name, versions] : listing_) {
        if (serving_->contains(name) != served) continue;
        const auto next = NextToServe(versions, Snapshot(models_[name]), options_.clock->Now());
        if (!next.has_value()) continue;
        Entry& entry = models_[name][*next];
        // A version that is still draining comes back without a load.
        if (ModelHandle handle = entry.handle.lock()) {
          Serve(name, *next, std::move(handle));
          continue;
        }
        SetState(name, *next, entry, v1::MODEL_STATE_LOADING);
        loading_ = true;
        model = name;
        version = *next;
        break;
      }
      if (loading_) break;
    }
    if (!loading_) return;
  }
  options_.executor([this, model, version] { Load(model, version); });
}

void ModelManager::Load(const std::string& model, int64_t version) {
  LogEvent(spdlog::level::info, {{"event", "version loading"}, {"model", model}, {"version", version}});
  const absl::Time begin = absl::Now();
  std::string digest;
  std::optional<VersionGate> gate;
  {
    absl::ReaderMutexLock lock(&mutex_);
    gate = settings_.gate;
  }
  auto loaded = LoadVersion(store_, model, version, {options_.device, std::move(gate), options_.precision}, &digest);
  const absl::Duration duration = absl::Now() - begin;
  metrics_.ObserveLoad(model, duration);
  if (loaded.ok()) {
    nlohmann::json event = {{"event", "version loaded"},
                            {"model", model},
                            {"version", version},
                            {"digest", digest},
                            {"seconds", absl::ToDoubleSeconds(duration)}};
    if (const auto effect = (*loaded)->generator->precision_effect(); effect.has_value()) {
      event["precision_changes"] = effect->differing;
      event["precision_frequency_shift"] = effect->frequency_shift;
    }
    LogEvent(spdlog::level::info, event);
  }
  FinishLoad(model, version, digest, std::move(loaded));
}

void ModelManager::FinishLoad(const std::string& model, int64_t version, const std::string& digest,
                              absl::StatusOr<std::unique_ptr<ServingVersion>> loaded) {
  {
    absl::MutexLock lock(&mailbox_->mutex);
    mailbox_->woken = true;
  }
  absl::MutexLock lock(&mutex_);
  Entry& entry = models_[model][version];
  entry.digest = digest;
  loading_ = false;
  if (loaded.ok()) {
    Serve(model, version, MakeHandle(*std::move(loaded)));
    return;
  }
  const absl::Status& status = loaded.status();
  ++entry.attempts;
  entry.reason = std::string(status.message());
  const bool transient = IsTransient(status.code());
  entry.retry_at = transient ? options_.clock->Now() + RetryDelay(entry.attempts) : absl::InfiniteFuture();
  SetState(model, version, entry, v1::MODEL_STATE_FAILED);
  metrics_.CountLoadFailure(model, absl::StatusCodeToString(status.code()));
  LogEvent(spdlog::level::err, {{"event", "version failed"},
                                {"model", model},
                                {"version", version},
                                {"digest", digest},
                                {"code", absl::StatusCodeToString(status.code())},
                                {"reason", entry.reason},
                                {"retried", transient}});
}

ModelHandle ModelManager::MakeHandle(std::unique_ptr<const ServingVersion> version) const {
  return {version.release(), [mailbox = mailbox_](const ServingVersion* unheld) {
            absl::MutexLock lock(&mailbox->mutex);
            mailbox->unheld.emplace_back(unheld);
            mailbox->woken = true;
          }};
}

void ModelManager::Serve(const std::string& model, int64_t version, ModelHandle handle) {
  auto serving = std::make_shared<ServingMap>(*serving_);
  ModelHandle& place = (*serving)[model];
  if (place != nullptr) {
    SetState(model, place->version, models_[model][place->version], v1::MODEL_STATE_DRAINING);
  }
  place = std::move(handle);
  Entry& entry = models_[model][version];
  entry.handle = place;
  entry.reason.clear();
  entry.attempts = 0;
  SetState(model, version, entry, v1::MODEL_STATE_SERVING);
  LogEvent(spdlog::level::info,
           {{"event", "version serving"}, {"model", model}, {"version", version}, {"digest", place->digest}});
  serving_ = std::move(serving);
}

void ModelManager::SetState(const std::string& model, int64_t version, Entry& entry, v1::ModelState state) {
  entry.state = state;
  changed_ = true;
  metrics_.SetVersionState(model, absl::StrCat(version), state);
}

absl::StatusOr<ModelManager::Choice> ModelManager::Find(const std::string& model, const std::string& version,
                                                        const std::string& digest, absl::string_view) const {
  int64_t number = 0;
  if (!version.empty() && (!absl::SimpleAtoi(version, &number) || number < 1)) {
    return FieldError("version", absl::StrCat("\"", version, "\" is no version; decimal numbers from 1 are"));
  }
  absl::ReaderMutexLock lock(&mutex_);
  const auto entries = models_.find(model);
  if (entries == models_.end() || entries->second.empty()) {
    if (listing_.contains(model)) {
      return RetryLater(absl::StatusCode::kUnavailable, absl::StrCat("model \"", model, "\" is not loaded yet"),
                        kLoadingRetry);
    }
    std::vector<std::string> names;
    for (const auto& [name, versions] : models_) {
      if (!versions.empty()) names.push_back(name);
    }
    return MissingResource("model", model,
                           absl::StrCat("there is no model \"", model, "\"; ",
                                        names.empty() ? "the store has no models" : "there are ", ListNames(names)));
  }
  const auto served = serving_->find(model);
  if (!version.empty()) {
    const auto entry = entries->second.find(number);
    ModelHandle handle = entry == entries->second.end() ? nullptr : entry->second.handle.lock();
    if (handle == nullptr) return WhyNotServed(model, number);
    return Choice{std::move(handle)};
  }
  if (!digest.empty()) {
    for (const auto& [unused, entry] : entries->second) {
      ModelHandle handle = entry.handle.lock();
      if (handle != nullptr && handle->digest == digest) return Choice{std::move(handle)};
    }
  }
  if (served != serving_->end()) return Choice{served->second};
  return WhyNotServed(model, entries->second.rbegin()->first);
}

absl::Status ModelManager::WhyNotServed(const std::string& model, int64_t version) const {
  const Entries& entries = models_.at(model);
  const std::string name = absl::StrCat("version ", version, " of model \"", model, "\"");
  const auto entry = entries.find(version);
  if (entry != entries.end() && entry->second.state == v1::MODEL_STATE_LOADING) {
    return RetryLater(absl::StatusCode::kUnavailable, absl::StrCat(name, " is being loaded"), kLoadingRetry);
  }
  if (entry != entries.end() && entry->second.state == v1::MODEL_STATE_FAILED) {
    const std::string text = absl::StrCat(name, " could not be loaded: ", entry->second.reason);
    if (entry->second.retry_at == absl::InfiniteFuture()) return UnmetPrecondition("version", text);
    return RetryLater(absl::StatusCode::kUnavailable, text, RetryDelay(entry->second.attempts));
  }
  std::vector<std::string> numbers;
  for (const auto& [number, other] : entries) {
    if (!other.handle.expired()) numbers.push_back(absl::StrCat(number));
  }
  const std::string there_are =
      numbers.empty() ? "none is served now" : absl::StrCat("served are ", ListNames(numbers));
  const auto listed = listing_.find(model);
  if (listed != listing_.end() && std::binary_search(listed->second.begin(), listed->second.end(), version)) {
    return UnmetPrecondition("version", absl::StrCat(name, " is in the store but not served any more; ", there_are));
  }
  return MissingResource("version", absl::StrCat(model, "@", version),
                         absl::StrCat("there is no ", name, "; ", there_are));
}

std::vector<VersionStatus> ModelManager::ListLocked() const {
  std::vector<VersionStatus> list;
  for (const auto& [model, entries] : models_) {
    const auto served = serving_->find(model);
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      VersionStatus status;
      status.model = model;
      status.version = entry->first;
      status.state = entry->second.state;
      status.digest = entry->second.digest;
      status.attempts = entry->second.attempts;
      status.handle = entry->second.handle.lock();
      status.is_default = served != serving_->end() && served->second->version == entry->first;
      if (entry->second.state == v1::MODEL_STATE_FAILED) status.reason = entry->second.reason;
      list.push_back(std::move(status));
    }
  }
  return list;
}

std::vector<VersionStatus> ModelManager::List() const {
  absl::ReaderMutexLock lock(&mutex_);
  return ListLocked();
}

absl::Status ModelManager::Retry(const std::string&, int64_t) { return absl::UnimplementedError("retry"); }

absl::Status ModelManager::Pin(const std::string&, int64_t, bool) { return absl::UnimplementedError("pin"); }

absl::StatusOr<std::vector<int64_t>> ModelManager::Unload(const std::string&, int64_t) {
  return absl::UnimplementedError("unload");
}

ModelManager::StoreState ModelManager::store_state() const {
  absl::ReaderMutexLock lock(&mutex_);
  return store_state_;
}

int64_t ModelManager::memory_bytes() const { return 0; }

ModelManager::Held ModelManager::held() const {
  Held held;
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [model, entries] : models_) {
    for (const auto& [version, entry] : entries) {
      if (entry.handle.expired()) continue;
      ++held.versions;
      held.handles += entry.handle.use_count();
    }
  }
  held.handles -= static_cast<int64_t>(serving_->size());
  return held;
}

bool ModelManager::Ready() const {
  absl::ReaderMutexLock lock(&mutex_);
  return ready_;
}

bool ModelManager::AllTried() const {
  if (!looked_) return false;
  for (const std::string& model : first_models_) {
    const auto listed = listing_.find(model);
    if (listed == listing_.end()) continue;
    const auto known = models_.find(model);
    if (known == models_.end()) return false;
    // Versions whose first attempt still runs, or has not begun.
    if (NextToServe(listed->second, Snapshot(known->second), absl::InfinitePast()).has_value()) return false;
    for (const auto& [version, entry] : known->second) {
      if (entry.state == v1::MODEL_STATE_LOADING && entry.attempts == 0) return false;
    }
  }
  return first_models_.empty() || !serving_->empty();
}

bool ModelManager::WaitUntil(const std::function<bool(const std::vector<VersionStatus>&)>& condition,
                             absl::Duration timeout) const {
  const auto fulfilled = [this, &condition]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return condition(ListLocked()); };
  absl::ReaderMutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&fulfilled), timeout);
}

}  // namespace genoserve

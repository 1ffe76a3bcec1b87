#include "server/manager/model_manager.h"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <exception>
#include <new>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/manager/memory_use.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

std::string LineOf(const nlohmann::json& event) {
  return event.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void LogEvent(spdlog::level::level_enum level, const nlohmann::json& event) { spdlog::log(level, "{}", LineOf(event)); }

void LogVersion(const char* event, const std::string& model, int64_t version) {
  LogEvent(spdlog::level::info, {{"event", event}, {"model", model}, {"version", version}});
}

}  // namespace

ModelManager::ModelManager(CheckpointStore& store, Metrics& metrics, Options options)
    : store_(store),
      metrics_(metrics),
      options_(std::move(options)),
      marks_(options_.load_marks),
      mailbox_(std::make_shared<ManagerMailbox>()),
      table_({[this](const std::string& model, int64_t version, v1::ModelState state) {
                mutex_.AssertHeld();
                changed_ = true;
                metrics_.SetVersionState(model, absl::StrCat(version), state);
              },
              [this](const std::string& model, int64_t before, int64_t version) {
                mutex_.AssertHeld();
                OnAnswer(model, before, version);
              }}),
      random_(options_.seed),
      started_(options_.clock->Now()),
      answers_(std::make_shared<const AnswerMap>()) {
  absl::MutexLock lock(&mutex_);
  table_.Configure(options_.settings, started_);
}

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

void ModelManager::LookNoMore() { mailbox_->Stop(); }

void ModelManager::Stop() {
  LookNoMore();
  if (thread_.joinable()) thread_.join();
}

void ModelManager::LookNow(const std::function<void(const absl::Status&)>& done) const {
  mailbox_->Ask({nullptr, done});
}

void ModelManager::ChangeStore(std::function<absl::Status()> task,
                               const std::function<void(const absl::Status&)>& done) {
  mailbox_->Ask({std::move(task), done});
}

void ModelManager::Configure(ManagerSettings settings) { mailbox_->Configure(std::move(settings)); }

void ModelManager::Run() {
  // Until the next look is due, whatever woke the thread before it.
  const auto rest = [this] {
    absl::ReaderMutexLock lock(&mutex_);
    return std::clamp(next_look_ - options_.clock->Now(), absl::ZeroDuration(), table_.settings().poll);
  };
  while (mailbox_->Await(rest())) Step();
}

void ModelManager::Step() {
  FreeUnheld();
  TakeSettings();
  const std::vector<ManagerMailbox::Looker> lookers = mailbox_->TakeLookers();
  std::vector<absl::Status> results(lookers.size());
  for (size_t i = 0; i < lookers.size(); ++i) {
    if (lookers[i].task) results[i] = lookers[i].task();
  }
  bool look = !lookers.empty();
  {
    absl::MutexLock lock(&mutex_);
    const absl::Time now = options_.clock->Now();
    look = look || now >= next_look_;
    if (look) next_look_ = now + table_.settings().poll;
  }
  const absl::Status looked = look ? LookAtStore() : absl::OkStatus();
  FindDigests();
  Act();
  bool changed = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!ready_ && looked_ && table_.AllTried(first_models_, options_.clock->Now())) ready_ = changed_ = true;
    changed = std::exchange(changed_, false);
    metrics_.SetVersions(table_.MemoryInUse(), static_cast<int64_t>(table_.Quarantined().size()));
  }
  WriteLog();
  if (changed && options_.on_change) options_.on_change();
  for (size_t i = 0; i < lookers.size(); ++i) {
    results[i].Update(looked);
    lookers[i].done(results[i]);
  }
}

void ModelManager::TakeSettings() {
  std::optional<ManagerSettings> settings = mailbox_->TakeSettings();
  if (!settings.has_value()) return;
  absl::MutexLock lock(&mutex_);
  table_.Configure(*std::move(settings), options_.clock->Now());
  Publish();
}

// Gives back the memory of versions whose last stream has ended.
void ModelManager::FreeUnheld() {
  std::vector<std::unique_ptr<const ServingVersion>> unheld = mailbox_->TakeReturned();
  if (unheld.empty()) return;
  std::vector<std::pair<std::string, int64_t>> names;
  names.reserve(unheld.size());
  for (const auto& version : unheld) names.emplace_back(version->model, version->version);
  unheld.clear();
  malloc_trim(0);
  for (const auto& [model, version] : names) {
    LogVersion("version freed", model, version);
    absl::MutexLock lock(&mutex_);
    table_.SetFreed(model, version, options_.clock->Now());
    Publish();
  }
}

absl::Status ModelManager::LookAtStore() {
  StoreListing before;
  {
    absl::ReaderMutexLock lock(&mutex_);
    before = table_.listing();
  }
  StoreLook look = genoserve::LookAtStore(store_, before);
  std::vector<ModelTable::Named> suspects;
  absl::Status was;
  {
    absl::MutexLock lock(&mutex_);
    was = std::exchange(store_state_.status, look.status);
    table_.SetReadWhole(look.status.ok());
    if (look.reachable) {
      const absl::Time now = options_.clock->Now();
      store_state_.last_look = now;
      if (!std::exchange(looked_, true)) {
        for (const auto& [model, versions] : look.listing) first_models_.push_back(model);
      }
      table_.SetListing(std::move(look.listing), now);
      Publish();
      suspects = table_.Quarantined();
    }
  }
  // The texts of one trouble differ from look to look.
  if (look.status.code() != was.code()) {
    LogEvent(look.status.ok() ? spdlog::level::info : spdlog::level::warn,
             {{"event", look.status.ok() ? "store is back" : "store cannot be read"},
              {"reason", std::string(look.status.message())}});
  }
  if (!look.reachable) return look.status;
  // A quarantined version is tried again once its manifest has another digest.
  for (const ModelTable::Named& suspect : suspects) {
    const auto digest = ManifestDigest(store_, suspect.model, suspect.version);
    if (!digest.ok() || *digest == suspect.digest) continue;
    absl::MutexLock lock(&mutex_);
    table_.SetDigest(suspect.model, suspect.version, *digest, options_.clock->Now());
    Publish();
  }
  return absl::OkStatus();
}

// Reads one manifest for a request that names a version by its digest; others follow in the steps to come.
void ModelManager::FindDigests() {
  std::optional<ModelTable::Named> unknown;
  {
    absl::ReaderMutexLock lock(&mutex_);
    unknown = table_.UnknownDigest();
  }
  if (!unknown.has_value()) return;
  const auto digest = ManifestDigest(store_, unknown->model, unknown->version);
  {
    absl::MutexLock lock(&mutex_);
    table_.SetDigest(unknown->model, unknown->version, digest.value_or(""), options_.clock->Now());
    Publish();
  }
  mailbox_->Wake();
}

void ModelManager::Act() {
  while (true) {
    Action action;
    {
      absl::MutexLock lock(&mutex_);
      const absl::Time now = options_.clock->Now();
      action = NextAction(table_.Facts(now, loading_));
      if (action.kind == Action::Kind::kNone) return;
      table_.Apply(action, now);
      Publish();
      if (action.kind == Action::Kind::kLoad || action.kind == Action::Kind::kVerify) loading_ = true;
    }
    switch (action.kind) {
      case Action::Kind::kEstimate:
        Estimate(action);
        break;
      case Action::Kind::kVerify:
        options_.executor([this, action] { Verify(action); });
        return;
      case Action::Kind::kLoad:
        options_.executor([this, action] { Load(action); });
        return;
      default:
        break;
    }
  }
}

void ModelManager::Estimate(const Action& action) {
  std::string digest;
  const auto manifest = ReadManifest(store_, action.model, action.version, &digest);
  absl::MutexLock lock(&mutex_);
  if (manifest.ok()) {
    table_.SetEstimate(action.model, action.version, EstimateMemory(*manifest));
  } else {
    Fail(action, digest, manifest.status());
  }
  Publish();
}

void ModelManager::Verify(const Action& action) {
  LogVersion("version being verified", action.model, action.version);
  std::string digest;
  const absl::Status status = Guarded([&](const LoadOptions& options) {
    return VerifyVersion(store_, action.model, action.version, options, &digest);
  });
  {
    absl::MutexLock lock(&mutex_);
    if (status.ok()) {
      table_.SetVerified(action.model, action.version, options_.clock->Now());
    } else {
      Fail(action, digest, status);
    }
    Publish();
  }
  EndLoad();
}

// An exception is as good a reason as a status not to serve a version, and none to end the server.
absl::Status ModelManager::Guarded(const std::function<absl::Status(const LoadOptions&)>& work) {
  std::optional<VersionGate> gate;
  {
    absl::ReaderMutexLock lock(&mutex_);
    gate = table_.settings().gate;
  }
  try {
    return work({options_.device, std::move(gate), options_.precision});
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("out of memory while it was loaded");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("an exception while it was loaded: ", error.what()));
  }
}

void ModelManager::Load(const Action& action) {
  LogVersion("version loading", action.model, action.version);
  const absl::Time begin = absl::Now();
  std::string digest;
  std::unique_ptr<ServingVersion> loaded;
  const absl::Status status = Guarded([&](const LoadOptions& options) -> absl::Status {
    GENOSERVE_ASSIGN_OR_RETURN(digest, ManifestDigest(store_, action.model, action.version));
    GENOSERVE_RETURN_IF_ERROR(marks_.Begin(digest));
    const absl::Cleanup end = [&] { marks_.End(digest); };
    GENOSERVE_ASSIGN_OR_RETURN(loaded, LoadVersion(store_, action.model, action.version, options));
    return absl::OkStatus();
  });
  const absl::Duration duration = absl::Now() - begin;
  metrics_.ObserveLoad(action.model, duration);
  if (status.ok()) {
    nlohmann::json event = {{"event", "version loaded"},
                            {"model", action.model},
                            {"version", action.version},
                            {"digest", loaded->digest},
                            {"seconds", absl::ToDoubleSeconds(duration)},
                            {"bytes", loaded->memory_bytes}};
    if (const auto effect = loaded->generator->precision_effect(); effect.has_value()) {
      event["precision_changes"] = effect->differing;
      event["precision_frequency_shift"] = effect->frequency_shift;
    }
    LogEvent(spdlog::level::info, event);
    const absl::Time published = store_.PublishedAt(action.model, action.version).value_or(absl::InfinitePast());
    if (published >= started_) loaded->published = published;
  }
  {
    absl::MutexLock lock(&mutex_);
    if (status.ok()) {
      const int64_t bytes = loaded->memory_bytes;
      table_.SetLoaded(action.model, action.version, MakeHandle(std::move(loaded)), bytes, duration,
                       options_.clock->Now());
    } else {
      Fail(action, digest, status);
    }
    Publish();
  }
  EndLoad();
}

// The manager may be destroyed once this has returned the lock.
void ModelManager::EndLoad() {
  WriteLog();
  absl::MutexLock lock(&mutex_);
  loading_ = false;
  mailbox_->Wake();
}

void ModelManager::Fail(const Action& action, const std::string& digest, const absl::Status& status) {
  constexpr double kOfAll = 0x1p-53;
  const double jitter = static_cast<double>(random_() >> 11) * kOfAll;
  table_.SetFailed(action.model, action.version, digest, status, jitter, options_.clock->Now());
  metrics_.CountLoadFailure(action.model, absl::StatusCodeToString(status.code()));
  const nlohmann::json event = {{"event", "version failed"},
                                {"model", action.model},
                                {"version", action.version},
                                {"digest", digest},
                                {"code", absl::StatusCodeToString(status.code())},
                                {"reason", std::string(status.message())},
                                {"retried", IsTransient(status.code())}};
  log_.push_back({/*error=*/true, LineOf(event)});
}

ModelHandle ModelManager::MakeHandle(std::unique_ptr<const ServingVersion> version) const {
  return {version.release(), [mailbox = mailbox_](const ServingVersion* unheld) {
            mailbox->Return(std::unique_ptr<const ServingVersion>(unheld));
          }};
}

void ModelManager::Publish() {
  std::shared_ptr<const AnswerMap> answers = table_.answers();
  absl::MutexLock lock(&answers_mutex_);
  answers_.swap(answers);
}

std::shared_ptr<const AnswerMap> ModelManager::answers() const {
  absl::ReaderMutexLock lock(&answers_mutex_);
  return answers_;
}

void ModelManager::OnAnswer(const std::string& model, int64_t before, int64_t version) {
  changed_ = true;
  metrics_.CountSwap(model);
  nlohmann::json event = {{"event", "version serving"}, {"model", model}, {"version", version}};
  if (before != 0) event["before"] = before;
  log_.push_back({/*error=*/false, LineOf(event)});
}

void ModelManager::WriteLog() {
  std::vector<LogLine> lines;
  {
    absl::MutexLock lock(&mutex_);
    lines.swap(log_);
  }
  for (const LogLine& line : lines) spdlog::log(line.error ? spdlog::level::err : spdlog::level::info, "{}", line.text);
}

absl::StatusOr<ModelManager::Choice> ModelManager::Find(const std::string& model, const std::string& version,
                                                        const std::string& digest, absl::string_view sticky) const {
  int64_t number = 0;
  if (!version.empty() && (!absl::SimpleAtoi(version, &number) || number < 1)) {
    return FieldError("version", absl::StrCat("\"", version, "\" is no version; decimal numbers from 1 are"));
  }
  const absl::Time now = options_.clock->Now();
  if (version.empty() && digest.empty()) {
    const std::shared_ptr<const AnswerMap> all = answers();
    if (const auto found = all->find(model); found != all->end()) {
      const Answers& answer = found->second;
      const bool chosen = answer.canary_use != nullptr && GoesToCanary(model, sticky, answer.canary_percent);
      const bool canary = chosen && answer.canary != nullptr;
      if (chosen && !canary) {
        // Its share is answered by the default version until it is back.
        answer.canary_use->Note(now);
        if (!answer.canary_use->asked.exchange(true)) mailbox_->Wake();
      }
      (canary ? answer.canary_use : answer.use)->Note(now);
      return Choice{canary ? answer.canary : answer.handle, canary};
    }
  }
  bool wake = false;
  absl::StatusOr<ModelHandle> handle;
  {
    absl::ReaderMutexLock lock(&mutex_);
    handle = table_.Find(model, number, digest, now, &wake);
  }
  if (wake) mailbox_->Wake();
  if (!handle.ok()) return handle.status();
  return Choice{*std::move(handle)};
}

absl::Status ModelManager::Retry(const std::string& model, int64_t version) {
  for (const VersionStatus& status : List()) {
    if (status.model == model && status.version == version) marks_.End(status.digest);
  }
  absl::MutexLock lock(&mutex_);
  absl::Status status = table_.Retry(model, version, options_.clock->Now());
  Publish();
  mailbox_->Wake();
  return status;
}

absl::Status ModelManager::Pin(const std::string& model, int64_t version, bool pinned) {
  absl::MutexLock lock(&mutex_);
  absl::Status status = table_.Pin(model, version, pinned, options_.clock->Now());
  Publish();
  mailbox_->Wake();
  return status;
}

absl::StatusOr<std::vector<int64_t>> ModelManager::Unload(const std::string& model, int64_t version) {
  absl::MutexLock lock(&mutex_);
  absl::StatusOr<std::vector<int64_t>> unloaded = table_.Unload(model, version, options_.clock->Now());
  Publish();
  mailbox_->Wake();
  return unloaded;
}

std::vector<VersionStatus> ModelManager::List() const {
  absl::ReaderMutexLock lock(&mutex_);
  return table_.List();
}

ModelManager::StoreState ModelManager::store_state() const {
  absl::ReaderMutexLock lock(&mutex_);
  return store_state_;
}

int64_t ModelManager::memory_bytes() const {
  absl::ReaderMutexLock lock(&mutex_);
  return table_.MemoryInUse();
}

ModelManager::Held ModelManager::held() const {
  absl::ReaderMutexLock lock(&mutex_);
  return {table_.Handles(), table_.InMemory()};
}

bool ModelManager::Ready() const {
  absl::ReaderMutexLock lock(&mutex_);
  return ready_;
}

bool ModelManager::WaitUntil(const std::function<bool(const std::vector<VersionStatus>&)>& condition,
                             absl::Duration timeout) const {
  const auto fulfilled = [this, &condition]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return condition(table_.List()); };
  absl::ReaderMutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(absl::Condition(&fulfilled), timeout);
}

}  // namespace genoserve

#include "server/server.h"

#include <google/protobuf/text_format.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/server_builder.h>
#include <spdlog/spdlog.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/cached_store.h"
#include "core/base/clock.h"
#include "core/base/cpus.h"
#include "core/base/file.h"
#include "core/base/loopback.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/quality/gate.h"
#include "server/config.h"
#include "server/config_change.h"
#include "server/rpc_error.h"
#include "server/security/credentials.h"

namespace genoserve {
namespace {

constexpr int kLargestRequest = 1 << 20;    // bytes
constexpr int kLargestMetadata = 32 << 10;  // bytes
constexpr int kKeepaliveMs = 60'000;        // a client that vanished without a word is noticed by then
// gRPC also takes it as TCP_USER_TIMEOUT: a client that is stopped or asleep for less than this keeps its stream.
constexpr int kKeepaliveTimeoutMs = 180'000;
constexpr int kShortestPingMs = 20'000;       // between pings of a client
constexpr int kHandshakeTimeoutMs = 20'000;   // for a connection that says nothing, or half of what is due
constexpr int kMostCalls = 1024;              // of one connection; a client holds further ones back itself
constexpr char kLoadMarksFolder[] = "loads";  // of the cache
constexpr uint64_t kCacheBytes = uint64_t{10} << 30;
constexpr int kGpuWorkers = 2;  // a tile is copied out and handed on while the next one is computed
constexpr absl::Duration kElsewhereRetry = absl::Seconds(1);
constexpr absl::Duration kGrace = absl::Seconds(2);  // for the last words of streams that were told to end

void LogEvent(const nlohmann::json& fields) { spdlog::info("{}", fields.dump()); }

std::string HostPort(const std::string& host, int port) {
  return host.find(':') == std::string::npos ? absl::StrCat(host, ":", port) : absl::StrCat("[", host, "]:", port);
}

Authenticator::Rules RulesOf(const v1::ServerConfig& config, std::optional<TokenTable> tokens) {
  Authenticator::Rules rules;
  for (const v1::Principal& principal : config.principals()) {
    if (principal.admin()) rules.admins.insert(principal.name());
  }
  rules.all_are_admins = IsLoopbackHost(config.host()) && !tokens.has_value() && config.tls().client_ca().empty();
  rules.tokens = std::move(tokens);
  return rules;
}

absl::StatusOr<std::unique_ptr<CheckpointStore>> Open(const v1::ServerConfig& config) {
  if (config.cache().empty()) return OpenStore(config.store(), /*create=*/false);
  const uint64_t bytes = config.cache_bytes() > 0 ? static_cast<uint64_t>(config.cache_bytes()) : kCacheBytes;
  return OpenCachedStore(config.store(), config.cache(), bytes);
}

// What streams are told that a drain cuts short; another server takes them up.
absl::Status Going(absl::string_view message) {
  return RetryLater(absl::StatusCode::kUnavailable, message, kElsewhereRetry);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const v1::ServerConfig& config, const Options& options) {
  GENOSERVE_RETURN_IF_ERROR(ValidateConfig(config));
  GENOSERVE_ASSIGN_OR_RETURN(const DeviceChoice choice, ParseDeviceChoice(config.device()));
  GENOSERVE_ASSIGN_OR_RETURN(const DeviceKind device, ResolveDevice(choice));
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<CheckpointStore> store, Open(config));
  GENOSERVE_ASSIGN_OR_RETURN(ConfigFiles files, ReadFiles(config));
  std::unique_ptr<Server> server(new Server(config, device, std::move(store), std::move(files), options));
  GENOSERVE_RETURN_IF_ERROR(server->Listen());
  return server;
}

absl::StatusOr<Server::ConfigFiles> Server::ReadFiles(const v1::ServerConfig& config) {
  ConfigFiles files;
  if (!config.token_hashes().empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(files.tokens, TokenTable::Read(config.token_hashes()));
  }
  if (!config.gate().empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(v1::Gate limits, ReadGate(config.gate()));
    files.gate = VersionGate{config.gate(), std::move(limits)};
  }
  return files;
}

Server::Server(const v1::ServerConfig& config, DeviceKind device, std::unique_ptr<CheckpointStore> store,
               ConfigFiles files, Options options)
    : config_(config),
      options_(std::move(options)),
      device_(device),
      store_(std::move(store)),
      cache_(dynamic_cast<const CachedStore*>(store_.get())),
      authenticator_(RulesOf(config, files.tokens)),
      live_(
          config.stall_timeout_seconds() > 0 ? absl::Seconds(config.stall_timeout_seconds()) : absl::InfiniteDuration(),
          Clock::Steady()),
      gate_(config.max_streams(), metrics_),
      files_(std::move(files)),
      in_force_(config) {
  const Precision precision = ParsePrecision(config.precision()).value();
  metrics_.SetBuildInfo(GENOSERVE_VERSION, EngineOf(device, precision));
  ModelManager::Options manager;
  manager.device = device;
  manager.precision = precision;
  manager.settings = SettingsOf(config, files_.gate);
  if (!config.cache().empty()) manager.load_marks = JoinPath(config.cache(), kLoadMarksFolder);
  manager.executor = [this](std::function<void()> task) { loader_.Post(std::move(task)); };
  manager.on_change = [this] { UpdateHealth(); };
  manager_ = std::make_unique<ModelManager>(*store_, metrics_, std::move(manager));
  TileScheduler::Options scheduler;
  scheduler.workers = device == DeviceKind::kCuda ? kGpuWorkers
                      : config.threads() > 0      ? config.threads()
                                                  : DefaultWorkers();
  scheduler.pin = options_.pin_workers && device == DeviceKind::kCpu;
  scheduler.max_queued_samples = MaxQueuedSamples(config);
  scheduler.principals.assign(config.principals().begin(), config.principals().end());
  scheduler_ = std::make_unique<TileScheduler>(metrics_, scheduler);
  const ServiceParts parts{config_, authenticator_, *manager_, *scheduler_, gate_, metrics_, live_};
  service_ = std::make_unique<CohortService>(parts);
  operations_ = std::make_unique<OperationsService>(parts, [this](v1::ServerStatus& status) { FillStatus(status); });
  const auto reload = [this](std::function<void(const absl::StatusOr<std::vector<std::string>>&)> done) {
    chores_.Post([this, done = std::move(done)] { done(ReloadConfig()); });
  };
  admin_ = std::make_unique<AdminService>(parts, AdminService::Doors{*manager_, *store_, reload});
}

absl::Status Server::Listen() {
  GENOSERVE_ASSIGN_OR_RETURN(const auto credentials, MakeServerCredentials(config_));
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  const std::string address = HostPort(config_.host(), config_.port());
  // A second server on the same port must fail instead of sharing it.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kLargestMetadata);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kShortestPingMs);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMostCalls);
  if (config_.max_connection_age_seconds() > 0) {
    // The grace after it has no end: an old connection lasts until its last stream is over.
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS,
                               static_cast<int>(std::ceil(config_.max_connection_age_seconds() * 1000)));
  }
  builder.SetMaxReceiveMessageSize(kLargestRequest);
  // The limit holds for a message as it comes: compressed, a megabyte could become a gigabyte. Packed genotypes do not
  // get smaller either.
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
  builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  builder.AddListeningPort(address, credentials, &port_);
  builder.RegisterService(service_.get());
  builder.RegisterService(operations_.get());
  builder.RegisterService(admin_.get());
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> guards;
  guards.push_back(MakeReflectionGuard(authenticator_));
  builder.experimental().SetInterceptorCreators(std::move(guards));
  grpc_ = builder.BuildAndStart();
  if (grpc_ == nullptr || port_ == 0) {
    return absl::UnavailableError(
        absl::StrCat("cannot listen on ", address, ": the port is in use or the address is not of this machine"));
  }
  grpc_->GetHealthCheckService()->SetServingStatus("", false);
  GENOSERVE_ASSIGN_OR_RETURN(
      http_,
      HttpServer::Start(config_.host(), config_.http_port(),
                        {[this] { return MetricsPage(); },
                         [this] { return scheduler_->stats().device_broken ? "the device is broken" : std::string(); },
                         [this] { return WhyNotReady(); }}));
  manager_->Start();
  watch_ = FolderWatch::Start(config_.store(), [this] { manager_->LookNow([](const absl::Status&) {}); });
  pulse_ = std::make_unique<LoopbackPulse>(*grpc_);
  if (live_.patience() != absl::InfiniteDuration()) stall_watch_ = std::make_unique<StallWatch>(live_);
  LogEvent({{"event", "listening"}, {"host", config_.host()}, {"port", port_}, {"http_port", http_->port()}});
  return absl::OkStatus();
}

ManagerSettings Server::SettingsOf(const v1::ServerConfig& config, std::optional<VersionGate> gate) const {
  ManagerSettings settings;
  settings.models.assign(config.models().begin(), config.models().end());
  settings.gate = std::move(gate);
  settings.poll = absl::Seconds(config.poll_seconds());
  settings.memory_budget = device_ == DeviceKind::kCuda ? config.gpu_memory_budget() : config.memory_budget();
  return settings;
}

absl::StatusOr<std::vector<std::string>> Server::ReloadConfig() {
  absl::MutexLock one(&reload_mutex_);
  auto changes = [this]() -> absl::StatusOr<std::vector<std::string>> {
    if (!options_.read_config) {
      return absl::FailedPreconditionError(
          "the server was started without --config, so there is no file to read again");
    }
    GENOSERVE_ASSIGN_OR_RETURN(const v1::ServerConfig config, options_.read_config());
    GENOSERVE_RETURN_IF_ERROR(ValidateConfig(config));
    v1::ServerConfig before;
    {
      absl::MutexLock lock(&mutex_);
      before = in_force_;
    }
    GENOSERVE_RETURN_IF_ERROR(CheckReloadable(before, config));
    GENOSERVE_ASSIGN_OR_RETURN(ConfigFiles files, ReadFiles(config));
    std::vector<std::string> described = DescribeChanges(before, config);
    if (before.token_hashes() == config.token_hashes() && files.tokens != files_.tokens) {
      described.push_back(absl::StrCat("token_hashes: ", config.token_hashes(), " has other tokens"));
    }
    if (before.gate() == config.gate() && files.gate != files_.gate) {
      described.push_back(absl::StrCat("gate: ", config.gate(), " has other limits"));
    }
    authenticator_.Replace(RulesOf(config, files.tokens));
    scheduler_->SetPrincipals({config.principals().begin(), config.principals().end()});
    manager_->Configure(SettingsOf(config, files.gate));
    files_ = std::move(files);
    absl::MutexLock lock(&mutex_);
    in_force_ = config;
    return described;
  }();
  nlohmann::json event = {{"event", changes.ok() ? "configuration read" : "configuration refused"}};
  if (changes.ok()) event["changes"] = *changes;
  if (!changes.ok()) event["reason"] = std::string(changes.status().message());
  spdlog::log(changes.ok() ? spdlog::level::info : spdlog::level::err, "{}", event.dump());
  metrics_.CountConfigReload(changes.ok());
  return changes;
}

void Server::FillStatus(v1::ServerStatus& status) const {
  v1::ServerConfig config;
  {
    absl::MutexLock lock(&mutex_);
    config = in_force_;
  }
  // Versions that come from the cache hide that the store is away.
  if (cache_ != nullptr && status.store_error().empty()) {
    status.set_store_error(std::string(cache_->store_error().message()));
  }
  status.set_memory_budget(SettingsOf(config, std::nullopt).memory_budget);
  google::protobuf::TextFormat::Printer printer;
  std::string text;
  printer.PrintToString(config, &text);
  status.set_config_digest(Sha256Hex(text));
}

void Server::UpdateHealth() {
  std::set<std::string> healthy;
  for (const VersionStatus& version : manager_->List()) {
    if (version.is_default) healthy.insert(version.model);
  }
  grpc::HealthCheckServiceInterface& health = *grpc_->GetHealthCheckService();
  absl::MutexLock lock(&mutex_);
  if (draining_) return;
  for (const std::string& model : healthy_models_) {
    if (!healthy.contains(model)) health.SetServingStatus(model, false);
  }
  for (const std::string& model : healthy) health.SetServingStatus(model, true);
  healthy_models_ = std::move(healthy);
  health.SetServingStatus("", manager_->Ready());
}

Metrics::Live Server::live() const {
  const TileScheduler::Stats work = scheduler_->stats();
  const ModelManager::Held held = manager_->held();
  Metrics::Live live;
  live.jobs = work.live_jobs;
  live.batches = work.live_batches;
  live.streams = live_.streams();
  live.handles = held.handles;
  live.versions = held.versions;
  live.buffered_bytes = work.buffered_bytes + live_.writing_bytes();
  return live;
}

std::string Server::MetricsPage() {
  metrics_.SetLive(live());
  const ModelManager::StoreState store = manager_->store_state();
  metrics_.SetStore(store.status.ok() && (cache_ == nullptr || cache_->store_error().ok()), store.last_look);
  if (cache_ != nullptr) metrics_.SetCache(cache_->counts());
  return metrics_.Serialize();
}

std::string Server::WhyNotReady() const {
  {
    absl::MutexLock lock(&mutex_);
    if (draining_) return "draining";
  }
  if (scheduler_->stats().device_broken) return "the device is broken";
  return manager_->Ready() ? "" : "loading models";
}

void Server::Drain() {
  LogEvent({{"event", "draining"}, {"streams", gate_.streams()}});
  {
    absl::MutexLock lock(&mutex_);
    draining_ = true;
  }
  grpc_->GetHealthCheckService()->Shutdown();
  gate_.Pause(absl::Seconds(config_.drain_delay_seconds()));
  gate_.Close();
  watch_.reset();
  // A store that answers slowly must not hold up the end of streams.
  manager_->LookNoMore();
  if (!gate_.AwaitIdle(absl::Seconds(config_.drain_timeout_seconds()))) {
    scheduler_->FailAll(Going("the server is shutting down; resume at the next sample elsewhere"));
  }
  pulse_.reset();
  grpc_->Shutdown(absl::ToChronoTime(absl::Now() + kGrace));
  LogEvent({{"event", "stopped"}});
}

Server::~Server() {
  gate_.Close();
  watch_.reset();
  manager_->Stop();
  scheduler_->FailAll(Going("the server is shutting down"));
  pulse_.reset();
  http_.reset();
  // Also after a drain: all reactors are gone when it returns.
  if (grpc_ != nullptr) grpc_->Shutdown(absl::ToChronoTime(absl::Now()));
}

}  // namespace genoserve

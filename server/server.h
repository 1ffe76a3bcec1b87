// The server as a whole.
#pragma once

#include <grpcpp/server.h>

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "core/artifact/cached_store.h"
#include "core/http/http_server.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/config.pb.h"
#include "server/loopback_pulse.h"
#include "server/manager/background_thread.h"
#include "server/manager/folder_watch.h"
#include "server/manager/model_manager.h"
#include "server/scheduler/tile_scheduler.h"
#include "server/security/authenticator.h"
#include "server/service/admin_service.h"
#include "server/service/cohort_service.h"
#include "server/service/operations_service.h"
#include "server/service/stream_gate.h"
#include "server/telemetry/metrics.h"

namespace genoserve {

/// A running server: gRPC with CohortService, OperationsService, health and reflection on one port, metrics and probes
/// by HTTP on another.
///
/// Health names: "" is the server, a model's name is that model (SERVING where it has a default version). The server is
/// ready once it has tried all models that it found at its first look at the store, and at least one serves or there
/// was none; a drain ends that. Thread-safe.
class Server {
 public:
  struct Options {
    bool pin_workers = false;  ///< to processors; for a machine that the server has for itself
    /// Reads the configuration again as it was read at the start; empty where there is no file to read.
    std::function<absl::StatusOr<v1::ServerConfig>()> read_config = {};
  };

  /// Starts everything. INVALID_ARGUMENT and FAILED_PRECONDITION for the configuration, NOT_FOUND for a store or file
  /// that is not there, UNAVAILABLE for an address that cannot be listened on; one sentence each.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const v1::ServerConfig& config, const Options& options);
  /// Ends what is left without waiting for streams.
  ~Server();

  /// The ports that it listens on.
  int port() const { return port_; }
  int http_port() const { return http_->port(); }

  /// Stops in stages: not ready at once, new requests refused after the drain delay, streams that have not ended after
  /// the drain timeout are told UNAVAILABLE. Returns when no stream is left. Call once.
  void Drain();
  /// Cuts the waits of Drain short, also before it is called.
  void HurryUp() { gate_.Hurry(); }

  /// Reads the configuration again and takes it, whole, for what comes from now on; tells what changed. After any error
  /// nothing has changed: those of reading, ValidateConfig and CheckReloadable. FAILED_PRECONDITION without a file.
  absl::StatusOr<std::vector<std::string>> ReloadConfig() ABSL_LOCKS_EXCLUDED(mutex_);

  const ModelManager& models() const { return *manager_; }
  TileScheduler::Stats scheduler_stats() const { return scheduler_->stats(); }
  /// Streams that run.
  int streams() const { return gate_.streams(); }
  /// What exists now.
  Metrics::Live live() const;

 private:
  // The files that a configuration names, as they were read with it.
  struct ConfigFiles {
    std::optional<TokenTable> tokens;
    std::optional<VersionGate> gate;
  };
  static absl::StatusOr<ConfigFiles> ReadFiles(const v1::ServerConfig& config);

  Server(const v1::ServerConfig& config, DeviceKind device, std::unique_ptr<CheckpointStore> store, ConfigFiles files,
         Options options);

  absl::Status Listen();
  void UpdateHealth();
  std::string WhyNotReady() const;
  std::string MetricsPage();
  void FillStatus(v1::ServerStatus& status) const;
  ManagerSettings SettingsOf(const v1::ServerConfig& config, std::optional<VersionGate> gate) const;

  const v1::ServerConfig config_;  // as the server was started
  const Options options_;
  const DeviceKind device_;
  Metrics metrics_;
  const std::unique_ptr<CheckpointStore> store_;
  const CachedStore* const cache_;  // store_ where it has a cache, else null
  Authenticator authenticator_;
  LiveStreams live_;
  std::unique_ptr<StallWatch> stall_watch_;
  StreamGate gate_;
  BackgroundThread loader_;
  std::unique_ptr<ModelManager> manager_;
  std::unique_ptr<TileScheduler> scheduler_;
  std::unique_ptr<CohortService> service_;
  std::unique_ptr<OperationsService> operations_;
  std::unique_ptr<AdminService> admin_;
  std::unique_ptr<grpc::Server> grpc_;
  int port_ = 0;
  std::unique_ptr<LoopbackPulse> pulse_;
  std::unique_ptr<HttpServer> http_;

  std::unique_ptr<FolderWatch> watch_;

  absl::Mutex reload_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);  // one reload at a time
  mutable absl::Mutex mutex_;
  ConfigFiles files_ ABSL_GUARDED_BY(reload_mutex_);  // that are in force
  v1::ServerConfig in_force_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> healthy_models_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  BackgroundThread chores_;  // last: what it runs uses all others
};

}  // namespace genoserve

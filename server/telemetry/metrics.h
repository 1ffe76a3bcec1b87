// What Prometheus scrapes. Names are in seconds, bytes and samples; series carry model, version, method and code.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/artifact/cached_store.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// All metrics of a server. Thread-safe. Streams look their series up once and then only add to them.
///
/// How many series there are depends on the versions that the server knows and on nothing that callers send: labels
/// are set to names that were found in the store, and the series of a version go when it does.
class Metrics {
 public:
  /// Series of the cohort streams of one version; good for as long as the version is held.
  struct VersionSeries {
    prometheus::Counter* samples;        // sent
    prometheus::Counter* bytes;          // of genotypes, sent
    prometheus::Histogram* queue;        // seconds from admission to the first tile
    prometheus::Histogram* first_batch;  // seconds from the request to the first batch's hand-over
  };

  /// What exists in a server, by kind. All are 0 where nobody asks for anything, but for the loaded versions.
  struct Live {
    int64_t jobs = 0;            ///< of the scheduler
    int64_t batches = 0;         ///< in rings, or on their way to a stream
    int64_t streams = 0;         ///< reactors, of refused calls too
    int64_t handles = 0;         ///< versions held by requests and jobs
    int64_t versions = 0;        ///< loaded
    int64_t buffered_bytes = 0;  ///< of batches in rings and of those being written
  };

  Metrics();

  /// Tells which build this is, and on what it runs.
  void SetBuildInfo(absl::string_view version, const v1::Engine& engine);

  VersionSeries OfVersion(const std::string& model, const std::string& version);

  /// Counts a finished request and how long it took. `model` and `version` are those that the request still holds, and
  /// empty where it holds none.
  void CountRequest(absl::string_view method, const std::string& model, const std::string& version,
                    absl::string_view code, absl::Duration duration);

  /// Counts a request that was not taken up: "authentication", "streams" (too many), "draining", or what the scheduler
  /// says: "queue" (too many samples), "deadline" (that cannot be met).
  void CountRefusal(absl::string_view reason);

  /// One series a state, of which one is 1. MODEL_STATE_UNSPECIFIED says that the version is gone: all series of it go.
  void SetVersionState(const std::string& model, const std::string& version, v1::ModelState state);

  /// Counts a reading of the configuration: taken, or refused.
  void CountConfigReload(bool taken);

  void ObserveLoad(const std::string& model, absl::Duration duration);
  void CountLoadFailure(const std::string& model, absl::string_view code);
  /// Another version of a model answers requests that name none.
  void CountSwap(const std::string& model);
  /// From the publication of a version to the first batch of it that was sent.
  void ObservePublishToFirstBatch(const std::string& model, absl::Duration duration);
  /// Whether all of the store could be read at the last look, and when it could last be read (InfinitePast = never).
  void SetStore(bool reachable, absl::Time last_look);
  /// What the cache of the store did, and holds.
  void SetCache(const CacheCounts& counts);
  /// Of all loaded versions, as budgets count them, and how many versions are quarantined.
  void SetVersions(int64_t memory_bytes, int64_t quarantined);

  /// One generated tile: how long it took and how many samples it held.
  void ObserveTile(absl::Duration duration, int64_t samples);

  prometheus::Gauge& in_flight_streams() { return in_flight_streams_; }
  /// Admitted but not yet sent, of the requests of a class: "interactive", "ci" or "bulk".
  prometheus::Gauge& queued_samples(absl::string_view request_class);

  /// Brings the gauges of what exists up to date, for the next Serialize.
  void SetLive(const Live& live);

  /// The Prometheus text format.
  std::string Serialize() const;

 private:
  using VersionKey = std::pair<std::string, std::string>;  // model, version
  // Counter and seconds of the requests of one method that ended with one code.
  struct RequestSeries {
    prometheus::Counter* count = nullptr;
    prometheus::Histogram* seconds = nullptr;
  };
  struct OneVersion {
    VersionSeries streams{};
    std::map<std::pair<std::string, std::string>, RequestSeries> requests;  // by method and code
  };

  void Drop(const VersionKey& key) ABSL_LOCKS_EXCLUDED(mutex_);

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& request_seconds_;
  prometheus::Family<prometheus::Counter>& refusals_;
  prometheus::Family<prometheus::Counter>& samples_;
  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Family<prometheus::Histogram>& queue_;
  prometheus::Family<prometheus::Histogram>& first_batch_;
  prometheus::Family<prometheus::Histogram>& load_;
  prometheus::Family<prometheus::Counter>& config_reloads_;
  prometheus::Family<prometheus::Counter>& load_failures_;
  prometheus::Family<prometheus::Counter>& swaps_;
  prometheus::Family<prometheus::Histogram>& publish_to_first_batch_;
  prometheus::Gauge& memory_bytes_;
  prometheus::Gauge& quarantined_;
  prometheus::Gauge& store_reachable_;
  prometheus::Gauge& store_last_look_;
  prometheus::Family<prometheus::Gauge>& cache_;
  prometheus::Family<prometheus::Gauge>& version_state_;
  prometheus::Family<prometheus::Gauge>& build_info_;
  prometheus::Family<prometheus::Gauge>& live_;
  prometheus::Gauge& buffered_bytes_;
  prometheus::Histogram& tile_;
  prometheus::Histogram& tile_samples_;
  prometheus::Counter& generated_;
  prometheus::Gauge& in_flight_streams_;
  prometheus::Family<prometheus::Gauge>& queued_samples_;

  absl::Mutex mutex_;
  std::map<VersionKey, OneVersion> versions_ ABSL_GUARDED_BY(mutex_);
};

/// "loading", "serving", "draining", "failed" or "unloaded".
absl::string_view StateName(v1::ModelState state);

}  // namespace genoserve

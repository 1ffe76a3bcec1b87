// What Prometheus scrapes. Names are in seconds, bytes and samples; series carry model, version, method and code.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// All metrics of a server. Thread-safe. Streams look their series up once and then only add to them.
class Metrics {
 public:
  /// Series of the streams of one version.
  struct VersionSeries {
    prometheus::Counter* samples;        // sent
    prometheus::Counter* bytes;          // of genotypes, sent
    prometheus::Histogram* first_batch;  // seconds from the request to the first batch's hand-over
    prometheus::Histogram* total;        // seconds of whole streams
  };

  Metrics();

  /// Tells which build this is, and on what it runs.
  void SetBuildInfo(absl::string_view version, const v1::Engine& engine);

  VersionSeries OfVersion(const std::string& model, const std::string& version);

  /// Counts a finished request. `model` and `version` are empty where the request did not name ones that exist, so that
  /// callers cannot make series at will.
  void CountRequest(absl::string_view method, const std::string& model, const std::string& version,
                    absl::string_view code);

  /// One series a state, of which one is 1. MODEL_STATE_UNSPECIFIED drops all of them.
  void SetVersionState(const std::string& model, const std::string& version, v1::ModelState state);

  void ObserveLoad(const std::string& model, absl::Duration duration);
  void CountLoadFailure(const std::string& model, absl::string_view code);

  /// One generated tile: how long it took and how many samples it held.
  void ObserveTile(absl::Duration duration, int64_t samples);

  prometheus::Gauge& in_flight_streams() { return in_flight_streams_; }
  /// Admitted but not yet sent.
  prometheus::Gauge& queued_samples() { return queued_samples_; }

  /// The Prometheus text format.
  std::string Serialize() const;

 private:
  prometheus::Registry registry_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Counter>& samples_;
  prometheus::Family<prometheus::Counter>& bytes_;
  prometheus::Family<prometheus::Histogram>& first_batch_;
  prometheus::Family<prometheus::Histogram>& total_;
  prometheus::Family<prometheus::Histogram>& load_;
  prometheus::Family<prometheus::Counter>& load_failures_;
  prometheus::Family<prometheus::Gauge>& version_state_;
  prometheus::Family<prometheus::Gauge>& build_info_;
  prometheus::Histogram& tile_;
  prometheus::Counter& generated_;
  prometheus::Gauge& in_flight_streams_;
  prometheus::Gauge& queued_samples_;
};

/// "loading", "serving", "draining" or "failed".
absl::string_view StateName(v1::ModelState state);

}  // namespace genoserve

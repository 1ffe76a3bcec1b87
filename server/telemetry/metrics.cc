#include "server/telemetry/metrics.h"

#include <prometheus/text_serializer.h>

#include <map>

namespace genoserve {
namespace {

using Labels = std::map<std::string, std::string>;
using Buckets = prometheus::Histogram::BucketBoundaries;

// Seconds. A tile takes a millisecond, a long stream hours.
const Buckets& ShortTimes() {
  static const auto* const kBuckets =
      new Buckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
  return *kBuckets;
}

const Buckets& LongTimes() {
  static const auto* const kBuckets = new Buckets{0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1800, 7200, 43200};
  return *kBuckets;
}

// Samples.
const Buckets& TileSizes() {
  static const auto* const kBuckets = new Buckets{1, 8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 4096};
  return *kBuckets;
}

constexpr v1::ModelState kStates[] = {v1::MODEL_STATE_LOADING, v1::MODEL_STATE_SERVING, v1::MODEL_STATE_DRAINING,
                                      v1::MODEL_STATE_FAILED, v1::MODEL_STATE_UNLOADED};

auto& Counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
auto& Gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
auto& Histograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

std::string Text(absl::string_view text) { return std::string(text); }

}  // namespace

absl::string_view StateName(v1::ModelState state) {
  switch (state) {
    case v1::MODEL_STATE_LOADING:
      return "loading";
    case v1::MODEL_STATE_SERVING:
      return "serving";
    case v1::MODEL_STATE_DRAINING:
      return "draining";
    case v1::MODEL_STATE_FAILED:
      return "failed";
    case v1::MODEL_STATE_UNLOADED:
      return "unloaded";
    default:
      return "unspecified";
  }
}

Metrics::Metrics()
    : requests_(Counters(registry_, "genoserve_requests_total", "Finished requests.")),
      request_seconds_(Histograms(registry_, "genoserve_request_seconds", "From a request to its end.")),
      refusals_(Counters(registry_, "genoserve_refusals_total", "Requests that were not taken up, by reason.")),
      samples_(Counters(registry_, "genoserve_samples_sent_total", "Samples sent in streams.")),
      bytes_(Counters(registry_, "genoserve_genotype_bytes_sent_total", "Bytes of genotypes sent in streams.")),
      queue_(Histograms(registry_, "genoserve_queue_seconds", "From a stream's admission to its first tile.")),
      first_batch_(Histograms(registry_, "genoserve_first_batch_seconds", "From a request to its first batch.")),
      load_(Histograms(registry_, "genoserve_model_load_seconds", "Verifying, loading and warming up a version.")),
      config_reloads_(
          Counters(registry_, "genoserve_config_reloads_total", "Readings of the configuration, by result.")),
      load_failures_(Counters(registry_, "genoserve_model_load_failures_total", "Versions that could not be loaded.")),
      swaps_(Counters(registry_, "genoserve_model_swaps_total",
                      "Times that a version took over requests that name none.")),
      publish_to_first_batch_(Histograms(registry_, "genoserve_publish_to_first_batch_seconds",
                                         "From the publication of a version to the first batch of it that was sent.")),
      memory_bytes_(
          Gauges(registry_, "genoserve_version_memory_bytes", "Of loaded versions, as the budget counts them.")
              .Add({})),
      quarantined_(Gauges(registry_, "genoserve_quarantined_versions", "Versions that are not tried again.").Add({})),
      store_reachable_(
          Gauges(registry_, "genoserve_store_reachable", "1 where the last look at the store read all of it.").Add({})),
      store_last_look_(Gauges(registry_, "genoserve_store_last_look_timestamp_seconds",
                              "When the store, or the cache in its place, could last be read.")
                           .Add({})),
      cache_(
          Gauges(registry_, "genoserve_store_cache",
                 "Files that came from the cache (hits) and from the store (misses), that made room or were damaged, "
                 "since the start; bytes held and fetched.")),
      version_state_(Gauges(registry_, "genoserve_version_state", "1 for the state that a version is in.")),
      build_info_(Gauges(registry_, "genoserve_build_info", "Always 1; the labels tell the build and the engine.")),
      live_(Gauges(registry_, "genoserve_live_objects",
                   "What exists: jobs, batches in rings, streams, handles that requests hold, loaded versions.")),
      buffered_bytes_(
          Gauges(registry_, "genoserve_buffered_bytes", "Of batches in rings and of those being written.").Add({})),
      tile_(Histograms(registry_, "genoserve_tile_seconds", "Generating and encoding one tile.").Add({}, ShortTimes())),
      tile_samples_(Histograms(registry_, "genoserve_tile_samples", "Samples of one tile.").Add({}, TileSizes())),
      generated_(Counters(registry_, "genoserve_samples_generated_total", "Samples generated, sent or not.").Add({})),
      in_flight_streams_(
          Gauges(registry_, "genoserve_in_flight_streams", "Streams that have begun and not ended.").Add({})),
      queued_samples_(Gauges(registry_, "genoserve_queued_samples", "Samples admitted but not yet sent.")) {}

void Metrics::SetBuildInfo(absl::string_view version, const v1::Engine& engine) {
  build_info_
      .Add({{"version", Text(version)},
            {"device", engine.device()},
            {"instruction_set", engine.instruction_set()},
            {"precision", engine.precision()},
            {"kernel_revision", std::to_string(engine.kernel_revision())}})
      .Set(1);
}

Metrics::VersionSeries Metrics::OfVersion(const std::string& model, const std::string& version) {
  absl::MutexLock lock(&mutex_);
  VersionSeries& series = versions_[{model, version}].streams;
  if (series.samples == nullptr) {
    const Labels labels{{"model", model}, {"version", version}};
    series = {&samples_.Add(labels), &bytes_.Add(labels), &queue_.Add(labels, ShortTimes()),
              &first_batch_.Add(labels, ShortTimes())};
  }
  return series;
}

void Metrics::CountRequest(absl::string_view method, const std::string& model, const std::string& version,
                           absl::string_view code, absl::Duration duration) {
  absl::MutexLock lock(&mutex_);
  RequestSeries& series = versions_[{model, version}].requests[{Text(method), Text(code)}];
  if (series.count == nullptr) {
    const Labels labels{{"method", Text(method)}, {"model", model}, {"version", version}, {"code", Text(code)}};
    series = {&requests_.Add(labels), &request_seconds_.Add(labels, LongTimes())};
  }
  series.count->Increment();
  series.seconds->Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::CountRefusal(absl::string_view reason) { refusals_.Add({{"reason", Text(reason)}}).Increment(); }

void Metrics::Drop(const VersionKey& key) {
  absl::MutexLock lock(&mutex_);
  const auto found = versions_.find(key);
  if (found == versions_.end()) return;
  const VersionSeries& streams = found->second.streams;
  if (streams.samples != nullptr) {
    samples_.Remove(streams.samples);
    bytes_.Remove(streams.bytes);
    queue_.Remove(streams.queue);
    first_batch_.Remove(streams.first_batch);
  }
  for (const auto& [unused, series] : found->second.requests) {
    requests_.Remove(series.count);
    request_seconds_.Remove(series.seconds);
  }
  versions_.erase(found);
}

void Metrics::SetVersionState(const std::string& model, const std::string& version, v1::ModelState state) {
  for (const v1::ModelState each : kStates) {
    prometheus::Gauge& gauge =
        version_state_.Add({{"model", model}, {"version", version}, {"state", Text(StateName(each))}});
    if (state == v1::MODEL_STATE_UNSPECIFIED) {
      version_state_.Remove(&gauge);
    } else {
      gauge.Set(each == state ? 1 : 0);
    }
  }
  if (state == v1::MODEL_STATE_UNSPECIFIED) Drop({model, version});
}

void Metrics::ObserveLoad(const std::string& model, absl::Duration duration) {
  load_.Add({{"model", model}}, LongTimes()).Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::CountConfigReload(bool taken) {
  config_reloads_.Add({{"result", taken ? "taken" : "refused"}}).Increment();
}

void Metrics::CountLoadFailure(const std::string& model, absl::string_view code) {
  load_failures_.Add({{"model", model}, {"code", Text(code)}}).Increment();
}

void Metrics::CountSwap(const std::string& model) { swaps_.Add({{"model", model}}).Increment(); }

void Metrics::ObservePublishToFirstBatch(const std::string& model, absl::Duration duration) {
  publish_to_first_batch_.Add({{"model", model}}, LongTimes()).Observe(absl::ToDoubleSeconds(duration));
}

void Metrics::SetStore(bool reachable, absl::Time last_look) {
  store_reachable_.Set(reachable ? 1 : 0);
  store_last_look_.Set(last_look == absl::InfinitePast() ? 0 : absl::ToDoubleSeconds(last_look - absl::UnixEpoch()));
}

void Metrics::SetCache(const CacheCounts& counts) {
  const auto set = [this](const char* what, double value) { cache_.Add({{"what", what}}).Set(value); };
  set("hits", static_cast<double>(counts.hits));
  set("misses", static_cast<double>(counts.misses));
  set("evictions", static_cast<double>(counts.evictions));
  set("damaged", static_cast<double>(counts.damaged));
  set("fetched_bytes", static_cast<double>(counts.fetched_bytes));
  set("held_bytes", static_cast<double>(counts.held_bytes));
}

void Metrics::SetVersions(int64_t memory_bytes, int64_t quarantined) {
  memory_bytes_.Set(static_cast<double>(memory_bytes));
  quarantined_.Set(static_cast<double>(quarantined));
}

void Metrics::ObserveTile(absl::Duration duration, int64_t samples) {
  tile_.Observe(absl::ToDoubleSeconds(duration));
  tile_samples_.Observe(static_cast<double>(samples));
  generated_.Increment(static_cast<double>(samples));
}

prometheus::Gauge& Metrics::queued_samples(absl::string_view request_class) {
  return queued_samples_.Add({{"class", std::string(request_class)}});
}

void Metrics::SetLive(const Live& live) {
  live_.Add({{"kind", "job"}}).Set(static_cast<double>(live.jobs));
  live_.Add({{"kind", "batch"}}).Set(static_cast<double>(live.batches));
  live_.Add({{"kind", "stream"}}).Set(static_cast<double>(live.streams));
  live_.Add({{"kind", "handle"}}).Set(static_cast<double>(live.handles));
  live_.Add({{"kind", "version"}}).Set(static_cast<double>(live.versions));
  buffered_bytes_.Set(static_cast<double>(live.buffered_bytes));
}

std::string Metrics::Serialize() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

}  // namespace genoserve

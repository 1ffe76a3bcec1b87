// What streams notice of new versions. Prints one line of JSON.
//
//   reload_bench HOST:PORT STORE --pid PID --streams 32 --swaps 200 --rounds 5
//
// STORE is the folder of the server's store. Four artifacts of the AC-GAN of 805 variants, with different weights, are
// published in turn as new versions of one model while streams of it run, one after the other in each of so many
// callers. In turns with as long a time without new versions, but at most 20 s, it notes the time between the messages
// of a stream. The digest of each stream is compared with that of the same cohort from the same artifact when nothing
// else went on.
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <iostream>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/measured_networks.h"
#include "bench/measures.h"
#include "bench/steady_load.h"
#include "core/artifact/artifact.h"
#include "core/model/test_models.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/operations.grpc.pb.h"

namespace genoserve {
namespace {

using std::chrono::steady_clock;

constexpr char kModel[] = "reloaded";
constexpr int64_t kVariants = 805;
constexpr int kArtifacts = 4;
constexpr int64_t kSamples = 2048;   // of a stream
constexpr int kBatchBytes = 32'768;  // of genotypes, so that a stream has several messages
constexpr size_t kKeptVersions = 3;  // of the store; older ones are removed, as gc would
constexpr double kPatience = 60;     // seconds for a version to serve
constexpr double kMostQuiet = 20;    // seconds without new versions, in a round
constexpr int kEarlySwaps = 20;      // after which memory is noted first

struct Options {
  std::string address;
  std::string store;
  int pid = 0;
  int streams = 32;
  int swaps = 200;
  int rounds = 5;
};

template <typename T>
T Value(absl::StatusOr<T> value) {
  if (!value.ok()) throw std::runtime_error(std::string(value.status().message()));
  return *std::move(value);
}

void Check(const absl::Status& status) {
  if (!status.ok()) throw std::runtime_error(std::string(status.message()));
}

// What a stream told of itself.
struct Told {
  std::string artifact;
  std::string sha256;
};

v1::StreamCohortRequest RequestOf(uint64_t seed) {
  v1::StreamCohortRequest request = CohortOf(kModel, kSamples, seed);
  request.set_max_batch_bytes(kBatchBytes);
  return request;
}

// Reads one stream; calls `on_message` for each message but the first. An error says why it failed.
template <typename OnMessage>
absl::StatusOr<Told> ReadStream(v1::CohortService::Stub& stub, uint64_t seed, const OnMessage& on_message) {
  grpc::ClientContext context;
  const auto reader = stub.StreamCohort(&context, RequestOf(seed));
  v1::StreamCohortResponse response;
  Told told;
  int64_t next = 0;
  while (reader->Read(&response)) {
    if (response.has_header()) {
      told.artifact = response.header().artifact_digest();
    } else {
      on_message();
    }
    if (response.batch().first_sample() != next) return absl::DataLossError("a batch is not the next one");
    next += response.batch().sample_count();
    if (response.has_footer()) told.sha256 = response.footer().sha256();
  }
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  if (next != kSamples) return absl::DataLossError(absl::StrCat("it ended after ", next, " samples"));
  return told;
}

// Publishes artifacts in turn, and waits until they serve.
class Publisher {
 public:
  explicit Publisher(const Options& options)
      : store_(Value(OpenStore(options.store, /*create=*/true))),
        operations_(
            v1::OperationsService::NewStub(grpc::CreateChannel(options.address, grpc::InsecureChannelCredentials()))) {
    manifest_ = PaperAcgan(kVariants);
    std::vector<VariantRecord> variants;
    variants.reserve(kVariants);
    for (int64_t i = 0; i < kVariants; ++i) variants.push_back({"1", (i + 1) * 100, absl::StrCat("v", i), "A", "G"});
    variants_ = Value(VariantTable::Create(std::move(variants), {{"1", (kVariants + 1) * 100}}));
    for (uint64_t seed = 1; seed <= kArtifacts; ++seed) weights_.push_back(RandomWeights(manifest_, seed));
  }

  // Publishes the next artifact; returns seconds until the server answers with it.
  double Publish() {
    const TensorMap& weights = weights_[static_cast<size_t>(published_++) % kArtifacts];
    const int64_t version = Value(PublishArtifact(*store_, kModel, manifest_, weights, variants_, {}));
    const auto begin = steady_clock::now();
    while (Default() != absl::StrCat(version)) {
      if (SecondsSince(begin) > kPatience)
        throw std::runtime_error(absl::StrCat("version ", version, " does not serve"));
      Pause(0.002);
    }
    const double seconds = SecondsSince(begin);
    const std::vector<int64_t> versions = Value(store_->ListVersions(kModel));
    for (size_t i = 0; i + kKeptVersions < versions.size(); ++i) Check(store_->RemoveVersion(kModel, versions[i]));
    return seconds;
  }

  v1::ServerStatus Status() const {
    grpc::ClientContext context;
    v1::ServerStatus status;
    const grpc::Status called = operations_->GetStatus(&context, {}, &status);
    if (!called.ok()) throw std::runtime_error("GetStatus: " + called.error_message());
    return status;
  }

 private:
  std::string Default() const {
    const v1::ServerStatus status = Status();
    for (const v1::VersionStatus& version : status.versions()) {
      if (version.is_default() && version.state() == v1::MODEL_STATE_SERVING) return version.version();
    }
    return "";
  }

  const std::unique_ptr<CheckpointStore> store_;
  const std::unique_ptr<v1::OperationsService::Stub> operations_;
  v1::Manifest manifest_;
  VariantTable variants_;
  std::vector<TensorMap> weights_;
  int published_ = 0;
};

// Callers that read one stream after another.
class Callers {
 public:
  using Expected = std::map<std::pair<std::string, uint64_t>, std::string>;  // digests by artifact and seed

  Callers(const Options& options, const Expected& expected) : expected_(expected) {
    for (int i = 0; i < options.streams; ++i) {
      threads_.emplace_back([this, &options, i](const std::stop_token& stop) {
        const auto stub = ConnectTo(options.address);
        while (!stop.stop_requested()) Call(*stub, static_cast<uint64_t>(i));
      });
    }
  }

  // Gaps in milliseconds since the last call of this.
  std::vector<double> TakeGaps() {
    const std::lock_guard lock(mutex_);
    return std::exchange(gaps_ms_, {});
  }
  void Stop() { threads_.clear(); }
  int64_t streams() const { return streams_; }
  int64_t failed() const { return failed_; }
  int64_t wrong() const { return wrong_; }
  std::string first_failure() const { return first_failure_; }

 private:
  void Call(v1::CohortService::Stub& stub, uint64_t seed) {
    std::vector<double> gaps;
    auto last = steady_clock::now();
    bool first = true;
    const auto told = ReadStream(stub, seed, [&] {
      const auto now = steady_clock::now();
      if (!std::exchange(first, false)) gaps.push_back(std::chrono::duration<double, std::milli>(now - last).count());
      last = now;
    });
    const std::lock_guard lock(mutex_);
    ++streams_;
    gaps_ms_.insert(gaps_ms_.end(), gaps.begin(), gaps.end());
    if (!told.ok()) {
      ++failed_;
      if (first_failure_.empty()) first_failure_ = told.status().ToString();
      return;
    }
    const auto found = expected_.find({told->artifact, seed});
    if (found == expected_.end() || found->second != told->sha256) ++wrong_;
  }

  const Expected& expected_;
  std::mutex mutex_;
  std::vector<double> gaps_ms_;  // these under mutex_
  std::string first_failure_;
  std::atomic<int64_t> streams_ = 0;
  std::atomic<int64_t> failed_ = 0;
  std::atomic<int64_t> wrong_ = 0;
  std::vector<std::jthread> threads_;
};

std::string List(const std::vector<double>& values) {
  std::string text = "[";
  for (const double value : values) absl::StrAppend(&text, text.size() > 1 ? ", " : "", value);
  return text + "]";
}

void Run(const Options& options) {
  Publisher publisher(options);
  Callers::Expected expected;
  const auto stub = ConnectTo(options.address);
  for (int artifact = 0; artifact < kArtifacts; ++artifact) {
    publisher.Publish();
    for (int i = 0; i < options.streams; ++i) {
      const auto seed = static_cast<uint64_t>(i);
      const Told told = Value(ReadStream(*stub, seed, [] {}));
      expected[{told.artifact, seed}] = told.sha256;
    }
  }
  Callers callers(options, expected);
  Pause(2);
  std::vector<double> quiet_ms, swap_ms, ratios, swap_seconds;
  double early = 0;
  int swaps = 0;
  for (int round = 0; round < options.rounds; ++round) {
    callers.TakeGaps();
    const auto begin = steady_clock::now();
    for (const int end = options.swaps * (round + 1) / options.rounds; swaps < end; ++swaps) {
      swap_seconds.push_back(publisher.Publish());
      if (swaps + 1 == kEarlySwaps) early = ProcessMegabytes(options.pid, "VmRSS");
    }
    const double seconds = SecondsSince(begin);
    swap_ms.push_back(Percentile(callers.TakeGaps(), 0.99));
    Pause(0.5);
    callers.TakeGaps();
    Pause(std::min(seconds, kMostQuiet));
    quiet_ms.push_back(Percentile(callers.TakeGaps(), 0.99));
    ratios.push_back(swap_ms.back() / quiet_ms.back());
  }
  const double late = ProcessMegabytes(options.pid, "VmRSS");
  callers.Stop();
  // What nobody holds any more is freed by the server's own thread.
  v1::ServerStatus status;
  int loaded = 0;
  int64_t handles = 0;
  const auto begin = steady_clock::now();
  do {
    status = publisher.Status();
    loaded = 0;
    handles = 0;
    for (const v1::VersionStatus& version : status.versions()) {
      loaded += version.memory_bytes() > 0 ? 1 : 0;
      handles += version.handles();
    }
  } while ((loaded != 1 || handles != 0) && SecondsSince(begin) < kPatience);
  if (!callers.first_failure().empty()) std::cerr << "reload_bench: " << callers.first_failure() << "\n";
  std::cout << "{\"streams\": " << callers.streams() << ", \"failed\": " << callers.failed()
            << ", \"wrong\": " << callers.wrong() << ", \"swaps\": " << swaps << ", \"p99_swap_ms\": " << List(swap_ms)
            << ", \"p99_quiet_ms\": " << List(quiet_ms) << ", \"ratios\": " << List(ratios)
            << ", \"swap_seconds_median\": " << Percentile(swap_seconds, 0.5)
            << ", \"swap_seconds_most\": " << Percentile(swap_seconds, 1) << ", \"memory_mb_early\": " << early
            << ", \"memory_mb_late\": " << late << ", \"loaded\": " << loaded << ", \"handles\": " << handles << "}"
            << std::endl;
}

int Main(int argc, char** argv) {
  Options options;
  CLI::App app{"What streams notice of new versions", "reload_bench"};
  app.add_option("address", options.address)->required();
  app.add_option("store", options.store)->required();
  app.add_option("--pid", options.pid)->required();
  app.add_option("--streams", options.streams)->capture_default_str();
  app.add_option("--swaps", options.swaps)->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    Run(options);
  } catch (const std::exception& error) {
    std::cerr << "reload_bench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) { return genoserve::Main(argc, argv); }

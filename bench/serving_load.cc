// Load for a server of CohortService, ours or another: streams without end, callers of small cohorts, or both. Prints
// one line of JSON. It counts rows and does not look into them; a call that fails ends it with an error.
//
// Rates are taken in a window of time by weighting each arrival with 6/W^3 (W^2/4 - (t - m)^2), W the width and m the
// middle of the window: the slope of the line that fits the count of rows best. A batch that falls just inside or
// outside the window has hardly any weight, whereas it would move a plain count by a whole batch of every stream.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "genoserve/v1/cohort.grpc.pb.h"

namespace genoserve {
namespace {

using std::chrono::steady_clock;

struct Options {
  std::string address;
  std::string model;
  int streams = 0;      // without end
  int callers = 0;      // each makes one call after another
  int64_t rows = 256;   // of a call: haplotypes or genotypes of people
  int64_t cohort = 0;   // instead: one call of so many rows, and nothing else
  double warm_up = 1;   // seconds before the window, at least; it begins once all streams have begun
  double seconds = 3;   // of the window
  double pause_ms = 0;  // at most, between two calls of a caller
  int64_t region_start = 0;
  int64_t region_end = 0;  // base pairs of contig 1; 0 = all variants
  int batch_bytes = 0;     // of genotypes in one message at most; 0 = the server's choice
  bool int8 = false;
};

constexpr int64_t kRowsOfStream = 400'000;  // "without end": a stream that ends is followed by another
constexpr int kLargestMessage = 64 << 20;   // bytes

double Seconds(steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// The window, which opens once, and what arrived in it.
class Window {
 public:
  explicit Window(double width) : width_(width) {}

  void Open() { begin_.store(steady_clock::now().time_since_epoch().count()); }

  // Rows a second that `rows` arriving now add.
  double Rate(int64_t rows) const {
    const int64_t begin = begin_.load();
    if (begin == 0) return 0;
    const double t = Seconds(steady_clock::now().time_since_epoch() - steady_clock::duration(begin)) - width_ / 2;
    return std::max(0.0, 6 / std::pow(width_, 3) * (width_ * width_ / 4 - t * t)) * static_cast<double>(rows);
  }

  bool IsOpen() const {
    const int64_t begin = begin_.load();
    return begin != 0 && Seconds(steady_clock::now().time_since_epoch() - steady_clock::duration(begin)) < width_;
  }

 private:
  const double width_;
  std::atomic<int64_t> begin_{0};  // ticks of steady_clock
};

// What one thread found.
struct Found {
  double rate = 0;               // rows a second
  std::vector<double> first_ms;  // from the call to the first batch
  int64_t bytes = 0;             // of genotypes, in all
  std::string error;
};

class Load {
 public:
  explicit Load(Options options) : options_(std::move(options)), window_(options_.seconds) {}

  // Ends with 0, or 1 after an error.
  int Run() {
    const grpc::Status status = Ask();
    if (!status.ok()) return Fail(status.error_message());
    if (options_.cohort > 0) return RunCohort();
    std::vector<Found> streams(static_cast<size_t>(options_.streams));
    std::vector<Found> callers(static_cast<size_t>(options_.callers));
    {
      std::vector<std::jthread> threads;
      threads.reserve(streams.size() + callers.size());
      for (Found& found : streams) threads.emplace_back([this, &found] { Stream(found); });
      // Those who call come when the streams run.
      while (begun_ < options_.streams && !stop_) std::this_thread::sleep_for(std::chrono::milliseconds(10));
      for (size_t i = 0; i < callers.size(); ++i) {
        threads.emplace_back([this, i, &found = callers[i]] { Call(i, found); });
      }
      Sleep(options_.warm_up);
      window_.Open();
      Sleep(options_.seconds);
      stop_ = true;
      const std::lock_guard lock(mutex_);
      for (grpc::ClientContext* context : running_) context->TryCancel();
    }
    return Print(streams, callers);
  }

 private:
  static int Fail(const std::string& message) {
    std::cerr << "serving_load: " << message << "\n";
    return 1;
  }

  // A connection of its own, as another user would have.
  std::unique_ptr<v1::CohortService::Stub> Connect() const {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kLargestMessage);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    return v1::CohortService::NewStub(
        grpc::CreateCustomChannel(options_.address, grpc::InsecureChannelCredentials(), arguments));
  }

  // How many rows a sample has.
  grpc::Status Ask() {
    grpc::ClientContext context;
    v1::StreamCohortRequest request = Request(1);
    const auto stub = Connect();
    const auto reader = stub->StreamCohort(&context, request);
    v1::StreamCohortResponse response;
    while (reader->Read(&response)) {
      if (response.has_header()) rows_of_sample_ = response.header().phased() ? 2 : 1;
    }
    return reader->Finish();
  }

  v1::StreamCohortRequest Request(int64_t rows) const {
    v1::StreamCohortRequest request;
    request.set_model(options_.model);
    request.set_seed(seed_++);
    request.set_cohort_size(std::max<int64_t>(1, rows / rows_of_sample_));
    if (options_.region_end > 0) {
      v1::Region& region = *request.add_regions();
      region.set_contig("1");
      region.set_start(options_.region_start);
      region.set_end(options_.region_end);
    }
    request.set_max_batch_bytes(options_.batch_bytes);
    if (options_.int8) request.set_encoding(v1::GENOTYPE_ENCODING_INT8);
    return request;
  }

  // One call to its end, or to the end of the run. Calls `arrived` with the rows of each batch.
  template <typename Arrived>
  bool Read(v1::CohortService::Stub& stub, int64_t rows, Found& found, const Arrived& arrived) {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    Enter(&context);
    const auto reader = stub.StreamCohort(&context, Request(rows));
    v1::StreamCohortResponse response;
    while (reader->Read(&response)) {
      if (!response.has_batch()) continue;
      found.bytes += static_cast<int64_t>(response.batch().genotypes().size());
      arrived(response.batch().sample_count() * rows_of_sample_);
    }
    const grpc::Status status = reader->Finish();
    Leave(&context);
    if (status.ok() || stop_) return status.ok();
    found.error = status.error_message();
    stop_ = true;
    return false;
  }

  void Stream(Found& found) {
    const auto stub = Connect();
    bool begun = false;
    const auto arrived = [&](int64_t rows) {
      if (!std::exchange(begun, true)) ++begun_;
      found.rate += window_.Rate(rows);
    };
    while (!stop_ && Read(*stub, kRowsOfStream, found, arrived)) {
    }
  }

  void Call(size_t number, Found& found) {
    const auto stub = Connect();
    std::minstd_rand random(static_cast<unsigned>(number + 1));
    std::uniform_real_distribution<double> pause(0, options_.pause_ms / 1000);
    while (!stop_) {
      if (options_.pause_ms > 0) Sleep(pause(random));
      const bool counted = window_.IsOpen();
      const auto begin = steady_clock::now();
      double first = -1;
      const auto arrived = [&](int64_t rows) {
        if (first < 0) first = Seconds(steady_clock::now() - begin) * 1000;
        found.rate += window_.Rate(rows);
      };
      if (!Read(*stub, options_.rows, found, arrived)) return;
      if (counted && first >= 0) found.first_ms.push_back(first);
    }
  }

  int RunCohort() {
    const auto stub = Connect();
    Found found;
    const auto begin = steady_clock::now();
    if (!Read(*stub, options_.cohort, found, [](int64_t) {})) return Fail(found.error);
    const double seconds = Seconds(steady_clock::now() - begin);
    std::cout << "{\"seconds\": " << seconds
              << ", \"rows_per_second\": " << static_cast<double>(options_.cohort) / seconds
              << ", \"bytes\": " << found.bytes << "}\n";
    return 0;
  }

  int Print(const std::vector<Found>& streams, const std::vector<Found>& callers) const {
    double stream_rate = 0;
    double call_rate = 0;
    std::vector<double> first_ms;
    for (const Found& found : streams) {
      if (!found.error.empty()) return Fail(found.error);
      stream_rate += found.rate;
    }
    for (const Found& found : callers) {
      if (!found.error.empty()) return Fail(found.error);
      call_rate += found.rate;
      first_ms.insert(first_ms.end(), found.first_ms.begin(), found.first_ms.end());
    }
    std::sort(first_ms.begin(), first_ms.end());
    if (options_.streams > 0 && stream_rate == 0) return Fail("no batch of a stream came within the window");
    if (options_.callers > 0 && first_ms.empty()) return Fail("no call was answered within the window");
    std::ostringstream line;
    line << "{\"stream_rows_per_second\": " << stream_rate << ", \"call_rows_per_second\": " << call_rate
         << ", \"calls\": " << first_ms.size();
    if (!first_ms.empty()) {
      const auto at = [&](double part) {
        const auto index = static_cast<size_t>(std::ceil(part * static_cast<double>(first_ms.size())));
        return first_ms[std::max<size_t>(index, 1) - 1];
      };
      line << ", \"first_p50_ms\": " << at(0.5) << ", \"first_p99_ms\": " << at(0.99);
    }
    std::cout << line.str() << "}\n";
    return 0;
  }

  void Sleep(double seconds) const {
    const auto end = steady_clock::now() +
                     std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(seconds));
    while (!stop_ && steady_clock::now() < end) {
      std::this_thread::sleep_for(
          std::min<steady_clock::duration>(end - steady_clock::now(), std::chrono::milliseconds(50)));
    }
  }

  void Enter(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    running_.push_back(context);
    if (stop_) context->TryCancel();
  }
  void Leave(grpc::ClientContext* context) {
    const std::lock_guard lock(mutex_);
    std::erase(running_, context);
  }

  const Options options_;
  Window window_;
  int64_t rows_of_sample_ = 1;
  mutable std::atomic<uint64_t> seed_{1};
  std::atomic<int> begun_{0};  // streams whose first batch came
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::vector<grpc::ClientContext*> running_;  // under mutex_
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("Load for a server of cohorts; prints rates and times as one line of JSON.");
  app.add_option("address", options.address, "HOST:PORT")->required();
  app.add_option("model", options.model)->required();
  app.add_option("--streams", options.streams, "without end");
  app.add_option("--callers", options.callers, "each asks for one small cohort after another");
  app.add_option("--rows", options.rows, "of a small cohort");
  app.add_option("--cohort", options.cohort, "instead: one cohort of so many rows, read to its end");
  app.add_option("--warm-up", options.warm_up, "seconds");
  app.add_option("--seconds", options.seconds, "that are counted");
  app.add_option("--pause-ms", options.pause_ms, "at most, between two calls of a caller");
  app.add_option("--region-start", options.region_start, "base pairs of contig 1");
  app.add_option("--region-end", options.region_end, "base pairs; 0 = all variants");
  app.add_option("--batch-bytes", options.batch_bytes, "of genotypes in one message; 0 = the server's choice");
  app.add_flag("--int8", options.int8, "a byte a genotype instead of the packed form");
  CLI11_PARSE(app, argc, argv);
  return Load(options).Run();
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  // The load shares the processors with the server that it measures.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return genoserve::Main(argc, argv);
}

// What becomes of a server under too much load, and of its good clients beside bad ones. Prints one line of JSON.
//
//   overload_bench HOST:PORT MODEL overload --seconds 60 --times 5 --pid PID
//     offers calls of bulk cohorts at so many times the rate that the server can serve, whether it keeps up or not,
//     with one caller of small cohorts beside them.
//   overload_bench 127.0.0.1:PORT MODEL misbehaving --seconds 3 --rounds 3
//     measures good streams alone, beside each kind of bad client and beside all of them, in turns; also by what this
//     program left of the processors, since bad clients elsewhere would take nothing of them.
//
// Capacity is what the same calls get in a closed loop, the caller of small cohorts beside them too: the median of
// windows before the overload and after it. The overload is measured once calls are refused, that is with as many
// streams as the server takes, and until all of them have ended nothing else begins.
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bench/measures.h"
#include "bench/misbehaving_clients.h"
#include "bench/steady_load.h"

namespace genoserve {
namespace {

using std::chrono::steady_clock;

constexpr int64_t kEndless = 1'000'000;  // samples; a good stream that ends is followed by another
constexpr int64_t kSmall = 16;           // samples of an interactive call
constexpr double kWarmUp = 2;            // seconds

struct Options {
  std::string address;
  std::string model;
  double seconds = 60;
  double times = 5;
  int64_t samples = 4096;    // of a bulk call
  int batch_bytes = 32'768;  // of genotypes: about a tile of the smallest model that is measured
  int in_flight = 32;        // bulk calls by which the capacity is found
  int streams = 4;
  int rounds = 3;
  int dropped = 10'000;  // streams, in all
  int pid = 0;
};

// CPU time of a process so far; 0 where there is none.
double ProcessSeconds(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const size_t end = text.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream fields(text.substr(end + 1));
  std::vector<std::string> values(std::istream_iterator<std::string>(fields), {});
  constexpr size_t kUser = 11;  // after the name; the system's time follows
  return (std::stod(values.at(kUser)) + std::stod(values.at(kUser + 1))) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double OwnSeconds() {
  rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Processors that this program, and by bench/run the server, may run on.
double Processors() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return std::thread::hardware_concurrency();
  return CPU_COUNT(&set);
}

double Median(const std::vector<double>& values) { return Percentile(values, 0.5); }

std::string List(const std::vector<double>& values) {
  std::ostringstream text;
  for (size_t i = 0; i < values.size(); ++i) text << (i == 0 ? "[" : ", ") << values[i];
  return text.str() + "]";
}

// One caller of small cohorts, who rests a moment between two calls.
class InteractiveCaller {
 public:
  explicit InteractiveCaller(const Options& options)
      : options_(options), thread_([this](const std::stop_token& stop) { Run(stop); }) {}

  int64_t samples() const { return samples_; }
  int64_t turned_away() const { return turned_away_; }
  // Milliseconds from a call to its first batch, since the last time that they were taken.
  std::vector<double> Take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(first_ms_, {});
  }

 private:
  void Run(const std::stop_token& stop) {
    const auto stub = ConnectTo(options_.address);
    std::minstd_rand random(1);
    std::uniform_real_distribution<double> pause(0, 0.05);
    for (uint64_t seed = 0; !stop.stop_requested(); ++seed) {
      grpc::ClientContext context;
      const auto begin = steady_clock::now();
      const auto reader = stub->StreamCohort(&context, CohortOf(options_.model, kSmall, seed));
      v1::StreamCohortResponse response;
      double first = -1;
      while (reader->Read(&response)) {
        if (response.has_batch() && first < 0) first = SecondsSince(begin) * 1000;
      }
      if (reader->Finish().ok() && first >= 0) {
        samples_ += kSmall;
        const std::lock_guard lock(mutex_);
        first_ms_.push_back(first);
      } else {
        ++turned_away_;
      }
      Pause(pause(random));
    }
  }

  const Options options_;
  std::atomic<int64_t> samples_ = 0;
  std::atomic<int64_t> turned_away_ = 0;
  std::mutex mutex_;
  std::vector<double> first_ms_;  // under mutex_
  std::jthread thread_;
};

class Overload {
 public:
  explicit Overload(const Options& options)
      : options_(options),
        load_(options.address, options.model, options.samples, options.batch_bytes),
        interactive_(options) {}

  void Run() {
    const std::vector<double> before = Capacity();
    const double capacity = Median(before);
    std::vector<double> calm_ms = interactive_.Take();
    const double memory = ProcessMegabytes(options_.pid, "VmRSS");
    load_.Offer(options_.times * capacity / static_cast<double>(options_.samples));
    AwaitRefusals();
    interactive_.Take();
    const CallCounts begun = load_.counts();
    const double own = OwnSeconds();
    const double server = ProcessSeconds(options_.pid);
    double most = memory;
    const auto begin = steady_clock::now();
    const int64_t samples = Samples();
    while (SecondsSince(begin) < options_.seconds) {
      Pause(0.1);
      most = std::max(most, ProcessMegabytes(options_.pid, "VmRSS"));
    }
    const double seconds = SecondsSince(begin);
    const double served = static_cast<double>(Samples() - samples) / seconds;
    const auto offered =
        static_cast<double>((load_.counts().begun - begun.begun) * options_.samples) / seconds / capacity;
    const double own_share = (OwnSeconds() - own) / seconds;
    const double server_share = (ProcessSeconds(options_.pid) - server) / seconds;
    const std::vector<double> busy_ms = interactive_.Take();
    const bool ended = load_.Finish(180);
    const CallCounts counts = load_.counts();
    const double memory_after = ProcessMegabytes(options_.pid, "VmRSS");
    interactive_.Take();
    const std::vector<double> after = Capacity();
    const std::vector<double> more_ms = interactive_.Take();
    calm_ms.insert(calm_ms.end(), more_ms.begin(), more_ms.end());
    std::vector<double> all = before;
    all.insert(all.end(), after.begin(), after.end());
    if (!load_.first_loss().empty()) std::cerr << "overload_bench: lost: " << load_.first_loss() << "\n";
    std::cout << "{\"capacity\": " << Median(all) << ", \"capacity_before\": " << List(before)
              << ", \"capacity_after\": " << List(after) << ", \"served\": " << served
              << ", \"served_to_capacity\": " << served / Median(all) << ", \"offered_to_capacity\": " << offered
              << ", \"calls\": " << counts.begun << ", \"taken\": " << counts.served
              << ", \"refused\": " << counts.refused << ", \"refused_without_retry_info\": " << counts.bare
              << ", \"lost\": " << counts.lost << ", \"all_ended\": " << (ended ? "true" : "false")
              << ", \"interactive_calls\": " << busy_ms.size()
              << ", \"interactive_refused\": " << interactive_.turned_away()
              << ", \"interactive_p50_ms\": " << Median(busy_ms)
              << ", \"interactive_p99_ms\": " << Percentile(busy_ms, 0.99)
              << ", \"calm_p99_ms\": " << Percentile(calm_ms, 0.99) << ", \"client_processors\": " << own_share
              << ", \"server_processors\": " << server_share << ", \"memory_mb_before\": " << memory
              << ", \"memory_mb_most\": " << most << ", \"memory_mb_after\": " << memory_after << "}\n";
  }

 private:
  int64_t Samples() const { return load_.counts().samples + interactive_.samples(); }

  // Samples a second in each of several windows at saturation.
  std::vector<double> Capacity() {
    constexpr int kWindows = 5;
    const CallCounts begin = load_.counts();
    load_.KeepInFlight(options_.in_flight);
    Pause(kWarmUp);
    if (load_.counts().samples == begin.samples) throw std::runtime_error("nothing is served: " + load_.first_loss());
    interactive_.Take();
    std::vector<double> rates;
    for (int i = 0; i < kWindows; ++i) {
      const auto start = steady_clock::now();
      const int64_t samples = Samples();
      Pause(options_.seconds / 12);
      rates.push_back(static_cast<double>(Samples() - samples) / SecondsSince(start));
    }
    return rates;
  }

  // The server has all the work that it takes.
  void AwaitRefusals() const {
    constexpr double kMostSeconds = 60;
    const int64_t refused = load_.counts().refused;
    const auto begin = steady_clock::now();
    while (load_.counts().refused == refused) {
      if (SecondsSince(begin) > kMostSeconds)
        throw std::runtime_error("the server refuses nothing: it is not overloaded");
      Pause(0.1);
    }
    Pause(kWarmUp);
  }

  const Options options_;
  SteadyLoad load_;
  InteractiveCaller interactive_;
};

// Good streams beside bad clients.
class Misbehaving {
 public:
  explicit Misbehaving(const Options& options)
      : options_(options),
        good_(options.address, options.model, kEndless, options.batch_bytes),
        bad_(std::stoi(options.address.substr(options.address.rfind(':') + 1)), options.model,
             // In each round once alone and once with all others.
             options.dropped /
                 (options.rounds * (kWarmUp + Longest(MisbehavingClients::Kinds()) + 2 * options.seconds))) {}

  void Run() {
    std::vector<std::pair<std::string, std::vector<MisbehavingClients::Kind>>> groups = {{"alone", {}}};
    for (const MisbehavingClients::Kind& kind : MisbehavingClients::Kinds()) groups.push_back({kind.name, {kind}});
    groups.emplace_back("all of them", MisbehavingClients::Kinds());
    good_.KeepInFlight(options_.streams);
    Pause(kWarmUp);
    std::map<std::string, std::vector<Rates>> rates;
    for (int round = 0; round < options_.rounds; ++round) {
      for (const auto& [name, kinds] : groups) rates[name].push_back(Beside(kinds));
      // What drifts does not favour one.
      std::reverse(groups.begin(), groups.end());
    }
    const std::vector<Rates>& alone = rates["alone"];
    for (const Rates& each : alone) {
      if (each.samples == 0) throw std::runtime_error("nothing is served: " + good_.first_loss());
    }
    std::cout << "{\"beside\": {";
    const char* comma = "";
    for (const auto& [name, beside] : rates) {
      if (name == "alone") continue;
      std::vector<double> ratios;
      std::vector<double> ratios_of_left;
      for (size_t i = 0; i < beside.size(); ++i) {
        ratios.push_back(beside[i].samples / alone[i].samples);
        ratios_of_left.push_back(beside[i].samples_of_left / alone[i].samples_of_left);
      }
      std::cout << comma << "\"" << name << "\": {\"ratios\": " << List(ratios)
                << ", \"of_left\": " << List(ratios_of_left) << "}";
      comma = ", ";
    }
    std::cout << "}, \"dropped_streams\": " << bad_.dropped() << ", \"good_streams_lost\": " << good_.counts().lost
              << "}\n";
  }

 private:
  // Seconds until the steady state.
  static double Longest(const std::vector<MisbehavingClients::Kind>& kinds) {
    double settle = kWarmUp;
    for (const MisbehavingClients::Kind& kind : kinds) settle = std::max(settle, kind.settle);
    return settle;
  }

  // Of the good streams.
  struct Rates {
    double samples = 0;          // a second
    double samples_of_left = 0;  // a second of the processors that this program did not use
  };

  Rates Beside(const std::vector<MisbehavingClients::Kind>& kinds) const {
    std::atomic<bool> stop = false;
    std::vector<std::thread> clients;
    clients.reserve(kinds.size());
    for (const MisbehavingClients::Kind& kind : kinds) {
      clients.emplace_back([this, kind, &stop] { (bad_.*kind.behave)(stop); });
    }
    Pause(Longest(kinds));
    const auto begin = steady_clock::now();
    const int64_t samples = good_.counts().samples;
    const double own = OwnSeconds();
    Pause(options_.seconds);
    const double seconds = SecondsSince(begin);
    const auto served = static_cast<double>(good_.counts().samples - samples);
    const double left = Processors() * seconds - (OwnSeconds() - own);
    stop = true;
    for (std::thread& client : clients) client.join();
    return {served / seconds, served / left};
  }

  const Options options_;
  SteadyLoad good_;
  MisbehavingClients bad_;
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("A server under too much load, or with bad clients; prints one line of JSON.");
  app.add_option("address", options.address, "HOST:PORT, on 127.0.0.1 for misbehaving")->required();
  app.add_option("model", options.model)->required();
  app.require_subcommand(1);
  CLI::App* overload = app.add_subcommand("overload", "so many times the samples that the server can make");
  overload->add_option("--seconds", options.seconds, "a twelfth of it each window of the capacity")
      ->capture_default_str();
  overload->add_option("--times", options.times, "the capacity")->capture_default_str();
  overload->add_option("--samples", options.samples, "of a bulk call")->capture_default_str();
  overload->add_option("--in-flight", options.in_flight, "bulk calls by which the capacity is found")
      ->capture_default_str();
  overload->add_option("--pid", options.pid, "of the server, for its memory");
  CLI::App* misbehaving = app.add_subcommand("misbehaving", "good streams alone and beside bad clients");
  misbehaving->add_option("--seconds", options.seconds, "of each measurement; 3 if not given");
  misbehaving->add_option("--rounds", options.rounds)->capture_default_str();
  misbehaving->add_option("--streams", options.streams, "that are good")->capture_default_str();
  misbehaving->add_option("--dropped", options.dropped, "streams that are opened and dropped, in all")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (misbehaving->count("--seconds") == 0 && misbehaving->parsed()) options.seconds = 3;
  try {
    if (overload->parsed()) {
      Overload(options).Run();
    } else {
      Misbehaving(options).Run();
    }
  } catch (const std::exception& error) {
    std::cerr << "overload_bench: " << error.what() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) { return genoserve::Main(argc, argv); }

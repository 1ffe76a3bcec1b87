// What becomes of a server under too much load, and of its good clients beside bad ones. Prints one line of JSON.
//
//   overload_bench HOST:PORT MODEL overload --seconds 60 --times 5 --pid PID
//     finds the rate that a few streams without end get, then offers calls of small bulk cohorts at so many times that
//     rate, whether the server keeps up or not, with one caller of 16 rows beside them.
//   overload_bench HOST:PORT MODEL misbehaving --seconds 5 --rounds 3
//     measures good streams alone and beside clients that never read, take bytes one by one, cancel or break off, in
//     turns.
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "genoserve/v1/cohort.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "server/raw_connection.h"

namespace genoserve {
namespace {

using std::chrono::steady_clock;

constexpr int64_t kEndless = 1'000'000;  // samples; a good stream that ends is followed by another
constexpr int64_t kSmall = 16;           // samples of an interactive call

struct Options {
  std::string address;
  std::string model;
  double seconds = 60;
  double times = 5;
  int64_t samples = 4096;  // of a bulk call
  int threads = 320;       // callers: more than the server takes streams
  int streams = 4;
  int rounds = 3;
  int pid = 0;
};

double SecondsSince(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

v1::StreamCohortRequest Request(const Options& options, int64_t samples, uint64_t seed) {
  v1::StreamCohortRequest request;
  request.set_model(options.model);
  request.set_cohort_size(samples);
  request.set_seed(seed);
  return request;
}

std::unique_ptr<v1::CohortService::Stub> Connect(const Options& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(64 << 20);
  return v1::CohortService::NewStub(
      grpc::CreateCustomChannel(options.address, grpc::InsecureChannelCredentials(), arguments));
}

bool HasRetryInfo(const grpc::Status& status) {
  google::rpc::Status rich;
  google::rpc::RetryInfo retry;
  if (!rich.ParseFromString(status.error_details())) return false;
  return std::any_of(rich.details().begin(), rich.details().end(),
                     [&retry](const auto& detail) { return detail.UnpackTo(&retry); });
}

// A figure of /proc/PID/status in MB; 0 where there is no such process.
double ProcessMegabytes(int pid, const std::string& name) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.compare(0, name.size() + 1, name + ":") == 0) return std::stod(line.substr(name.size() + 1)) / 1024;
  }
  return 0;
}

double Percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto index = static_cast<size_t>(std::ceil(part * static_cast<double>(values.size())));
  return values[std::max<size_t>(index, 1) - 1];
}

// Samples a second that `streams` clients without end get together, over `seconds` after a second of warm-up.
double StreamRate(const Options& options, int streams, double seconds) {
  std::atomic<int64_t> received = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> clients;
  clients.reserve(static_cast<size_t>(streams));
  for (int i = 0; i < streams; ++i) {
    clients.emplace_back([&, i] {
      const auto stub = Connect(options);
      while (!stop) {
        grpc::ClientContext context;
        const auto reader = stub->StreamCohort(&context, Request(options, kEndless, static_cast<uint64_t>(i)));
        v1::StreamCohortResponse response;
        while (!stop && reader->Read(&response)) received += response.batch().sample_count();
        if (stop) context.TryCancel();
        const grpc::Status status = reader->Finish();
        if (stop || status.ok()) continue;
        std::cerr << "overload_bench: " << status.error_message() << "\n";
        return;
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const auto begin = steady_clock::now();
  const int64_t before = received;
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double rate = static_cast<double>(received - before) / SecondsSince(begin);
  stop = true;
  for (std::thread& client : clients) client.join();
  return rate;
}

class Overload {
 public:
  explicit Overload(const Options& options) : options_(options) {}

  void Run() {
    const double capacity = StreamRate(options_, options_.streams, std::min(10.0, options_.seconds / 2));
    const double memory = ProcessMegabytes(options_.pid, "VmRSS");
    // Calls are due at a steady pace; whoever is free makes the next one.
    const double interval = static_cast<double>(options_.samples) / (options_.times * capacity);
    begin_ = steady_clock::now();
    std::vector<std::thread> callers;
    callers.reserve(static_cast<size_t>(options_.threads));
    for (int i = 0; i < options_.threads; ++i) callers.emplace_back([this, interval] { CallBulk(interval); });
    std::thread interactive([this] { CallInteractive(); });
    for (std::thread& caller : callers) caller.join();
    interactive.join();
    const double served = static_cast<double>(samples_) / options_.seconds;
    std::cout << "{\"capacity_samples_per_second\": " << capacity
              << ", \"offered_samples_per_second\": " << static_cast<double>(due_ * options_.samples) / options_.seconds
              << ", \"served_samples_per_second\": " << served << ", \"served_to_capacity\": " << served / capacity
              << ", \"taken\": " << taken_ << ", \"refused\": " << refused_
              << ", \"refused_without_retry_info\": " << bare_ << ", \"lost\": " << lost_
              << ", \"interactive_calls\": " << first_ms_.size() << ", \"interactive_refused\": " << turned_away_
              << ", \"interactive_p50_ms\": " << Percentile(first_ms_, 0.5)
              << ", \"interactive_p99_ms\": " << Percentile(first_ms_, 0.99) << ", \"memory_mb_before\": " << memory
              << ", \"memory_mb_after\": " << ProcessMegabytes(options_.pid, "VmRSS")
              << ", \"memory_mb_most\": " << ProcessMegabytes(options_.pid, "VmHWM") << "}\n";
  }

 private:
  void CallBulk(double interval) {
    const auto stub = Connect(options_);
    while (true) {
      const int64_t number = due_++;
      const double at = static_cast<double>(number) * interval;
      if (at >= options_.seconds) {
        --due_;
        return;
      }
      std::this_thread::sleep_until(
          begin_ + std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(at)));
      grpc::ClientContext context;
      const auto reader =
          stub->StreamCohort(&context, Request(options_, options_.samples, static_cast<uint64_t>(number)));
      v1::StreamCohortResponse response;
      int64_t read = 0;
      while (reader->Read(&response)) {
        read += response.batch().sample_count();
        if (SecondsSince(begin_) < options_.seconds) samples_ += response.batch().sample_count();
      }
      const grpc::Status status = reader->Finish();
      if (status.ok() && read == options_.samples) {
        ++taken_;
      } else if (read == 0 && status.error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED) {
        ++refused_;
        if (!HasRetryInfo(status)) ++bare_;
      } else {
        if (lost_++ == 0) std::cerr << "overload_bench: lost: " << status.error_message() << "\n";
      }
    }
  }

  void CallInteractive() {
    const auto stub = Connect(options_);
    std::minstd_rand random(1);
    std::uniform_real_distribution<double> pause(0, 0.05);
    for (uint64_t seed = 0; SecondsSince(begin_) < options_.seconds; ++seed) {
      grpc::ClientContext context;
      const auto start = steady_clock::now();
      const auto reader = stub->StreamCohort(&context, Request(options_, kSmall, seed));
      v1::StreamCohortResponse response;
      double first = -1;
      while (reader->Read(&response)) {
        if (response.has_batch() && first < 0) first = SecondsSince(start) * 1000;
      }
      if (reader->Finish().ok() && first >= 0) {
        first_ms_.push_back(first);
      } else {
        ++turned_away_;
      }
      std::this_thread::sleep_for(std::chrono::duration<double>(pause(random)));
    }
  }

  const Options options_;
  steady_clock::time_point begin_;
  std::atomic<int64_t> due_ = 0;      // bulk calls
  std::atomic<int64_t> samples_ = 0;  // of bulk calls, within the time
  std::atomic<int64_t> taken_ = 0;    // and served to their end
  std::atomic<int64_t> refused_ = 0;
  std::atomic<int64_t> bare_ = 0;  // of those, without RetryInfo
  std::atomic<int64_t> lost_ = 0;  // ended otherwise
  // Of the interactive caller's thread.
  std::vector<double> first_ms_;
  int64_t turned_away_ = 0;
};

class Misbehaving {
 public:
  explicit Misbehaving(const Options& options)
      : options_(options), port_(std::stoi(options.address.substr(options.address.rfind(':') + 1))) {}

  void Run() const {
    std::vector<double> ratios;
    std::vector<double> alone;
    for (int round = 0; round < options_.rounds; ++round) {
      alone.push_back(StreamRate(options_, options_.streams, options_.seconds));
      std::atomic<bool> stop = false;
      std::vector<std::thread> bad;
      for (const auto behave :
           {&Misbehaving::NeverRead, &Misbehaving::TakeBytes, &Misbehaving::Cancel, &Misbehaving::BreakOff}) {
        bad.emplace_back([this, behave, &stop] { (this->*behave)(stop); });
      }
      ratios.push_back(StreamRate(options_, options_.streams, options_.seconds) / alone.back());
      stop = true;
      for (std::thread& client : bad) client.join();
    }
    std::cout << "{\"alone_samples_per_second\": " << Percentile(alone, 0.5)
              << ", \"beside_to_alone\": " << Percentile(ratios, 0.5)
              << ", \"lowest\": " << *std::min_element(ratios.begin(), ratios.end())
              << ", \"highest\": " << *std::max_element(ratios.begin(), ratios.end()) << "}\n";
  }

 private:
  static void Pause(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

  // Sixteen connections whose buffers are full.
  void NeverRead(const std::atomic<bool>& stop) const {
    std::vector<std::unique_ptr<RawConnection>> clients;
    for (uint64_t i = 0; i < 16; ++i) {
      clients.push_back(std::make_unique<RawConnection>(port_, 4096));
      clients.back()->Send(RawPreface(0x7fffffff) + RawWindow(0, 0x7fffffff - 65'535) +
                           RawCall(1, Request(options_, kEndless, i)));
    }
    while (!stop) Pause(10);
  }
  // Sixteen streams that are allowed one byte a second each.
  void TakeBytes(const std::atomic<bool>& stop) const {
    std::vector<std::unique_ptr<RawConnection>> clients;
    for (uint64_t i = 0; i < 16; ++i) {
      clients.push_back(std::make_unique<RawConnection>(port_));
      clients.back()->Send(RawPreface(0) + RawCall(1, Request(options_, kEndless, i)));
    }
    for (int turn = 0; !stop; ++turn) {
      if (turn % 100 == 0) {
        for (const auto& client : clients) client->Send(RawWindow(1, 1));
      }
      Pause(10);
    }
  }
  // Twenty streams a second that are cancelled after a batch or two.
  void Cancel(const std::atomic<bool>& stop) const {
    const auto stub = Connect(options_);
    std::minstd_rand random(1);
    while (!stop) {
      grpc::ClientContext context;
      const auto reader = stub->StreamCohort(&context, Request(options_, kEndless, random()));
      v1::StreamCohortResponse response;
      for (int messages = static_cast<int>(random() % 3); messages > 0 && reader->Read(&response); --messages) {
      }
      context.TryCancel();
      reader->Finish();
      Pause(50);
    }
  }
  // Twenty connections a second that are reset in the middle of a frame.
  void BreakOff(const std::atomic<bool>& stop) const {
    for (uint64_t seed = 0; !stop; ++seed) {
      RawConnection client(port_);
      const std::string call = RawCall(1, Request(options_, kEndless, seed));
      client.Send(RawPreface() + (seed % 2 == 0 ? call.substr(0, call.size() / 2) : call));
      Pause(50);
      client.Reset();
    }
  }

  const Options options_;
  const int port_;
};

int Main(int argc, char** argv) {
  Options options;
  CLI::App app("A server under too much load, or with bad clients; prints one line of JSON.");
  app.add_option("address", options.address, "HOST:PORT, on 127.0.0.1 for misbehaving")->required();
  app.add_option("model", options.model)->required();
  app.require_subcommand(1);
  CLI::App* overload = app.add_subcommand("overload", "so many times the rows that the server can make");
  overload->add_option("--seconds", options.seconds)->capture_default_str();
  overload->add_option("--times", options.times, "the capacity")->capture_default_str();
  overload->add_option("--samples", options.samples, "of a bulk call")->capture_default_str();
  overload->add_option("--threads", options.threads, "that call")->capture_default_str();
  overload->add_option("--streams", options.streams, "by which the capacity is found")->capture_default_str();
  overload->add_option("--pid", options.pid, "of the server, for its memory");
  CLI::App* misbehaving = app.add_subcommand("misbehaving", "good streams alone and beside bad clients");
  misbehaving->add_option("--seconds", options.seconds, "of each measurement");
  misbehaving->add_option("--rounds", options.rounds)->capture_default_str();
  misbehaving->add_option("--streams", options.streams)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (misbehaving->count("--seconds") == 0 && misbehaving->parsed()) options.seconds = 5;
  if (overload->parsed()) {
    Overload(options).Run();
  } else {
    Misbehaving(options).Run();
  }
  return 0;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) { return genoserve::Main(argc, argv); }

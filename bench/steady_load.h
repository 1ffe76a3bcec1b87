// Calls of one kind at a server, made by one thread so that they cost little on processors that they share with it.
#pragma once

#include <grpcpp/completion_queue.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "genoserve/v1/cohort.grpc.pb.h"

namespace genoserve {

/// A connection of its own to HOST:PORT, as another user would have.
std::unique_ptr<v1::CohortService::Stub> ConnectTo(const std::string& address);

/// A cohort of so many samples of a model.
v1::StreamCohortRequest CohortOf(const std::string& model, int64_t samples, uint64_t seed);

/// Sleeps.
void Pause(double seconds);
/// Since `begin`.
double SecondsSince(std::chrono::steady_clock::time_point begin);

/// What became of calls.
struct CallCounts {
  int64_t samples = 0;  ///< that arrived
  int64_t begun = 0;    ///< calls
  int64_t served = 0;   ///< with all their samples
  int64_t refused = 0;  ///< RESOURCE_EXHAUSTED before anything was sent
  int64_t bare = 0;     ///< of those, without RetryInfo
  int64_t lost = 0;     ///< ended otherwise
};

/// Cohorts asked for from several connections: so many at a time, or so many a second whether the server keeps up or
/// not. Its methods are for one thread.
class SteadyLoad {
 public:
  /// Asks for cohorts of `samples`, each with its own seed. Batches have at most `batch_bytes` of genotypes, which
  /// bounds what the server has made and not yet sent, and with it the error of a rate in a short time.
  SteadyLoad(const std::string& address, std::string model, int64_t samples, int batch_bytes);
  /// Cancels what runs.
  ~SteadyLoad();
  SteadyLoad(const SteadyLoad&) = delete;
  SteadyLoad& operator=(const SteadyLoad&) = delete;

  /// A closed loop: a call that ends is followed by another.
  void KeepInFlight(int calls);
  /// An open loop: a call is due at a steady pace, whatever became of those before.
  void Offer(double calls_per_second);
  /// No new calls. False where some still run after the time.
  bool Finish(double seconds);

  CallCounts counts() const;
  /// What the first lost call ended with; empty where none was.
  std::string first_loss() const;

 private:
  struct Call;
  enum class Pace { kRest, kClosed, kOpen };

  void Loop();
  // Begins what is due, and says when to look again.
  std::chrono::system_clock::time_point BeginDue();
  void Begin();
  // The call's last operation is done.
  void Proceed(Call* call, bool ok);
  void Count(const Call& call);

  const std::string model_;
  const int64_t samples_;
  const int batch_bytes_;
  std::vector<std::unique_ptr<v1::CohortService::Stub>> stubs_;
  grpc::CompletionQueue queue_;
  // Of the loop's thread.
  std::unordered_set<Call*> calls_;
  uint64_t seed_ = 0;
  int64_t due_ = 0;  // calls of the open loop that were begun
  bool opened_ = false;
  std::chrono::steady_clock::time_point open_since_;

  std::atomic<Pace> pace_ = Pace::kRest;
  std::atomic<int> target_ = 0;
  std::atomic<double> rate_ = 0;  // calls a second
  std::atomic<int64_t> in_flight_ = 0;
  std::atomic<bool> stop_ = false;
  mutable std::mutex mutex_;
  CallCounts counts_;       // under mutex_
  std::string first_loss_;  // under mutex_
  std::thread thread_;
};

}  // namespace genoserve

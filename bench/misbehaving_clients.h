// Clients that a server has to endure.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace genoserve {

/// Makes trouble at a server on 127.0.0.1. Each kind runs until it is told to stop, and then leaves nothing open.
/// Thread-safe: kinds may run at the same time. Those that begin many streams ask for few samples each: the share of
/// the server that any client may have is no part of the trouble.
class MisbehavingClients {
 public:
  struct Kind {
    const char* name;
    void (MisbehavingClients::*behave)(const std::atomic<bool>& stop) const;
    double settle;  ///< seconds until its buffers are full, which any call may fill, and its steady state begins
  };
  static const std::vector<Kind>& Kinds();

  /// `dropped_a_second` are the streams that OpenAndDrop opens.
  MisbehavingClients(int port, std::string model, double dropped_a_second);

  /// Sixteen streams that nobody reads: half of them are held back by HTTP/2's window, half by TCP alone, for each of
  /// which the server's kernel takes megabytes first.
  void NeverRead(const std::atomic<bool>& stop) const;
  /// Sixteen streams that are allowed one byte a second each.
  void TakeBytes(const std::atomic<bool>& stop) const;
  /// Twenty streams a second that are cancelled after up to two batches.
  void CancelAtRandom(const std::atomic<bool>& stop) const;
  /// Connections that stop in the middle of what they say and stay, and twenty a second that are reset there.
  void HalfOpen(const std::atomic<bool>& stop) const;
  /// Streams that take nothing and are dropped, half of them before and half of them after the server has seen them.
  void OpenAndDrop(const std::atomic<bool>& stop) const;
  /// Ten requests a second that are too large, and twenty connections that break HTTP/2, protobuf or sense.
  void Nonsense(const std::atomic<bool>& stop) const;

  /// Streams that OpenAndDrop has opened.
  int64_t dropped() const { return dropped_; }

 private:
  // A call in small batches.
  std::string SmallBatches(uint32_t stream, int64_t samples) const;

  const int port_;
  const std::string address_;
  const std::string model_;
  const double dropped_a_second_;
  mutable std::atomic<uint64_t> seed_ = 0;
  mutable std::atomic<int64_t> dropped_ = 0;
};

}  // namespace genoserve

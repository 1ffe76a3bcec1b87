// A loopback TCP proxy that cuts and stalls connections.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace genoserve {

/// Passes bytes between clients and a server on loopback, until it is told to fail. Thread-safe.
class Proxy {
 public:
  /// Listens on a free port of 127.0.0.1; `server_port` is where connections go.
  explicit Proxy(int server_port);
  /// Closes all connections.
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// "127.0.0.1:port".
  std::string address() const;

  /// Where connections to come go.
  void SetServer(int port) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Closes a connection once it has passed so many bytes to its client, `times` times.
  void CutAfter(int64_t bytes, int times) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Passes nothing more to the client, on any connection, once one has passed so many bytes to it.
  void StallAfter(int64_t bytes) ABSL_LOCKS_EXCLUDED(mutex_);

  /// Waits until a connection has stalled.
  void AwaitStall() ABSL_LOCKS_EXCLUDED(mutex_);
  /// Connections that were cut so far.
  int cuts() const ABSL_LOCKS_EXCLUDED(mutex_);
  /// Closes all connections, stalled ones too; those to come are passed.
  void CutNow() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Accept();
  void Pass(int client);
  // Whether the connection goes on, after `passed` bytes to its client.
  bool GoesOn(int64_t passed, int generation) ABSL_LOCKS_EXCLUDED(mutex_);

  int listener_ = -1;
  int port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // of the acceptor's thread
  mutable absl::Mutex mutex_;
  int server_port_ ABSL_GUARDED_BY(mutex_);
  int64_t cut_after_ ABSL_GUARDED_BY(mutex_) = 0;
  int cuts_left_ ABSL_GUARDED_BY(mutex_) = 0;
  int cuts_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<int64_t> stall_after_ ABSL_GUARDED_BY(mutex_);
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  int generation_ ABSL_GUARDED_BY(mutex_) = 0;  // connections of earlier ones are closed
};

}  // namespace genoserve

// A loopback proxy that fails at a chosen HTTP request.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace genoserve {

/// What happens to a request.
enum class HttpFault {
  kNone,
  kCutBefore,  ///< the connection is closed before the server sees the request
  kCutAfter,   ///< the server does it, but its answer is lost
  kTruncate,   ///< the server does it, and half of the answer's bytes come
  kStall,      ///< the server does it, and its answer never comes
  kAnswer,     ///< the server does not see it, and the answer is the one that was set
};

/// Passes HTTP/1.1 requests, one a connection, to a server on loopback. Thread-safe.
class HttpFaultProxy {
 public:
  explicit HttpFaultProxy(int server_port);
  /// Closes all connections.
  ~HttpFaultProxy();
  HttpFaultProxy(const HttpFaultProxy&) = delete;
  HttpFaultProxy& operator=(const HttpFaultProxy&) = delete;

  /// "http://127.0.0.1:port".
  std::string endpoint() const;

  /// What happens to a request, by its number and its head. Called by one thread at a time.
  using Plan = std::function<HttpFault(int number, absl::string_view head)>;
  /// Counts requests from 1 again, and has the plan say what happens to them.
  void SetPlan(Plan plan) ABSL_LOCKS_EXCLUDED(mutex_);
  /// A plan that strikes request `at` alone.
  static Plan Once(HttpFault fault, int at);
  /// One that strikes the first request whose head has these words.
  static Plan OnceAt(HttpFault fault, const std::string& words);
  /// The whole answer of kAnswer: status line, headers, body.
  void SetAnswer(const std::string& answer) ABSL_LOCKS_EXCLUDED(mutex_);
  /// Request lines and headers, since the last call of SetPlan.
  std::vector<std::string> heads() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Accept();
  void Serve(int client) ABSL_LOCKS_EXCLUDED(mutex_);
  // Notes a request; what is to happen to it.
  HttpFault Note(const std::string& head, std::string* answer) ABSL_LOCKS_EXCLUDED(mutex_);

  const int server_port_;
  int listener_ = -1;
  int port_ = 0;
  std::thread acceptor_;
  std::vector<std::thread> connections_;  // of the acceptor's thread
  mutable absl::Mutex mutex_;
  std::set<int> open_ ABSL_GUARDED_BY(mutex_);  // sockets of clients
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  Plan plan_ ABSL_GUARDED_BY(mutex_) = [](int, absl::string_view) { return HttpFault::kNone; };
  std::string answer_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> heads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace genoserve

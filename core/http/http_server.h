// The HTTP side: metrics and probes, plain and without tokens.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct mg_context;

namespace genoserve {

/// Serves GET /metrics, /livez and /readyz on threads of its own. A probe that passes is 200 "ok", one that does not is
/// 503 with the reason; a path without a handler is 404. Thread-safe.
class HttpServer {
 public:
  /// What the paths answer. Called from several threads.
  struct Handlers {
    std::function<std::string()> metrics = nullptr;
    std::function<std::string()> livez = nullptr;   ///< why the process should be restarted; empty = it lives
    std::function<std::string()> readyz = nullptr;  ///< why requests should go elsewhere; empty = it is ready
  };

  /// Listens on host:port, an address or localhost, port 0 for any free one. UNAVAILABLE where it cannot.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(absl::string_view host, int port, Handlers handlers);
  /// Ends when the requests that run have been answered.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// The port that it listens on.
  int port() const { return port_; }

 private:
  explicit HttpServer(Handlers handlers) : handlers_(std::move(handlers)) {}

  const Handlers handlers_;
  std::string host_;  // numeric
  mg_context* context_ = nullptr;
  int port_ = 0;
};

}  // namespace genoserve

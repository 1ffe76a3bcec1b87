// How a client reaches a server.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace genoserve {

/// Where the server is, how the client proves who it is, and how long it tries.
struct ClientOptions {
  /// "host:port", an IPv6 address in brackets; empty = the environment's GENOSERVE_SERVER. Several, with commas, are
  /// replicas: an attempt that fails is repeated at the next one.
  std::string server;
  /// PEM file of the authorities that the server's certificate may come from. Where it is given, or the server is not
  /// on loopback, the connection is TLS; without it the system's authorities count.
  std::string tls_ca;
  std::string tls_certificate;  ///< PEM file that the client shows, chain included; needs tls_key
  std::string tls_key;          ///< PEM file; needs tls_certificate
  /// File with a bearer token on its only line; empty = the environment's GENOSERVE_TOKEN, or no token.
  std::string token_file;
  bool insecure = false;                              ///< plain text also off loopback
  absl::Duration timeout = absl::InfiniteDuration();  ///< of one call, or one whole stream, retries included
  int retries = 6;  ///< attempts after a failure that waiting can cure; counted anew when a stream makes progress
  absl::Duration first_backoff = absl::Milliseconds(250);  ///< before the first retry; doubles each time, with jitter
  /// Told of each retry before its wait, on the thread of the call. May be empty.
  std::function<void(const absl::Status&, absl::Duration)> on_retry;
};

}  // namespace genoserve

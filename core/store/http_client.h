// HTTP requests over libcurl, one at a time a thread.
#pragma once

#include <curl/curl.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace genoserve {

/// Who signs a request by AWS's Signature Version 4, and for what.
struct HttpSigner {
  std::string region;
  std::string service;
  std::string access_key;
  std::string secret_key;
};

/// One request. Views must last until it is answered.
struct HttpRequest {
  std::string method;  ///< GET, HEAD, PUT, POST or DELETE
  /// With its query. What is signed must have the query's names in order, each with '=', and all but unreserved
  /// characters escaped: libcurl before 8.3 signs it as it is.
  std::string url;
  std::vector<std::string> headers;    ///< "name: value"
  absl::string_view body;              ///< of PUT and POST
  const HttpSigner* signer = nullptr;  ///< none = unsigned
  /// Where a good answer's body goes; its size is then exactly this. Empty = HttpResponse::body.
  std::span<char> into;
  size_t largest_body = 0;  ///< of HttpResponse::body; one that is larger ends the request
};

/// What a server answered, whatever its status.
struct HttpResponse {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  size_t into_size = 0;  ///< bytes that were written to `into`
};

/// How long things may take.
struct HttpTimeouts {
  absl::Duration connect = absl::Seconds(5);
  absl::Duration stall = absl::Seconds(15);   ///< with less than a thousand bytes a second
  absl::Duration request = absl::Minutes(5);  ///< one request in all
};

/// Keeps connections for later requests. TLS certificates are always verified; redirects are not followed. Thread-safe.
class HttpClient {
 public:
  /// At most `connections` requests run at once; more wait. `ca_file`: trusted authorities; empty = the system's.
  HttpClient(int connections, const HttpTimeouts& timeouts, const std::string& ca_file);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// UNAVAILABLE where there is no whole answer but another try may get one; FAILED_PRECONDITION where it will not
  /// (a certificate that is not trusted, say); RESOURCE_EXHAUSTED for a body over its bound.
  absl::StatusOr<HttpResponse> Send(const HttpRequest& request) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  CURL* Take() ABSL_LOCKS_EXCLUDED(mutex_);
  void GiveBack(CURL* handle) ABSL_LOCKS_EXCLUDED(mutex_);

  const HttpTimeouts timeouts_;
  const std::string ca_file_;
  absl::Mutex mutex_;
  std::vector<CURL*> idle_ ABSL_GUARDED_BY(mutex_);  // the latest last
};

}  // namespace genoserve

// Who asks an S3 server.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/store/aws_environment.h"
#include "core/store/http_client.h"

namespace genoserve {

/// Never in a message or a log.
struct S3Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;  ///< of temporary ones, else empty
  absl::Time expires = absl::InfiniteFuture();

  bool operator==(const S3Credentials&) const = default;
};

/// Where credentials come from. Thread-safe.
class CredentialsSource {
 public:
  virtual ~CredentialsSource() = default;
  /// Credentials that are valid for some minutes yet. UNAVAILABLE where another try may get some.
  virtual absl::StatusOr<S3Credentials> Get() = 0;
  /// Tells that a server takes these no more. Whether the next Get may bring others.
  virtual bool Refuse(const S3Credentials& refused) = 0;
};

/// The first of these that the environment has: AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN);
/// a web identity as Kubernetes gives it (AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME),
/// exchanged at AWS_ENDPOINT_URL_STS, else the region's own; the shared credentials file. Asks no server yet.
/// FAILED_PRECONDITION where there is none. `http` and `clock` must outlive it.
absl::StatusOr<std::unique_ptr<CredentialsSource>> FindCredentials(const Environment& environment,
                                                                   const std::string& region, HttpClient& http,
                                                                   const Clock& clock);

}  // namespace genoserve

// Signed requests to an S3 server, repeated where that can help.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/store/http_client.h"
#include "core/store/s3_credentials.h"
#include "core/store/s3_location.h"
#include "core/store/s3_xml.h"

namespace genoserve {

/// What an S3 store may take of time, connections and memory.
struct S3Limits {
  HttpTimeouts timeouts;
  int attempts = 5;                             ///< of a request, the first included
  absl::Duration retry_for = absl::Minutes(1);  ///< no new attempt after that
  absl::Duration first_wait =
      absl::Milliseconds(100);  ///< between attempts; doubled each time, and a random part of it
  absl::Duration longest_wait = absl::Seconds(5);
  uint64_t part_size = 16 << 20;  ///< larger files go up and down in parts of this; S3 takes no less than 5 MiB
  int part_connections = 4;       ///< parts of one file at once
  int connections = 8;            ///< requests of a store at once
};

/// One request to the bucket, or to an object in it.
struct S3Request {
  std::string method;
  std::string key;  ///< whole; empty = the bucket
  std::map<std::string, std::string> query;
  std::vector<std::string> headers;  ///< "name: value", beside those of every request
  absl::string_view body;
  std::span<char> into;           ///< see HttpRequest
  size_t largest_body = 4 << 20;  ///< see HttpRequest
};

/// How a request ended.
struct S3Result {
  /// NOT_FOUND, PERMISSION_DENIED, FAILED_PRECONDITION, RESOURCE_EXHAUSTED or UNAVAILABLE, with the name of the object
  /// and what the server said.
  absl::Status status;
  HttpResponse response;
  std::string code;       ///< of S3, as in "NoSuchKey", where there is an error
  bool repeated = false;  ///< an attempt before the last one got no answer, but may have been done
  bool unknown = false;   ///< so did the last one: nobody knows whether it was done
};

/// An object of a listing.
struct S3Object {
  std::string key;
  uint64_t size = 0;
  absl::Time last_modified;
};

/// An upload in parts that was begun and not ended.
struct S3Upload {
  std::string key;
  std::string id;
  absl::Time initiated;
};

/// The requests that a store is made of. Thread-safe.
class S3Client {
 public:
  /// FAILED_PRECONDITION where there are no credentials. Asks no server.
  static absl::StatusOr<std::unique_ptr<S3Client>> Create(const S3Location& location, const Environment& environment,
                                                          const S3Limits& limits);

  const S3Location& location() const { return location_; }
  const S3Limits& limits() const { return limits_; }

  /// Sends a request until it gets an answer that another try would not change, within the limits.
  S3Result Send(const S3Request& request);

  /// Objects whose keys begin with `prefix`, in order of their keys.
  absl::StatusOr<std::vector<S3Object>> List(const std::string& prefix);
  /// Uploads of keys that begin with `prefix`, as far as the server tells: MinIO tells those of one whole key only, and
  /// removes old ones itself.
  absl::StatusOr<std::vector<S3Upload>> ListUploads(const std::string& prefix);

  /// Writes an object that is not there yet: ALREADY_EXISTS otherwise. `owner` marks the object, so that one which this
  /// very call wrote is known after an answer was lost. `unknown` (not null) is set where nobody knows whether it was
  /// written.
  absl::Status PutNew(const std::string& key, absl::string_view bytes, const std::string& owner, bool* unknown);
  /// Writes an object, over what was there.
  absl::Status Put(const std::string& key, absl::string_view bytes);
  /// OK where there is none.
  absl::Status Delete(const std::string& key);
  /// The mark of an object; empty where another program wrote it.
  absl::StatusOr<std::string> Owner(const std::string& key);

 private:
  S3Client(const S3Location& location, const S3Limits& limits);

  S3Result SendOnce(const S3Request& request, const S3Credentials& credentials);
  // Every page of a listing. `next` sets the query of the next page from a page; false after the last.
  absl::Status Pages(std::map<std::string, std::string> query, absl::FunctionRef<absl::Status(const XmlElement&)> take,
                     absl::FunctionRef<void(const XmlElement&, std::map<std::string, std::string>*)> next);

  const S3Location location_;
  const S3Limits limits_;
  HttpClient http_;
  std::unique_ptr<CredentialsSource> credentials_;
};

/// The headers that give a new object its mark, and that let it be written only where there is none.
std::vector<std::string> NewObjectHeaders(const std::string& owner);

}  // namespace genoserve

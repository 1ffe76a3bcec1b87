#include "core/store/s3_client.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/store/s3_query.h"

namespace genoserve {
namespace {

constexpr absl::string_view kOwnerHeader = "x-amz-meta-genoserve-owner";
// Of a thousand keys each: more belong to no store of checkpoints.
constexpr int kMaxPages = 1000;
constexpr size_t kMaxMessage = 200;

bool MayPass(int status, const std::string& code) {
  return (status >= 500 && status != 501) || status == 429 || status == 408 || code == "SlowDown" ||
         code == "RequestTimeout" || code == "ConditionalRequestConflict" || code == "OperationAborted";
}

// Whether this may say that credentials are too old. The answer to HEAD has no body that would tell.
bool MayBeOldCredentials(const std::string& method, const S3Result& result) {
  const int status = result.response.status;
  if (method == "HEAD") return status == 400 || status == 401 || status == 403;
  return result.code == "ExpiredToken" || result.code == "InvalidToken" || result.code == "InvalidAccessKeyId" ||
         result.code == "TokenRefreshRequired";
}

absl::Status MakeStatus(int status, const std::string& code, const std::string& what) {
  if (status == 404) return absl::NotFoundError(what);
  if (status == 401 || status == 403) return absl::PermissionDeniedError(what);
  if (status == 507 || absl::StrContains(code, "StorageFull") || code == "QuotaExceeded" || code == "EntityTooLarge") {
    return absl::ResourceExhaustedError(what);
  }
  if (MayPass(status, code)) return absl::UnavailableError(what);
  return absl::FailedPreconditionError(what);
}

// The error of an answer: by its status, or, for a request that S3 begins to answer before it is done, by its body.
void ReadError(const std::string& name, S3Result* result) {
  const HttpResponse& response = result->response;
  const bool good = response.status >= 200 && response.status < 300;
  const absl::StatusOr<XmlElement> body = response.body.empty() ? XmlElement() : ParseXml(response.body);
  const bool error = body.ok() && body->name == "Error";
  if (good && !error) return;
  std::string said;
  if (error) {
    result->code = body->Text("Code");
    said = absl::StrCat(" ", result->code, ": ", body->Text("Message").substr(0, kMaxMessage));
  } else if (const auto location = response.headers.find("x-amz-bucket-region"); location != response.headers.end()) {
    said = absl::StrCat(": the bucket is in the region ", location->second);
  }
  // A page of a proxy's that knows no such path says nothing of the object.
  const bool foreign = response.status == 404 && !error && !response.body.empty();
  result->status = MakeStatus(good || foreign ? 500 : response.status, result->code,
                              absl::StrCat(name, ": HTTP ", response.status, absl::CHexEscape(said)));
}

absl::Status ParsePage(const std::string& name, const S3Result& result, absl::string_view root, XmlElement* page) {
  if (!result.status.ok()) return result.status;
  absl::StatusOr<XmlElement> parsed = ParseXml(result.response.body);
  if (parsed.ok() && parsed->name != root) parsed = absl::DataLossError(absl::StrCat("is no ", root));
  if (!parsed.ok())
    return Annotate(absl::UnavailableError(parsed.status().message()), absl::StrCat("listing of ", name));
  *page = *std::move(parsed);
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> NewObjectHeaders(const std::string& owner) {
  return {"If-None-Match: *", absl::StrCat(kOwnerHeader, ": ", owner)};
}

S3Client::S3Client(const S3Location& location, const S3Limits& limits)
    : location_(location), limits_(limits), http_(limits.connections, limits.timeouts, location.ca_file) {}

absl::StatusOr<std::unique_ptr<S3Client>> S3Client::Create(const S3Location& location, const Environment& environment,
                                                           const S3Limits& limits) {
  std::unique_ptr<S3Client> client(new S3Client(location, limits));
  auto credentials = FindCredentials(environment, location.region, client->http_, Clock::Real());
  if (!credentials.ok()) return Annotate(credentials.status(), absl::StrCat("store ", location.Name("")));
  client->credentials_ = *std::move(credentials);
  return client;
}

S3Result S3Client::SendOnce(const S3Request& request, const S3Credentials& credentials) {
  const HttpSigner signer{location_.region, "s3", credentials.access_key, credentials.secret_key};
  HttpRequest http;
  http.method = request.method;
  http.url = location_.Url(request.key);
  if (!request.query.empty()) absl::StrAppend(&http.url, "?", FormatQuery(request.query));
  http.headers = request.headers;
  http.headers.push_back(absl::StrCat("x-amz-content-sha256: ", Sha256Hex(request.body)));
  if (!credentials.session_token.empty()) {
    http.headers.push_back(absl::StrCat("x-amz-security-token: ", credentials.session_token));
  }
  if (request.method == "PUT" || request.method == "POST") {
    http.headers.push_back("Content-Type: application/octet-stream");  // else libcurl says that it is a form
  }
  http.body = request.body;
  http.signer = &signer;
  http.into = request.into;
  http.largest_body = request.largest_body;

  S3Result result;
  const std::string name = location_.Name(request.key);
  absl::StatusOr<HttpResponse> response = http_.Send(http);
  if (!response.ok()) {
    result.status = Annotate(response.status(), absl::StrCat(name, " at ", location_.endpoint));
    result.unknown = true;
    return result;
  }
  result.response = *std::move(response);
  ReadError(name, &result);
  // A server, or what stands before it, may have given up on a request that was done after all.
  result.unknown = absl::IsUnavailable(result.status);
  return result;
}

S3Result S3Client::Send(const S3Request& request) {
  absl::InsecureBitGen random;
  const absl::Time end = absl::Now() + limits_.retry_for;
  absl::Duration wait = limits_.first_wait;
  bool repeated = false;
  bool renewed = false;
  for (int attempt = 1;; ++attempt) {
    const absl::StatusOr<S3Credentials> credentials = credentials_->Get();
    S3Result result;
    if (credentials.ok()) {
      result = SendOnce(request, *credentials);
    } else {
      result.status = Annotate(credentials.status(), location_.Name(request.key));
    }
    result.repeated = repeated;
    repeated = repeated || result.unknown;
    bool passing = absl::IsUnavailable(result.status);
    if (!passing && !renewed && credentials.ok() && MayBeOldCredentials(request.method, result)) {
      renewed = true;
      passing = credentials_->Refuse(*credentials);
    }
    if (!passing) return result;
    const absl::Duration pause = absl::Milliseconds(
        absl::Uniform<int64_t>(random, absl::ToInt64Milliseconds(wait) / 2, absl::ToInt64Milliseconds(wait) + 1));
    if (attempt >= limits_.attempts || absl::Now() + pause >= end) {
      if (attempt > 1) {
        result.status =
            absl::Status(result.status.code(), absl::StrCat(result.status.message(), " (tried ", attempt, " times)"));
      }
      result.unknown = repeated;
      return result;
    }
    absl::SleepFor(pause);
    wait = std::min(wait * 2, limits_.longest_wait);
  }
}

absl::Status S3Client::Pages(std::map<std::string, std::string> query,
                             absl::FunctionRef<absl::Status(const XmlElement&)> take,
                             absl::FunctionRef<void(const XmlElement&, std::map<std::string, std::string>*)> next) {
  const std::string name = location_.Name(query["prefix"]);
  const std::string root = query.contains("uploads") ? "ListMultipartUploadsResult" : "ListBucketResult";
  for (int page = 0; page < kMaxPages; ++page) {
    S3Request request;
    request.method = "GET";
    request.query = query;
    XmlElement listing;
    GENOSERVE_RETURN_IF_ERROR(ParsePage(name, Send(request), root, &listing));
    GENOSERVE_RETURN_IF_ERROR(take(listing));
    if (listing.Text("IsTruncated") != "true") return absl::OkStatus();
    const std::map<std::string, std::string> before = query;
    next(listing, &query);
    if (query == before) return absl::UnavailableError(absl::StrCat("listing of ", name, ": does not go on"));
  }
  return absl::ResourceExhaustedError(
      absl::StrCat("listing of ", name, ": has more than ", kMaxPages, " pages; give the store a prefix of its own"));
}

absl::StatusOr<std::vector<S3Object>> S3Client::List(const std::string& prefix) {
  std::vector<S3Object> objects;
  const auto take = [&objects](const XmlElement& page) {
    for (const XmlElement& element : page.children) {
      if (element.name != "Contents") continue;
      S3Object object{element.Text("Key"), 0, {}};
      GENOSERVE_ASSIGN_OR_RETURN(object.last_modified, ParseS3Time(element.Text("LastModified")));
      if (!absl::SimpleAtoi(element.Text("Size"), &object.size)) return absl::DataLossError("an object has no size");
      objects.push_back(std::move(object));
    }
    return absl::OkStatus();
  };
  const auto next = [](const XmlElement& page, std::map<std::string, std::string>* query) {
    (*query)["continuation-token"] = page.Text("NextContinuationToken");
  };
  GENOSERVE_RETURN_IF_ERROR(Pages({{"list-type", "2"}, {"prefix", prefix}}, take, next));
  return objects;
}

absl::StatusOr<std::vector<S3Upload>> S3Client::ListUploads(const std::string& prefix) {
  std::vector<S3Upload> uploads;
  const auto take = [&uploads](const XmlElement& page) {
    for (const XmlElement& element : page.children) {
      if (element.name != "Upload") continue;
      S3Upload upload{element.Text("Key"), element.Text("UploadId"), {}};
      GENOSERVE_ASSIGN_OR_RETURN(upload.initiated, ParseS3Time(element.Text("Initiated")));
      uploads.push_back(std::move(upload));
    }
    return absl::OkStatus();
  };
  const auto next = [](const XmlElement& page, std::map<std::string, std::string>* query) {
    (*query)["key-marker"] = page.Text("NextKeyMarker");
    (*query)["upload-id-marker"] = page.Text("NextUploadIdMarker");
  };
  const absl::Status status = Pages({{"prefix", prefix}, {"uploads", ""}}, take, next);
  if (!status.ok()) return status;
  return uploads;
}

absl::Status S3Client::PutNew(const std::string& key, absl::string_view bytes, const std::string& owner,
                              bool* unknown) {
  S3Request request;
  request.method = "PUT";
  request.key = key;
  request.headers = NewObjectHeaders(owner);
  request.body = bytes;
  S3Result result = Send(request);
  if (unknown != nullptr) *unknown = result.unknown;
  if (result.response.status != 412) return result.status;
  if (result.repeated) {
    const absl::StatusOr<std::string> found = Owner(key);
    if (unknown != nullptr) *unknown = !found.ok();
    if (!found.ok() && !absl::IsNotFound(found.status())) return found.status();
    if (found.ok() && *found == owner) return absl::OkStatus();
  }
  return absl::AlreadyExistsError(absl::StrCat(location_.Name(key), ": is there already"));
}

absl::Status S3Client::Put(const std::string& key, absl::string_view bytes) {
  S3Request request;
  request.method = "PUT";
  request.key = key;
  request.body = bytes;
  return Send(request).status;
}

absl::Status S3Client::Delete(const std::string& key) {
  S3Request request;
  request.method = "DELETE";
  request.key = key;
  const S3Result result = Send(request);
  return absl::IsNotFound(result.status) && result.code != "NoSuchBucket" ? absl::OkStatus() : result.status;
}

absl::StatusOr<std::string> S3Client::Owner(const std::string& key) {
  S3Request request;
  request.method = "HEAD";
  request.key = key;
  S3Result result = Send(request);
  if (!result.status.ok()) return result.status;
  return result.response.headers[std::string(kOwnerHeader)];
}

}  // namespace genoserve

#include "core/store/http_client.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/loopback.h"

namespace genoserve {
namespace {

// Under so many bytes a second a transfer counts as stalled.
constexpr long kStallSpeed = 1000;
// Before a body of over 1 MB is sent, so long a server may take to refuse it. ("Expect:" would switch that off, but
// libcurl 7.88 signs that header and does not send it.)
constexpr long kLongestExpect = 200;
// Of an answer that says what is wrong.
constexpr size_t kLargestErrorBody = 64 << 10;
constexpr size_t kMaxHeaders = 100;

// What the callbacks of one request work on.
struct Exchange {
  const HttpRequest* request = nullptr;
  CURL* handle = nullptr;
  HttpResponse response;
  bool too_large = false;
  bool headers_ended = false;  // libcurl takes headers that were cut short for all of them
};

bool IsGood(CURL* handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300;
}

size_t TakeBody(char* bytes, size_t, size_t count, void* user) {
  Exchange& exchange = *static_cast<Exchange*>(user);
  const bool good = IsGood(exchange.handle);
  if (good && !exchange.request->into.empty()) {
    const std::span<char> free = exchange.request->into.subspan(exchange.response.into_size);
    if (count > free.size()) {
      exchange.too_large = true;
      return 0;
    }
    std::memcpy(free.data(), bytes, count);
    exchange.response.into_size += count;
    return count;
  }
  std::string& body = exchange.response.body;
  const size_t largest = good ? exchange.request->largest_body : kLargestErrorBody;
  if (count > largest - std::min(largest, body.size())) {
    exchange.too_large = good;
    // Of what is wrong the first part is enough.
    return good ? 0 : count;
  }
  body.append(bytes, count);
  return count;
}

size_t TakeHeader(char* bytes, size_t, size_t count, void* user) {
  Exchange& exchange = *static_cast<Exchange*>(user);
  const absl::string_view line(bytes, count);
  if (absl::StartsWith(line, "HTTP/")) exchange.headers_ended = false;
  if (absl::StripAsciiWhitespace(line).empty()) exchange.headers_ended = true;
  const size_t colon = line.find(':');
  if (colon != absl::string_view::npos && exchange.response.headers.size() < kMaxHeaders) {
    exchange.response.headers[absl::AsciiStrToLower(line.substr(0, colon))] =
        std::string(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  }
  return count;
}

// Whether another try may end otherwise.
bool MayPass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:  // what a broken status line is taken for
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_BAD_CONTENT_ENCODING:
      return true;
    default:
      return false;
  }
}

std::string HostOf(const std::string& url) {
  std::string host;
  CURLU* parts = curl_url();
  char* text = nullptr;
  if (curl_url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_HOST, &text, 0) == CURLUE_OK) {
    host = text;
    curl_free(text);
  }
  curl_url_cleanup(parts);
  return host;
}

// A body is in memory, so even that of PUT is sent as libcurl sends forms: with the head, where it is small.
void SetMethod(CURL* handle, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  if (request.method == "PUT" || request.method == "DELETE") {
    curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

}  // namespace

HttpClient::HttpClient(int connections, const HttpTimeouts& timeouts, const std::string& ca_file)
    : timeouts_(timeouts), ca_file_(ca_file) {
  static const CURLcode kReady = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)kReady;
  for (int i = 0; i < connections; ++i) idle_.push_back(curl_easy_init());
}

HttpClient::~HttpClient() {
  const absl::MutexLock lock(&mutex_);
  for (CURL* handle : idle_) curl_easy_cleanup(handle);
}

CURL* HttpClient::Take() {
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::vector<CURL*>* idle) { return !idle->empty(); }, &idle_));
  CURL* handle = idle_.back();
  idle_.pop_back();
  return handle;
}

void HttpClient::GiveBack(CURL* handle) {
  curl_easy_reset(handle);  // keeps its connections
  const absl::MutexLock lock(&mutex_);
  idle_.push_back(handle);
}

absl::StatusOr<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  CURL* handle = Take();
  if (handle == nullptr) return absl::ResourceExhaustedError("libcurl has no memory");
  const absl::Cleanup give_back = [this, handle] { GiveBack(handle); };
  Exchange exchange{&request, handle, {}};
  std::array<char, CURL_ERROR_SIZE> error{};
  curl_slist* headers = nullptr;
  const absl::Cleanup free_headers = [&headers] { curl_slist_free_all(headers); };
  for (const std::string& header : request.headers) headers = curl_slist_append(headers, header.c_str());

  SetMethod(handle, request);
  curl_easy_setopt(handle, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_USERAGENT, "genoserve");
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeouts_.connect)));
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, static_cast<long>(absl::ToInt64Milliseconds(timeouts_.request)));
  curl_easy_setopt(handle, CURLOPT_EXPECT_100_TIMEOUT_MS, kLongestExpect);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, kStallSpeed);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(absl::ToInt64Seconds(timeouts_.stall)));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  if (!ca_file_.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, ca_file_.c_str());
  // A proxy of the environment is for hosts elsewhere.
  if (IsLoopbackHost(HostOf(request.url))) curl_easy_setopt(handle, CURLOPT_PROXY, "");
  if (request.signer != nullptr) {
    const HttpSigner& signer = *request.signer;
    curl_easy_setopt(handle, CURLOPT_AWS_SIGV4, absl::StrCat("aws:amz:", signer.region, ":", signer.service).c_str());
    curl_easy_setopt(handle, CURLOPT_USERNAME, signer.access_key.c_str());
    curl_easy_setopt(handle, CURLOPT_PASSWORD, signer.secret_key.c_str());
  }

  const CURLcode code = curl_easy_perform(handle);
  if (exchange.too_large) return absl::ResourceExhaustedError("the answer is larger than what was asked for");
  if (code != CURLE_OK) {
    const std::string what = absl::StrCat(curl_easy_strerror(code), error[0] == 0 ? "" : ": ", error.data());
    return MayPass(code) ? absl::UnavailableError(what) : absl::FailedPreconditionError(what);
  }
  if (!exchange.headers_ended) return absl::UnavailableError("the answer was cut short");
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  if (!request.into.empty() && status >= 200 && status < 300 && exchange.response.into_size < request.into.size()) {
    return absl::UnavailableError("the answer is shorter than what was asked for");
  }
  return std::move(exchange.response);
}

}  // namespace genoserve

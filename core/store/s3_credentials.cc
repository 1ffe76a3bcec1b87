#include "core/store/s3_credentials.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/store/s3_query.h"
#include "core/store/s3_xml.h"

namespace genoserve {
namespace {

// Temporary credentials are renewed so long before they end.
constexpr absl::Duration kRenewBefore = absl::Minutes(5);
// A file may be changed at any time; it is looked at again after this.
constexpr absl::Duration kFileAge = absl::Minutes(1);
constexpr uint64_t kLargestToken = 64 << 10;
constexpr size_t kLargestAnswer = 256 << 10;

class FixedCredentials final : public CredentialsSource {
 public:
  explicit FixedCredentials(S3Credentials credentials) : credentials_(std::move(credentials)) {}
  absl::StatusOr<S3Credentials> Get() override { return credentials_; }
  bool Refuse(const S3Credentials&) override { return false; }

 private:
  const S3Credentials credentials_;
};

// Keeps what `fetch` got until shortly before it ends. One thread fetches; others go on with what there is while it is
// valid, else wait.
class RenewedCredentials final : public CredentialsSource {
 public:
  using Fetch = std::function<absl::StatusOr<S3Credentials>()>;
  RenewedCredentials(Fetch fetch, const Clock& clock) : fetch_(std::move(fetch)), clock_(clock) {}

  absl::StatusOr<S3Credentials> Get() override ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      const absl::MutexLock lock(&mutex_);
      while (true) {
        const absl::Time now = clock_.Now();
        if (current_.expires > now && (fetching_ || current_.expires > now + kRenewBefore)) return current_;
        if (!fetching_) break;
        mutex_.Await(absl::Condition(
            +[](bool* fetching) { return !*fetching; }, &fetching_));
      }
      fetching_ = true;
    }
    absl::StatusOr<S3Credentials> fetched = fetch_();
    const absl::MutexLock lock(&mutex_);
    fetching_ = false;
    if (fetched.ok()) {
      current_ = *fetched;
    } else if (current_.expires > clock_.Now()) {
      return current_;
    }
    return fetched;
  }

  bool Refuse(const S3Credentials& refused) override ABSL_LOCKS_EXCLUDED(mutex_) {
    const absl::MutexLock lock(&mutex_);
    if (current_ == refused) current_.expires = absl::InfinitePast();
    return true;
  }

 private:
  const Fetch fetch_;
  const Clock& clock_;
  absl::Mutex mutex_;
  S3Credentials current_ ABSL_GUARDED_BY(mutex_) = {"", "", "", absl::InfinitePast()};
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
};

absl::StatusOr<S3Credentials> FromProfile(const Environment& environment, const Clock& clock) {
  GENOSERVE_ASSIGN_OR_RETURN(AwsProfile profile, ReadSharedCredentials(environment));
  S3Credentials found{profile["aws_access_key_id"], profile["aws_secret_access_key"], profile["aws_session_token"],
                      clock.Now() + kRenewBefore + kFileAge};
  if (!found.access_key.empty() && !found.secret_key.empty()) return found;
  return absl::FailedPreconditionError(
      "there are no credentials for S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
      "AWS_WEB_IDENTITY_TOKEN_FILE "
      "and AWS_ROLE_ARN, or write aws_access_key_id and aws_secret_access_key to a profile of ~/.aws/credentials");
}

// A role that a web identity may take.
struct WebIdentity {
  std::string token_file;
  std::string role;
  std::string session;
  std::string endpoint;
};

absl::StatusOr<S3Credentials> TakeRole(const WebIdentity& identity, HttpClient& http) {
  // Read each time: Kubernetes writes a new one before the old one ends.
  absl::StatusOr<std::string> token = FileSystem::Posix().ReadFile(identity.token_file, kLargestToken);
  if (!token.ok()) return Annotate(token.status(), "AWS_WEB_IDENTITY_TOKEN_FILE");
  const std::string body = FormatQuery({{"Action", "AssumeRoleWithWebIdentity"},
                                        {"RoleArn", identity.role},
                                        {"RoleSessionName", identity.session},
                                        {"Version", "2011-06-15"},
                                        {"WebIdentityToken", std::string(absl::StripAsciiWhitespace(*token))}});
  HttpRequest request;
  request.method = "POST";
  request.url = absl::StrCat(identity.endpoint, "/");
  request.headers = {"Content-Type: application/x-www-form-urlencoded"};
  request.body = body;
  request.largest_body = kLargestAnswer;
  const std::string where = absl::StrCat("role ", identity.role, " at ", identity.endpoint);
  absl::StatusOr<HttpResponse> response = http.Send(request);
  if (!response.ok()) return Annotate(response.status(), where);
  const absl::StatusOr<XmlElement> answer = ParseXml(response->body);
  if (response->status != 200) {
    const XmlElement* error = answer.ok() ? answer->Child("Error") : nullptr;
    const std::string what = absl::StrCat(where, ": HTTP ", response->status, " ",
                                          error == nullptr ? "" : absl::CHexEscape(error->Text("Code")));
    const bool passing = response->status >= 500 || response->status == 429;
    return passing ? absl::UnavailableError(what) : absl::PermissionDeniedError(what);
  }
  const XmlElement* result = answer.ok() ? answer->Child("AssumeRoleWithWebIdentityResult") : nullptr;
  const XmlElement* found = result == nullptr ? nullptr : result->Child("Credentials");
  if (found == nullptr) return absl::UnavailableError(absl::StrCat(where, ": the answer has no credentials"));
  GENOSERVE_ASSIGN_OR_RETURN(const absl::Time expires, ParseS3Time(found->Text("Expiration")));
  return S3Credentials{found->Text("AccessKeyId"), found->Text("SecretAccessKey"), found->Text("SessionToken"),
                       expires};
}

}  // namespace

absl::StatusOr<std::unique_ptr<CredentialsSource>> FindCredentials(const Environment& environment,
                                                                   const std::string& region, HttpClient& http,
                                                                   const Clock& clock) {
  const std::string key = environment("AWS_ACCESS_KEY_ID");
  const std::string secret = environment("AWS_SECRET_ACCESS_KEY");
  if (key.empty() != secret.empty()) {
    return absl::FailedPreconditionError("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both or none");
  }
  if (!key.empty()) {
    return std::make_unique<FixedCredentials>(S3Credentials{key, secret, environment("AWS_SESSION_TOKEN")});
  }
  if (const std::string file = environment("AWS_WEB_IDENTITY_TOKEN_FILE"); !file.empty()) {
    WebIdentity identity{file, environment("AWS_ROLE_ARN"), environment("AWS_ROLE_SESSION_NAME"),
                         environment("AWS_ENDPOINT_URL_STS")};
    if (identity.role.empty()) {
      return absl::FailedPreconditionError("AWS_WEB_IDENTITY_TOKEN_FILE is set, but AWS_ROLE_ARN is not");
    }
    if (identity.session.empty()) identity.session = "genoserve";
    if (identity.endpoint.empty()) {
      identity.endpoint =
          absl::StrCat("https://sts.", region, ".amazonaws.com", absl::StartsWith(region, "cn-") ? ".cn" : "");
    }
    return std::make_unique<RenewedCredentials>([identity, &http] { return TakeRole(identity, http); }, clock);
  }
  GENOSERVE_RETURN_IF_ERROR(FromProfile(environment, clock).status());
  return std::make_unique<RenewedCredentials>([environment, &clock] { return FromProfile(environment, clock); }, clock);
}

}  // namespace genoserve

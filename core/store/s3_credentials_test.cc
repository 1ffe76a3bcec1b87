// Who asks: the environment, files and web identities, at a real server of identities and buckets.
#include "core/store/s3_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/file.h"
#include "core/store/s3_client.h"
#include "core/store/s3_store.h"
#include "core/store/testing/http_fault_proxy.h"
#include "core/store/testing/s3_server.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class S3CredentialsTest : public testing::Test {
 protected:
  S3CredentialsTest() : server_(S3Server::Shared(S3Server::Make::kMoto)), proxy_(server_.port()), http_(2, {}, "") {}

  ~S3CredentialsTest() override { FileSystem::Posix().Remove(file_).IgnoreError(); }

  void WriteFile(const std::string& text) { ASSERT_TRUE(FileSystem::Posix().WriteFile(file_, text).ok()); }

  Environment environment() {
    return [this](const std::string& name) {
      const auto found = variables_.find(name);
      return found == variables_.end() ? std::string() : found->second;
    };
  }

  absl::StatusOr<std::unique_ptr<CredentialsSource>> Find() {
    return FindCredentials(environment(), "us-east-1", http_, clock_);
  }

  void UseWebIdentity() {
    WriteFile("a.web.token\n");
    variables_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", file_},
                  {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/trainer"},
                  {"AWS_ENDPOINT_URL_STS", proxy_.endpoint()}};
  }

  S3Server& server_;
  HttpFaultProxy proxy_;
  HttpClient http_;
  FakeClock clock_{absl::Now()};
  const std::string file_ = absl::StrCat(testing::TempDir(), "s3_credentials_test_", ::getpid());
  std::map<std::string, std::string> variables_;
};

TEST_F(S3CredentialsTest, WhereThereAreNoneItIsSaidHowToGiveThem) {
  EXPECT_EQ(Find().status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Find().status().message()), HasSubstr("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"));
  variables_ = {{"AWS_ACCESS_KEY_ID", "half"}};
  EXPECT_THAT(std::string(Find().status().message()), HasSubstr("set both or none"));
  variables_ = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "/token"}};
  EXPECT_THAT(std::string(Find().status().message()), HasSubstr("AWS_ROLE_ARN is not"));
  variables_ = {{"HOME", testing::TempDir()}, {"AWS_PROFILE", "lab"}};
  EXPECT_EQ(Find().status().code(), absl::StatusCode::kNotFound);
}

TEST_F(S3CredentialsTest, TheEnvironmentWinsOverTheFile) {
  WriteFile("[default]\naws_access_key_id = filed\naws_secret_access_key = f/s+1=\n");
  variables_ = {{"AWS_SHARED_CREDENTIALS_FILE", file_},
                {"AWS_ACCESS_KEY_ID", "key"},
                {"AWS_SECRET_ACCESS_KEY", "secret"},
                {"AWS_SESSION_TOKEN", "session"}};
  EXPECT_EQ((*Find())->Get().value(), (S3Credentials{"key", "secret", "session"}));
}

TEST_F(S3CredentialsTest, TheFileIsReadAgainSoThatKeysCanBeChanged) {
  WriteFile("[other]\naws_access_key_id=x\n[lab]\naws_access_key_id = one\naws_secret_access_key = s/1+=\n");
  variables_ = {{"AWS_SHARED_CREDENTIALS_FILE", file_}, {"AWS_PROFILE", "lab"}};
  const auto source = Find().value();
  EXPECT_EQ(source->Get()->access_key, "one");
  EXPECT_EQ(source->Get()->secret_key, "s/1+=");
  WriteFile("[lab]\naws_access_key_id = two\naws_secret_access_key = s\naws_session_token = t\n");
  EXPECT_EQ(source->Get()->access_key, "one");
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(source->Get()->access_key, "two");
  EXPECT_EQ(source->Get()->session_token, "t");
  // Sooner where the server refuses what there is.
  WriteFile("[lab]\naws_access_key_id = three\naws_secret_access_key = s\n");
  EXPECT_TRUE(source->Refuse(source->Get().value()));
  EXPECT_EQ(source->Get()->access_key, "three");
  // While it is being written it may not be whole: what there was serves until it is too old.
  WriteFile("[lab]\n");
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(source->Get()->access_key, "three");
}

TEST_F(S3CredentialsTest, AWebIdentityIsExchangedAndRenewedBeforeItEnds) {
  UseWebIdentity();
  const auto source = Find().value();
  EXPECT_THAT(proxy_.heads(), IsEmpty()) << "nobody is asked before there is something to do";
  const S3Credentials first = source->Get().value();
  EXPECT_THAT(first.access_key, Not(IsEmpty()));
  EXPECT_THAT(first.session_token, Not(IsEmpty()));
  EXPECT_GT(first.expires, clock_.Now() + absl::Minutes(10));
  EXPECT_EQ(source->Get().value(), first);
  EXPECT_EQ(proxy_.heads().size(), size_t{1});

  // Four minutes before the end new ones are asked for; while that fails the old ones serve, until their end.
  clock_.Advance(first.expires - absl::Minutes(4) - clock_.Now());
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kCutBefore; });
  EXPECT_EQ(source->Get().value(), first);
  EXPECT_EQ(proxy_.heads().size(), size_t{1});
  clock_.Advance(absl::Minutes(5));
  EXPECT_EQ(source->Get().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(source->Get().status().message()), HasSubstr("role arn:aws:iam::123456789012:role/trainer"));
  EXPECT_THAT(std::string(source->Get().status().message()), Not(HasSubstr("a.web.token")));
  proxy_.SetPlan(HttpFaultProxy::Once(HttpFault::kNone, 0));
  EXPECT_NE(source->Get()->access_key, first.access_key);
}

TEST_F(S3CredentialsTest, AStoreRenewsWhatItsServerCallsExpired) {
  UseWebIdentity();
  server_.MakeBucket("identities");
  HttpFaultProxy bucket(server_.port());
  const auto store =
      OpenS3Store(absl::StrCat("s3://identities/p?endpoint=", bucket.endpoint()), false, environment()).value();
  const std::string expired =
      "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>";
  bucket.SetAnswer(absl::StrCat("HTTP/1.1 400 Bad Request\r\nContent-Length: ", expired.size(),
                                "\r\nConnection: close\r\n\r\n", expired));
  bucket.SetPlan(HttpFaultProxy::Once(HttpFault::kAnswer, 2));
  ASSERT_TRUE(store->ListVersions("m").ok());
  ASSERT_TRUE(store->ListVersions("m").ok());
  const std::vector<std::string> heads = bucket.heads();
  ASSERT_EQ(heads.size(), size_t{3});
  const auto key = [](const std::string& head) {
    const size_t at = head.find("Credential=");
    return head.substr(at, head.find('/', at) - at);
  };
  EXPECT_EQ(key(heads[0]), key(heads[1]));
  EXPECT_NE(key(heads[1]), key(heads[2]));
  for (const std::string& head : heads) {
    EXPECT_THAT(head, HasSubstr("x-amz-security-token: "));
    EXPECT_THAT(head, HasSubstr("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"));
  }
  EXPECT_EQ(proxy_.heads().size(), size_t{2}) << "each time one exchange";
}

TEST_F(S3CredentialsTest, OnlyATrustedCertificateIsTalkedTo) {
  const std::string certificate = file_ + ".pem";
  const std::string key = file_ + ".key";
  const std::string make =
      absl::StrCat("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=test ",
                   "-addext subjectAltName=IP:127.0.0.1 -keyout ", key, " -out ", certificate, " 2>/dev/null");
  ASSERT_EQ(std::system(make.c_str()), 0);
  S3Server server(S3Server::Make::kMoto, {certificate, key});
  server.MakeBucket("trusted");
  const std::string url = absl::StrCat("s3://trusted/p?endpoint=", server.endpoint());
  variables_ = {{"AWS_ACCESS_KEY_ID", "key"}, {"AWS_SECRET_ACCESS_KEY", "secret"}, {"AWS_CA_BUNDLE", certificate}};
  EXPECT_TRUE(OpenS3Store(url, /*create=*/true, environment()).ok());
  variables_.erase("AWS_CA_BUNDLE");
  const absl::Status refused = OpenS3Store(url, /*create=*/true, environment()).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("certificate"));
  for (const std::string& file : {certificate, key}) EXPECT_TRUE(FileSystem::Posix().Remove(file).ok());
}

}  // namespace
}  // namespace genoserve

// TLS, client certificates and tokens, with a real client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "server/test_server.h"
#include "tests/support/certificates.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

class SecurityTest : public ServerTest {
 protected:
  SecurityTest() { PublishTestAcgan(store_, "model", 1); }

  // The code of a small request; `token` is sent where it is not empty.
  grpc::StatusCode Call(const std::shared_ptr<grpc::ChannelCredentials>& credentials, const std::string& token = "") {
    const auto stub = v1::CohortService::NewStub(Connect(credentials));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    v1::ListModelsResponse response;
    return stub->ListModels(&context, {}, &response).error_code();
  }

  v1::ServerConfig TlsConfig(TestAuthority& authority) {
    const PemPair server = authority.Issue("server");
    v1::ServerConfig config = TestConfig();
    config.mutable_tls()->set_certificate(Write("server.pem", server.certificate));
    config.mutable_tls()->set_key(Write("server.key", server.key));
    return config;
  }

  static std::shared_ptr<grpc::ChannelCredentials> Trusting(const TestAuthority& authority, const PemPair& own = {}) {
    return grpc::SslCredentials({authority.certificate(), own.key, own.certificate});
  }
};

TEST_F(SecurityTest, TlsServesThoseWhoTrustItsAuthority) {
  TestAuthority authority;
  TestAuthority other;
  Start(TlsConfig(authority));
  EXPECT_EQ(Call(Trusting(authority)), grpc::StatusCode::OK);
  EXPECT_EQ(Call(Trusting(other)), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(grpc::InsecureChannelCredentials()), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SecurityTest, AClientCaAsksForCertificatesThatItSigned) {
  TestAuthority authority;
  TestAuthority other;
  v1::ServerConfig config = TlsConfig(authority);
  config.mutable_tls()->set_client_ca(Write("ca.pem", authority.certificate()));
  Start(config);
  EXPECT_EQ(Call(Trusting(authority, authority.Issue("alice"))), grpc::StatusCode::OK);
  EXPECT_EQ(Call(Trusting(authority)), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(Trusting(authority, other.Issue("mallory"))), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(SecurityTest, TokensLetInThoseWhoHaveOne) {
  v1::ServerConfig config = TestConfig();
  config.set_token_hashes(
      Write("tokens", absl::StrCat("# ours\nalice ", Sha256Hex("secret-a"), "\nbob ", Sha256Hex("secret-b"), "\n")));
  Start(config);
  const auto plain = grpc::InsecureChannelCredentials();
  EXPECT_EQ(Call(plain, "secret-a"), grpc::StatusCode::OK);
  EXPECT_EQ(Call(plain, "secret-b"), grpc::StatusCode::OK);
  EXPECT_EQ(Call(plain, "secret-c"), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Call(plain), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(StatusOf(CohortRequest("model", 1)).error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(SecurityTest, BadFilesAreNamed) {
  TestAuthority authority;
  const auto message = [](const v1::ServerConfig& config) {
    const auto server = Server::Start(config, {});
    return server.ok() ? "started" : std::string(server.status().message());
  };
  v1::ServerConfig config = TlsConfig(authority);
  config.mutable_tls()->set_key(Write("other.key", authority.Issue("other").key));
  EXPECT_THAT(message(config), HasSubstr("other.key: is not the key of the certificate"));
  config.mutable_tls()->set_key(Write("no.key", "hello"));
  EXPECT_THAT(message(config), HasSubstr("no.key: holds no PEM private key"));
  config.mutable_tls()->set_certificate(Write("no.pem", "hello"));
  EXPECT_THAT(message(config), HasSubstr("no.pem: holds no PEM certificate"));
  config.clear_tls();
  config.set_token_hashes(Write("tokens", "alice secret\n"));
  EXPECT_THAT(message(config), HasSubstr("tokens:1: a line is a name"));
  EXPECT_THAT(message(config), testing::Not(HasSubstr("secret")));
  config.set_token_hashes(Write("tokens", "\n"));
  EXPECT_THAT(message(config), HasSubstr("holds no token hashes"));
}

TEST_F(SecurityTest, OffLoopbackTlsAndAuthenticationAreAskedFor) {
  v1::ServerConfig config = TestConfig();
  config.set_host("0.0.0.0");
  EXPECT_EQ(ValidateConfig(config).code(), absl::StatusCode::kInvalidArgument);
  config.mutable_tls()->set_certificate("c");
  config.mutable_tls()->set_key("k");
  EXPECT_EQ(ValidateConfig(config).code(), absl::StatusCode::kInvalidArgument);
  config.set_token_hashes("t");
  EXPECT_TRUE(ValidateConfig(config).ok());
  config.clear_token_hashes();
  config.mutable_tls()->set_client_ca("ca");
  EXPECT_TRUE(ValidateConfig(config).ok());
  config.clear_tls();
  config.set_insecure(true);
  EXPECT_TRUE(ValidateConfig(config).ok());
}

}  // namespace
}  // namespace genoserve

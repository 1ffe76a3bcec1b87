// The program with TLS, tokens and certificates.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/cli/end_to_end.h"
#include "client/cli/exit_code.h"
#include "core/base/sha256.h"
#include "tests/support/certificates.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class SecureTest : public EndToEndTest {
 protected:
  SecureTest() {
    WriteInput("ca.pem", authority_.certificate());
    WriteInput("other.pem", TestAuthority().certificate());
    for (const char* name : {"server", "client"}) {
      const PemPair pair = authority_.Issue(name);
      WriteInput(absl::StrCat(name, ".pem"), pair.certificate);
      WriteInput(absl::StrCat(name, ".key"), pair.key);
    }
  }

  TestAuthority authority_;
};

TEST_F(SecureTest, SpeaksTlsAndShowsItsToken) {
  const std::string token = WriteInput("token", "tell-nobody\n");
  const std::string wrong = WriteInput("wrong", "tell-somebody\n");
  v1::ServerConfig config;
  config.mutable_tls()->set_certificate(Input("server.pem"));
  config.mutable_tls()->set_key(Input("server.key"));
  config.set_token_hashes(WriteInput("hashes", absl::StrCat("ann ", Sha256Hex("tell-nobody"), "\n")));
  StartServer(config);
  const auto fetch = [this](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"fetch", kHaplotypes, "-n", "5", "-o", Path("c.vcf"), "--retries", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProgramResult result = Run(arguments);
    EXPECT_THAT(result.err, Not(HasSubstr("tell-")));
    EXPECT_NE(result.exit_code, 1) << result.err;  // as a sanitizer ends a program
    return result.exit_code;
  };
  EXPECT_EQ(fetch({}), kExitIncomplete);  // plain text to a TLS port
  EXPECT_EQ(fetch({"--tls-ca", Input("other.pem"), "--token-file", token}), kExitIncomplete);
  EXPECT_EQ(fetch({"--tls-ca", Input("ca.pem")}), kExitAuth);
  EXPECT_EQ(fetch({"--tls-ca", Input("ca.pem"), "--token-file", wrong}), kExitAuth);
  EXPECT_THAT(Names(), IsEmpty());
  EXPECT_EQ(fetch({"--tls-ca", Input("ca.pem"), "--token-file", token}), kExitOk);
}

TEST_F(SecureTest, SaysWhenTheServerSpeaksNoTls) {
  StartServer(v1::ServerConfig());
  const ProgramResult result = Run({"models", "list", "--retries", "0", "--tls-ca", Input("ca.pem")});
  EXPECT_EQ(result.exit_code, kExitIncomplete);
  EXPECT_THAT(result.err, HasSubstr("the server speaks no TLS"));
}

TEST_F(SecureTest, ShowsItsCertificate) {
  v1::ServerConfig config;
  config.mutable_tls()->set_certificate(Input("server.pem"));
  config.mutable_tls()->set_key(Input("server.key"));
  config.mutable_tls()->set_client_ca(Input("ca.pem"));
  StartServer(config);
  const std::vector<std::string> list = {"models", "list", "--retries", "0", "--tls-ca", Input("ca.pem")};
  EXPECT_EQ(Run(list).exit_code, kExitIncomplete);
  std::vector<std::string> known = list;
  for (const std::string& word :
       {std::string("--tls-cert"), Input("client.pem"), std::string("--tls-key"), Input("client.key")}) {
    known.push_back(word);
  }
  const ProgramResult result = Run(known);
  EXPECT_EQ(result.exit_code, 0) << result.err;
}

}  // namespace
}  // namespace genoserve

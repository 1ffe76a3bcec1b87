// Nudges to real servers.
#include "trainer/nudge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "server/config.h"
#include "server/server.h"
#include "tests/support/artifacts.h"
#include "tests/support/certificates.h"

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

class NudgeTest : public testing::Test {
 protected:
  NudgeTest() : folder_(NewTestFolder()), store_(JoinPath(folder_, "store")) {
    PublishTestAcgan(store_, "model", 1);
    config_ = DefaultConfig();
    config_.set_store(store_);
    config_.set_port(0);
    config_.set_http_port(0);
    config_.set_device("cpu");
    config_.set_threads(1);
    config_.set_poll_seconds(3600);
  }
  ~NudgeTest() override {
    server_.reset();
    FileSystem::Posix().Remove(folder_).IgnoreError();
  }

  // Starts the server, and publishes version 2 once it serves version 1.
  void Start() {
    auto server = Server::Start(config_, {});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    ASSERT_TRUE(Serves(1));
    PublishTestAcgan(store_, "model", 2);
    output_.set_model("model");
    output_.add_nudge(absl::StrCat("localhost:", server_->port()));
  }
  std::string Told() const {
    std::ostringstream out;
    NudgeServers(output_, 2, out);
    return out.str();
  }
  bool Serves(int64_t version) const {
    return server_->models().WaitUntil(
        [version](const std::vector<VersionStatus>& versions) {
          return !versions.empty() && versions[0].version == version && versions[0].is_default;
        },
        absl::Seconds(60));
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::string path = JoinPath(folder_, name);
    EXPECT_TRUE(FileSystem::Posix().WriteFile(path, text).ok());
    return path;
  }

  const std::string folder_;
  const std::string store_;
  v1::ServerConfig config_;
  v1::TrainOutput output_;
  std::unique_ptr<Server> server_;
};

TEST_F(NudgeTest, TheServerServesTheVersionWithoutWaitingForItsNextLook) {
  Start();
  EXPECT_THAT(Told(), AllOf(HasSubstr(output_.nudge(0)), AnyOf(HasSubstr(" loads it"), HasSubstr(" serves it"))));
  EXPECT_TRUE(Serves(2));
  EXPECT_THAT(Told(), HasSubstr(" serves it"));
}

TEST_F(NudgeTest, ServersThatCannotBeToldAreWarningsAndStopNoOthers) {
  Start();
  const std::string live = output_.nudge(0);
  output_.set_nudge(0, "localhost:1");
  output_.add_nudge("nowhere");
  output_.add_nudge(live);
  EXPECT_THAT(Told(), AllOf(HasSubstr("warning: server localhost:1 could not be told of version 2"),
                            HasSubstr("warning: server nowhere"), HasSubstr("server " + live)));
  EXPECT_TRUE(Serves(2));
  EXPECT_THAT(CheckNudge(output_).message(), HasSubstr("\"nowhere\" is not of the form HOST:PORT"));
}

TEST_F(NudgeTest, TlsAndTokenAsForClients) {
  TestAuthority authority;
  const PemPair pair = authority.Issue("server");
  config_.mutable_tls()->set_certificate(Write("server.pem", pair.certificate));
  config_.mutable_tls()->set_key(Write("server.key", pair.key));
  config_.set_token_hashes(Write("hashes", absl::StrCat("steward ", Sha256Hex("tell-nobody"), "\n")));
  Start();
  v1::ServerAccess& access = *output_.mutable_nudge_access();
  access.set_tls_ca(Write("ca.pem", authority.certificate()));
  access.set_token_file(Write("wrong", "tell-somebody\n"));
  EXPECT_THAT(Told(), AllOf(HasSubstr("warning"), HasSubstr("token is not known"), Not(HasSubstr("tell-"))));
  access.set_token_file(Write("token", "tell-nobody\n"));
  EXPECT_TRUE(CheckNudge(output_).ok());
  EXPECT_THAT(Told(), Not(HasSubstr("warning")));
  EXPECT_TRUE(Serves(2));
  access.set_token_file(JoinPath(folder_, "none"));
  EXPECT_TRUE(absl::IsNotFound(CheckNudge(output_)));
}

}  // namespace
}  // namespace genoserve

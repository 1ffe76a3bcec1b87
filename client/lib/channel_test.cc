#include "client/lib/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "core/base/file.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ChannelTest : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("GENOSERVE_SERVER");
    unsetenv("GENOSERVE_TOKEN");
    options_.server = "127.0.0.1:1";
    folder_ = JoinPath(testing::TempDir(), "channelXXXXXX");
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
  }
  void TearDown() override { FileSystem::Posix().Remove(folder_).IgnoreError(); }

  std::string File(const std::string& name, const std::string& text) {
    const std::string path = JoinPath(folder_, name);
    EXPECT_TRUE(FileSystem::Posix().WriteFile(path, text).ok());
    return path;
  }

  std::string Error() { return std::string(OpenChannels(options_).status().message()); }

  std::string folder_;
  ClientOptions options_;
};

TEST_F(ChannelTest, TakesTheServerFromTheEnvironment) {
  options_.server = "";
  EXPECT_THAT(Error(), HasSubstr("GENOSERVE_SERVER"));
  setenv("GENOSERVE_SERVER", "localhost:4242", 1);
  ASSERT_TRUE(OpenChannels(options_).ok());
  EXPECT_EQ(OpenChannels(options_)->front().server, "localhost:4242");
}

TEST_F(ChannelTest, RefusesAddressesThatAreNone) {
  for (const char* server : {"localhost", ":80", "localhost:", "localhost:0", "localhost:65536", "::1:80", "a b:80",
                             "http://localhost:80", "localhost:80x"}) {
    options_.server = server;
    EXPECT_THAT(Error(), HasSubstr("HOST:PORT")) << server;
  }
  for (const char* server : {"[::1]:80", "example.org:443", "127.0.0.1:65535"}) {
    options_.server = server;
    EXPECT_TRUE(OpenChannels(options_).ok()) << server;
  }
}

TEST_F(ChannelTest, TakesReplicas) {
  options_.server = "127.0.0.1:1,example.org:443";
  const auto channels = OpenChannels(options_);
  ASSERT_TRUE(channels.ok()) << channels.status();
  ASSERT_EQ(channels->size(), 2u);
  EXPECT_EQ(channels->back().server, "example.org:443");
  for (const char* servers : {"127.0.0.1:1,", ",127.0.0.1:1", "127.0.0.1:1, 127.0.0.1:2"}) {
    options_.server = servers;
    EXPECT_THAT(Error(), HasSubstr("HOST:PORT")) << servers;
  }
}

TEST_F(ChannelTest, KnowsLoopback) {
  for (const char* server : {"localhost:1", "127.0.0.1:1", "127.9.8.7:1", "[::1]:1"}) EXPECT_TRUE(IsLoopback(server));
  for (const char* server : {"127.example.org:1", "10.0.0.1:1", "localhost.example.org:1", "[::2]:1", "0.0.0.0:1"}) {
    EXPECT_FALSE(IsLoopback(server)) << server;
  }
}

TEST_F(ChannelTest, ReadsTheTokenAndNeverShowsIt) {
  options_.token_file = File("token", "  s3cret-token\n");
  ASSERT_TRUE(OpenChannels(options_).ok());
  EXPECT_EQ(OpenChannels(options_)->front().authorization, "Bearer s3cret-token");
  options_.token_file = File("two_lines", "s3cret-token\nsecond\n");
  EXPECT_THAT(Error(), HasSubstr("two_lines: holds no token"));
  EXPECT_THAT(Error(), Not(HasSubstr("s3cret")));
  options_.token_file = File("empty", "\n");
  EXPECT_THAT(Error(), HasSubstr("holds no token"));
  options_.token_file = "/nowhere/token";
  EXPECT_EQ(OpenChannels(options_).status().code(), absl::StatusCode::kNotFound);
  options_.token_file = "";
  setenv("GENOSERVE_TOKEN", "from-environment", 1);
  EXPECT_EQ(OpenChannels(options_)->front().authorization, "Bearer from-environment");
}

TEST_F(ChannelTest, RefusesTlsOptionsThatDoNotFitTogether) {
  options_.tls_certificate = File("certificate", "-----BEGIN CERTIFICATE-----\n");
  EXPECT_THAT(Error(), HasSubstr("both or neither"));
  options_.tls_key = File("key", "not a key");
  EXPECT_THAT(Error(), HasSubstr("key: is no PEM file with a private key"));
  options_.insecure = true;
  EXPECT_THAT(Error(), HasSubstr("exclude one another"));
}

}  // namespace
}  // namespace genoserve

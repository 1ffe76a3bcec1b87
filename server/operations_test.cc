// OperationsService with a real server and a real client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "genoserve/v1/operations.grpc.pb.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

class OperationsTest : public ServerTest {
 protected:
  grpc::Status Poll(v1::PollStoreResponse* response, const std::string& token = "") const {
    const auto stub = v1::OperationsService::NewStub(Connect());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    return stub->PollStore(&context, {}, response);
  }
};

TEST_F(OperationsTest, AVersionIsFoundWithoutWaitingForTheNextLook) {
  PublishTestAcgan(store_, "model", 1);
  v1::ServerConfig config = TestConfig();
  config.set_poll_seconds(3600);
  Start(config);
  PublishTestAcgan(store_, "model", 2);
  v1::PollStoreResponse response;
  const grpc::Status status = Poll(&response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  // The one before it may have been given up by then.
  ASSERT_GE(response.models_size(), 1);
  EXPECT_EQ(response.models(0).version(), "2");
  EXPECT_THAT(response.models(0).state(), testing::AnyOf(v1::MODEL_STATE_LOADING, v1::MODEL_STATE_SERVING));
  EXPECT_FALSE(response.models(0).has_manifest());
  AwaitDefault("model", 2);
}

TEST_F(OperationsTest, TokensCountHereToo) {
  PublishTestAcgan(store_, "model", 1);
  v1::ServerConfig config = TestConfig();
  config.set_token_hashes(Write("tokens", absl::StrCat("steward ", Sha256Hex("secret"), "\n")));
  Start(config);
  v1::PollStoreResponse response;
  EXPECT_EQ(Poll(&response).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Poll(&response, "wrong").error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(response.models_size(), 0);
  EXPECT_TRUE(Poll(&response, "secret").ok());
  EXPECT_EQ(response.models_size(), 1);
}

TEST_F(OperationsTest, AStoreThatIsAwayIsTold) {
  PublishTestAcgan(store_, "model", 1);
  Start();
  FileSystem::Posix().Remove(store_).IgnoreError();
  v1::PollStoreResponse response;
  const grpc::Status status = Poll(&response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(status.error_message(), HasSubstr("store cannot be read"));
}

}  // namespace
}  // namespace genoserve

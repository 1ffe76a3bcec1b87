// AdminService and GetStatus with a real server and a real client.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "genoserve/v1/operations.grpc.pb.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdminTest : public ServerTest {
 protected:
  template <typename Method, typename Request, typename Response>
  grpc::Status Call(Method method, const Request& request, Response* response, const std::string& token = "") const {
    const auto stub = v1::AdminService::NewStub(Connect());
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    if (!token.empty()) context.AddMetadata("authorization", "Bearer " + token);
    return (stub.get()->*method)(&context, request, response);
  }
  grpc::Status SetLabel(const std::string& label, const std::string& version) const {
    v1::SetLabelRequest request;
    request.set_model("model");
    request.set_label(label);
    request.set_version(version);
    v1::SetLabelResponse response;
    return Call(&v1::AdminService::Stub::SetLabel, request, &response);
  }
  v1::ServerStatus Status() const {
    const auto stub = v1::OperationsService::NewStub(Connect());
    grpc::ClientContext context;
    v1::ServerStatus status;
    const grpc::Status called = stub->GetStatus(&context, {}, &status);
    EXPECT_TRUE(called.ok()) << called.error_message();
    return status;
  }
  // A server whose configuration is what `text` says over the defaults of these tests, now and when it is read again.
  void StartWith(const std::string& text) {
    Write("server.txtpb", text);
    Server::Options options;
    options.read_config = [this]() -> absl::StatusOr<v1::ServerConfig> {
      v1::ServerConfig config = TestConfig();
      const absl::Status read = ReadConfigFile(JoinPath(folder_, "server.txtpb"), config);
      if (!read.ok()) return read;
      return config;
    };
    Start(options.read_config().value(), options);
  }
  grpc::Status Reload(v1::ReloadConfigResponse* response) const {
    return Call(&v1::AdminService::Stub::ReloadConfig, v1::ReloadConfigRequest(), response);
  }
  bool Serves(int64_t version) const {
    v1::StreamCohortRequest request = CohortRequest("model", 1);
    request.set_version(absl::StrCat(version));
    return StatusOf(request).ok();
  }
};

TEST_F(AdminTest, AConfigurationIsTakenWholeOrNotAtAll) {
  PublishTestAcgan(store_, "model", 1);
  PublishTestAcgan(store_, "model", 2);
  StartWith("");
  const std::string digest = Status().config_digest();
  v1::ReloadConfigResponse response;
  ASSERT_TRUE(Reload(&response).ok());
  EXPECT_THAT(response.changes(), IsEmpty());
  EXPECT_EQ(Status().config_digest(), digest);

  for (const auto& [text, complaint] : std::vector<std::pair<std::string, std::string>>{
           {"models { policy { latest: 0 } }", "latest 0 is not allowed"},
           {"models { policy { newest: 1 } }", "server.txtpb:1:"},
           {"models { policy { all: true } } max_streams: 3", "only a new start can change max_streams: 256 -> 3"},
           {"models { policy { all: true } } gate: \"missing.gate\"", "missing.gate"}}) {
    Write("server.txtpb", text);
    const grpc::Status status = Reload(&response);
    EXPECT_FALSE(status.ok()) << text;
    EXPECT_THAT(status.error_message(), HasSubstr(complaint));
    EXPECT_EQ(Status().config_digest(), digest) << text;
  }

  Write("server.txtpb", "models { policy { all: true } } principals { name: \"ci\" weight: 4 }");
  ASSERT_TRUE(Reload(&response).ok());
  EXPECT_THAT(response.changes(),
              ElementsAre("principals[ci]: added (name: \"ci\" weight: 4)", "models[]: added (policy { all: true })"));
  EXPECT_NE(Status().config_digest(), digest);
  ASSERT_TRUE(server_->models().WaitUntil(
      [](const auto& versions) {
        return std::count_if(versions.begin(), versions.end(),
                             [](const VersionStatus& status) { return status.state == v1::MODEL_STATE_SERVING; }) == 2;
      },
      absl::Seconds(60)));
  EXPECT_TRUE(Serves(1));
}

TEST_F(AdminTest, FilesThatAConfigurationNamesAreReadAgain) {
  v1::Figure figure;
  figure.set_name("af.pearson");
  figure.set_value(0.9);
  PublishTestAcgan(store_, "model", 1, 100, {figure});
  const std::string gate = Write("mild.gate", "limits { figure: 'af.pearson' minimum: 0.4 }");
  StartWith(absl::StrCat("gate: \"", gate, "\""));
  v1::ReloadConfigResponse response;
  ASSERT_TRUE(Reload(&response).ok());
  EXPECT_THAT(response.changes(), IsEmpty());
  Write("mild.gate", "limits { figure: 'af.pearson' minimum: 0.5 }");
  ASSERT_TRUE(Reload(&response).ok());
  EXPECT_THAT(response.changes(), ElementsAre(absl::StrCat("gate: ", gate, " has other limits")));
}

TEST_F(AdminTest, WithoutAFileThereIsNothingToReload) {
  PublishTestAcgan(store_, "model", 1);
  Start();
  v1::ReloadConfigResponse response;
  const grpc::Status status = Reload(&response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(status.error_message(), HasSubstr("without --config"));
}

TEST_F(AdminTest, ALabelMovesTheDefaultAtOnce) {
  for (const uint64_t seed : {1, 2, 3}) PublishTestAcgan(store_, "model", seed);
  v1::ServerConfig config = TestConfig();
  config.set_poll_seconds(3600);
  Start(config);
  EXPECT_EQ(SetLabel("stable", "4").error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(SetLabel("not a label", "2").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(SetLabel("stable", "two").error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  ASSERT_TRUE(SetLabel("stable", "2").ok());
  AwaitDefault("model", 2);
  EXPECT_THAT(Status().versions(0).labels(), IsEmpty());
  EXPECT_THAT(Status().versions(1).labels(), ElementsAre("stable"));
  ASSERT_TRUE(SetLabel("stable", "").ok());
  AwaitDefault("model", 3);
}

TEST_F(AdminTest, AShareOfStreamsGoesToTheCanaryAndStaysThere) {
  for (const uint64_t seed : {1, 2}) PublishTestAcgan(store_, "model", seed);
  v1::ServerConfig config = TestConfig();
  config.add_models()->set_canary_percent(30);
  Start(config);
  ASSERT_TRUE(SetLabel("stable", "1").ok());
  AwaitDefault("model", 1);
  ASSERT_TRUE(SetLabel("canary", "2").ok());
  ASSERT_TRUE(server_->models().WaitUntil(
      [](const auto& versions) {
        return std::any_of(versions.begin(), versions.end(), [](const VersionStatus& status) {
          return status.is_canary && status.state == v1::MODEL_STATE_SERVING;
        });
      },
      absl::Seconds(60)));
  int canaries = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    v1::StreamCohortRequest request = CohortRequest("model", 1);
    request.set_seed(seed);
    const auto received = Fetch(request);
    ASSERT_TRUE(received.ok()) << received.status();
    EXPECT_EQ(received->header.version(), received->header.canary() ? "2" : "1");
    canaries += received->header.canary() ? 1 : 0;
    // Clients that ask what the model is before the cohort get the same one.
    grpc::ClientContext context;
    v1::GetModelRequest get;
    get.set_model("model");
    get.set_request_id(absl::StrCat(seed));
    v1::Model model;
    ASSERT_TRUE(stub_->GetModel(&context, get, &model).ok());
    EXPECT_EQ(model.version(), received->header.version());
    // A version that is named is no canary's.
    request.set_version("1");
    EXPECT_EQ(Fetch(request)->header.version(), "1");
  }
  EXPECT_NEAR(canaries, 120, 45);
  ASSERT_TRUE(SetLabel("canary", "").ok());
  for (uint64_t seed = 0; seed < 50; ++seed) {
    v1::StreamCohortRequest request = CohortRequest("model", 1);
    request.set_seed(seed);
    EXPECT_EQ(Fetch(request)->header.version(), "1");
  }
}

TEST_F(AdminTest, AModelIsUnloadedAndComesBackWhenItIsAskedFor) {
  PublishTestAcgan(store_, "model", 1);
  Start();
  v1::UnloadModelRequest unload;
  unload.set_model("model");
  v1::UnloadModelResponse unloaded;
  ASSERT_TRUE(Call(&v1::AdminService::Stub::UnloadModel, unload, &unloaded).ok());
  EXPECT_EQ(unloaded.versions_size(), 1);
  ASSERT_TRUE(server_->models().WaitUntil(
      [](const auto& versions) { return versions.front().state == v1::MODEL_STATE_UNLOADED; }, absl::Seconds(60)));
  EXPECT_EQ(Status().memory_bytes(), 0);
  const grpc::Status first = StatusOf(CohortRequest("model", 1));
  EXPECT_EQ(first.error_code(), grpc::StatusCode::UNAVAILABLE);
  AwaitDefault("model", 1);
  EXPECT_TRUE(StatusOf(CohortRequest("model", 1)).ok());

  v1::PinVersionRequest pin;
  pin.set_model("model");
  pin.set_version("1");
  v1::VersionStatus pinned;
  ASSERT_TRUE(Call(&v1::AdminService::Stub::PinVersion, pin, &pinned).ok());
  EXPECT_TRUE(pinned.pinned());
  EXPECT_EQ(Call(&v1::AdminService::Stub::UnloadModel, unload, &unloaded).error_code(),
            grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(AdminTest, OnlyAdminsAreHeard) {
  PublishTestAcgan(store_, "model", 1);
  v1::ServerConfig config = TestConfig();
  config.set_token_hashes(
      Write("tokens", absl::StrCat("operator ", Sha256Hex("root"), "\nci ", Sha256Hex("user"), "\n")));
  v1::Principal& admin = *config.add_principals();
  admin.set_name("operator");
  admin.set_admin(true);
  Start(config);
  v1::PinVersionRequest pin;
  pin.set_model("model");
  pin.set_version("1");
  v1::VersionStatus response;
  const auto method = &v1::AdminService::Stub::PinVersion;
  EXPECT_EQ(Call(method, pin, &response).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  const grpc::Status denied = Call(method, pin, &response, "user");
  EXPECT_EQ(denied.error_code(), grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(denied.error_message(), HasSubstr("\"ci\" may not change"));
  EXPECT_TRUE(Call(method, pin, &response, "root").ok());
}

}  // namespace
}  // namespace genoserve

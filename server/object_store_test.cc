// A server whose object storage fails in every way: what serves goes on, and what was published comes in the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "core/base/file.h"
#include "core/store/testing/http_fault_proxy.h"
#include "core/store/testing/s3_server.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

constexpr int kPublications = 4;
constexpr int kLooks = 3;  // for each of them, while requests fail

class ObjectStoreTest : public ServerTest {
 protected:
  ObjectStoreTest() : s3_(S3Server::Make::kMoto), proxy_(s3_.port()) {
    for (const auto& [name, value] : s3_.variables()) ::setenv(name.c_str(), value.c_str(), 1);
    s3_.MakeBucket("chaos");
    store_ = absl::StrCat("s3://chaos/store?endpoint=", s3_.endpoint());
    proxy_.SetAnswer("HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops");
  }
  ~ObjectStoreTest() override {
    Stop();
    for (const auto& [name, value] : s3_.variables()) ::unsetenv(name.c_str());
  }

  // Of a server that reaches the store through the proxy.
  v1::ServerConfig ProxyConfig() const {
    v1::ServerConfig config = TestConfig();
    config.set_store(absl::StrCat("s3://chaos/store?endpoint=", proxy_.endpoint()));
    return config;
  }

  // A look at the store, with whatever becomes of it.
  void Look() {
    absl::Notification looked;
    server_->models().LookNow([&](const absl::Status&) { looked.Notify(); });
    looked.WaitForNotification();
  }

  // The same request has the same genotypes from the same version, whatever happens meanwhile.
  void FetchAndCompare() {
    const auto fetched = Fetch(CohortRequest("model", 300));
    ASSERT_TRUE(fetched.ok()) << fetched.status();
    const std::string bytes = fetched->bytes();
    EXPECT_EQ(known_.try_emplace(fetched->header.version(), bytes).first->second, bytes);
  }

  S3Server s3_;
  HttpFaultProxy proxy_;
  std::map<std::string, std::string> known_;  // genotypes by version
};

TEST_F(ObjectStoreTest, RequestsThatFailTruncatedAnswersAndErrorsChangeNothing) {
  PublishTestAcgan(store_, "model", 1);
  Start(ProxyConfig());
  FetchAndCompare();
  std::mt19937_64 random(7);
  for (int i = 0; i < kPublications; ++i) {
    proxy_.SetPlan([&random](int, absl::string_view) {
      constexpr HttpFault kFaults[] = {HttpFault::kCutBefore, HttpFault::kCutAfter, HttpFault::kTruncate,
                                       HttpFault::kAnswer};
      return random() % 2 == 0 ? HttpFault::kNone : kFaults[random() % 4];
    });
    PublishTestAcgan(store_, "model", static_cast<uint64_t>(i) + 2);
    for (int look = 0; look < kLooks; ++look) {
      Look();
      FetchAndCompare();
    }
  }
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kNone; });
  AwaitDefault("model", kPublications + 1);
  FetchAndCompare();
  for (const VersionStatus& status : server_->models().List()) {
    EXPECT_FALSE(status.quarantined) << status.version << ": " << status.reason;
  }
}

TEST_F(ObjectStoreTest, AStoreThatIsGoneAtTheStartIsReplacedByTheCache) {
  PublishTestAcgan(store_, "model", 1);
  v1::ServerConfig config = ProxyConfig();
  config.set_cache(JoinPath(folder_, "cache"));
  Start(config);
  FetchAndCompare();
  Stop();
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kAnswer; });
  Start(config);
  FetchAndCompare();
  EXPECT_EQ(known_.size(), 1U);
  PublishTestAcgan(store_, "model", 2);
  proxy_.SetPlan([](int, absl::string_view) { return HttpFault::kNone; });
  AwaitDefault("model", 2);
}

}  // namespace
}  // namespace genoserve

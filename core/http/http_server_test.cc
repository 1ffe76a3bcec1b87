#include "core/http/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "core/http/test_get.h"

namespace genoserve {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(HttpServerTest, AnswersMetricsAndProbes) {
  std::atomic<bool> stalled = false;
  const auto server = HttpServer::Start("localhost", 0,
                                        {.metrics = [] { return std::string("genoserve_things 3\n"); },
                                         .livez = [&] { return std::string(stalled ? "it does nothing" : ""); }});
  ASSERT_TRUE(server.ok()) << server.status();
  const int port = (*server)->port();
  EXPECT_EQ(HttpGet(port, "/metrics"), "200\ngenoserve_things 3\n");
  EXPECT_EQ(HttpGet(port, "/livez"), "200\nok\n");
  stalled = true;
  EXPECT_EQ(HttpGet(port, "/livez"), "503\nit does nothing\n");
  EXPECT_THAT(HttpGet(port, "/readyz"), StartsWith("404")) << "there is no handler for it";
}

TEST(HttpServerTest, APortThatIsTakenIsAnError) {
  const auto first = HttpServer::Start("127.0.0.1", 0, {});
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = HttpServer::Start("127.0.0.1", (*first)->port(), {});
  EXPECT_TRUE(absl::IsUnavailable(second.status()));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(std::to_string((*first)->port())));
}

}  // namespace
}  // namespace genoserve

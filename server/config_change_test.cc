#include "server/config_change.h"

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::ServerConfig Parse(const char* text) {
  v1::ServerConfig config;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &config)) << text;
  return config;
}

TEST(ConfigChangeTest, SaysWhatDiffersByName) {
  const v1::ServerConfig before = Parse(
      R"(poll_seconds: 2
         models { name: "a" policy { latest: 1 } } models { name: "b" } models { name: "c" canary_percent: 5 }
         principals { name: "ci" weight: 2 })");
  const v1::ServerConfig after = Parse(
      R"(poll_seconds: 1.5
         models { name: "c" canary_percent: 5 } models { name: "a" policy { all: true } canary_percent: 10 }
         models { name: "d" policy { specific { versions: 3 versions: 4 } } }
         principals { name: "ci" weight: 2 class: REQUEST_CLASS_CI })");
  EXPECT_THAT(
      DescribeChanges(before, after),
      ElementsAre("principals[ci].class: REQUEST_CLASS_UNSPECIFIED -> REQUEST_CLASS_CI",
                  "models[a].policy: latest: 1 -> all: true", "models[a].canary_percent: 0 -> 10", "models[b]: removed",
                  "models[d]: added (name: \"d\" policy { specific { versions: 3 versions: 4 } })",
                  "poll_seconds: 2 -> 1.5"));
  EXPECT_THAT(DescribeChanges(after, after), IsEmpty());
  EXPECT_TRUE(CheckReloadable(before, after).ok());
}

TEST(ConfigChangeTest, SomeSettingsNeedANewStart) {
  const v1::ServerConfig before = Parse(R"(store: "a" port: 1 poll_seconds: 2)");
  const v1::ServerConfig after = Parse(R"(store: "b" port: 1 poll_seconds: 3 tls { key: "k" })");
  const absl::Status status = CheckReloadable(before, after);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("store: \"a\" -> \"b\"; tls: none -> key: \"k\""));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("poll_seconds")));
}

}  // namespace
}  // namespace genoserve

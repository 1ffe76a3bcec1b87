#include "core/store/s3_location.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "core/base/file.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

Environment With(const std::map<std::string, std::string>& variables) {
  return [variables](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

TEST(S3LocationTest, AmazonsServersAreFoundByTheRegion) {
  const S3Location location = ParseS3Url("s3://bucket/a/b/", With({{"AWS_REGION", "eu-west-1"}})).value();
  EXPECT_EQ(location.prefix, "a/b/");
  EXPECT_EQ(location.Url("a/b/m/1/x"), "https://bucket.s3.eu-west-1.amazonaws.com/a/b/m/1/x");
  EXPECT_EQ(location.Name("a/b/m"), "s3://bucket/a/b/m");
  EXPECT_EQ(ParseS3Url("s3://bucket", With({{"AWS_DEFAULT_REGION", "cn-north-1"}}))->Url(""),
            "https://bucket.s3.cn-north-1.amazonaws.com.cn/");
  EXPECT_EQ(ParseS3Url("s3://dotted.bucket?region=us-east-2", With({}))->Url("k"),
            "https://s3.us-east-2.amazonaws.com/dotted.bucket/k")
      << "no certificate is for two parts before the server's name";
}

TEST(S3LocationTest, TheUrlWinsOverTheEnvironmentAndTheNarrowVariableOverTheWide) {
  const std::map<std::string, std::string> variables = {{"AWS_REGION", "eu-west-1"},
                                                        {"AWS_ENDPOINT_URL", "http://wide:1"},
                                                        {"AWS_ENDPOINT_URL_S3", "https://narrow:2/"},
                                                        {"AWS_CA_BUNDLE", "/ca.pem"}};
  const S3Location narrow = ParseS3Url("s3://bucket/p", With(variables)).value();
  EXPECT_EQ(narrow.Url("p/k"), "https://narrow:2/bucket/p/k");
  EXPECT_EQ(narrow.ca_file, "/ca.pem");
  const S3Location own =
      ParseS3Url("s3://bucket/p?endpoint=http://127.0.0.1:9&region=here&path_style=false", With(variables)).value();
  EXPECT_EQ(own.Url("p/k"), "http://bucket.127.0.0.1:9/p/k");
  EXPECT_EQ(own.region, "here");
  EXPECT_EQ(ParseS3Url("s3://bucket?endpoint=http://h", With({}))->region, "us-east-1");
}

TEST(S3LocationTest, TheProfileGivesTheRegion) {
  std::string folder = JoinPath(testing::TempDir(), "s3_locationXXXXXX");
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const absl::Cleanup remove = [&folder] { FileSystem::Posix().Remove(folder).IgnoreError(); };
  const std::string file = JoinPath(folder, "config");
  ASSERT_TRUE(FileSystem::Posix()
                  .WriteFile(file,
                             "# a remark\n[default]\nregion = eu-north-1\n\n[profile lab]\nregion=ap-south-1\n"
                             "s3 =\n  region = nested\n")
                  .ok());
  std::map<std::string, std::string> variables = {{"AWS_CONFIG_FILE", file}};
  EXPECT_EQ(ParseS3Url("s3://bucket", With(variables))->region, "eu-north-1");
  variables["AWS_PROFILE"] = "lab";
  EXPECT_EQ(ParseS3Url("s3://bucket", With(variables))->region, "ap-south-1");
  variables["AWS_CONFIG_FILE"] = "/missing/config";
  EXPECT_EQ(ParseS3Url("s3://bucket", With(variables)).status().code(), absl::StatusCode::kNotFound);
}

TEST(S3LocationTest, WhatIsWrongIsSaidWithWhatIsAllowed) {
  const Environment environment = With({{"AWS_REGION", "eu-west-1"}});
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"s3://", "3 to 63 lower-case letters"},
      {"s3://UPPER/p", "3 to 63 lower-case letters"},
      {"s3://a..b/p", "3 to 63 lower-case letters"},
      {"s3://-ab/p", "a letter or digit first and last"},
      {"s3://bucket/../p", "prefix \"../p\""},
      {"s3://bucket/a//b", "one '/' between them"},
      {"s3://bucket/a b", "prefix \"a b\""},
      {"s3://bucket/" + std::string(600, 'p'), "at most 512 characters"},
      {"s3://bucket?endpiont=http://h", "unknown option \"endpiont\"; did you mean endpoint?"},
      {"s3://bucket?zzzzzzzz=1", "(there are endpoint, region and path_style)"},
      {"s3://bucket?region=a&region=b", "option region: has one value, once"},
      {"s3://bucket?region", "option region: has one value, once"},
      {"s3://bucket?region=a%20b", "region \"a%20b\""},
      {"s3://bucket?path_style=yes", "option path_style: is true or false, not yes"},
      {"s3://bucket?endpoint=ftp://h", "is http:// or https:// and a host"},
      {"s3://bucket?endpoint=http://user:word@h", "is http:// or https:// and a host"},
      {"s3://bucket?endpoint=http://h/path", "is http:// or https:// and a host"},
  };
  for (const auto& [url, expected] : cases) {
    const absl::Status status = ParseS3Url(url, environment).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << url;
    EXPECT_THAT(std::string(status.message()), HasSubstr(expected)) << url;
  }
  EXPECT_THAT(std::string(ParseS3Url("s3://bucket", With({})).status().message()),
              HasSubstr("no region: set AWS_REGION, or add ?region=NAME, or an endpoint"));
}

}  // namespace
}  // namespace genoserve

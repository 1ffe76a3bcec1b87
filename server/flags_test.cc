#include "server/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/file.h"
#include "server/config.h"
#include "tests/support/artifacts.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

absl::StatusOr<CommandLine> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "genoserve-server");
  return ParseCommandLine(static_cast<int>(arguments.size()), arguments.data());
}

std::string Refusal(const std::vector<const char*>& arguments) {
  const auto line = Parse(arguments);
  if (!line.ok()) return std::string(line.status().message());
  return std::string(ValidateConfig(line->config).message());
}

TEST(FlagsTest, DefaultsServeOnLoopback) {
  const auto line = Parse({"--store", "s"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_TRUE(ValidateConfig(line->config).ok());
  EXPECT_EQ(line->config.host(), "127.0.0.1");
  EXPECT_EQ(line->config.port(), 50051);
  EXPECT_EQ(line->config.http_port(), 8080);
  EXPECT_FALSE(line->config.has_tls());
  EXPECT_EQ(line->log, LogFormat::kJson);
  EXPECT_EQ(MaxQueuedSamples(line->config), 400'000'000);
}

TEST(FlagsTest, FlagsFillTheConfiguration) {
  const auto line = Parse({"--store", "s", "--port", "0", "--threads", "3", "--poll-seconds", "0.5", "--tls-cert", "c",
                           "--tls-key", "k", "--client-ca", "a", "--drain-delay", "1.5", "--log", "text"});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->config.port(), 0);
  EXPECT_EQ(line->config.threads(), 3);
  EXPECT_EQ(line->config.poll_seconds(), 0.5);
  EXPECT_EQ(line->config.tls().client_ca(), "a");
  EXPECT_EQ(line->config.drain_delay_seconds(), 1.5);
  EXPECT_EQ(line->log, LogFormat::kText);
}

TEST(FlagsTest, WhatIsWrongIsNamedWithWhatIsAllowed) {
  EXPECT_THAT(Refusal({}), HasSubstr("--store"));
  EXPECT_THAT(Refusal({"--store", "s", "--port", "70000"}), HasSubstr("0 to 65535"));
  EXPECT_THAT(Refusal({"--store", "s", "--port", "x"}), HasSubstr("--port"));
  EXPECT_THAT(Refusal({"--store", "s", "--device", "tpu"}), HasSubstr("auto, cpu or cuda"));
  EXPECT_THAT(Refusal({"--store", "s", "--precision", "fp8"}), HasSubstr("fp32"));
  EXPECT_THAT(Refusal({"--store", "s", "--poll-seconds", "0"}), HasSubstr("0.05 to 3600"));
  EXPECT_THAT(Refusal({"--store", "s", "--max-cohort-size", "0"}), HasSubstr("--max-cohort-size 0"));
  EXPECT_THAT(Refusal({"--store", "s", "--max-queued-samples", "5"}), HasSubstr("--max-queued-samples 5"));
  EXPECT_THAT(Refusal({"--store", "s", "--tls-cert", "c"}), HasSubstr("--tls-key"));
  EXPECT_THAT(Refusal({"--store", "s", "--host", "0.0.0.0"}), HasSubstr("--insecure"));
  EXPECT_THAT(Refusal({"--store", "s", "--host", "127.example.org"}), HasSubstr("--insecure"));
  EXPECT_THAT(Refusal({"--store", "s", "--log", "xml"}), HasSubstr("--log"));
  EXPECT_THAT(Refusal({"--colour"}), HasSubstr("--colour"));
}

TEST(FlagsTest, FlagsWinOverTheFile) {
  const std::string folder = NewTestFolder();
  const std::string path = JoinPath(folder, "server.txtpb");
  const auto write = [&](const std::string& text) { ASSERT_TRUE(FileSystem::Posix().WriteFile(path, text).ok()); };
  write(R"(store: "s" port: 7 http_port: 0 max_streams: 9
           principals { name: "ci" class: REQUEST_CLASS_CI weight: 2.5 max_queued_samples: 1000 })");
  const auto line = Parse({"--port", "8", "--config", path.c_str()});
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_TRUE(ValidateConfig(line->config).ok());
  EXPECT_EQ(line->config.port(), 8);
  EXPECT_EQ(line->config.http_port(), 0);
  EXPECT_EQ(line->config.max_streams(), 9);
  EXPECT_EQ(line->config.host(), "127.0.0.1");
  ASSERT_EQ(line->config.principals_size(), 1);
  EXPECT_EQ(line->config.principals(0).class_(), v1::REQUEST_CLASS_CI);

  EXPECT_EQ(Parse({"--config", "not-there"}).status().code(), absl::StatusCode::kNotFound);
  write("store: \"s\"\nprot: 7");
  EXPECT_THAT(Refusal({"--config", path.c_str()}), AllOf(HasSubstr(path + ":2:"), HasSubstr("prot")));
  write(R"(store: "s" principals { name: "a" weight: 0.001 })");
  EXPECT_THAT(Refusal({"--config", path.c_str()}), AllOf(HasSubstr("\"a\""), HasSubstr("0.01 to 100")));
  write(R"(store: "s" principals { name: "a" } principals { name: "a" })");
  EXPECT_THAT(Refusal({"--config", path.c_str()}), HasSubstr("twice"));
  write(R"(store: "s" max_cohort_size: 10 principals { name: "a" max_queued_samples: 41 })");
  EXPECT_THAT(Refusal({"--config", path.c_str()}), HasSubstr("0 to 40"));
  FileSystem::Posix().Remove(folder).IgnoreError();
}

TEST(FlagsTest, HelpAndHashTokenNeedNoStore) {
  EXPECT_THAT(Parse({"--help"})->help.value(), HasSubstr("--token-hashes"));
  EXPECT_TRUE(Parse({"hash-token"})->hash_token);
}

}  // namespace
}  // namespace genoserve

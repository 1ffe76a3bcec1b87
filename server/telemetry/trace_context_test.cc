#include "server/telemetry/trace_context.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace genoserve {
namespace {

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParent[] = "00f067aa0ba902b7";

std::string Parent(const std::string& version, const std::string& trace, const std::string& span,
                   const std::string& flags) {
  return version + "-" + trace + "-" + span + "-" + flags;
}

TEST(TraceContextTest, AChildSpanContinuesTheTrace) {
  const auto trace = ContinueTrace(Parent("00", kTrace, kParent, "01"));
  ASSERT_TRUE(trace.has_value());
  EXPECT_EQ(trace->trace_id, kTrace);
  EXPECT_EQ(trace->parent_span_id, kParent);
  EXPECT_THAT(trace->span_id, testing::MatchesRegex("[0-9a-f]+"));
  EXPECT_EQ(trace->span_id.size(), 16U);
  EXPECT_NE(trace->span_id, kParent);
  EXPECT_EQ(trace->Header(), Parent("00", kTrace, trace->span_id, "01"));
  // What it sends can be continued in its turn.
  const auto next = ContinueTrace(trace->Header());
  ASSERT_TRUE(next.has_value());
  EXPECT_EQ(next->parent_span_id, trace->span_id);
  EXPECT_NE(next->span_id, trace->span_id);
}

TEST(TraceContextTest, LaterVersionsMayBeLonger) {
  EXPECT_TRUE(ContinueTrace(Parent("cc", kTrace, kParent, "01-what-comes-then")).has_value());
  EXPECT_FALSE(ContinueTrace(Parent("cc", kTrace, kParent, "01.what")).has_value());
  EXPECT_FALSE(ContinueTrace(Parent("00", kTrace, kParent, "01-what")).has_value());
  EXPECT_FALSE(ContinueTrace(Parent("ff", kTrace, kParent, "01")).has_value());
}

TEST(TraceContextTest, WhatIsNoTraceParentIsIgnored) {
  const std::string good = Parent("00", kTrace, kParent, "01");
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(ContinueTrace(good.substr(0, size)).has_value());
  EXPECT_FALSE(ContinueTrace(Parent("00", std::string(32, '0'), kParent, "01")).has_value());
  EXPECT_FALSE(ContinueTrace(Parent("00", kTrace, std::string(16, '0'), "01")).has_value());
  for (const size_t place : {0, 2, 3, 34, 35, 36, 51, 52, 53}) {
    for (const char wrong : {'A', 'g', ' ', '\n', '\0', '"'}) {
      std::string bad = good;
      bad[place] = wrong;
      EXPECT_FALSE(ContinueTrace(bad).has_value()) << place << " " << static_cast<int>(wrong);
    }
  }
}

}  // namespace
}  // namespace genoserve

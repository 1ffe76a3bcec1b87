#include "core/quality/report/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace genoserve {
namespace {

v1::Figure Figure(double value, double low, double high, double floor) {
  v1::Figure figure;
  figure.set_value(value);
  figure.set_low(low);
  figure.set_high(high);
  figure.mutable_floor()->set_value(floor);
  figure.mutable_floor()->set_low(floor);
  figure.mutable_floor()->set_high(floor);
  return figure;
}

TEST(TextTest, DecimalsFollowTheInterval) {
  EXPECT_EQ(FigureDecimals(Figure(0.5123456, 0.487, 0.537, 0.5)), 3);
  EXPECT_EQ(FigureDecimals(Figure(0.98234, 0.98190, 0.98270, 0.99)), 4);
  EXPECT_EQ(FigureDecimals(Figure(12.3, 8, 17, 10)), 1);
  EXPECT_EQ(FigureDecimals(Figure(812.3, 700, 900, 800)), 0);
  EXPECT_EQ(FigureDecimals(Figure(3, 1, 6, 2)), 0);
  EXPECT_EQ(FigureDecimals(Figure(0.00002, 0.00001, 0.00003, 0)), 6);
  // The floor is not rounded away.
  EXPECT_EQ(FigureDecimals(Figure(2.3, 1.8, 2.8, 0.01)), 2);
  // Without an interval three digits.
  EXPECT_EQ(FigureDecimals(Figure(0.123456, 0.123456, 0.123456, 1)), 3);
  EXPECT_EQ(FigureDecimals(v1::Figure()), 0);
}

TEST(TextTest, NumbersHaveSensibleDigits) {
  EXPECT_EQ(FormatNumber(0.51234, 3), "0.512");
  EXPECT_EQ(FormatNumber(-0.0001, 2), "0.00");
  EXPECT_EQ(FormatNumber(-0.011, 2), "-0.01");
  EXPECT_EQ(FormatNumber(1234567, 0), "1,234,567");
  EXPECT_EQ(FormatNumber(3.1e-8, 3), "3.10e-08");
  EXPECT_EQ(FormatNumber(std::numeric_limits<double>::quiet_NaN(), 3), "-");
  EXPECT_EQ(FormatNumber(std::numeric_limits<double>::infinity(), 3), "-");
  EXPECT_EQ(FormatCount(-1000), "-1,000");
  EXPECT_EQ(FormatCount(-100), "-100");
  EXPECT_EQ(FormatCount(999), "999");
}

TEST(TextTest, HtmlIsEscaped) {
  EXPECT_EQ(EscapeHtml("<b a='1' c=\"2\">&amp;"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;amp;");
  EXPECT_EQ(EscapeHtml("r² ≤ 1 😀"), "r² ≤ 1 😀");
}

TEST(TextTest, WhatIsNoTextIsReplaced) {
  EXPECT_EQ(EscapeHtml("a\xFFz"), "a\xEF\xBF\xBDz");
  EXPECT_EQ(EscapeHtml("\xC0\xBC"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // an overlong '<'
  EXPECT_EQ(EscapeHtml("\xE2\x82"), "\xEF\xBF\xBD\xEF\xBF\xBD");           // cut short
  EXPECT_EQ(EscapeHtml("\xED\xA0\x80").substr(0, 3), "\xEF\xBF\xBD");      // a surrogate
  EXPECT_EQ(EscapeHtml("\xF4\x90\x80\x80").substr(0, 3), "\xEF\xBF\xBD");  // past U+10FFFF
  EXPECT_EQ(EscapeHtml("a\x1B[31m"), "a\xEF\xBF\xBD[31m");
}

TEST(TextTest, ColumnsCountCharacters) {
  EXPECT_EQ(FitColumns("r²", 4), "r²  ");
  EXPECT_EQ(FitColumns("abcdef", 4), "ab..");
  EXPECT_EQ(FitColumns("a\nb\x1B", 5), "a b\xEF\xBF\xBD ");
}

TEST(TextTest, LinesAreBrokenAtSpaces) {
  EXPECT_EQ(WrapColumns("one two three", 2, 9), "  one two\n    three\n");
  EXPECT_EQ(WrapColumns("one two three", 0, 80), "one two three\n");
  EXPECT_EQ(WrapColumns("r²r²r² a\nb", 0, 4), "r²r²\n  r²\n  a\n  b\n");
  EXPECT_EQ(WrapColumns("a\x1B[2J", 0, 80), "a\xEF\xBF\xBD[2J\n");
  EXPECT_EQ(WrapColumns("", 1, 80), " \n");
}

TEST(TextTest, SentencesBeginAndEnd) {
  EXPECT_EQ(Sentence("there is one variant only"), "There is one variant only.");
  EXPECT_EQ(Sentence("Too few."), "Too few.");
  EXPECT_EQ(Sentence(""), "");
}

}  // namespace
}  // namespace genoserve

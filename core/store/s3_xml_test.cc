#include "core/store/s3_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace genoserve {
namespace {

constexpr char kListing[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- by a server -->\n"
    "<s3:ListBucketResult xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\" odd='a>b'>\n"
    "  <Contents><Key>a&amp;b&lt;&#233;&#x1F9EC;</Key><Size>12</Size></Contents>\n"
    "  <Contents><Key>c</Key><Owner/></Contents><IsTruncated>false</IsTruncated></s3:ListBucketResult>\n";

TEST(S3XmlTest, ElementsAreFoundByName) {
  const XmlElement root = ParseXml(kListing).value();
  EXPECT_EQ(root.name, "ListBucketResult");
  ASSERT_EQ(root.children.size(), 3u);
  EXPECT_EQ(root.children[0].Text("Key"), "a&b<é🧬");
  EXPECT_EQ(root.children[0].Text("Size"), "12");
  EXPECT_EQ(root.children[1].Text("Owner"), "");
  EXPECT_EQ(root.children[1].Text("Size"), "");
  EXPECT_EQ(root.Text("IsTruncated"), "false");
  EXPECT_EQ(root.Child("NextContinuationToken"), nullptr);
  EXPECT_EQ(ParseXml("<a>" + EscapeXml("<&>\"") + "</a>")->text, "<&>\"");
}

TEST(S3XmlTest, ADocumentThatWasCutAnywhereIsNone) {
  const std::string whole = std::string(kListing).substr(0, std::string(kListing).rfind('>') + 1);
  ASSERT_TRUE(ParseXml(whole).ok());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(ParseXml(whole.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(S3XmlTest, WhatIsNoXmlIsRefused) {
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  for (const std::string& text :
       {std::string("<a></b>"), std::string("<a/><b/>"), std::string("<a>&unknown;</a>"), std::string("<a>&#x;</a>"),
        std::string("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>"), std::string("text"), deep}) {
    EXPECT_EQ(ParseXml(text).status().code(), absl::StatusCode::kDataLoss) << text;
  }
}

TEST(S3XmlTest, Times) {
  EXPECT_EQ(absl::ToUnixMillis(ParseS3Time("2024-05-01T12:30:00.250Z").value()), 1714566600250);
  EXPECT_EQ(ParseS3Time("yesterday").status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace genoserve

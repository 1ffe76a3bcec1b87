#include "core/artifact/manifest_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <clocale>
#include <limits>
#include <string>

#include "core/artifact/test_artifact.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ManifestJsonTest, GoldenBytes) {
  // The artifact digest is taken over these bytes: a change here changes every digest.
  v1::Manifest manifest;
  manifest.set_format_version(1);
  manifest.mutable_generator()->mutable_acgan()->set_leaky_slope(0.01);
  manifest.set_variant_count(805);
  manifest.mutable_training()->set_seed(7);
  v1::Figure& figure = *manifest.add_figures();
  figure.set_name("af.rmse");
  figure.set_value(1.0 / 3);
  figure.set_maximum(0);
  EXPECT_EQ(SerializeManifest(manifest).value(),
            "{\n"
            " \"format_version\": 1,\n"
            " \"generator\": {\n"
            "  \"acgan\": {\n"
            "   \"leaky_slope\": 0.01\n"
            "  }\n"
            " },\n"
            " \"variant_count\": \"805\",\n"
            " \"training\": {\n"
            "  \"seed\": \"7\"\n"
            " },\n"
            " \"figures\": [\n"
            "  {\n"
            "   \"name\": \"af.rmse\",\n"
            "   \"value\": 0.33333333333333331,\n"
            "   \"maximum\": 0\n"
            "  }\n"
            " ]\n"
            "}\n");
}

TEST(ManifestJsonTest, RoundTripKeepsEveryBit) {
  v1::Manifest manifest = TestManifest();
  manifest.set_description("quotes \" \\, line\nbreaks, \u00e9, <b>, \x01");
  manifest.mutable_figures(0)->set_value(std::numeric_limits<double>::denorm_min());
  v1::Figure& undefined = *manifest.add_figures();
  undefined.set_name("af.pearson");
  undefined.set_value(std::numeric_limits<double>::quiet_NaN());
  const std::string json = SerializeManifest(manifest).value();
  const v1::Manifest back = ParseManifest(json).value();
  EXPECT_EQ(SerializeManifest(back).value(), json);
  EXPECT_EQ(back.description(), manifest.description());
  EXPECT_EQ(back.figures(0).value(), manifest.figures(0).value());
  EXPECT_EQ(back.training().seed(), manifest.training().seed());
}

TEST(ManifestJsonTest, MalformedTextIsRefused) {
  for (const char* json : {"", "[]", "{", "{\"ploidy\": \"two\"}", "{\"ploidy\": 2.5}", "{\"unknown\": 1}",
                           "{\"generator\": {\"acgan\": {}, \"wgan_gp\": {}}}", "null"}) {
    EXPECT_EQ(ParseManifest(json).status().code(), absl::StatusCode::kInvalidArgument) << json;
  }
  EXPECT_FALSE(ParseManifest(std::string(100000, '[')).ok());
  EXPECT_FALSE(ParseManifest("{\"description\": \"\xff\"}").ok());
}

TEST(ManifestJsonTest, ANewerFormatIsNamedWhateverElseItHolds) {
  for (const char* json : {"{\"format_version\": 9}", "{\"new_field\": {}, \"format_version\": 9}"}) {
    EXPECT_EQ(ParseManifest(json).status().message(), "format_version 9: this build reads up to 1");
  }
}

}  // namespace
}  // namespace genoserve

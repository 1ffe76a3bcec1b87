#include "core/artifact/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file with this header and so many bytes of data.
std::string FileOf(const std::string& header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + std::string(data_bytes, '\0');
}

TEST(SafetensorsTest, RoundTrip) {
  TensorMap tensors;
  tensors["b.weight"] = {{2, 3}, {1, -2, 3.5f, 0, -0.0f, 1e-40f}};
  tensors["a.bias"] = {{2}, {INFINITY, 7}};
  tensors["empty"] = {{0, 4}, {}};
  tensors["scalar \"quoted\" \\ \u00e9"] = {{}, {42}};
  const auto parsed = ParseSafetensors(SerializeSafetensors(tensors));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ASSERT_EQ(parsed->size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    ASSERT_TRUE(parsed->contains(name)) << name;
    EXPECT_EQ(parsed->at(name).shape, tensor.shape);
    ASSERT_EQ(parsed->at(name).values.size(), tensor.values.size());
    if (tensor.values.empty()) continue;
    EXPECT_EQ(std::memcmp(parsed->at(name).values.data(), tensor.values.data(), 4 * tensor.values.size()), 0) << name;
  }
  EXPECT_TRUE(ParseSafetensors(SerializeSafetensors({})).value().empty());
}

TEST(SafetensorsTest, TheBytesAreThoseOfTheFormat) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}} )";
  std::string expected = FileOf(header + std::string((8 - header.size() % 8) % 8, ' '), 0);
  expected += std::string("\0\0\x80\x3f", 4);  // 1.0
  EXPECT_EQ(SerializeSafetensors({{"b", {{0}, {}}}, {"a", {{1}, {1.0f}}}}), expected);
}

TEST(SafetensorsTest, ReadsWhatOthersWrite) {
  // Another order, metadata, spaces.
  const auto parsed = ParseSafetensors(FileOf(R"({ "__metadata__": {"format": "pt"},
    "z": {"data_offsets": [0, 4], "dtype": "F32", "shape": [1, 1]},
    "a": {"shape": [2], "dtype": "F32", "data_offsets": [4, 12]} }   )",
                                              12));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->at("z").shape, ElementsAre(1, 1));
  EXPECT_THAT(parsed->at("a").values, ElementsAre(0, 0));
}

TEST(SafetensorsTest, MalformedFilesAreRefusedWithTheReason) {
  const auto tensor = [](const std::string& shape, const std::string& offsets) {
    return absl::StrCat(R"({"dtype":"F32","shape":[)", shape, R"(],"data_offsets":[)", offsets, "]}");
  };
  const auto one = [&](const std::string& shape, const std::string& offsets) {
    return absl::StrCat(R"({"t":)", tensor(shape, offsets), "}");
  };
  std::string too_long = FileOf("{}", 0);
  too_long[0] = 100;
  std::string huge = FileOf("{}", 0);
  std::memset(huge.data(), 0xff, 8);
  std::string over_limit = FileOf("{}", 0);
  over_limit[3] = 2;  // 2 * 2^24 bytes

  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "shorter than 8 bytes"},
      {"1234567", "shorter than 8 bytes"},
      {FileOf("", 0), "does not begin with '{'"},
      {FileOf(" {}", 0), "does not begin with '{'"},
      {FileOf("[]", 0), "does not begin with '{'"},
      {too_long, "a header of 100 bytes in a file of 10"},
      {huge, "at most 16 MiB"},
      {over_limit, "at most 16 MiB"},
      {FileOf("{", 0), "not JSON at byte"},
      {FileOf("{} x", 0), "not JSON at byte"},
      {FileOf("{\"\xff\":{}}", 0), "not JSON at byte"},
      {FileOf(R"({"t":1})", 0), R"(a number is not expected under "t")"},
      {FileOf(R"({"t":[]})", 0), R"(an array is not expected under "t")"},
      {FileOf(R"({"t":null})", 0), R"(null is not expected under "t")"},
      {FileOf(R"({"":)" + tensor("1", "0,4") + "}", 4), "has no name"},
      {FileOf(R"({"t":{}})", 0), "tensor t: needs dtype, shape and two data_offsets"},
      {FileOf(R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", 4), "needs dtype, shape"},
      {FileOf(R"({"t":{"shape":[1],"data_offsets":[0,4]}})", 4), "needs dtype, shape"},
      {FileOf(one("1", "0"), 4), "two data_offsets"},
      {FileOf(one("1", "0,4,8"), 4), "two data_offsets"},
      {FileOf(R"({"t":{"dtype":"F16","shape":[1],"data_offsets":[0,2]}})", 2),
       "has the type F16, only F32 and U32 are read"},
      {FileOf(R"({"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4), "dtype is there twice"},
      {FileOf(R"({"t":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}})", 4), "shape is there twice"},
      {FileOf(R"({"t":{"dtype":"F32","shape":{"a":1},"data_offsets":[0,4]}})", 4), "an object is not expected"},
      {FileOf(R"({"t":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4), "an array is not expected"},
      {FileOf(R"({"t":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4), "a text is not expected"},
      {FileOf(R"({"t":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}})", 4), "a truth value is not expected"},
      {FileOf(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1}})", 4), "a number is not expected"},
      {FileOf(R"({"__metadata__":{"a":1}})", 0), "a number is not expected"},
      {FileOf(R"({"__metadata__":{"a":{}}})", 0), "an object is not expected"},
      {FileOf(one("-1", "0,4"), 4), "a negative number"},
      {FileOf(one("1.5", "0,4"), 4), "not whole"},
      {FileOf(one("99999999999999999999999", "0,4"), 4), "not whole"},
      {FileOf(one("4294967296,4294967296", "0,0"), 0), "the shape is too large"},
      {FileOf(one("0,18446744073709551615", "0,0"), 0), "the shape is too large"},
      {FileOf(one("1", "0,8"), 8), "its shape needs 4 bytes"},
      {FileOf(one("2", "0,4"), 4), "its shape needs 8 bytes"},
      {FileOf(one("1", "4,0"), 4), "overlap or hole"},
      {FileOf(one("0", "0,18446744073709551615"), 0), "its shape needs 0 bytes"},
      {FileOf(one("2", "0,8"), 4), "ends at byte 8 of 4 bytes of data"},
      {FileOf(one("1", "0,4"), 8), "4 bytes belong to no tensor"},
      {FileOf("{}", 1), "1 bytes belong to no tensor"},
      {FileOf(absl::StrCat(R"({"a":)", tensor("1", "0,4"), R"(,"b":)", tensor("1", "8,12"), "}"), 12), "hole"},
      {FileOf(absl::StrCat(R"({"a":)", tensor("2", "0,8"), R"(,"b":)", tensor("1", "4,8"), "}"), 8), "overlap"},
      {FileOf(absl::StrCat(R"({"a":)", tensor("1", "0,4"), R"(,"a":)", tensor("1", "4,8"), "}"), 8), "is there twice"},
  };
  for (const auto& [bytes, reason] : cases) {
    const auto parsed = ParseSafetensors(bytes);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << reason;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(reason)) << bytes;
  }
}

TEST(SafetensorsTest, DeepNestingIsRefusedAtOnce) {
  const auto parsed = ParseSafetensors(FileOf(R"({"t":)" + std::string(8 << 20, '['), 0));
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("an array is not expected"));
}

TEST(SafetensorsTest, EveryTruncationIsRefused) {
  const std::string whole = SerializeSafetensors({{"a", {{2}, {1, 2}}}, {"b", {{1}, {3}}}});
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(ParseSafetensors(absl::string_view(whole).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace genoserve

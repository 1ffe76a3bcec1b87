#include "core/artifact/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

using ::testing::HasSubstr;

std::string File(absl::string_view header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return absl::StrCat(bytes, header, std::string(data_bytes, '\0'));
}

TEST(SafetensorsTest, RoundTripsEveryShape) {
  const TensorMap tensors = {
      {"b", {{2, 3}, {1, 2, 3, 4, 5, -6.5}}}, {"a", {{}, {7}}}, {"empty", {{0, 4}, {}}}, {"z", {{1}, {0.1F}}}};
  const std::string bytes = SerializeSafetensors(tensors);
  const TensorMap read = ParseSafetensors(bytes).value();
  ASSERT_EQ(read.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ(read.at(name).shape, tensor.shape) << name;
    EXPECT_EQ(read.at(name).values, tensor.values) << name;
  }
  EXPECT_EQ(SerializeSafetensors(read), bytes);
}

TEST(SafetensorsTest, ReadsTheLayoutOfTheFormat) {
  std::string bytes = File(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":{"by":"x"}})", 0);
  bytes += std::string("\x00\x00\x80\x3f", 4);  // 1.0
  EXPECT_EQ(ParseSafetensors(bytes).value().at("w").values, std::vector<float>{1.0F});
}

TEST(SafetensorsTest, RefusesWhatIsMalformed) {
  const std::string w = R"("w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const struct {
    std::string bytes;
    std::string message;
  } cases[] = {
      {"1234567", "shorter than 8 bytes"},
      {std::string(8, '\xff'), "longer than the file"},
      {File("[1]", 0), "not a JSON object"},
      {File("{\"w\":", 0), "not a JSON object"},
      {File("{\"w\":{}}", 0), "expected dtype, shape and data_offsets"},
      {File(R"({"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}})", 4), "only \"F32\" is read"},
      {File(R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8), "numbers from 0"},
      {File(R"({"w":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}})", 8), "numbers from 0"},
      {File(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0]}})", 8), "numbers from 0"},
      {File(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8), "do not fit the shape"},
      {File(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8), "do not fit the shape"},
      {File(R"({"w":{"dtype":"F32","shape":[1099511627776,1099511627776],"data_offsets":[0,8]}})", 8), "do not fit"},
      {File("{" + w + "}", 4), "ends after the file"},
      {File("{" + w + "}", 12), "4 bytes are left"},
      {File("{" + w + "," + w + "}", 8), "comes twice"},
      {File("{" + w + R"(,"v":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})", 12), "overlaps another"},
      {File("{" + w + R"(,"v":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}})", 16), "leaves a hole"},
  };
  for (const auto& c : cases) {
    const absl::Status status = ParseSafetensors(c.bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(c.message));
  }
}

}  // namespace
}  // namespace genoserve

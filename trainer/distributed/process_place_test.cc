#include "trainer/distributed/process_place.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

namespace genoserve {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

using Environment = std::map<std::string, std::string>;

absl::StatusOr<ProcessPlace> Place(const Environment& environment) {
  return ReadProcessPlace([&](const char* name) -> std::optional<std::string> {
    const auto found = environment.find(name);
    if (found == environment.end()) return std::nullopt;
    return found->second;
  });
}

const Environment kTorchrun = {{"RANK", "3"},
                               {"LOCAL_RANK", "1"},
                               {"WORLD_SIZE", "4"},
                               {"MASTER_ADDR", "head.example"},
                               {"MASTER_PORT", "29500"},
                               {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                               {"TORCHELASTIC_RESTART_COUNT", "2"}};

TEST(ProcessPlaceTest, AloneWithoutTheVariables) {
  EXPECT_EQ(Place({})->size, 1);
  EXPECT_EQ(Place({{"MASTER_ADDR", "head.example"}})->size, 1);
  EXPECT_EQ(Place({{"RANK", "0"}, {"WORLD_SIZE", "1"}})->size, 1) << "one process needs no address";
}

TEST(ProcessPlaceTest, ReadsWhatTorchrunSets) {
  const auto place = Place(kTorchrun);
  ASSERT_TRUE(place.ok()) << place.status();
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->size, 4);
  EXPECT_EQ(place->address, "head.example");
  EXPECT_EQ(place->port, 29500);
  EXPECT_TRUE(place->agent_store);
  EXPECT_EQ(place->attempt, 2);
  EXPECT_EQ(place->timeout, absl::Minutes(5));
}

TEST(ProcessPlaceTest, NamesTheVariableThatIsWrong) {
  const auto message = [](const char* name, std::optional<std::string> value) {
    Environment environment = kTorchrun;
    environment.erase(name);
    if (value.has_value()) environment[name] = *value;
    const absl::Status status = Place(environment).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    return std::string(status.message());
  };
  EXPECT_THAT(message("RANK", std::nullopt), HasSubstr("has no RANK"));
  EXPECT_THAT(message("WORLD_SIZE", std::nullopt), HasSubstr("has no WORLD_SIZE"));
  EXPECT_THAT(message("MASTER_ADDR", std::nullopt), HasSubstr("has no MASTER_ADDR"));
  EXPECT_THAT(message("MASTER_PORT", std::nullopt), HasSubstr("has no MASTER_PORT"));
  EXPECT_THAT(message("RANK", "4"), AllOf(HasSubstr("RANK is \"4\""), HasSubstr("0 to 3")));
  EXPECT_THAT(message("WORLD_SIZE", "many"), HasSubstr("WORLD_SIZE is \"many\""));
  EXPECT_THAT(message("MASTER_PORT", "0"), HasSubstr("MASTER_PORT"));
  EXPECT_THAT(message("GENOSERVE_PEER_TIMEOUT", "0"), HasSubstr("GENOSERVE_PEER_TIMEOUT"));
}

TEST(ProcessPlaceTest, EachProcessOfAMachineTakesAGpuOfItsOwn) {
  ProcessPlace place;
  place.local_rank = 1;
  ::unsetenv("LOCAL_RANK");
  ::setenv("CUDA_VISIBLE_DEVICES", "4,6", 1);
  ASSERT_TRUE(TakeOwnGpu(place).ok());
  EXPECT_STREQ(std::getenv("CUDA_VISIBLE_DEVICES"), "4,6") << "an operator gave this process its GPUs";
  ::setenv("LOCAL_RANK", "1", 1);
  ASSERT_TRUE(TakeOwnGpu(place).ok());
  EXPECT_STREQ(std::getenv("CUDA_VISIBLE_DEVICES"), "6");
  EXPECT_THAT(std::string(TakeOwnGpu(place).message()), HasSubstr("names 1 devices"));
  ::unsetenv("CUDA_VISIBLE_DEVICES");
  ASSERT_TRUE(TakeOwnGpu(place).ok());
  EXPECT_STREQ(std::getenv("CUDA_VISIBLE_DEVICES"), "1");
}

}  // namespace
}  // namespace genoserve

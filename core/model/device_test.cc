#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "core/model/generator.h"

namespace genoserve {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

TEST(DeviceTest, ReadsTheThreeChoices) {
  EXPECT_EQ(ParseDeviceChoice("auto").value(), DeviceChoice::kAuto);
  EXPECT_EQ(ParseDeviceChoice("cpu").value(), DeviceChoice::kCpu);
  EXPECT_EQ(ParseDeviceChoice("cuda").value(), DeviceChoice::kCuda);
  EXPECT_THAT(std::string(ParseDeviceChoice("gpu").status().message()), HasSubstr("auto, cpu or cuda"));
}

TEST(DeviceTest, ReadsThePrecisionsThatItNames) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
    EXPECT_EQ(ParsePrecision(PrecisionName(precision)).value(), precision);
  }
  EXPECT_THAT(std::string(ParsePrecision("fp8").status().message()), HasSubstr("fp32, bf16 and int8"));
}

TEST(DeviceTest, AutoFallsBackToTheCpuExactlyWhereCudaIsRefused) {
  const auto cuda = ResolveDevice(DeviceChoice::kCuda);
  const auto automatic = ResolveDevice(DeviceChoice::kAuto);
  ASSERT_TRUE(automatic.ok());
  EXPECT_EQ(*automatic, cuda.ok() ? DeviceKind::kCuda : DeviceKind::kCpu);
  if (!cuda.ok()) {
    EXPECT_EQ(cuda.status().code(), absl::StatusCode::kFailedPrecondition);
  }
  EXPECT_EQ(ResolveDevice(DeviceChoice::kCpu).value(), DeviceKind::kCpu);
}

// Shows that the driver is asked first: its stand-in has a GPU, which no LibTorch can use.
TEST(DeviceTest, AGpuThatLibTorchCannotUseIsToldAndAutoGoesOnWithoutIt) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto resolve = [] {
    // What is loaded already is found by its soname.
    if (dlopen(GENOSERVE_STAND_IN_DRIVER, RTLD_NOW) == nullptr) std::exit(1);
    const absl::StatusOr<DeviceKind> cuda = ResolveDevice(DeviceChoice::kCuda);
    std::fprintf(stderr, "%s\n%s\n", cuda.status().ToString().c_str(),
                 InstructionSet(DeviceKind::kCuda, Precision::kFp32).c_str());
    std::exit(ResolveDevice(DeviceChoice::kAuto).value() == DeviceKind::kCpu ? 0 : 2);
  };
  EXPECT_EXIT(resolve(), testing::ExitedWithCode(0), "FAILED_PRECONDITION: LibTorch.*\nsm_90");
}

TEST(DeviceTest, NamesTheInstructionSetOfTheCpu) {
  EXPECT_EQ(InstructionSet(DeviceKind::kCpu, Precision::kFp32), "x86-64-v3");
  EXPECT_EQ(InstructionSet(DeviceKind::kCpu, Precision::kInt8), "x86-64-v3");
  EXPECT_THAT(InstructionSet(DeviceKind::kCpu, Precision::kBf16), AnyOf("avx512-bf16", "emulated"));
}

}  // namespace
}  // namespace genoserve

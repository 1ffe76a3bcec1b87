#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>

#include "core/model/generator.h"
#include "core/model/torch_guard.h"

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

TEST(DeviceTest, NamesTheInstructionSetOfTheCpu) {
  EXPECT_EQ(InstructionSet(DeviceKind::kCpu, Precision::kFp32), "x86-64-v3");
  EXPECT_THAT(InstructionSet(DeviceKind::kCpu, Precision::kBf16), AnyOf("avx512-bf16", "emulated"));
}

TEST(TorchGuardTest, ClassifiesExceptions) {
  const c10::SourceLocation here{"f", "file", 1};
  const auto code_of = [](auto thrower) {
    return GuardTorch([&]() -> absl::Status {
             thrower();
             return absl::OkStatus();
           })
        .code();
  };
  EXPECT_EQ(code_of([] {}), absl::StatusCode::kOk);
  EXPECT_EQ(code_of([&] { throw c10::OutOfMemoryError(here, "CUDA out of memory"); }),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code_of([] { throw std::bad_alloc(); }), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code_of([&] { throw c10::Error(here, "[enforce fail] DefaultCPUAllocator: can't allocate memory"); }),
            absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(code_of([&] { throw c10::AcceleratorError(here, 700, "illegal memory access"); }),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(code_of([&] { throw c10::Error(here, "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED"); }),
            absl::StatusCode::kUnavailable);
  EXPECT_EQ(code_of([&] { throw c10::Error(here, "shapes cannot be multiplied"); }), absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace genoserve

#include "core/gpu/torch_guard.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <stdexcept>
#include <string>

namespace genoserve {
namespace {

template <class Error>
absl::Status Thrown(const Error& error) {
  return GuardTorch([&]() -> absl::Status { throw error; });
}

const c10::SourceLocation kHere = {"a test", __FILE__, __LINE__};

absl::Status CudaError(int32_t code) { return Thrown(c10::AcceleratorError(kHere, code, "CUDA error: words\nmore")); }

TEST(TorchGuardTest, PassesOnWhatTheBodyReturns) {
  EXPECT_TRUE(GuardTorch([] { return absl::OkStatus(); }).ok());
  EXPECT_EQ(GuardTorch([] { return absl::NotFoundError("x"); }), absl::NotFoundError("x"));
}

// Retrying may help: the caller is told to come again, and the server lives.
TEST(TorchGuardTest, MemoryThatRanOutIsNoBrokenDevice) {
  EXPECT_EQ(Thrown(c10::OutOfMemoryError(kHere, "CUDA out of memory. Tried to allocate 20 GiB")),
            absl::ResourceExhaustedError("out of device memory: CUDA out of memory. Tried to allocate 20 GiB"));
  EXPECT_TRUE(absl::IsResourceExhausted(CudaError(2)));
  EXPECT_TRUE(absl::IsResourceExhausted(
      Thrown(c10::Error(kHere, "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))));
  EXPECT_TRUE(absl::IsResourceExhausted(Thrown(std::bad_alloc())));
  // What LibTorch itself throws where main memory runs out.
  EXPECT_TRUE(absl::IsResourceExhausted(GuardTorch([] {
    at::empty({int64_t{1} << 46}, at::kByte);
    return absl::OkStatus();
  })));
}

// After these each further call fails, so that liveness has to.
TEST(TorchGuardTest, StickyErrorsAreABrokenDevice) {
  for (const int32_t code : {214, 220, 700, 702, 710, 714, 715, 716, 717, 718, 719, 999}) {
    EXPECT_EQ(CudaError(code), absl::UnavailableError("the device is broken: CUDA error: words")) << code;
  }
  for (const char* text : {"CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasGemmEx`",
                           "CUDA error: CUBLAS_STATUS_INTERNAL_ERROR when calling `cublasGemmEx`",
                           "CUDA error: device-side assert triggered"}) {
    EXPECT_TRUE(absl::IsUnavailable(Thrown(c10::Error(kHere, text)))) << text;
  }
}

// Wrong calls fail alone: invalid value, no kernel for this GPU, an operation that cannot be captured.
TEST(TorchGuardTest, OtherErrorsAreBugs) {
  for (const int32_t code : {1, 98, 209, 900}) EXPECT_TRUE(absl::IsInternal(CudaError(code))) << code;
  EXPECT_TRUE(absl::IsInternal(
      Thrown(c10::Error(kHere, "CUDA error: CUBLAS_STATUS_INVALID_VALUE when calling `cublasGemmEx`"))));
  EXPECT_EQ(Thrown(c10::Error(kHere, "shapes differ\nstack")), absl::InternalError("shapes differ"));
  EXPECT_EQ(Thrown(std::runtime_error("odd")), absl::InternalError("odd"));
}

}  // namespace
}  // namespace genoserve

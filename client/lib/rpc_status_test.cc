#include "client/lib/rpc_status.h"

#include <gtest/gtest.h>

#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace genoserve {
namespace {

template <typename Detail>
grpc::Status With(grpc::StatusCode code, const std::string& message, const Detail& detail) {
  google::rpc::Status status;
  status.add_details()->PackFrom(detail);
  return grpc::Status(code, message, status.SerializeAsString());
}

TEST(RpcStatusTest, TellsWhatTheDetailsAddAndNothingTwice) {
  google::rpc::BadRequest bad;
  auto* violation = bad.add_field_violations();
  violation->set_field("cohort_size");
  violation->set_description("must be at least 1");
  const absl::Status status = FromGrpcStatus(With(grpc::StatusCode::INVALID_ARGUMENT, "bad request", bad));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "bad request; cohort_size: must be at least 1");
  EXPECT_EQ(FromGrpcStatus(With(grpc::StatusCode::INVALID_ARGUMENT, "must be at least 1", bad)).message(),
            "must be at least 1 (cohort_size)");
  EXPECT_EQ(FromGrpcStatus(With(grpc::StatusCode::INVALID_ARGUMENT, "cohort_size: must be at least 1", bad)).message(),
            "cohort_size: must be at least 1");
  google::rpc::ResourceInfo resource;
  resource.set_resource_name("five@9");
  resource.set_description("versions are 1 and 2");
  EXPECT_EQ(FromGrpcStatus(With(grpc::StatusCode::NOT_FOUND, "no such version", resource)).message(),
            "no such version; five@9: versions are 1 and 2");
}

TEST(RpcStatusTest, KeepsTheRetryDelay) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_seconds(2);
  info.mutable_retry_delay()->set_nanos(500'000'000);
  const absl::Status status = FromGrpcStatus(With(grpc::StatusCode::RESOURCE_EXHAUSTED, "busy", info));
  EXPECT_EQ(RetryDelayOf(status), absl::Milliseconds(2500));
  EXPECT_EQ(RetryDelayOf(absl::UnavailableError("busy")), std::nullopt);
}

TEST(RpcStatusTest, LivesWithDetailsThatAreNone) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::INTERNAL, "broken", "\xff\xff not a proto"));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "broken");
  EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok());
}

}  // namespace
}  // namespace genoserve

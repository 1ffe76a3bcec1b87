// Requests that are too large, or no requests at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "server/raw_connection.h"
#include "server/test_server.h"

namespace genoserve {
namespace {

using testing::AnyOf;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();

class MalformedTest : public ServerTest {
 protected:
  MalformedTest() {
    PublishTestAcgan(store_, "model", 1);
    Start();
  }
  ~MalformedTest() override {
    AwaitNothingLives();
    // By a connection of its own: the server may be closing the other one for what it sent.
    stub_ = v1::CohortService::NewStub(Connect());
    EXPECT_TRUE(Fetch(CohortRequest("model", 1000)).ok());
  }

  // What a call of StreamCohort with these bytes as its message ends with.
  grpc::StatusCode CodeOf(const std::string& message) const {
    std::string reply;
    return CallRaw("/genoserve.v1.CohortService/StreamCohort", message, &reply).error_code();
  }
  // Sends bytes and reads until the server has nothing to say to them, or closes the connection.
  void Throw(const std::string& bytes) const {
    RawConnection client(server_->port());
    client.Send(bytes);
    client.EndSending();
    while (client.Read().has_value()) {
    }
  }
};

TEST_F(MalformedTest, AMessageThatIsNoRequestIsRefused) {
  // gRPC's own word for it.
  EXPECT_EQ(CodeOf("\xff\xff\xff\xff"), grpc::StatusCode::UNIMPLEMENTED);
  // A request cut in the middle of a field.
  std::string request = CohortRequest("model", 10).SerializeAsString();
  request.resize(4);
  EXPECT_EQ(CodeOf(request), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_EQ(CodeOf(""), grpc::StatusCode::NOT_FOUND);
}

TEST_F(MalformedTest, ExtremeSizesAndRangesAreRefused) {
  const std::vector<int64_t> extremes = {kLeast, kMost};
  const auto expect_invalid = [this](const v1::StreamCohortRequest& request) {
    EXPECT_EQ(StatusOf(request).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << request.ShortDebugString();
  };
  for (const int64_t size : extremes) {
    expect_invalid(CohortRequest("model", size));
    for (const int64_t first : {kLeast, int64_t{-1}, int64_t{1}, kMost}) {
      v1::StreamCohortRequest request = CohortRequest("model", size);
      request.set_first_sample(first);
      expect_invalid(request);
      for (const int64_t count : extremes) {
        request.set_sample_count(count);
        expect_invalid(request);
      }
    }
  }
  for (const int64_t extreme : extremes) {
    v1::StreamCohortRequest first = CohortRequest("model", 10);
    first.set_first_sample(extreme);
    expect_invalid(first);
    v1::StreamCohortRequest count = CohortRequest("model", 10);
    count.set_sample_count(extreme);
    expect_invalid(count);
    for (const int64_t next : {kLeast, int64_t{1}, kMost}) {
      v1::StreamCohortRequest counts = CohortRequest("model", 0);
      auto& terms = *counts.mutable_condition()->mutable_label_counts();
      terms.add_counts()->set_label("L0");
      terms.add_counts()->set_label("L1");
      terms.mutable_counts(0)->set_count(extreme);
      terms.mutable_counts(1)->set_count(next);
      expect_invalid(counts);
      counts.set_first_sample(extreme);
      expect_invalid(counts);
    }
  }
}

TEST_F(MalformedTest, ExtremesInOtherFieldsAreRefusedWhereTheyMeanNothing) {
  const auto code_of = [this](const std::function<void(v1::StreamCohortRequest&)>& spoil) {
    v1::StreamCohortRequest request = CohortRequest("model", 10);
    request.add_regions()->set_contig("1");
    spoil(request);
    return StatusOf(request).error_code();
  };
  using Request = v1::StreamCohortRequest;
  for (const int32_t extreme : {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()}) {
    EXPECT_EQ(code_of([&](Request& r) { r.set_max_batch_bytes(extreme); }), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&](Request& r) { r.set_encoding(static_cast<v1::GenotypeEncoding>(extreme)); }),
              grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(code_of([&](Request& r) { r.mutable_engine()->set_kernel_revision(extreme); }),
              grpc::StatusCode::FAILED_PRECONDITION);
  }
  EXPECT_EQ(code_of([](Request& r) { r.mutable_regions(0)->set_start(kLeast); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([](Request& r) { r.mutable_regions(0)->set_end(kLeast); }), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(code_of([](Request& r) { r.mutable_regions(0)->set_start(kMost); }), grpc::StatusCode::NOT_FOUND);
  // These have a meaning.
  EXPECT_EQ(code_of([](Request& r) { r.mutable_regions(0)->set_end(kMost); }), grpc::StatusCode::OK);
  EXPECT_EQ(code_of([](Request& r) { r.set_seed(std::numeric_limits<uint64_t>::max()); }), grpc::StatusCode::OK);
}

TEST_F(MalformedTest, ATooLargeRequestIsRefused) {
  v1::StreamCohortRequest request = CohortRequest("model", 200'000);
  auto& labels = *request.mutable_condition()->mutable_per_sample()->mutable_labels();
  for (int i = 0; i < 600'000; ++i) *labels.Add() = "L0";
  EXPECT_EQ(StatusOf(request).error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

TEST_F(MalformedTest, TooMuchMetadataIsRefused) {
  grpc::ClientContext context;
  context.AddMetadata("note", std::string(256 << 10, 'x'));
  const auto reader = stub_->StreamCohort(&context, CohortRequest("model", 10));
  v1::StreamCohortResponse response;
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_THAT(reader->Finish().error_code(),
              AnyOf(grpc::StatusCode::RESOURCE_EXHAUSTED, grpc::StatusCode::UNAVAILABLE));
}

TEST_F(MalformedTest, ACompressedRequestIsRefusedHoweverSmall) {
  v1::StreamCohortRequest request = CohortRequest("model", 10);
  // A few kilobytes when compressed.
  request.set_version(std::string(900 << 10, '0'));
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    context.set_compression_algorithm(algorithm);
    const auto reader = stub_->StreamCohort(&context, request);
    v1::StreamCohortResponse response;
    EXPECT_FALSE(reader->Read(&response));
    EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNIMPLEMENTED);
  }
}

TEST_F(MalformedTest, WhatIsNotHttp2IsCutOff) {
  Throw("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  Throw(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));  // the beginning of a TLS handshake
  std::mt19937_64 random(1);
  for (int i = 0; i < 64; ++i) {
    std::string bytes(random() % 4096, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    Throw(bytes);
  }
}

TEST_F(MalformedTest, BrokenFramesAreCutOff) {
  const std::string call = RawCall(1, CohortRequest("model", 50'000'000));
  // Data and a window of streams that were never opened, a broken header block, a window that overflows, a frame longer
  // than is allowed, and frames of unknown types, after a stream has begun.
  Throw(RawPreface() + call + RawFrame{RawFrame::kData, 0, 77, "data"}.Bytes());
  Throw(RawPreface() + call + RawFrame{RawFrame::kData, 0, 0, "data"}.Bytes());
  Throw(RawPreface() + call + RawWindow(0, 0x7fffffff) + RawWindow(1, 0x7fffffff));
  Throw(RawPreface() + call + RawFrame{RawFrame::kHeaders, RawFrame::kEndHeaders, 3, "\xff\xff\xff\xff\xff"}.Bytes());
  Throw(RawPreface() + call + RawFrame{RawFrame::kData, 0, 1, std::string(1 << 20, 'x')}.Bytes());
  Throw(RawPreface() + call + RawFrame{RawFrame::kSettings, 0, 0, "odd"}.Bytes());
  std::mt19937_64 random(2);
  for (int i = 0; i < 200; ++i) {
    std::string bytes = RawPreface() + call;
    for (int frames = 0; frames < 8; ++frames) {
      std::string payload(random() % 64, '\0');
      for (char& byte : payload) byte = static_cast<char>(random());
      bytes += RawFrame{static_cast<uint8_t>(random() % 11), static_cast<uint8_t>(random()),
                        static_cast<uint32_t>(random() % 4), payload}
                   .Bytes();
    }
    Throw(bytes);
  }
}

TEST_F(MalformedTest, HeadersWithoutEndAreCutOff) {
  RawConnection client(server_->port());
  ASSERT_TRUE(client.Send(RawPreface()));
  RawFrame headers{RawFrame::kHeaders, 0, 1, std::string("\x00\x01x\x7f\x81\x7f", 6) + std::string(16'000, 'v')};
  std::string more;
  for (int i = 0; i < 64; ++i) more += RawFrame{RawFrame::kContinuation, 0, 1, std::string(16'000, 'v')}.Bytes();
  client.Send(headers.Bytes() + more);
  EXPECT_FALSE(client.Settle());
}

TEST_F(MalformedTest, AFloodOfPingsIsCutOff) {
  RawConnection client(server_->port());
  ASSERT_TRUE(client.Send(RawPreface()));
  std::string pings;
  for (int i = 0; i < 1000; ++i) pings += RawFrame{RawFrame::kPing, 0, 0, "pingping"}.Bytes();
  client.Send(pings);
  const auto farewell = client.ReadUntil(RawFrame::kGoAway);
  ASSERT_TRUE(farewell.has_value());
  EXPECT_THAT(farewell->payload, testing::HasSubstr("too_many_pings"));
}

}  // namespace
}  // namespace genoserve

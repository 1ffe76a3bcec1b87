#include "server/service/live_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace genoserve {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Minutes(10);

class LiveStreamsTest : public testing::Test {
 protected:
  // A stream that counts how often it is cancelled.
  std::unique_ptr<LiveStream> Stream(int* cancelled) {
    return std::make_unique<LiveStream>(streams_, [cancelled] { ++*cancelled; });
  }

  FakeClock clock_;
  LiveStreams streams_{kPatience, clock_};
  int cancelled_ = 0;
};

TEST_F(LiveStreamsTest, AWriteThatIsNotTakenInTimeEndsItsStreamOnce) {
  int other = 0;
  const auto stream = Stream(&cancelled_);
  const auto taken = Stream(&other);
  stream->BeginWrite(10);
  clock_.Advance(kPatience);
  streams_.CancelStalled();
  EXPECT_EQ(cancelled_, 0);
  EXPECT_TRUE(stream->stalled().ok());
  taken->BeginWrite(0);
  clock_.Advance(absl::Nanoseconds(1));
  streams_.CancelStalled();
  streams_.CancelStalled();
  EXPECT_EQ(cancelled_, 1);
  EXPECT_EQ(stream->stalled().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(std::string(stream->stalled().message()), HasSubstr("within 10m"));
  EXPECT_EQ(other, 0);
  EXPECT_TRUE(taken->stalled().ok());
}

TEST_F(LiveStreamsTest, AStreamThatWaitsForWorkIsNotStalled) {
  const auto stream = Stream(&cancelled_);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(2 * kPatience);
    streams_.CancelStalled();
    stream->BeginWrite(10);
    clock_.Advance(kPatience / 2);
    streams_.CancelStalled();
    stream->EndWrite();
  }
  EXPECT_EQ(cancelled_, 0);
}

TEST_F(LiveStreamsTest, ACallThatIsOverIsLeftAlone) {
  const auto stream = Stream(&cancelled_);
  auto gone = Stream(&cancelled_);
  const LiveStream silent(streams_);
  stream->BeginWrite(10);
  gone->BeginWrite(10);
  stream->EndCall();
  gone.reset();
  clock_.Advance(2 * kPatience);
  streams_.CancelStalled();
  EXPECT_EQ(cancelled_, 0);
}

TEST_F(LiveStreamsTest, CountsStreamsAndWhatTheyWrite) {
  auto one = Stream(&cancelled_);
  const auto two = Stream(&cancelled_);
  one->BeginWrite(10);
  two->BeginWrite(5);
  EXPECT_EQ(streams_.streams(), 2);
  EXPECT_EQ(streams_.writing_bytes(), 15);
  two->EndWrite();
  EXPECT_EQ(streams_.writing_bytes(), 10);
  one.reset();
  EXPECT_EQ(streams_.streams(), 1);
  EXPECT_EQ(streams_.writing_bytes(), 0);
}

// gRPC may end a call at once where it is cancelled, or on a thread of its own meanwhile.
TEST_F(LiveStreamsTest, ACallMayEndWhileItIsCancelled) {
  for (const bool at_once : {true, false}) {
    std::unique_ptr<LiveStream> stream;
    std::thread other;
    bool in_use = false;
    bool ended_in_use = false;
    stream = std::make_unique<LiveStream>(streams_, [&] {
      if (at_once) {
        stream->EndCall();
        return;
      }
      in_use = true;
      other = std::thread([&] {
        stream->EndCall();
        ended_in_use = in_use;
        stream.reset();
      });
      // Whatever time the other thread is given here, it must wait.
      for (int i = 0; i < 1000; ++i) std::this_thread::yield();
      in_use = false;
    });
    stream->BeginWrite(1);
    clock_.Advance(2 * kPatience);
    streams_.CancelStalled();
    if (other.joinable()) other.join();
    EXPECT_FALSE(ended_in_use);
    stream.reset();
    EXPECT_EQ(streams_.streams(), 0);
  }
}

}  // namespace
}  // namespace genoserve

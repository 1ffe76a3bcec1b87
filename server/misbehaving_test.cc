// Clients that stall, break off and vanish: what they leave behind, and what becomes of the others meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/http/test_get.h"
#include "server/raw_connection.h"
#include "server/test_server.h"
#include "tests/support/repetitions.h"

namespace genoserve {
namespace {

constexpr int64_t kLong = 5'000'000;             // samples; more than any test reads
constexpr int64_t kOther = Repetitions(50'000);  // of the client beside that does nothing wrong
constexpr uint32_t kWide = 0x7fffffff - 65'535;

using ::testing::HasSubstr;

class MisbehavingTest : public ServerTest {
 protected:
  MisbehavingTest() { PublishTestAcgan(store_, "model", 1, 1000); }

  void SetUp() override {
    Start();
    const auto quiet = Fetch(CohortRequest("model", kOther));
    ASSERT_TRUE(quiet.ok()) << quiet.status();
    quiet_ = quiet->bytes();
    AwaitNothingLives();
  }
  // A client beside the others gets what it would get alone.
  void ExpectOthersServed() const {
    const auto beside = Fetch(CohortRequest("model", kOther));
    ASSERT_TRUE(beside.ok()) << beside.status();
    EXPECT_TRUE(beside->bytes() == quiet_);
  }
  std::unique_ptr<RawConnection> Connection(int receive_buffer = 0) const {
    return std::make_unique<RawConnection>(server_->port(), receive_buffer);
  }

  std::string quiet_;
};

TEST_F(MisbehavingTest, ClientsThatNeverReadHoldLittleAndLeaveNothing) {
  constexpr int kClients = 8;
  constexpr int64_t kMostHeld = 4 << 20;  // bytes of one stream
  std::vector<std::unique_ptr<RawConnection>> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.push_back(Connection(/*receive_buffer=*/4096));
    // All that HTTP/2 can allow, so that TCP alone holds the server back.
    ASSERT_TRUE(
        clients.back()->Send(RawPreface(0x7fffffff) + RawWindow(0, kWide) + RawCall(1, CohortRequest("model", kLong))));
  }
  while (server_->streams() < kClients) std::this_thread::yield();
  ExpectOthersServed();
  // That stream ends at its client before it does at the server.
  while (server_->streams() > kClients) std::this_thread::yield();
  EXPECT_EQ(server_->streams(), kClients);
  EXPECT_LE(server_->live().buffered_bytes, kClients * kMostHeld);
  clients.clear();
  AwaitNothingLives();
}

TEST_F(MisbehavingTest, AClientThatTakesByteForByteGetsThemAndHoldsNobodyUp) {
  const auto client = Connection();
  ASSERT_TRUE(client->Send(RawPreface(/*window=*/0) + RawCall(1, CohortRequest("model", kLong))));
  ASSERT_TRUE(client->ReadUntil(RawFrame::kHeaders).has_value());
  std::string bytes;
  const auto take = [&](int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(client->Send(RawWindow(1, 1)));
      const auto frame = client->ReadUntil(RawFrame::kData);
      ASSERT_TRUE(frame.has_value());
      ASSERT_EQ(frame->payload.size(), 1U);
      bytes += frame->payload;
    }
  };
  take(100);
  ExpectOthersServed();
  take(100);
  while (server_->live().jobs > 1) std::this_thread::yield();
  EXPECT_EQ(server_->live().jobs, 1);
  // An uncompressed message of gRPC; the first field of it is the header.
  EXPECT_EQ(bytes[0], '\0');
  EXPECT_EQ(bytes[5], '\x0a');
  client->Reset();
  AwaitNothingLives();
}

TEST_F(MisbehavingTest, HalfOpenConnectionsCostTheOthersNothing) {
  const std::string call = RawCall(1, CohortRequest("model", kLong));
  const std::string headers = RawCallHeaders(1);
  const RawFrame go_away{RawFrame::kGoAway, 0, 0, std::string(8, '\0')};
  const std::string half_message = RawFrame{RawFrame::kData, 0, 1, std::string("\0\0\0\0\x64half", 9)}.Bytes();
  std::vector<std::unique_ptr<RawConnection>> clients;
  const auto connect = [&](const std::string& bytes) {
    clients.push_back(Connection());
    EXPECT_TRUE(clients.back()->Send(bytes));
  };
  // They stay, and nothing runs for them.
  for (const std::string& unfinished :
       {std::string(), RawPreface().substr(0, 10), RawPreface(), RawPreface() + headers.substr(0, headers.size() / 2),
        RawPreface() + headers, RawPreface() + headers + half_message,
        RawPreface() + call.substr(0, call.size() - 1)}) {
    connect(unfinished);
  }
  ExpectOthersServed();
  AwaitNothingLives();
  // For these something does.
  const size_t idle = clients.size();
  connect(RawPreface() + call);
  connect(RawPreface() + call + go_away.Bytes());
  connect(RawPreface() + call + headers.substr(0, 9));
  ExpectOthersServed();
  while (server_->live().jobs < 1) std::this_thread::yield();
  // A stream that is given up on a connection that stays.
  connect(RawPreface() + call + RawFrame{RawFrame::kReset, 0, 1, std::string("\0\0\0\x08", 4)}.Bytes());
  EXPECT_TRUE(clients.back()->Settle());
  ExpectOthersServed();
  clients[idle]->Reset();
  clients[idle + 1]->EndSending();
  clients.resize(idle + 2);
  ExpectOthersServed();
  clients[idle + 1].reset();
  AwaitNothingLives();
}

TEST_F(MisbehavingTest, StreamsThatAreCancelledAtRandomLeaveNothing) {
  constexpr int kThreads = 4;
  constexpr int kStreams = 60;  // of each
  std::vector<std::thread> clients;
  for (int thread = 0; thread < kThreads; ++thread) {
    clients.emplace_back([this, thread] {
      std::mt19937_64 random(static_cast<uint64_t>(thread));
      auto stub = v1::CohortService::NewStub(Connect());
      for (int i = 0; i < kStreams; ++i) {
        if (random() % 32 == 0) stub = v1::CohortService::NewStub(Connect());
        grpc::ClientContext context;
        if (random() % 8 == 0) {
          context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(random() % 20));
        }
        const auto reader = stub->StreamCohort(&context, CohortRequest("model", random() % 2 == 0 ? 2000 : kLong));
        v1::StreamCohortResponse response;
        for (uint64_t messages = random() % 6; messages > 0 && reader->Read(&response); --messages) {
        }
        context.TryCancel();
        reader->Finish();
      }
    });
  }
  ExpectOthersServed();
  for (std::thread& client : clients) client.join();
  AwaitNothingLives();
  ExpectOthersServed();
}

TEST_F(MisbehavingTest, TenThousandOpenedAndDroppedStreamsLeaveNothing) {
  constexpr int kConnections = 10;
  constexpr int kRounds = 20;
  constexpr int kStreams = 50;  // of a round
  const std::string cancel("\0\0\0\x08", 4);
  for (int connection = 0; connection < kConnections; ++connection) {
    const auto client = Connection();
    ASSERT_TRUE(client->Send(RawPreface() + RawWindow(0, kWide)));
    uint32_t stream = 1;
    for (int round = 0; round < kRounds; ++round) {
      std::string calls;
      for (int i = 0; i < kStreams; ++i, stream += 2) {
        calls += RawCall(stream, CohortRequest("model", kLong));
        // Half of them at once, the others when they run.
        if (i % 2 == 0) calls += RawFrame{RawFrame::kReset, 0, stream, cancel}.Bytes();
      }
      ASSERT_TRUE(client->Send(calls));
      ASSERT_TRUE(client->Settle());
      std::string resets;
      for (int i = 1; i < kStreams; i += 2) {
        const uint32_t dropped = stream - 2 * static_cast<uint32_t>(kStreams - i);
        resets += RawFrame{RawFrame::kReset, 0, dropped, cancel}.Bytes();
      }
      ASSERT_TRUE(client->Send(resets));
    }
    ASSERT_TRUE(client->Settle());
  }
  AwaitNothingLives();
  ExpectOthersServed();
}

TEST_F(MisbehavingTest, AClientThatTakesNothingForTooLongLosesItsStream) {
  v1::ServerConfig config = TestConfig();
  config.set_stall_timeout_seconds(0.05);
  Start(config);
  v1::ListVariantsRequest list;
  list.set_model("model");
  for (const std::string& call :
       {RawCall(1, CohortRequest("model", kLong)), RawCall(1, CohortRequest("model", 1)), RawCall(1, list)}) {
    // The connection lives, with room for everything; only the stream has none.
    const auto client = Connection();
    ASSERT_TRUE(client->Send(RawPreface(/*window=*/0) + RawWindow(0, kWide) + call));
    ASSERT_TRUE(client->ReadUntil(RawFrame::kReset).has_value());
    AwaitNothingLives();
    EXPECT_TRUE(client->Settle());
  }
  EXPECT_EQ(server_->streams(), 0);
  const std::string page = HttpGet(server_->http_port(), "/metrics");
  const std::string ended = "genoserve_requests_total{code=\"ABORTED\",method=\"";
  EXPECT_THAT(page, HasSubstr(ended + "StreamCohort\",model=\"model\",version=\"1\"} 2"));
  EXPECT_THAT(page, HasSubstr(ended + "ListVariants\",model=\"model\",version=\"1\"} 1"));
}

TEST_F(MisbehavingTest, AConnectionOfGreatAgeIsToldToMoveAndItsStreamGoesOn) {
  v1::ServerConfig config = TestConfig();
  config.set_max_connection_age_seconds(0.05);
  Start(config);
  const auto client = Connection();
  ASSERT_TRUE(client->Send(RawPreface(/*window=*/0) + RawCall(1, CohortRequest("model", kLong))));
  ASSERT_TRUE(client->ReadUntil(RawFrame::kGoAway).has_value());
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(client->Send(RawWindow(1, 1)));
    EXPECT_TRUE(client->ReadUntil(RawFrame::kData).has_value());
  }
  client->Reset();
  AwaitNothingLives();
}

}  // namespace
}  // namespace genoserve

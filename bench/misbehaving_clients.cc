#include "bench/misbehaving_clients.h"

#include <chrono>
#include <limits>
#include <memory>
#include <random>
#include <utility>

#include "bench/steady_load.h"
#include "server/raw_connection.h"

namespace genoserve {
namespace {

constexpr int64_t kEndless = 1'000'000;          // samples; more than is read
constexpr int64_t kFew = 32;                     // of streams that come and go: two small batches
constexpr int kSmallBatch = 4096;                // bytes
constexpr uint32_t kWide = 0x7fffffff - 65'535;  // of a connection's window
constexpr double kTurn = 0.05;                   // seconds
using Connections = std::vector<std::unique_ptr<RawConnection>>;

}  // namespace

const std::vector<MisbehavingClients::Kind>& MisbehavingClients::Kinds() {
  constexpr double kFill = 10;
  constexpr double kSoon = 2;
  static const auto* const kinds =
      new std::vector<Kind>{{"never read", &MisbehavingClients::NeverRead, kFill},
                            {"one byte a second", &MisbehavingClients::TakeBytes, kSoon},
                            {"cancel at random", &MisbehavingClients::CancelAtRandom, kSoon},
                            {"half-open connections", &MisbehavingClients::HalfOpen, kSoon},
                            {"opened and dropped", &MisbehavingClients::OpenAndDrop, kSoon},
                            {"oversized and malformed", &MisbehavingClients::Nonsense, kSoon}};
  return *kinds;
}

MisbehavingClients::MisbehavingClients(int port, std::string model, double dropped_a_second)
    : port_(port),
      address_("127.0.0.1:" + std::to_string(port)),
      model_(std::move(model)),
      dropped_a_second_(dropped_a_second) {}

std::string MisbehavingClients::SmallBatches(uint32_t stream, int64_t samples) const {
  v1::StreamCohortRequest request = CohortOf(model_, samples, ++seed_);
  request.set_max_batch_bytes(kSmallBatch);
  return RawCall(stream, request);
}

void MisbehavingClients::NeverRead(const std::atomic<bool>& stop) const {
  Connections clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawConnection>(port_, 4096));
    const std::string opening = i % 2 == 0 ? RawPreface() : RawPreface(0x7fffffff) + RawWindow(0, kWide);
    clients.back()->Send(opening + SmallBatches(1, kEndless));
  }
  while (!stop) Pause(kTurn);
}

void MisbehavingClients::TakeBytes(const std::atomic<bool>& stop) const {
  Connections clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawConnection>(port_));
    clients.back()->Send(RawPreface(0) + SmallBatches(1, kEndless));
  }
  for (int turn = 0; !stop; ++turn) {
    if (turn % 20 == 0) {
      for (const auto& client : clients) client->Send(RawWindow(1, 1));
    }
    Pause(kTurn);
  }
}

void MisbehavingClients::CancelAtRandom(const std::atomic<bool>& stop) const {
  const auto stub = ConnectTo(address_);
  std::minstd_rand random(1);
  while (!stop) {
    grpc::ClientContext context;
    v1::StreamCohortRequest request = CohortOf(model_, kFew, ++seed_);
    request.set_max_batch_bytes(kSmallBatch);
    const auto reader = stub->StreamCohort(&context, request);
    v1::StreamCohortResponse response;
    for (auto messages = random() % 3; messages > 0 && reader->Read(&response); --messages) {
    }
    context.TryCancel();
    reader->Finish();
    Pause(kTurn);
  }
}

void MisbehavingClients::HalfOpen(const std::atomic<bool>& stop) const {
  const std::string call = SmallBatches(1, kFew);
  const std::string headers = RawCallHeaders(1);
  const std::string half_message = RawFrame{RawFrame::kData, 0, 1, std::string("\0\0\0\0\x64half", 9)}.Bytes();
  const std::vector<std::string> unfinished = {std::string(),
                                               RawPreface().substr(0, 10),
                                               RawPreface(),
                                               RawPreface() + headers.substr(0, headers.size() / 2),
                                               RawPreface() + headers,
                                               RawPreface() + headers + half_message,
                                               RawPreface() + call.substr(0, call.size() - 1)};
  Connections stay;
  for (const std::string& bytes : unfinished) {
    stay.push_back(std::make_unique<RawConnection>(port_));
    stay.back()->Send(bytes);
  }
  for (size_t turn = 0; !stop; ++turn) {
    RawConnection client(port_);
    client.Send(turn % 2 == 0 ? RawPreface(0) + SmallBatches(1, kFew) : unfinished[turn / 2 % unfinished.size()]);
    Pause(kTurn);
    client.Reset();
  }
}

void MisbehavingClients::OpenAndDrop(const std::atomic<bool>& stop) const {
  constexpr uint32_t kStreamsOfConnection = 1000;
  const std::string cancel("\0\0\0\x08", 4);  // the code of a reset
  const auto begin = std::chrono::steady_clock::now();
  double opened = 0;
  while (!stop) {
    RawConnection client(port_);
    client.Send(RawPreface(0));
    for (uint32_t stream = 1; !stop && stream < 2 * kStreamsOfConnection;) {
      std::string calls;
      std::string resets;
      for (; opened < SecondsSince(begin) * dropped_a_second_; ++opened, ++dropped_, stream += 2) {
        const bool at_once = stream % 4 == 1;
        calls += SmallBatches(stream, kFew);
        (at_once ? calls : resets) += RawFrame{RawFrame::kReset, 0, stream, cancel}.Bytes();
      }
      if (!client.Send(calls) || !client.Settle() || !client.Send(resets)) break;
      Pause(kTurn);
    }
    client.Settle();
  }
}

void MisbehavingClients::Nonsense(const std::atomic<bool>& stop) const {
  const auto stub = ConnectTo(address_);
  const std::string call = SmallBatches(1, kFew);
  v1::StreamCohortRequest negative = CohortOf(model_, std::numeric_limits<int64_t>::min(), 1);
  v1::StreamCohortRequest huge = CohortOf(model_, std::numeric_limits<int64_t>::max(), 1);
  const std::vector<std::string> broken = {
      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      RawPreface() + RawCall(1, negative),
      RawPreface() + RawCall(1, huge),
      RawPreface() + call + RawFrame{RawFrame::kData, 0, 77, "data"}.Bytes(),
      RawPreface() + call + RawWindow(0, 0x7fffffff) + RawWindow(1, 0x7fffffff),
      RawPreface() + call + RawFrame{RawFrame::kHeaders, RawFrame::kEndHeaders, 3, "\xff\xff\xff\xff\xff"}.Bytes(),
      RawPreface() + call + RawFrame{RawFrame::kData, 0, 1, std::string(1 << 20, 'x')}.Bytes(),
      RawPreface() + call + RawFrame{RawFrame::kSettings, 0, 0, "odd"}.Bytes(),
      RawPreface() + RawCallHeaders(1) +
          RawFrame{RawFrame::kData, RawFrame::kEndStream, 1, std::string("\0\0\0\0\x04\xff\xff\xff\xff", 9)}.Bytes()};
  v1::StreamCohortRequest large = CohortOf(model_, 1, 1);
  large.set_version(std::string(2 << 20, '0'));
  for (size_t turn = 0; !stop; ++turn) {
    RawConnection client(port_);
    client.Send(broken[turn % broken.size()]);
    if (turn % 2 == 0) {
      grpc::ClientContext context;
      const auto reader = stub->StreamCohort(&context, large);
      reader->Finish();
    }
    Pause(kTurn);
  }
}

}  // namespace genoserve

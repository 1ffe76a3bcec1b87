#include "server/raw_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

constexpr size_t kFrameHeader = 9;
constexpr int kPatienceSeconds = 60;

std::string BigEndian(uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xff);
  return text;
}

uint32_t FromBigEndian(absl::string_view text) {
  uint32_t value = 0;
  for (const char c : text) value = value << 8 | static_cast<uint8_t>(c);
  return value;
}

// A header field as HPACK's literal without indexing; both parts shorter than 127 bytes.
std::string Literal(absl::string_view name, absl::string_view value) {
  return absl::StrCat(BigEndian(0, 1), BigEndian(name.size(), 1), name, BigEndian(value.size(), 1), value);
}

// The only message of a call.
std::string RawMessage(uint32_t stream, const std::string& message) {
  const std::string framed = BigEndian(0, 1) + BigEndian(message.size(), 4) + message;
  return RawFrame{RawFrame::kData, RawFrame::kEndStream, stream, framed}.Bytes();
}

}  // namespace

std::string RawFrame::Bytes() const {
  return absl::StrCat(BigEndian(payload.size(), 3), BigEndian(type, 1), BigEndian(flags, 1), BigEndian(stream, 4),
                      payload);
}

std::string RawPreface(uint32_t window) {
  constexpr uint64_t kInitialWindowSize = 4;
  const std::string setting = BigEndian(kInitialWindowSize, 2) + BigEndian(window, 4);
  return "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + RawFrame{RawFrame::kSettings, 0, 0, setting}.Bytes();
}

std::string RawCallHeaders(uint32_t stream, absl::string_view method) {
  const std::string block = absl::StrCat(Literal(":method", "POST"), Literal(":scheme", "http"),
                                         Literal(":path", absl::StrCat("/genoserve.v1.CohortService/", method)),
                                         Literal(":authority", "127.0.0.1"),
                                         Literal("content-type", "application/grpc"), Literal("te", "trailers"));
  return RawFrame{RawFrame::kHeaders, RawFrame::kEndHeaders, stream, block}.Bytes();
}

std::string RawCall(uint32_t stream, const v1::StreamCohortRequest& request) {
  return RawCallHeaders(stream) + RawMessage(stream, request.SerializeAsString());
}

std::string RawCall(uint32_t stream, const v1::ListVariantsRequest& request) {
  return RawCallHeaders(stream, "ListVariants") + RawMessage(stream, request.SerializeAsString());
}

std::string RawWindow(uint32_t stream, uint32_t bytes) {
  return RawFrame{RawFrame::kWindow, 0, stream, BigEndian(bytes, 4)}.Bytes();
}

RawConnection::RawConnection(int port, int receive_buffer) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  const timeval patience = {kPatienceSeconds, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    ::close(fd_);
    fd_ = -1;  // to which nothing can be sent
  }
}

RawConnection::~RawConnection() {
  if (fd_ >= 0) ::close(fd_);
}

bool RawConnection::Send(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawConnection::ReadBytes(size_t count, std::string* bytes) {
  bytes->resize(count);
  size_t read = 0;
  while (read < count) {
    const ssize_t got = ::recv(fd_, bytes->data() + read, count - read, 0);
    if (got <= 0) return false;
    read += static_cast<size_t>(got);
  }
  return true;
}

std::optional<RawFrame> RawConnection::Read() {
  std::string header;
  if (!ReadBytes(kFrameHeader, &header)) return std::nullopt;
  RawFrame frame;
  frame.type = static_cast<uint8_t>(header[3]);
  frame.flags = static_cast<uint8_t>(header[4]);
  frame.stream = FromBigEndian(absl::string_view(header).substr(5));
  if (!ReadBytes(FromBigEndian(absl::string_view(header).substr(0, 3)), &frame.payload)) return std::nullopt;
  return frame;
}

std::optional<RawFrame> RawConnection::ReadUntil(uint8_t type) {
  std::optional<RawFrame> frame = Read();
  while (frame.has_value() && frame->type != type) frame = Read();
  return frame;
}

bool RawConnection::Settle() {
  constexpr char kMark[] = "settled.";
  if (!Send(RawFrame{RawFrame::kPing, 0, 0, kMark}.Bytes())) return false;
  while (true) {
    const std::optional<RawFrame> answer = ReadUntil(RawFrame::kPing);
    if (!answer.has_value()) return false;
    if ((answer->flags & RawFrame::kAck) != 0 && answer->payload == kMark) return true;
  }
}

void RawConnection::EndSending() { ::shutdown(fd_, SHUT_WR); }

void RawConnection::Reset() {
  const linger now = {1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(fd_);
  fd_ = -1;
}

}  // namespace genoserve

// For tests: clients that no gRPC library would be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "genoserve/v1/cohort.pb.h"

namespace genoserve {

/// A frame of HTTP/2.
struct RawFrame {
  // The types that tests name (RFC 9113, section 6).
  static constexpr uint8_t kData = 0, kHeaders = 1, kReset = 3, kSettings = 4, kPing = 6, kGoAway = 7, kWindow = 8,
                           kContinuation = 9;
  static constexpr uint8_t kEndStream = 1, kAck = 1, kEndHeaders = 4;

  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t stream = 0;
  std::string payload;

  std::string Bytes() const;
};

/// What a client says first: the preface and its settings. `window` is what each stream may send before it is allowed
/// more.
std::string RawPreface(uint32_t window = 65'535);

/// Headers of a call of CohortService, without its message.
std::string RawCallHeaders(uint32_t stream, absl::string_view method = "StreamCohort");
/// A whole call: headers, message, end of the client's side.
std::string RawCall(uint32_t stream, const v1::StreamCohortRequest& request);
std::string RawCall(uint32_t stream, const v1::ListVariantsRequest& request);
/// Allows a stream, or with stream 0 the connection, to send so many bytes more.
std::string RawWindow(uint32_t stream, uint32_t bytes);

/// A TCP connection to a server on 127.0.0.1 that sends what a test wants, right or wrong. Reads give up after a
/// minute.
class RawConnection {
 public:
  /// `receive_buffer` bytes of the socket, as near to it as the system goes; 0 = the system's choice.
  explicit RawConnection(int port, int receive_buffer = 0);
  /// Closes it.
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  /// False where the server has closed the connection.
  bool Send(absl::string_view bytes);
  /// The next frame; nothing at the end of the connection.
  std::optional<RawFrame> Read();
  /// The next frame of a type; those before it are dropped.
  std::optional<RawFrame> ReadUntil(uint8_t type);
  /// Sends a ping and reads until its answer, by which the server has read all that was sent before. False where the
  /// server closes the connection instead.
  bool Settle();
  /// Says that nothing more will be sent.
  void EndSending();
  /// Closes it by a reset instead of an orderly end.
  void Reset();

 private:
  bool ReadBytes(size_t count, std::string* bytes);

  int fd_ = -1;
};

}  // namespace genoserve

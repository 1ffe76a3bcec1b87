#include "client/testing/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int Connect(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  ::close(fd);
  return -1;
}

bool SendAll(int fd, const char* bytes, ssize_t count) {
  while (count > 0) {
    const ssize_t sent = ::send(fd, bytes, static_cast<size_t>(count), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    count -= sent;
  }
  return true;
}

}  // namespace

Proxy::Proxy(int server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return;  // port 0, to which nothing connects
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread(&Proxy::Accept, this);
}

Proxy::~Proxy() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
  }
  ::shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::close(listener_);
}

std::string Proxy::address() const { return absl::StrCat("127.0.0.1:", port_); }

void Proxy::SetServer(int port) {
  const absl::MutexLock lock(&mutex_);
  server_port_ = port;
}

void Proxy::CutAfter(int64_t bytes, int times) {
  const absl::MutexLock lock(&mutex_);
  cut_after_ = bytes;
  cuts_left_ = times;
}

void Proxy::StallAfter(int64_t bytes) {
  const absl::MutexLock lock(&mutex_);
  stall_after_ = bytes;
}

void Proxy::AwaitStall() {
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&stalled_));
}

int Proxy::cuts() const {
  const absl::MutexLock lock(&mutex_);
  return cuts_;
}

void Proxy::CutNow() {
  const absl::MutexLock lock(&mutex_);
  ++generation_;
  stall_after_.reset();
}

void Proxy::Accept() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    connections_.emplace_back(&Proxy::Pass, this, client);
  }
}

bool Proxy::GoesOn(int64_t passed, int generation) {
  const absl::MutexLock lock(&mutex_);
  if (stall_after_.has_value() && passed >= *stall_after_) {
    stalled_ = true;
    mutex_.Await(absl::Condition(
        +[](Proxy* proxy) { return proxy->closing_ || !proxy->stall_after_.has_value(); }, this));
  }
  if (closing_ || generation != generation_) return false;
  if (cuts_left_ == 0 || passed < cut_after_) return true;
  --cuts_left_;
  ++cuts_;
  return false;
}

void Proxy::Pass(int client) {
  int server_port = 0;
  int generation = 0;
  {
    const absl::MutexLock lock(&mutex_);
    server_port = server_port_;
    generation = generation_;
  }
  const int server = Connect(server_port);
  int64_t passed = 0;
  bool open = server >= 0;
  std::array<char, 16384> buffer;
  while (open && GoesOn(passed, generation)) {
    std::array<pollfd, 2> ends = {{{client, POLLIN, 0}, {server, POLLIN, 0}}};
    // The time limit is for GoesOn to be asked again.
    if (::poll(ends.data(), ends.size(), 20) < 0 && errno != EINTR) break;
    for (size_t i = 0; i < ends.size() && open; ++i) {
      if (ends[i].revents == 0) continue;
      const ssize_t count = ::recv(ends[i].fd, buffer.data(), buffer.size(), 0);
      open = count > 0 && SendAll(ends[1 - i].fd, buffer.data(), count);
      if (i == 1 && count > 0) passed += count;
    }
  }
  ::close(client);
  if (server >= 0) ::close(server);
}

}  // namespace genoserve

#include "core/store/testing/http_fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace genoserve {
namespace {

constexpr char kHeadEnd[] = "\r\n\r\n";

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// Appends what comes; false at the end.
bool Receive(int fd, std::string* bytes) {
  std::array<char, 65536> buffer;
  const ssize_t count = ::recv(fd, buffer.data(), buffer.size(), 0);
  if (count > 0) bytes->append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

void Send(int fd, const std::string& bytes) {
  size_t sent = 0;
  while (sent < bytes.size()) {
    const ssize_t count = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count <= 0) return;
    sent += static_cast<size_t>(count);
  }
}

size_t BodySize(const std::string& head) {
  for (const absl::string_view line : absl::StrSplit(head, "\r\n")) {
    const std::string lower = absl::AsciiStrToLower(line);
    absl::string_view value = lower;
    size_t size = 0;
    if (absl::ConsumePrefix(&value, "content-length:") && absl::SimpleAtoi(value, &size)) return size;
  }
  return 0;
}

// Passes one request on and returns the whole answer, after which the server closes.
std::string Ask(int port, const std::string& head, const std::string& body) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  std::string answer;
  if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    Send(server, absl::StrCat(head, "\r\nConnection: close", kHeadEnd, body));
    while (Receive(server, &answer)) {
    }
  }
  ::close(server);
  return answer;
}

}  // namespace

HttpFaultProxy::HttpFaultProxy(int server_port) : server_port_(server_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return;  // port 0, to which nothing connects
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread(&HttpFaultProxy::Accept, this);
}

HttpFaultProxy::~HttpFaultProxy() {
  {
    const absl::MutexLock lock(&mutex_);
    closing_ = true;
    for (const int client : open_) ::shutdown(client, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  if (acceptor_.joinable()) acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  ::close(listener_);
}

std::string HttpFaultProxy::endpoint() const { return absl::StrCat("http://127.0.0.1:", port_); }

void HttpFaultProxy::SetPlan(Plan plan) {
  const absl::MutexLock lock(&mutex_);
  plan_ = std::move(plan);
  heads_.clear();
}

HttpFaultProxy::Plan HttpFaultProxy::Once(HttpFault fault, int at) {
  return [fault, at](int number, absl::string_view) { return number == at ? fault : HttpFault::kNone; };
}

HttpFaultProxy::Plan HttpFaultProxy::OnceAt(HttpFault fault, const std::string& words) {
  return [fault, words, struck = false](int, absl::string_view head) mutable {
    if (struck || !absl::StrContains(head, words)) return HttpFault::kNone;
    struck = true;
    return fault;
  };
}

void HttpFaultProxy::SetAnswer(const std::string& answer) {
  const absl::MutexLock lock(&mutex_);
  answer_ = answer;
}

std::vector<std::string> HttpFaultProxy::heads() const {
  const absl::MutexLock lock(&mutex_);
  return heads_;
}

HttpFault HttpFaultProxy::Note(const std::string& head, std::string* answer) {
  const absl::MutexLock lock(&mutex_);
  heads_.push_back(head);
  *answer = answer_;
  return plan_(static_cast<int>(heads_.size()), head);
}

void HttpFaultProxy::Accept() {
  while (true) {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    {
      const absl::MutexLock lock(&mutex_);
      if (closing_) {
        ::close(client);
        return;
      }
      open_.insert(client);
    }
    connections_.emplace_back(&HttpFaultProxy::Serve, this, client);
  }
}

void HttpFaultProxy::Serve(int client) {
  std::string request;
  while (request.find(kHeadEnd) == std::string::npos && Receive(client, &request)) {
  }
  const size_t end = request.find(kHeadEnd);
  if (end != std::string::npos) {
    const std::string head = request.substr(0, end);
    std::string body = request.substr(end + sizeof(kHeadEnd) - 1);
    if (absl::StrContains(head, "Expect: 100-continue")) Send(client, absl::StrCat("HTTP/1.1 100 Continue", kHeadEnd));
    while (body.size() < BodySize(head) && Receive(client, &body)) {
    }
    std::string answer;
    const HttpFault fault = Note(head, &answer);
    if (fault != HttpFault::kCutBefore && fault != HttpFault::kAnswer) answer = Ask(server_port_, head, body);
    if (fault == HttpFault::kTruncate) answer.resize(answer.size() / 2);
    if (fault == HttpFault::kNone || fault == HttpFault::kAnswer || fault == HttpFault::kTruncate) Send(client, answer);
    // Until the client gives up, or this object ends.
    while (fault == HttpFault::kStall && Receive(client, &body)) {
    }
  }
  const absl::MutexLock lock(&mutex_);
  open_.erase(client);
  ::close(client);
}

}  // namespace genoserve

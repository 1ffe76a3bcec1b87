#include "core/http/http_server.h"

#include <civetweb.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"

namespace genoserve {
namespace {

constexpr absl::Duration kKnockPeriod = absl::Milliseconds(10);
constexpr int kOk = 200;
constexpr int kUnavailable = 503;
constexpr int kMethodNotAllowed = 405;

// Connects and hangs up.
void Knock(const std::string& host, int port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), absl::StrCat(port).c_str(), &hints, &found) != 0) return;
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0) {
    (void)connect(fd, found->ai_addr, found->ai_addrlen);
    close(fd);
  }
  freeaddrinfo(found);
}

int Answer(mg_connection* connection, int code, const std::string& type, const std::string& body) {
  const absl::string_view method = mg_get_request_info(connection)->request_method;
  const bool get = method == "GET";
  if (!get && method != "HEAD") {
    mg_send_http_error(connection, kMethodNotAllowed, "%s", "only GET and HEAD are known here");
    return kMethodNotAllowed;
  }
  mg_response_header_start(connection, code);
  mg_response_header_add(connection, "Content-Type", type.c_str(), -1);
  mg_response_header_add(connection, "Content-Length", absl::StrCat(body.size()).c_str(), -1);
  mg_response_header_add(connection, "Cache-Control", "no-store", -1);
  mg_response_header_send(connection);
  if (get) mg_write(connection, body.data(), body.size());
  return code;
}

int AnswerMetrics(mg_connection* connection, void* handler) {
  const auto& metrics = *static_cast<const std::function<std::string()>*>(handler);
  return Answer(connection, kOk, "text/plain; version=0.0.4; charset=utf-8", metrics());
}

int AnswerProbe(mg_connection* connection, void* handler) {
  const std::string reason = (*static_cast<const std::function<std::string()>*>(handler))();
  return Answer(connection, reason.empty() ? kOk : kUnavailable, "text/plain; charset=utf-8",
                absl::StrCat(reason.empty() ? "ok" : reason, "\n"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(absl::string_view host, int port, Handlers handlers) {
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(handlers)));
  server->host_ = host == "localhost" ? "127.0.0.1" : std::string(host);
  const std::string name = absl::StrContains(host, ":") ? absl::StrCat("[", host, "]") : server->host_;
  const std::string address = absl::StrCat(name, ":", port);
  std::array<const char*, 9> options = {"listening_ports",
                                        address.c_str(),
                                        "num_threads",
                                        "4",
                                        "request_timeout_ms",
                                        "5000",
                                        "enable_keep_alive",
                                        "no",
                                        nullptr};
  mg_callbacks callbacks{};
  std::array<char, 256> text{};
  unsigned code = 0;
  mg_init_data init{&callbacks, nullptr, options.data()};
  mg_error_data error{&code, text.data(), text.size()};
  server->context_ = mg_start2(&init, &error);
  if (server->context_ == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot listen for HTTP on ", address, ": ",
                                               text[0] != '\0' ? text.data() : "the address or port is not free"));
  }
  mg_server_port listening{};
  if (mg_get_server_ports(server->context_, 1, &listening) == 1) server->port_ = listening.port;
  const auto serve = [&server](const char* path, mg_request_handler answer,
                               const std::function<std::string()>& handler) {
    if (!handler) return;
    mg_set_request_handler(server->context_, path, answer, const_cast<void*>(static_cast<const void*>(&handler)));
  };
  serve("/metrics$", &AnswerMetrics, server->handlers_.metrics);
  serve("/livez$", &AnswerProbe, server->handlers_.livez);
  serve("/readyz$", &AnswerProbe, server->handlers_.readyz);
  return server;
}

HttpServer::~HttpServer() {
  if (context_ == nullptr) return;
  // civetweb sees that it is to stop when a connection comes, or after up to two seconds.
  absl::Notification stopped;
  std::thread stopper([this, &stopped] {
    mg_stop(context_);
    stopped.Notify();
  });
  do {
    Knock(host_, port_);
  } while (!stopped.WaitForNotificationWithTimeout(kKnockPeriod));
  stopper.join();
}

}  // namespace genoserve

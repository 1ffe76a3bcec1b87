#include "client/lib/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/loopback.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestFile = 1 << 20;  // bytes of a PEM or token file
constexpr int kLargestMessage = 64 << 20;   // bytes; one sample of a very wide model is sent whole
constexpr int kReconnectMs = 100;           // the client's own backoff rules, the channel's stays below it
constexpr int kLongestReconnectMs = 2000;
constexpr int kKeepaliveMs = 60'000;  // a server that vanished without a word is noticed by then
constexpr int kKeepaliveTimeoutMs = 20'000;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  return FileSystem::Posix().ReadFile(path, kLargestFile);
}

absl::StatusOr<std::string> ReadPem(const std::string& path, absl::string_view option, absl::string_view what) {
  GENOSERVE_ASSIGN_OR_RETURN(std::string pem, ReadSmallFile(path));
  if (!absl::StrContains(pem, "-----BEGIN ") || !absl::StrContains(pem, what)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is no PEM file with a ", absl::AsciiStrToLower(what), " (", option, ")"));
  }
  return pem;
}

absl::Status CheckAddress(absl::string_view server) {
  const size_t colon = server.rfind(':');
  int port = 0;
  const bool has_port = colon != absl::string_view::npos && colon > 0 &&
                        absl::SimpleAtoi(server.substr(colon + 1), &port) && port > 0 && port <= 65535;
  const absl::string_view host = server.substr(0, has_port ? colon : 0);
  const bool bare_ipv6 = absl::StrContains(host, ":") && !(absl::StartsWith(host, "[") && absl::EndsWith(host, "]"));
  const bool odd = std::any_of(host.begin(), host.end(), [](char c) { return c == '/' || !absl::ascii_isgraph(c); });
  if (has_port && !bare_ipv6 && !odd) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "server \"", server, "\" is not of the form HOST:PORT (an IPv6 address in brackets, a port from 1 to 65535)"));
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  std::string token;
  std::string origin = path;
  if (path.empty()) {
    token = Environment("GENOSERVE_TOKEN");
    if (token.empty()) return token;
    origin = "GENOSERVE_TOKEN";
  } else {
    GENOSERVE_ASSIGN_OR_RETURN(token, ReadSmallFile(path));
  }
  absl::StripAsciiWhitespace(&token);
  const bool plain = std::all_of(token.begin(), token.end(), [](char c) { return absl::ascii_isgraph(c); });
  if (token.empty() || !plain) {
    return absl::InvalidArgumentError(absl::StrCat(origin, ": holds no token; one line of visible characters is"));
  }
  return token;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const ClientOptions& options,
                                                                          absl::string_view server) {
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return absl::InvalidArgumentError("a client certificate and its key go together: give both or neither");
  }
  const bool tls_files = !options.tls_ca.empty() || !options.tls_certificate.empty();
  if (options.insecure && tls_files) {
    return absl::InvalidArgumentError("TLS files and an insecure connection exclude one another");
  }
  if (options.insecure || (!tls_files && IsLoopback(server))) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions ssl;
  if (!options.tls_ca.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(ssl.pem_root_certs, ReadPem(options.tls_ca, "TLS authorities", "CERTIFICATE"));
  }
  if (!options.tls_certificate.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(ssl.pem_cert_chain,
                               ReadPem(options.tls_certificate, "TLS client certificate", "CERTIFICATE"));
    GENOSERVE_ASSIGN_OR_RETURN(ssl.pem_private_key, ReadPem(options.tls_key, "TLS client key", "PRIVATE KEY"));
  }
  return grpc::SslCredentials(ssl);
}

// A channel to one server.
absl::StatusOr<ServerChannel> OpenChannel(const ClientOptions& options, const std::string& server,
                                          const std::string& token) {
  ServerChannel result;
  result.server = server;
  if (!token.empty()) result.authorization = absl::StrCat("Bearer ", token);
  GENOSERVE_ASSIGN_OR_RETURN(const auto credentials, MakeCredentials(options, result.server));
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestMessage);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  // A proxy of the environment is for hosts elsewhere.
  if (IsLoopback(result.server)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  result.channel = grpc::CreateCustomChannel(result.server, credentials, arguments);
  return result;
}

}  // namespace

bool IsLoopback(absl::string_view server) {
  const absl::string_view host = server.substr(0, server.rfind(':'));
  return host == "[::1]" || (!absl::StrContains(host, ':') && IsLoopbackHost(host));
}

absl::StatusOr<std::vector<ServerChannel>> OpenChannels(const ClientOptions& options) {
  const std::string servers = options.server.empty() ? Environment("GENOSERVE_SERVER") : options.server;
  if (servers.empty()) {
    return absl::InvalidArgumentError("no server: give its HOST:PORT, or set GENOSERVE_SERVER");
  }
  GENOSERVE_ASSIGN_OR_RETURN(const std::string token, ReadToken(options.token_file));
  std::vector<ServerChannel> channels;
  for (const absl::string_view server : absl::StrSplit(servers, ',')) {
    GENOSERVE_RETURN_IF_ERROR(CheckAddress(server));
    GENOSERVE_ASSIGN_OR_RETURN(channels.emplace_back(), OpenChannel(options, std::string(server), token));
  }
  return channels;
}

}  // namespace genoserve

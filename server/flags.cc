#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <vector>

#include "server/config.h"

namespace genoserve {

absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  const v1::ServerConfig defaults = DefaultConfig();
  std::string store;
  std::string host = defaults.host();
  std::string device = defaults.device();
  std::string log = "json";
  std::string certificate;
  std::string key;
  std::string client_ca;
  std::string token_hashes;
  std::string gate;
  int32_t port = defaults.port();
  int32_t http_port = defaults.http_port();
  int32_t threads = 0;
  int32_t max_streams = defaults.max_streams();
  int64_t max_cohort_size = defaults.max_cohort_size();
  int64_t max_queued_samples = 0;
  double poll_seconds = defaults.poll_seconds();
  double drain_delay = defaults.drain_delay_seconds();
  double drain_timeout = defaults.drain_timeout_seconds();
  double max_connection_age = 0;
  bool insecure = false;

  CLI::App app{"Serves synthetic cohorts drawn from the generators in a store.", "genoserve-server"};
  app.set_version_flag("--version", GENOSERVE_VERSION);
  app.add_option("--store", store, "folder of the store that trainers publish to");
  app.add_option("--host", host, "address to listen on")->capture_default_str();
  app.add_option("--port", port, "of gRPC; 0 = any free one, told in the log")->capture_default_str();
  app.add_option("--http-port", http_port, "of /metrics, /livez and /readyz; 0 = any free one")->capture_default_str();
  app.add_option("--device", device, "auto, cpu or cuda")->capture_default_str();
  app.add_option("--threads", threads, "workers on a CPU; 0 = one a core")->capture_default_str();
  app.add_option("--poll-seconds", poll_seconds, "between looks at the store")->capture_default_str();
  app.add_option("--max-cohort-size", max_cohort_size, "samples of one cohort")->capture_default_str();
  app.add_option("--max-queued-samples", max_queued_samples, "samples admitted but not yet sent; 0 = 4 cohorts")
      ->capture_default_str();
  app.add_option("--max-streams", max_streams, "at the same time")->capture_default_str();
  app.add_option("--drain-delay", drain_delay, "seconds after SIGTERM in which requests are still taken")
      ->capture_default_str();
  app.add_option("--drain-timeout", drain_timeout, "seconds after that in which streams may finish")
      ->capture_default_str();
  app.add_option("--max-connection-age", max_connection_age,
                 "seconds after which clients connect anew, for load balancers; streams finish; 0 = never")
      ->capture_default_str();
  app.add_option("--tls-cert", certificate, "PEM file of the server's certificate, chain included");
  app.add_option("--tls-key", key, "PEM file of its key");
  app.add_option("--client-ca", client_ca, "PEM file; clients must show a certificate that it signed");
  app.add_option("--token-hashes", token_hashes, "file of \"name sha256\" lines; clients must send a token");
  app.add_flag("--insecure", insecure, "allows an address off loopback without TLS and authentication");
  app.add_option("--gate", gate, "\"default\" or a file of limits; versions that break one are not served");
  app.add_option("--log", log, "json or text")->check(CLI::IsMember({"json", "text"}))->capture_default_str();
  const CLI::App* hash_token =
      app.add_subcommand("hash-token", "reads a token on standard input and prints its hash for --token-hashes");
  app.require_subcommand(0, 1);

  CommandLine line;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.help = app.help();
    return line;
  } catch (const CLI::CallForVersion& version) {
    line.help = std::string(version.what()) + "\n";
    return line;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(error.what());
  }
  line.hash_token = hash_token->parsed();
  line.log = log == "text" ? LogFormat::kText : LogFormat::kJson;
  v1::ServerConfig& config = line.config;
  config.set_store(store);
  config.set_host(host);
  config.set_port(port);
  config.set_http_port(http_port);
  config.set_device(device);
  config.set_threads(threads);
  config.set_poll_seconds(poll_seconds);
  config.set_max_cohort_size(max_cohort_size);
  config.set_max_queued_samples(max_queued_samples);
  config.set_max_streams(max_streams);
  config.set_drain_delay_seconds(drain_delay);
  config.set_drain_timeout_seconds(drain_timeout);
  config.set_max_connection_age_seconds(max_connection_age);
  if (!certificate.empty() || !key.empty() || !client_ca.empty()) {
    config.mutable_tls()->set_certificate(certificate);
    config.mutable_tls()->set_key(key);
    config.mutable_tls()->set_client_ca(client_ca);
  }
  config.set_token_hashes(token_hashes);
  config.set_insecure(insecure);
  config.set_gate(gate);
  return line;
}

}  // namespace genoserve

#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <sstream>
#include <string>

#include "core/base/command_line.h"
#include "server/config.h"

namespace genoserve {

namespace {

// Options that write straight into a configuration, in the order in which they are added: a flag wins over the file of
// --config, which is added first.
class ConfigOptions {
 public:
  using Config = v1::ServerConfig;

  ConfigOptions(CLI::App& app, Config& config) : app_(app), config_(config) {}

  template <typename T>
  void Number(const char* name, T (Config::*get)() const, void (Config::*set)(T), const char* help) {
    const auto write = [this, set](const T& value) { (config_.*set)(value); };
    std::ostringstream standard;
    standard << (config_.*get)();
    app_.add_option_function<T>(name, write, help)->default_str(standard.str());
  }
  // A number of bytes, also as 500MB or 4GiB.
  void Bytes(const char* name, int64_t (Config::*get)() const, void (Config::*set)(int64_t), const char* help) {
    const auto write = [this, set](const int64_t& value) { (config_.*set)(value); };
    app_.add_option_function<int64_t>(name, write, help)
        ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
        ->default_str(std::to_string((config_.*get)()));
  }
  void Text(const char* name, const std::string& (Config::*get)() const, std::string* (Config::*mutate)(),
            const char* help) {
    const auto write = [this, mutate](const std::string& value) { *(config_.*mutate)() = value; };
    app_.add_option_function<std::string>(name, write, help)->default_str((config_.*get)());
  }
  void Tls(const char* name, std::string* (v1::Tls::*mutate)(), const char* help) {
    const auto write = [this, mutate](const std::string& value) { *(config_.mutable_tls()->*mutate)() = value; };
    app_.add_option_function<std::string>(name, write, help);
  }

 private:
  CLI::App& app_;
  Config& config_;
};

}  // namespace

absl::StatusOr<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  using Config = v1::ServerConfig;
  CommandLine line;
  line.config = DefaultConfig();
  absl::Status of_file;
  std::string log = "json";

  CLI::App app{"Serves synthetic cohorts drawn from the generators in a store.", "genoserve-server"};
  app.set_version_flag("--version", GENOSERVE_VERSION);
  const auto read_file = [&](const std::string& path) {
    line.has_config_file = true;
    of_file = ReadConfigFile(path, line.config);
  };
  app.add_option_function<std::string>("--config", read_file, "file of settings as protobuf text; flags win over it");
  ConfigOptions options(app, line.config);
  options.Text("--store", &Config::store, &Config::mutable_store,
               "folder, or s3://bucket/prefix, that trainers publish to");
  options.Text("--host", &Config::host, &Config::mutable_host, "address to listen on");
  options.Number("--port", &Config::port, &Config::set_port, "of gRPC; 0 = any free one, told in the log");
  options.Number("--http-port", &Config::http_port, &Config::set_http_port,
                 "of /metrics, /livez and /readyz; 0 = any free one");
  options.Text("--device", &Config::device, &Config::mutable_device, "auto, cpu or cuda");
  options.Text("--precision", &Config::precision, &Config::mutable_precision,
               "fp32, bf16 or int8 (on a CPU only), in which networks run; bytes depend on it");
  options.Number("--threads", &Config::threads, &Config::set_threads, "workers on a CPU; 0 = one a core");
  options.Number("--poll-seconds", &Config::poll_seconds, &Config::set_poll_seconds, "between looks at the store");
  options.Number("--max-cohort-size", &Config::max_cohort_size, &Config::set_max_cohort_size, "samples of one cohort");
  options.Number("--max-queued-samples", &Config::max_queued_samples, &Config::set_max_queued_samples,
                 "samples admitted but not yet sent; 0 = 4 cohorts");
  options.Number("--max-streams", &Config::max_streams, &Config::set_max_streams, "at the same time");
  options.Number("--drain-delay", &Config::drain_delay_seconds, &Config::set_drain_delay_seconds,
                 "seconds after SIGTERM in which requests are still taken");
  options.Number("--drain-timeout", &Config::drain_timeout_seconds, &Config::set_drain_timeout_seconds,
                 "seconds after that in which streams may finish");
  options.Number("--max-connection-age", &Config::max_connection_age_seconds, &Config::set_max_connection_age_seconds,
                 "seconds after which clients connect anew, for load balancers; streams finish; 0 = never");
  options.Number("--stall-timeout", &Config::stall_timeout_seconds, &Config::set_stall_timeout_seconds,
                 "seconds for a client to take a whole message, else its stream is cancelled; 0 = never");
  options.Tls("--tls-cert", &v1::Tls::mutable_certificate, "PEM file of the server's certificate, chain included");
  options.Tls("--tls-key", &v1::Tls::mutable_key, "PEM file of its key");
  options.Tls("--client-ca", &v1::Tls::mutable_client_ca, "PEM file; clients must show a certificate that it signed");
  options.Text("--token-hashes", &Config::token_hashes, &Config::mutable_token_hashes,
               "file of \"name sha256\" lines; clients must send a token");
  app.add_flag_callback(
      "--insecure", [&line] { line.config.set_insecure(true); },
      "allows an address off loopback without TLS and authentication");
  options.Text("--gate", &Config::gate, &Config::mutable_gate,
               "\"default\" or a file of limits; versions that break one are not served");
  options.Text("--cache", &Config::cache, &Config::mutable_cache,
               "folder that keeps versions, so that a start does not need the store");
  options.Bytes("--cache-bytes", &Config::cache_bytes, &Config::set_cache_bytes,
                "at most in that folder, as in 20GB; 0 = 10 GiB");
  options.Bytes("--memory-budget", &Config::memory_budget, &Config::set_memory_budget,
                "bytes of loaded versions, as in 4GB: models not used of late make room for others; 0 = no limit");
  options.Bytes("--gpu-memory-budget", &Config::gpu_memory_budget, &Config::set_gpu_memory_budget,
                "the same on a GPU; 0 = no limit");
  app.add_option("--log", log, "json or text")->check(CLI::IsMember({"json", "text"}))->capture_default_str();
  const CLI::App* hash_token =
      app.add_subcommand("hash-token", "reads a token on standard input and prints its hash for --token-hashes");
  app.require_subcommand(0, 1);

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    line.help = app.help();
    return line;
  } catch (const CLI::CallForVersion& version) {
    line.help = std::string(version.what()) + "\n";
    return line;
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(ParseComplaint(app, error));
  }
  if (!of_file.ok()) return of_file;
  line.hash_token = hash_token->parsed();
  line.log = log == "text" ? LogFormat::kText : LogFormat::kJson;
  return line;
}

}  // namespace genoserve

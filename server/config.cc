#include "server/config.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/base/loopback.h"
#include "core/base/status.h"
#include "core/model/generator.h"

namespace genoserve {
namespace {

constexpr int64_t kMostSamples = int64_t{1} << 40;
constexpr int64_t kQueuedCohorts = 4;

absl::Status InRange(absl::string_view flag, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " ", value, " is not allowed; ", low, " to ", high, " is"));
}

absl::Status InRange(absl::string_view flag, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " ", value, " is not allowed; ", low, " to ", high, " is"));
}

absl::Status CheckSecurity(const v1::ServerConfig& config) {
  const v1::Tls& tls = config.tls();
  if (config.has_tls() && (tls.certificate().empty() || tls.key().empty())) {
    return absl::InvalidArgumentError("TLS needs both --tls-cert and --tls-key");
  }
  const bool authenticated = !config.token_hashes().empty() || !tls.client_ca().empty();
  if (IsLoopbackHost(config.host()) || config.insecure() || (config.has_tls() && authenticated)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("off loopback (--host ", config.host(),
                   ") the server needs TLS (--tls-cert, --tls-key) and "
                   "authentication (--token-hashes or --client-ca), or --insecure to do without"));
}

}  // namespace

v1::ServerConfig DefaultConfig() {
  v1::ServerConfig config;
  config.set_host("127.0.0.1");
  config.set_port(50051);
  config.set_http_port(8080);
  config.set_device("auto");
  config.set_poll_seconds(2);
  config.set_max_cohort_size(100'000'000);
  config.set_max_streams(256);
  config.set_drain_delay_seconds(5);
  config.set_drain_timeout_seconds(30);
  return config;
}

absl::Status ValidateConfig(const v1::ServerConfig& config) {
  if (config.store().empty()) return absl::InvalidArgumentError("--store is needed: the folder of the store");
  if (config.host().empty()) return absl::InvalidArgumentError("--host is empty; an address or a name is needed");
  GENOSERVE_RETURN_IF_ERROR(InRange("--port", int64_t{config.port()}, 0, 65535));
  GENOSERVE_RETURN_IF_ERROR(InRange("--http-port", int64_t{config.http_port()}, 0, 65535));
  if (config.port() != 0 && config.port() == config.http_port()) {
    return absl::InvalidArgumentError(absl::StrCat("--port and --http-port are both ", config.port()));
  }
  GENOSERVE_RETURN_IF_ERROR(ParseDeviceChoice(config.device()).status());
  GENOSERVE_RETURN_IF_ERROR(InRange("--threads", int64_t{config.threads()}, 0, 4096));
  GENOSERVE_RETURN_IF_ERROR(InRange("--poll-seconds", config.poll_seconds(), 0.05, 3600.0));
  GENOSERVE_RETURN_IF_ERROR(InRange("--max-cohort-size", config.max_cohort_size(), 1, kMostSamples));
  if (config.max_queued_samples() != 0) {
    GENOSERVE_RETURN_IF_ERROR(
        InRange("--max-queued-samples", config.max_queued_samples(), config.max_cohort_size(), 256 * kMostSamples));
  }
  GENOSERVE_RETURN_IF_ERROR(InRange("--max-streams", int64_t{config.max_streams()}, 1, 1'000'000));
  GENOSERVE_RETURN_IF_ERROR(InRange("--drain-delay", config.drain_delay_seconds(), 0.0, 3600.0));
  GENOSERVE_RETURN_IF_ERROR(InRange("--drain-timeout", config.drain_timeout_seconds(), 0.0, 86400.0));
  GENOSERVE_RETURN_IF_ERROR(InRange("--max-connection-age", config.max_connection_age_seconds(), 0.0, 1e6));
  return CheckSecurity(config);
}

int64_t MaxQueuedSamples(const v1::ServerConfig& config) {
  return config.max_queued_samples() != 0 ? config.max_queued_samples() : kQueuedCohorts * config.max_cohort_size();
}

}  // namespace genoserve

#include "server/config.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "core/base/file.h"
#include "core/base/loopback.h"
#include "core/base/status.h"
#include "core/model/generator.h"
#include "core/store/checkpoint_store.h"

namespace genoserve {
namespace {

constexpr int64_t kMostSamples = int64_t{1} << 40;
constexpr int64_t kMostVersions = 999'999'999'999'999;
constexpr int64_t kMostBytes = int64_t{1} << 50;
constexpr int64_t kQueuedCohorts = 4;
constexpr uint64_t kLargestFile = 1 << 20;  // bytes
constexpr int kDeepestConfig = 16;          // messages within messages

// The first complaint of a parser.
class FirstError final : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (text_.empty()) text_ = absl::StrCat(line + 1, ":", column + 1, ": ", message);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

absl::Status InRange(absl::string_view flag, double value, double low, double high) {
  if (std::isfinite(value) && value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " ", value, " is not allowed; ", low, " to ", high, " is"));
}

absl::Status InRange(absl::string_view flag, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(flag, " ", value, " is not allowed; ", low, " to ", high, " is"));
}

absl::Status CheckPrincipals(const v1::ServerConfig& config) {
  std::set<std::string> names;
  for (const v1::Principal& principal : config.principals()) {
    const std::string which = absl::StrCat("principal \"", principal.name(), "\": ");
    if (!names.insert(principal.name()).second) return absl::InvalidArgumentError(which + "is there twice");
    if (principal.admin() && principal.name().empty()) {
      return absl::InvalidArgumentError("principals: an admin needs a name");
    }
    if (principal.weight() != 0) {
      GENOSERVE_RETURN_IF_ERROR(InRange(which + "weight", principal.weight(), 0.01, 100.0));
    }
    if (!v1::RequestClass_IsValid(principal.class_())) {
      return absl::InvalidArgumentError(which + "class is unknown; REQUEST_CLASS_CI and REQUEST_CLASS_BULK are known");
    }
    GENOSERVE_RETURN_IF_ERROR(
        InRange(which + "max_queued_samples", principal.max_queued_samples(), 0, MaxQueuedSamples(config)));
  }
  return absl::OkStatus();
}

absl::Status CheckPolicy(const std::string& which, const v1::VersionPolicy& policy) {
  switch (policy.policy_case()) {
    case v1::VersionPolicy::kLatest:
      return InRange(which + "latest", int64_t{policy.latest()}, 1, 100);
    case v1::VersionPolicy::kAll:
      if (policy.all()) return absl::OkStatus();
      return absl::InvalidArgumentError(which + "all: false is not allowed; true is, or another policy");
    case v1::VersionPolicy::kSpecific:
      if (policy.specific().versions().empty()) {
        return absl::InvalidArgumentError(which + "specific has no versions; at least one is needed");
      }
      for (const int64_t version : policy.specific().versions()) {
        GENOSERVE_RETURN_IF_ERROR(InRange(which + "specific.versions", version, 1, kMostVersions));
      }
      return absl::OkStatus();
    case v1::VersionPolicy::kLabel:
      return Annotate(ValidateLabelName(policy.label()), which + "label");
    default:
      return absl::OkStatus();
  }
}

absl::Status CheckModels(const v1::ServerConfig& config) {
  std::set<std::string> names;
  for (const v1::ModelConfig& model : config.models()) {
    const std::string which = absl::StrCat("models \"", model.name(), "\": ");
    if (!model.name().empty()) GENOSERVE_RETURN_IF_ERROR(ValidateModelName(model.name()));
    if (!names.insert(model.name()).second) return absl::InvalidArgumentError(which + "is there twice");
    GENOSERVE_RETURN_IF_ERROR(CheckPolicy(which + "policy.", model.policy()));
    GENOSERVE_RETURN_IF_ERROR(InRange(which + "canary_percent", model.canary_percent(), 0.0, 100.0));
  }
  return absl::OkStatus();
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
  config.set_precision("fp32");
  config.set_poll_seconds(2);
  config.set_max_cohort_size(100'000'000);
  config.set_max_streams(256);
  config.set_drain_delay_seconds(5);
  config.set_drain_timeout_seconds(30);
  config.set_stall_timeout_seconds(600);
  return config;
}

absl::Status ParseConfig(absl::string_view text, v1::ServerConfig& config) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(kDeepestConfig);
  // Merges field by field, so that a 0 in the text wins over a default, which it would not between two messages.
  if (parser.MergeFromString(std::string(text), &config)) return absl::OkStatus();
  return absl::InvalidArgumentError(error.text());
}

absl::Status ReadConfigFile(const std::string& path, v1::ServerConfig& config) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, FileSystem::Posix().ReadFile(path, kLargestFile));
  const absl::Status parsed = ParseConfig(text, config);
  return parsed.ok() ? parsed : absl::Status(parsed.code(), absl::StrCat(path, ":", parsed.message()));
}

absl::Status ValidateConfig(const v1::ServerConfig& config) {
  if (config.store().empty()) return absl::InvalidArgumentError("--store is needed: a folder, or s3://bucket/prefix");
  if (config.host().empty()) return absl::InvalidArgumentError("--host is empty; an address or a name is needed");
  GENOSERVE_RETURN_IF_ERROR(InRange("--port", int64_t{config.port()}, 0, 65535));
  GENOSERVE_RETURN_IF_ERROR(InRange("--http-port", int64_t{config.http_port()}, 0, 65535));
  if (config.port() != 0 && config.port() == config.http_port()) {
    return absl::InvalidArgumentError(absl::StrCat("--port and --http-port are both ", config.port()));
  }
  GENOSERVE_RETURN_IF_ERROR(ParseDeviceChoice(config.device()).status());
  GENOSERVE_RETURN_IF_ERROR(ParsePrecision(config.precision()).status());
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
  if (config.stall_timeout_seconds() != 0) {
    GENOSERVE_RETURN_IF_ERROR(InRange("--stall-timeout", config.stall_timeout_seconds(), 0.01, 1e6));
  }
  GENOSERVE_RETURN_IF_ERROR(InRange("--cache-bytes", config.cache_bytes(), 0, kMostBytes));
  GENOSERVE_RETURN_IF_ERROR(InRange("--memory-budget", config.memory_budget(), 0, kMostBytes));
  GENOSERVE_RETURN_IF_ERROR(InRange("--gpu-memory-budget", config.gpu_memory_budget(), 0, kMostBytes));
  GENOSERVE_RETURN_IF_ERROR(CheckModels(config));
  GENOSERVE_RETURN_IF_ERROR(CheckPrincipals(config));
  return CheckSecurity(config);
}

int64_t MaxQueuedSamples(const v1::ServerConfig& config) {
  return config.max_queued_samples() != 0 ? config.max_queued_samples() : kQueuedCohorts * config.max_cohort_size();
}

}  // namespace genoserve

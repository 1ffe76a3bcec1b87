#include "server/telemetry/request_log.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "server/rpc_error.h"

namespace genoserve {
namespace {

bool IsOurFault(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDataLoss:
      return true;
    // A broken device, say. What comes with RetryInfo is a matter of load, loading or a drain.
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
      return !IsRetryLater(status);
    default:
      return false;
  }
}

}  // namespace

void LogRequest(const RequestRecord& record) {
  nlohmann::json line = {{"event", "request"},
                         {"method", record.method},
                         {"code", absl::StatusCodeToString(record.status.code())},
                         {"seconds", absl::ToDoubleSeconds(record.duration)}};
  if (!record.model.empty()) line["model"] = record.model;
  if (!record.version.empty()) line["version"] = record.version;
  if (!record.digest.empty()) line["digest"] = record.digest;
  if (!record.principal.empty()) line["principal"] = record.principal;
  if (!record.peer.empty()) line["peer"] = record.peer;
  if (record.method == "StreamCohort" && !record.digest.empty()) {
    line["seed"] = record.seed;
    line["samples"] = record.samples;
    line["bytes"] = record.bytes;
  }
  // What did not come to pass has no time.
  if (record.queue < absl::InfiniteDuration()) line["queue_seconds"] = absl::ToDoubleSeconds(record.queue);
  if (record.first_batch < absl::InfiniteDuration()) {
    line["first_batch_seconds"] = absl::ToDoubleSeconds(record.first_batch);
  }
  if (record.trace.has_value()) {
    line["trace_id"] = record.trace->trace_id;
    line["span_id"] = record.trace->span_id;
    line["parent_span_id"] = record.trace->parent_span_id;
  }
  if (!record.status.ok()) line["reason"] = std::string(record.status.message());
  const auto level = IsOurFault(record.status) ? spdlog::level::err : spdlog::level::info;
  spdlog::log(level, "{}", line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace genoserve

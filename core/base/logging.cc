#include "core/base/logging.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/string_view.h"

namespace genoserve {
namespace {

// "message": "..." for plain text, the fields themselves for an event.
class JsonPayload final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    const absl::string_view payload(message.payload.data(), message.payload.size());
    if (payload.size() > 2 && payload.front() == '{' && payload.back() == '}') {
      out.append(payload.data() + 1, payload.data() + payload.size() - 1);
      return;
    }
    const std::string line =
        "\"message\":" +
        nlohmann::json(std::string(payload)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override { return std::make_unique<JsonPayload>(); }
};

}  // namespace

void SetUpLogging(LogFormat format) {
  if (format == LogFormat::kText) {
    spdlog::set_default_logger(spdlog::stderr_color_mt("text"));
    spdlog::set_pattern("%H:%M:%S %^%-7l%$ %v");
    return;
  }
  spdlog::set_default_logger(spdlog::stderr_logger_mt("json"));
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<JsonPayload>('*').set_pattern("{\"time\":\"%Y-%m-%dT%H:%M:%S.%eZ\",\"level\":\"%l\",%*}");
  spdlog::set_formatter(std::move(formatter));
}

}  // namespace genoserve

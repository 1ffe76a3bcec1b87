// Logging by spdlog, set up once in main. Everything goes to stderr.
#pragma once

namespace genoserve {

enum class LogFormat {
  kText,  ///< "12:00:01 info  message", for a person
  kJson,  ///< one JSON object a line with time, level, and the message or the event's fields, for a collector
};

/// Sets spdlog's default logger. Call it first in main, before threads start.
/// With kJson a message that begins with '{' is taken for the fields of an event and is merged into the line.
void SetUpLogging(LogFormat format);

}  // namespace genoserve

// W3C Trace Context: the trace that a caller follows, continued by this server.
#pragma once

#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace genoserve {

/// A span of this server in a trace that a caller began. Lower-case hexadecimal digits throughout.
struct TraceContext {
  std::string trace_id;        ///< 32 digits, not all zero
  std::string parent_span_id;  ///< 16 digits: the caller's span
  std::string span_id;         ///< 16 digits, not all zero: this request's own
  std::string flags;           ///< 2 digits, as the caller sent them

  /// The traceparent by which others continue from this span.
  std::string Header() const;
};

/// Makes a child span of a traceparent header; nothing where the header is not one that W3C's Trace Context allows. Of
/// later versions than 00 what version 00 defines is read, as that page says.
std::optional<TraceContext> ContinueTrace(absl::string_view traceparent);

}  // namespace genoserve

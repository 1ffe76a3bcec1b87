#include "server/telemetry/trace_context.h"

#include <algorithm>

#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace genoserve {
namespace {

// version "-" trace-id "-" parent-id "-" trace-flags
constexpr size_t kTraceId = 3;
constexpr size_t kTraceIdSize = 32;
constexpr size_t kParentId = kTraceId + kTraceIdSize + 1;
constexpr size_t kParentIdSize = 16;
constexpr size_t kFlags = kParentId + kParentIdSize + 1;
constexpr size_t kSize = kFlags + 2;

bool IsHex(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsZero(absl::string_view text) { return text.find_first_not_of('0') == absl::string_view::npos; }

std::string NewSpanId() {
  thread_local absl::BitGen random;
  return absl::StrFormat("%016x", absl::Uniform<uint64_t>(absl::IntervalClosed, random, 1, ~uint64_t{0}));
}

}  // namespace

std::string TraceContext::Header() const { return absl::StrCat("00-", trace_id, "-", span_id, "-", flags); }

std::optional<TraceContext> ContinueTrace(absl::string_view traceparent) {
  if (traceparent.size() < kSize || traceparent[2] != '-' || traceparent[kParentId - 1] != '-' ||
      traceparent[kFlags - 1] != '-') {
    return std::nullopt;
  }
  const absl::string_view version = traceparent.substr(0, 2);
  const absl::string_view trace_id = traceparent.substr(kTraceId, kTraceIdSize);
  const absl::string_view parent_id = traceparent.substr(kParentId, kParentIdSize);
  const absl::string_view flags = traceparent.substr(kFlags, 2);
  if (!IsHex(version) || version == "ff" || !IsHex(trace_id) || IsZero(trace_id) || !IsHex(parent_id) ||
      IsZero(parent_id) || !IsHex(flags)) {
    return std::nullopt;
  }
  if (traceparent.size() > kSize && (version == "00" || traceparent[kSize] != '-')) return std::nullopt;
  return TraceContext{std::string(trace_id), std::string(parent_id), NewSpanId(), std::string(flags)};
}

}  // namespace genoserve

// Macros and helpers for absl::Status.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// Returns `status` with "`context`: " before its message; an OK status unchanged. The code and payloads are kept.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

/// The status of the current `errno`, such as `ErrnoStatus("/a/b: cannot open")`. A full disk is RESOURCE_EXHAUSTED,
/// a missing file NOT_FOUND, a refused one PERMISSION_DENIED; all others by absl::ErrnoToStatus. Never OK.
absl::Status ErrnoStatus(absl::string_view what);

}  // namespace genoserve

/// Returns from the calling function where `expr` is not OK.
#define GENOSERVE_RETURN_IF_ERROR(expr)                                     \
  do {                                                                      \
    if (absl::Status genoserve_status_ = (expr); !genoserve_status_.ok()) { \
      return genoserve_status_;                                             \
    }                                                                       \
  } while (false)

#define GENOSERVE_CONCAT_INNER_(a, b) a##b
#define GENOSERVE_CONCAT_(a, b) GENOSERVE_CONCAT_INNER_(a, b)
#define GENOSERVE_ASSIGN_OR_RETURN_(var, lhs, expr) \
  auto var = (expr);                                \
  if (!var.ok()) return std::move(var).status();    \
  lhs = std::move(var).value()

/// Assigns the value of a StatusOr, or returns its status: `GENOSERVE_ASSIGN_OR_RETURN(auto x, F());`
#define GENOSERVE_ASSIGN_OR_RETURN(lhs, expr) \
  GENOSERVE_ASSIGN_OR_RETURN_(GENOSERVE_CONCAT_(genoserve_or_, __LINE__), lhs, expr)

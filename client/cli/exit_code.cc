#include "client/cli/exit_code.h"

#include "absl/strings/cord.h"

namespace genoserve {
namespace {

constexpr char kLocalUrl[] = "genoserve/local";

}  // namespace

const char kExitCodeHelp[] =
    "Exit codes:\n"
    "  0 done   1 internal fault   2 argument, file or request that cannot be used\n"
    "  3 no such model, version, label, phenotype or region   4 not authorised\n"
    "  5 quota, overload or full disk   6 server unreachable or transfer incomplete\n"
    "  7 data differ from their digest, or break the gate   130 interrupted   141 reader of standard output gone\n";

absl::Status Local(absl::Status status) {
  if (!status.ok()) status.SetPayload(kLocalUrl, absl::Cord());
  return status;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  const bool local = status.GetPayload(kLocalUrl).has_value();
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kCancelled:
      return kExitInterrupt;
    case absl::StatusCode::kResourceExhausted:
      return kExitExhausted;
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
      return kExitInternal;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kAlreadyExists:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return local ? kExitUsage : kExitNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return local ? kExitUsage : kExitAuth;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return local ? kExitUsage : kExitIncomplete;
    case absl::StatusCode::kDataLoss:
      return local ? kExitUsage : kExitMismatch;
    default:
      return kExitInternal;
  }
}

}  // namespace genoserve

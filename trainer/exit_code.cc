#include "trainer/exit_code.h"

namespace genoserve {

const char kExitCodeHelp[] =
    "Exit codes:\n"
    "  0 done   1 internal fault   2 argument or input that cannot be used   3 file or store not found\n"
    "  5 disk or memory full   6 another process of the training lost, or the GPU: all can start again with --resume\n"
    "  7 file truncated or damaged, or generator not good enough to publish   130 interrupted\n";

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kCancelled:
      return kExitInterrupt;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kOutOfRange:  // EFBIG: larger than the system or the shell allows
      return kExitExhausted;
    case absl::StatusCode::kUnavailable:
      return kExitLost;
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kAborted:  // by the gate
      return kExitData;
    default:
      return kExitInternal;
  }
}

}  // namespace genoserve

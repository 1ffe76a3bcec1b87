#include "trainer/distributed/process_group.h"

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

class LoneProcess final : public ProcessGroup {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  absl::Status status() const override { return absl::OkStatus(); }
  absl::Status Sum(at::Tensor& /*tensor*/) override { return absl::OkStatus(); }
  absl::StatusOr<int> Largest(int mine) override { return mine; }
  absl::Status Broadcast(std::string& /*bytes*/) override { return absl::OkStatus(); }
};

}  // namespace

absl::StatusOr<bool> ProcessGroup::Any(bool mine) {
  GENOSERVE_ASSIGN_OR_RETURN(const int yes, Largest(mine ? 1 : 0));
  return yes > 0;
}

absl::Status ProcessGroup::CheckSame(const std::string& bytes, absl::string_view what) {
  std::string first = bytes;
  GENOSERVE_RETURN_IF_ERROR(Broadcast(first));
  GENOSERVE_ASSIGN_OR_RETURN(const bool differ, Any(first != bytes));
  if (!differ) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(what, first != bytes ? " of this process differ from" : " of another process differ from",
                   " those of process 0: all must be started with the same command on the same data"));
}

std::unique_ptr<ProcessGroup> MakeLoneProcess() { return std::make_unique<LoneProcess>(); }

}  // namespace genoserve

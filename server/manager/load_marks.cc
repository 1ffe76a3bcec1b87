#include "server/manager/load_marks.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace genoserve {
namespace {

constexpr uint64_t kMarkBytes = 32;  // more than a mark has

}  // namespace

LoadMarks::LoadMarks(std::string folder, const FileSystem& files) : folder_(std::move(folder)), files_(files) {
  if (!folder_.empty()) files_.MakeFolder(folder_).IgnoreError();
}

std::string LoadMarks::Path(const std::string& digest) const { return JoinPath(folder_, digest); }

absl::Status LoadMarks::Begin(const std::string& digest) const {
  if (folder_.empty()) return absl::OkStatus();
  int deaths = 0;
  if (!absl::SimpleAtoi(files_.ReadFile(Path(digest), kMarkBytes).value_or("0"), &deaths)) deaths = 0;
  if (deaths >= kMaxDeaths) {
    return absl::FailedPreconditionError(
        absl::StrCat("the server has ended ", deaths,
                     " times while it loaded this artifact; \"genoserve admin retry\" tries again"));
  }
  WriteFileAtomically(files_, Path(digest), absl::StrCat(deaths + 1)).IgnoreError();
  return absl::OkStatus();
}

void LoadMarks::End(const std::string& digest) const {
  if (!folder_.empty() && !digest.empty()) files_.Remove(Path(digest)).IgnoreError();
}

}  // namespace genoserve

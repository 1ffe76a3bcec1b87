#include "trainer/distributed/process_place.h"

#include <cstdlib>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

std::optional<std::string> GetEnvironment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

// An integer from a variable, `otherwise` where it is not set.
absl::StatusOr<int> Integer(GetVariable get, const char* name, int lowest, int highest, std::optional<int> otherwise) {
  const std::optional<std::string> text = get(name);
  if (!text.has_value() && otherwise.has_value()) return *otherwise;
  if (!text.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("the environment has no ", name,
                                                   ": for several processes set MASTER_ADDR, MASTER_PORT, RANK and "
                                                   "WORLD_SIZE, as torchrun does"));
  }
  int value = 0;
  if (absl::SimpleAtoi(*text, &value) && value >= lowest && value <= highest) return value;
  return absl::InvalidArgumentError(
      absl::StrCat("environment variable ", name, " is \"", *text, "\"; it must be ", lowest, " to ", highest));
}

}  // namespace

absl::StatusOr<ProcessPlace> ReadProcessPlace(GetVariable get) {
  constexpr int kMostProcesses = 4096;
  ProcessPlace place;
  if (!get("RANK").has_value() && !get("WORLD_SIZE").has_value()) return place;
  GENOSERVE_ASSIGN_OR_RETURN(place.size, Integer(get, "WORLD_SIZE", 1, kMostProcesses, std::nullopt));
  GENOSERVE_ASSIGN_OR_RETURN(place.rank, Integer(get, "RANK", 0, place.size - 1, std::nullopt));
  GENOSERVE_ASSIGN_OR_RETURN(place.local_rank, Integer(get, "LOCAL_RANK", 0, kMostProcesses, 0));
  if (place.size == 1) return place;
  GENOSERVE_ASSIGN_OR_RETURN(const int port, Integer(get, "MASTER_PORT", 1, 65535, std::nullopt));
  place.port = static_cast<uint16_t>(port);
  place.address = get("MASTER_ADDR").value_or("");
  if (place.address.empty()) return absl::InvalidArgumentError("the environment has no MASTER_ADDR");
  GENOSERVE_ASSIGN_OR_RETURN(const int seconds, Integer(get, "GENOSERVE_PEER_TIMEOUT", 1, 86400, 300));
  place.timeout = absl::Seconds(seconds);
  place.agent_store = get("TORCHELASTIC_USE_AGENT_STORE") == "True";
  GENOSERVE_ASSIGN_OR_RETURN(place.attempt, Integer(get, "TORCHELASTIC_RESTART_COUNT", 0, 1 << 30, 0));
  return place;
}

absl::StatusOr<ProcessPlace> ReadProcessPlace() { return ReadProcessPlace(GetEnvironment); }

absl::Status TakeOwnGpu(const ProcessPlace& place) {
  if (!GetEnvironment("LOCAL_RANK").has_value()) return absl::OkStatus();
  std::string own = absl::StrCat(place.local_rank);
  if (const auto visible = GetEnvironment("CUDA_VISIBLE_DEVICES"); visible.has_value() && !visible->empty()) {
    const std::vector<std::string> devices = absl::StrSplit(*visible, ',');
    if (static_cast<size_t>(place.local_rank) >= devices.size()) {
      return absl::InvalidArgumentError(absl::StrCat("LOCAL_RANK is ", place.local_rank,
                                                     ", but CUDA_VISIBLE_DEVICES names ", devices.size(),
                                                     " devices: one process a GPU"));
    }
    own = devices[static_cast<size_t>(place.local_rank)];
  }
  ::setenv("CUDA_VISIBLE_DEVICES", own.c_str(), 1);
  return absl::OkStatus();
}

}  // namespace genoserve

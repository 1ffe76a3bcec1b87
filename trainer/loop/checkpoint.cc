#include "trainer/loop/checkpoint.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

using ::google::protobuf::util::MessageDifferencer;

constexpr absl::string_view kMagic = "GSCKPT02";
constexpr size_t kLengthBytes = 8;
constexpr size_t kDigestBytes = sizeof(Sha256Digest);
constexpr size_t kParts = 5;
constexpr uint64_t kLargestFile = uint64_t{1} << 36;

std::string LittleEndian(uint64_t value) {
  std::string bytes;
  for (size_t i = 0; i < kLengthBytes; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

uint64_t FromLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) value |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return value;
}

std::string DigestBytes(absl::string_view bytes) {
  Sha256 sha256;
  sha256.Update(bytes);
  const Sha256Digest digest = sha256.Finish();
  return {digest.begin(), digest.end()};
}

bool Parse(absl::string_view bytes, google::protobuf::MessageLite* message) {
  return message->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

absl::Status Differs(absl::string_view what, absl::string_view then, absl::string_view now) {
  return absl::InvalidArgumentError(
      absl::StrFormat("the checkpoint belongs to another run: its %s is %s, not %s", what, then, now));
}

std::string Previous(const std::string& path) { return absl::StrCat(path, ".previous"); }
std::string Stale(const std::string& path) { return absl::StrCat(path, ".stale"); }
std::string Fresh(const std::string& path) { return absl::StrCat(path, ".new"); }

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<size_t>(slash, 1));
}

// Reads one file. NOT_FOUND where there is none, DATA_LOSS where it is no checkpoint, or not whole.
absl::StatusOr<Checkpoint> ReadOne(const FileSystem& files, const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string bytes, files.ReadFile(path, kLargestFile));
  absl::string_view rest = bytes;
  if (!absl::StartsWith(rest, kMagic)) return absl::DataLossError(absl::StrCat(path, ": is not a checkpoint"));
  const absl::Status damaged = absl::DataLossError(absl::StrCat(path, ": the checkpoint is damaged or not whole"));
  if (rest.size() < kMagic.size() + kDigestBytes) return damaged;
  const absl::string_view digest = rest.substr(rest.size() - kDigestBytes);
  rest.remove_suffix(kDigestBytes);
  if (DigestBytes(rest) != digest) return damaged;
  rest.remove_prefix(kMagic.size());
  std::array<absl::string_view, kParts> parts;
  for (absl::string_view& part : parts) {
    if (rest.size() < kLengthBytes) return damaged;
    const uint64_t size = FromLittleEndian(rest);
    rest.remove_prefix(kLengthBytes);
    if (size > rest.size()) return damaged;
    part = rest.substr(0, size);
    rest.remove_prefix(size);
  }
  Checkpoint checkpoint;
  if (!rest.empty() || !Parse(parts[0], &checkpoint.run) || !Parse(parts[1], &checkpoint.state.loop)) return damaged;
  checkpoint.recipe = std::string(parts[2]);
  checkpoint.state.good = std::string(parts[3]);
  checkpoint.state.best = std::string(parts[4]);
  return checkpoint;
}

// Whether nothing of the recipe follows a schedule over all steps.
bool SameAtAllSteps(const v1::TrainingRecipe& recipe) {
  return recipe.temperature_start() == recipe.temperature_end() &&
         (recipe.learning_rate_schedule().empty() || recipe.learning_rate_schedule() == "constant");
}

}  // namespace

absl::StatusOr<int64_t> WriteCheckpoint(const FileSystem& files, const std::string& path,
                                        const Checkpoint& checkpoint) {
  const std::string run = checkpoint.run.SerializeAsString();
  const std::string loop = checkpoint.state.loop.SerializeAsString();
  const std::array<absl::string_view, kParts> parts = {run, loop, checkpoint.recipe, checkpoint.state.good,
                                                       checkpoint.state.best};
  std::string bytes;
  size_t size = kMagic.size() + kDigestBytes;
  for (const absl::string_view part : parts) size += kLengthBytes + part.size();
  bytes.reserve(size);
  absl::StrAppend(&bytes, kMagic);
  for (const absl::string_view part : parts) absl::StrAppend(&bytes, LittleEndian(part.size()), part);
  bytes += DigestBytes(bytes);

  const std::string fresh = Fresh(path);
  if (absl::Status status = files.WriteFile(fresh, bytes); !status.ok()) {
    files.Remove(fresh).IgnoreError();
    return status;
  }
  if (files.Exists(path)) GENOSERVE_RETURN_IF_ERROR(files.Rename(path, Previous(path)));
  GENOSERVE_RETURN_IF_ERROR(files.Rename(fresh, path));
  GENOSERVE_RETURN_IF_ERROR(files.SyncFolder(FolderOf(path)));
  return static_cast<int64_t>(bytes.size());
}

absl::StatusOr<FoundCheckpoint> ReadCheckpoint(const FileSystem& files, const std::string& path) {
  absl::StatusOr<Checkpoint> newest = ReadOne(files, path);
  if (newest.ok()) return FoundCheckpoint{*std::move(newest), path, ""};
  if (!absl::IsDataLoss(newest.status()) && !absl::IsNotFound(newest.status())) return newest.status();
  const std::string previous = Previous(path);
  absl::StatusOr<Checkpoint> before = ReadOne(files, previous);
  if (before.ok()) return FoundCheckpoint{*std::move(before), previous, std::string(newest.status().message())};
  if (absl::IsNotFound(newest.status()) && absl::IsNotFound(before.status())) return newest.status();
  if (!absl::IsDataLoss(before.status()) && !absl::IsNotFound(before.status())) return before.status();
  return absl::DataLossError(absl::StrCat(
      newest.status().message(), absl::IsNotFound(before.status()) ? ", and there is none before it" : ", and so is ",
      absl::IsNotFound(before.status()) ? "" : previous,
      "; put back a copy of it, or remove what is there to train anew"));
}

bool CheckpointExists(const FileSystem& files, const std::string& path) {
  return files.Exists(path) || files.Exists(Previous(path));
}

absl::Status SetAsideCheckpoint(const FileSystem& files, const std::string& path, const std::string& from) {
  absl::Status moved = files.Rename(from, Stale(path));
  if (!moved.ok() && !absl::IsNotFound(moved)) return moved;
  GENOSERVE_RETURN_IF_ERROR(files.Remove(path));
  return files.Remove(Previous(path));
}

void RemoveCheckpoint(const FileSystem& files, const std::string& path) {
  for (const std::string& file : {path, Previous(path), Fresh(path), Stale(path)}) files.Remove(file).IgnoreError();
}

absl::Status ProbeCheckpoint(const FileSystem& files, const std::string& path, int64_t bytes) {
  // What a run that was killed while it wrote has left is of no use, and may be large.
  GENOSERVE_RETURN_IF_ERROR(files.WriteFile(Fresh(path), "probe"));
  GENOSERVE_RETURN_IF_ERROR(files.Remove(Fresh(path)));
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(FolderOf(path), error);
  // Some file systems do not tell; then the first checkpoint does.
  if (error) return absl::OkStatus();
  double room = static_cast<double>(space.available);
  for (const std::string& file : {path, Previous(path)}) {
    const auto size = std::filesystem::file_size(file, error);
    if (!error) room += static_cast<double>(size);
  }
  const double needed = 3.0 * static_cast<double>(bytes);
  if (room >= needed) return absl::OkStatus();
  constexpr double kMega = 1e6;
  return absl::ResourceExhaustedError(absl::StrFormat(
      "%s: checkpoints of this training need %.0f MB (three of %.0f MB), and there is room for %.0f MB; "
      "make room, or name another place by --checkpoint",
      path, std::ceil(needed / kMega), std::ceil(static_cast<double>(bytes) / kMega), std::floor(room / kMega)));
}

absl::Status CheckSameRun(const v1::Manifest& run, const v1::Manifest& now) {
  const v1::Training& then = run.training();
  const v1::Training& training = now.training();
  if (then.data_digest() != training.data_digest()) {
    return absl::InvalidArgumentError("the checkpoint belongs to another run: it was made from other data");
  }
  if (then.recipe().preset() != training.recipe().preset()) {
    return Differs("architecture", then.recipe().preset(), training.recipe().preset());
  }
  if (then.seed() != training.seed()) {
    return Differs("seed", absl::StrCat(then.seed()), absl::StrCat(training.seed()));
  }
  if (then.steps() != training.steps() && !SameAtAllSteps(training.recipe())) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "the checkpoint belongs to another run: its number of steps is %d, not %d, and the temperature or the learning "
        "rates follow a schedule over all of them",
        then.steps(), training.steps()));
  }
  if (then.recipe().batch_size() != training.recipe().batch_size()) {
    return Differs("batch size", absl::StrCat(then.recipe().batch_size()),
                   absl::StrCat(training.recipe().batch_size()));
  }
  // What is left: all that the network and the recipe depend on, but nothing that is only told about them.
  const auto rest = [](v1::Manifest manifest) {
    v1::Training kept;
    *kept.mutable_recipe() = manifest.training().recipe();
    *manifest.mutable_training() = kept;
    manifest.clear_licence();
    manifest.clear_data_terms();
    manifest.clear_description();
    return manifest;
  };
  if (!MessageDifferencer::Equals(rest(run), rest(now))) {
    return absl::InvalidArgumentError(
        "the checkpoint belongs to another run: its labels, phenotypes or settings differ");
  }
  return absl::OkStatus();
}

}  // namespace genoserve

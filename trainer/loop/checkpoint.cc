#include "trainer/loop/checkpoint.h"

#include <google/protobuf/util/message_differencer.h>

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

using ::google::protobuf::util::MessageDifferencer;

constexpr absl::string_view kMagic = "GSCKPT01";
constexpr size_t kLengthBytes = 8;
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

absl::Status Differs(absl::string_view what, absl::string_view then, absl::string_view now) {
  return absl::InvalidArgumentError(
      absl::StrFormat("the checkpoint belongs to another run: its %s is %s, not %s", what, then, now));
}

}  // namespace

absl::Status WriteCheckpoint(const FileSystem& files, const std::string& path, const Checkpoint& checkpoint) {
  const std::string run = checkpoint.run.SerializeAsString();
  std::string bytes = absl::StrCat(kMagic, LittleEndian(run.size()), run, checkpoint.state);
  bytes += DigestBytes(bytes);
  return WriteFileAtomically(files, path, bytes);
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const FileSystem& files, const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string bytes, files.ReadFile(path, kLargestFile));
  absl::string_view rest = bytes;
  if (!absl::StartsWith(rest, kMagic)) return absl::DataLossError(absl::StrCat(path, ": is not a checkpoint"));
  const absl::Status damaged = absl::DataLossError(absl::StrCat(path, ": the checkpoint is damaged or not whole"));
  constexpr size_t kDigestBytes = sizeof(Sha256Digest);
  if (rest.size() < kMagic.size() + kLengthBytes + kDigestBytes) return damaged;
  const absl::string_view digest = rest.substr(rest.size() - kDigestBytes);
  rest.remove_suffix(kDigestBytes);
  if (DigestBytes(rest) != digest) return damaged;
  rest.remove_prefix(kMagic.size());
  const uint64_t run_size = FromLittleEndian(rest);
  rest.remove_prefix(kLengthBytes);
  if (run_size > rest.size()) return damaged;
  Checkpoint checkpoint;
  if (!checkpoint.run.ParseFromArray(rest.data(), static_cast<int>(run_size))) return damaged;
  checkpoint.state = std::string(rest.substr(run_size));
  return checkpoint;
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
  if (then.steps() != training.steps()) {
    return Differs("number of steps", absl::StrCat(then.steps()), absl::StrCat(training.steps()));
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

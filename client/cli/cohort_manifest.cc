#include "client/cli/cohort_manifest.h"

#include <fcntl.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/json_file.h"
#include "client/cli/part_state.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;

// Of the message's deterministic bytes.
std::string DigestOf(const v1::SampleConditions& conditions) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    conditions.SerializeToCodedStream(&coded);
  }
  return Sha256Hex(bytes);
}

// Whether the name stays in the folder of the manifest.
bool IsInside(absl::string_view name) {
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  return name.find('\0') == absl::string_view::npos && std::all_of(parts.begin(), parts.end(), [](absl::string_view p) {
           return !p.empty() && p != "." && p != "..";
         });
}

bool IsHexDigest(absl::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isxdigit(c); });
}

absl::Status AddPath(const std::string& folder, const std::string& name, const Interrupt* interrupt,
                     v1::CohortManifest* manifest) {
  const std::string path = JoinPath(folder, name);
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
  if (S_ISDIR(info.st_mode)) {
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> names, FileSystem::Posix().ListFolder(path));
    for (const std::string& inner : names) {
      GENOSERVE_RETURN_IF_ERROR(AddPath(folder, JoinPath(name, inner), interrupt, manifest));
    }
    return absl::OkStatus();
  }
  GENOSERVE_ASSIGN_OR_RETURN(v1::CohortFile file, DescribeFile(path, interrupt));
  file.set_name(name);
  *manifest->add_files() = std::move(file);
  return absl::OkStatus();
}

}  // namespace

std::string ManifestPath(absl::string_view prefix) { return absl::StrCat(prefix, ".manifest.json"); }

v1::StreamCohortRequest RequestForFiles(const v1::StreamCohortRequest& request, std::string* conditions_digest) {
  v1::StreamCohortRequest kept = request;
  kept.clear_max_batch_bytes();
  conditions_digest->clear();
  if (kept.condition().has_per_sample()) {
    *conditions_digest = DigestOf(kept.condition().per_sample());
    kept.mutable_condition()->clear_per_sample();
  }
  return kept;
}

v1::CohortManifest DescribeCohort(const v1::CohortPart& state, const v1::Manifest& model,
                                  const std::vector<int64_t>& label_counts) {
  const v1::CohortHeader& header = state.header();
  v1::CohortManifest manifest;
  manifest.set_schema_version(kCohortManifestVersion);
  manifest.set_synthetic(true);
  manifest.set_tool(absl::StrCat("genoserve/", GENOSERVE_VERSION));
  manifest.set_model(header.model());
  manifest.set_version(header.version());
  manifest.set_artifact_digest(header.artifact_digest());
  *manifest.mutable_engine() = header.engine();
  manifest.set_seed(header.seed());
  manifest.set_cohort_size(header.cohort_size());
  manifest.set_first_sample(header.first_sample());
  manifest.set_sample_count(header.sample_count());
  manifest.set_stream_digest(StreamDigestOf(state));
  manifest.set_variant_count(header.variant_count());
  manifest.set_variant_digest(header.variant_digest());
  manifest.set_label_column(header.label_column());
  for (size_t i = 0; i < label_counts.size(); ++i) {
    if (label_counts[i] == 0) continue;
    v1::LabelCount* count = manifest.add_labels();
    count->set_label(header.labels(static_cast<int>(i)));
    count->set_count(label_counts[i]);
  }
  manifest.set_format(state.format());
  *manifest.mutable_request() = state.request();
  manifest.set_conditions_digest(state.conditions_digest());
  if (state.has_simulated_trait()) *manifest.mutable_simulated_trait() = state.simulated_trait();
  manifest.set_licence(model.licence());
  manifest.set_data_terms(model.data_terms());
  return manifest;
}

absl::StatusOr<v1::CohortFile> DescribeFile(const std::string& path, const Interrupt* interrupt) {
  // A pipe of this name must not make the program wait for somebody who writes to it.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
  const absl::Cleanup close = [fd] { ::close(fd); };
  struct stat info;
  if (::fstat(fd, &info) != 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(absl::StrCat(path, ": is not a regular file"));
  Sha256 sha;
  int64_t size = 0;
  std::vector<uint8_t> buffer(kReadBytes);
  while (true) {
    if (interrupt != nullptr && interrupt->raised()) return absl::CancelledError("interrupted");
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoStatus(absl::StrCat(path, ": cannot read"));
    if (n == 0) break;
    sha.Update(std::span<const uint8_t>(buffer.data(), static_cast<size_t>(n)));
    size += n;
  }
  v1::CohortFile file;
  file.set_size(size);
  file.set_sha256(ToHex(sha.Finish()));
  return file;
}

absl::Status AddFiles(const std::string& folder, const std::vector<std::string>& paths, const Interrupt* interrupt,
                      v1::CohortManifest* manifest) {
  for (const std::string& path : paths) {
    const std::string name = path.substr(path.rfind('/') + 1);
    GENOSERVE_RETURN_IF_ERROR(AddPath(folder, name, interrupt, manifest));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::CohortManifest> ReadCohortManifest(const std::string& path) {
  v1::CohortManifest manifest;
  GENOSERVE_RETURN_IF_ERROR(ReadJsonFile(path, &manifest));
  if (manifest.schema_version() > kCohortManifestVersion) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": schema_version ", manifest.schema_version(),
                                                   ": this build reads up to ", kCohortManifestVersion));
  }
  if (manifest.schema_version() < 1 || manifest.files().empty()) {
    return absl::DataLossError(absl::StrCat(path, ": is not the manifest of a cohort"));
  }
  for (const v1::CohortFile& file : manifest.files()) {
    if (!IsInside(file.name()) || file.size() < 0 || !IsHexDigest(file.sha256())) {
      return absl::DataLossError(
          absl::StrCat(path, ": \"", absl::Utf8SafeCEscape(file.name()),
                       "\" is not a file of its folder with a size and a SHA-256 of 64 hexadecimal digits"));
    }
  }
  return manifest;
}

}  // namespace genoserve

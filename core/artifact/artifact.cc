#include "core/artifact/artifact.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/manifest_json.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

std::string VersionName(absl::string_view model, int64_t version) {
  return absl::StrCat("model ", model, " version ", version);
}

absl::Status ReadFiles(const CheckpointStore& store, Artifact& artifact) {
  for (const v1::ArtifactFile& file : artifact.manifest.files()) {
    GENOSERVE_ASSIGN_OR_RETURN(const std::string bytes, ReadListedFile(store, artifact.model, artifact.version, file));
    if (file.name() == kWeightsFile) {
      auto weights = ParseSafetensors(bytes);
      if (!weights.ok()) return Annotate(weights.status(), file.name());
      artifact.weights = *std::move(weights);
    } else if (file.name() == kVariantsFile) {
      auto variants = VariantTable::FromSitesVcf(bytes);
      if (!variants.ok()) return Annotate(variants.status(), file.name());
      artifact.variants = *std::move(variants);
    }
  }
  const auto count = static_cast<int64_t>(artifact.variants.size());
  if (count != artifact.manifest.variant_count()) {
    return absl::InvalidArgumentError(absl::StrCat(kVariantsFile, ": has ", count, " variants, variant_count says ",
                                                   artifact.manifest.variant_count()));
  }
  if (artifact.variants.Digest() != artifact.manifest.variant_digest()) {
    return absl::InvalidArgumentError(
        absl::StrCat(kVariantsFile, ": its variants do not have the variant_digest of the manifest"));
  }
  return absl::OkStatus();
}

absl::Status CheckTensors(const TensorMap& weights) {
  for (const auto& [name, tensor] : weights) {
    int64_t size = 1;
    bool ok = !name.empty();
    for (const int64_t n : tensor.shape) ok = ok && n >= 0 && !__builtin_mul_overflow(size, n, &size);
    // Numbers of one type, and the other is empty.
    const size_t numbers = tensor.values.size() + tensor.words.size();
    ok = ok && (tensor.values.empty() || tensor.words.empty());
    if (!ok || static_cast<uint64_t>(size) != numbers) {
      return absl::InvalidArgumentError(
          absl::StrCat("tensor \"", name, "\": has ", numbers, " values, which do not fill its shape"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadListedFile(const CheckpointStore& store, absl::string_view model, int64_t version,
                                           const v1::ArtifactFile& file) {
  auto bytes = store.Read(model, version, file.name(), static_cast<uint64_t>(file.size()));
  if (absl::IsNotFound(bytes.status())) {
    return absl::DataLossError(absl::StrCat(file.name(), ": is in the manifest and not in the store"));
  }
  const bool too_long = absl::IsResourceExhausted(bytes.status());
  if (!bytes.ok() && !too_long) return Annotate(bytes.status(), file.name());
  if (too_long || bytes->size() != static_cast<uint64_t>(file.size())) {
    return absl::DataLossError(absl::StrCat(file.name(), ": has ", too_long ? "more" : "fewer", " than the ",
                                            file.size(), " bytes of the manifest"));
  }
  if (const std::string digest = Sha256Hex(*bytes); digest != file.sha256()) {
    return absl::DataLossError(
        absl::StrCat(file.name(), ": has SHA-256 ", digest, ", the manifest says ", file.sha256()));
  }
  return bytes;
}

absl::StatusOr<v1::Manifest> ReadManifest(const CheckpointStore& store, absl::string_view model, int64_t version,
                                          std::string* digest) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string json, store.Read(model, version, kManifestFile, kMaxManifestBytes));
  *digest = Sha256Hex(json);
  auto manifest = ParseManifest(json);
  const absl::Status status = manifest.ok() ? ValidateManifest(*manifest) : manifest.status();
  if (!status.ok()) return Annotate(Annotate(status, kManifestFile), VersionName(model, version));
  return manifest;
}

absl::StatusOr<Artifact> ReadArtifact(const CheckpointStore& store, absl::string_view model, int64_t version) {
  Artifact artifact;
  artifact.model = std::string(model);
  artifact.version = version;
  GENOSERVE_ASSIGN_OR_RETURN(artifact.manifest, ReadManifest(store, model, version, &artifact.digest));
  GENOSERVE_RETURN_IF_ERROR(Annotate(ReadFiles(store, artifact), VersionName(model, version)));
  return artifact;
}

absl::StatusOr<int64_t> PublishArtifact(CheckpointStore& store, absl::string_view model, v1::Manifest manifest,
                                        const TensorMap& weights, const VariantTable& variants,
                                        const std::vector<ArtifactPart>& parts) {
  GENOSERVE_RETURN_IF_ERROR(CheckTensors(weights));
  manifest.set_format_version(kManifestFormatVersion);
  manifest.set_variant_count(static_cast<int64_t>(variants.size()));
  manifest.set_variant_digest(variants.Digest());
  std::vector<ArtifactPart> files = {
      {std::string(kWeightsFile), SerializeSafetensors(weights)},
      {std::string(kVariantsFile), variants.ToSitesVcf()},
  };
  files.insert(files.end(), parts.begin(), parts.end());
  manifest.clear_files();
  for (const auto& [name, bytes] : files) {
    v1::ArtifactFile& file = *manifest.add_files();
    file.set_name(name);
    file.set_size(static_cast<int64_t>(bytes.size()));
    file.set_sha256(Sha256Hex(bytes));
  }
  GENOSERVE_RETURN_IF_ERROR(Annotate(ValidateManifest(manifest), "manifest"));
  GENOSERVE_ASSIGN_OR_RETURN(const std::string json, SerializeManifest(manifest));

  GENOSERVE_ASSIGN_OR_RETURN(const auto publication, store.Publish(model));
  for (const auto& [name, bytes] : files) GENOSERVE_RETURN_IF_ERROR(publication->Put(name, bytes));
  GENOSERVE_RETURN_IF_ERROR(publication->Commit(json));
  return publication->version();
}

}  // namespace genoserve

// An artifact: what a trainer publishes and a server loads. manifest.json, weights.safetensors, variants.vcf,
// quality.json, report.html and train.txtpb in one version of a store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/safetensors.h"
#include "core/genotype/variant_table.h"
#include "core/store/checkpoint_store.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// The manifest format that this build writes, and the newest one that it reads.
inline constexpr int kManifestFormatVersion = 1;

/// The most bytes that a manifest may have.
inline constexpr uint64_t kMaxManifestBytes = uint64_t{64} << 20;

inline constexpr absl::string_view kWeightsFile = "weights.safetensors";
inline constexpr absl::string_view kVariantsFile = "variants.vcf";
inline constexpr absl::string_view kQualityFile = "quality.json";
inline constexpr absl::string_view kReportFile = "report.html";

/// A verified artifact in memory.
struct Artifact {
  std::string model;
  int64_t version = 0;
  std::string digest;  ///< SHA-256 of manifest.json, 64 hexadecimal digits
  v1::Manifest manifest;
  TensorMap weights;
  VariantTable variants;
};

/// Reads and verifies a version: sizes and digests of all files, variant digest and count, format version.
/// DATA_LOSS names the file whose digest or size differs; INVALID_ARGUMENT what the manifest does not allow.
absl::StatusOr<Artifact> ReadArtifact(const CheckpointStore& store, absl::string_view model, int64_t version);

/// Reads a manifest without the other files. `digest` is set as soon as it has been read, also where it is refused.
absl::StatusOr<v1::Manifest> ReadManifest(const CheckpointStore& store, absl::string_view model, int64_t version,
                                          std::string* digest);

/// Reads one file that the manifest of a version lists, whole. DATA_LOSS, with its name, where it is not there or has
/// another size or digest.
absl::StatusOr<std::string> ReadListedFile(const CheckpointStore& store, absl::string_view model, int64_t version,
                                           const v1::ArtifactFile& file);

/// A file of an artifact that is kept as it is, such as quality.json.
struct ArtifactPart {
  std::string name;
  std::string bytes;
};

/// Publishes weights, variants, parts and manifest as the next version of a model and returns its number. The
/// manifest's format version, files, variant count and variant digest are filled in here.
absl::StatusOr<int64_t> PublishArtifact(CheckpointStore& store, absl::string_view model, v1::Manifest manifest,
                                        const TensorMap& weights, const VariantTable& variants,
                                        const std::vector<ArtifactPart>& parts);

/// Whether a manifest makes sense: sizes positive, labels and phenotypes unique, file names safe. INVALID_ARGUMENT
/// with the field otherwise.
absl::Status ValidateManifest(const v1::Manifest& manifest);

}  // namespace genoserve

// One version of a model, loaded and ready to generate.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/artifact/artifact.h"
#include "core/genotype/variant_table.h"
#include "core/model/generator.h"
#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/manifest.pb.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Immutable after it was loaded; thread-safe.
struct ServingVersion {
  std::string model;
  int64_t version = 0;
  std::string digest;  ///< of the artifact, 64 hexadecimal digits
  v1::Manifest manifest;
  VariantTable variants;
  v1::Engine engine;
  std::unique_ptr<const Generator> generator;
  int64_t memory_bytes = 0;  ///< that it takes, as budgets count it
  /// When it was published, where that was while this server ran; else InfinitePast.
  absl::Time published = absl::InfinitePast();
  /// Whether a stream has sent something of it.
  mutable std::atomic<bool> answered = false;
};

/// Keeps a version loaded for as long as it is held. The memory is given back by the manager's thread, never by the one
/// that lets go last.
using ModelHandle = std::shared_ptr<const ServingVersion>;

/// The engine of networks that this build runs on a device.
v1::Engine EngineOf(DeviceKind device, Precision precision = Precision::kFp32);

/// The engine of chains, whose bytes are the same on any machine that runs this build, whatever is chosen for networks:
/// a CPU, with "any" instruction set and "any" precision.
v1::Engine EngineOfChain();

/// Whether bytes of these two agree.
bool SameEngine(const v1::Engine& a, const v1::Engine& b);

/// Limits that the figures of a manifest must keep.
struct VersionGate {
  std::string name;  ///< for messages
  v1::Gate limits;

  friend bool operator==(const VersionGate& a, const VersionGate& b) {
    return a.name == b.name && a.limits.SerializeAsString() == b.limits.SerializeAsString();
  }
};

/// How versions are loaded.
struct LoadOptions {
  DeviceKind device = DeviceKind::kCpu;
  std::optional<VersionGate> gate = std::nullopt;
  Precision precision = Precision::kFp32;  ///< of networks
};

/// Verifies, loads, warms up and checks a version. FAILED_PRECONDITION, with the figures, where it does not pass the
/// gate or CheckTally; other errors are those of ReadArtifact, LoadGenerator and Generate.
absl::StatusOr<std::unique_ptr<ServingVersion>> LoadVersion(const CheckpointStore& store, absl::string_view model,
                                                            int64_t version, const LoadOptions& options);

/// Reads all files of a version, one at a time, and judges its figures, without loading it. `digest` is set as
/// soon as the manifest has been read, also where what follows fails; errors as for LoadVersion.
absl::Status VerifyVersion(const CheckpointStore& store, absl::string_view model, int64_t version,
                           const LoadOptions& options, std::string* digest);

/// SHA-256 of a version's manifest as it is in the store now.
absl::StatusOr<std::string> ManifestDigest(const CheckpointStore& store, absl::string_view model, int64_t version);

}  // namespace genoserve

#include "server/manager/serving_version.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/quality/gate.h"
#include "server/manager/memory_use.h"
#include "server/manager/sample_check.h"

namespace genoserve {
namespace {

absl::StatusOr<SampleTally> Warm(const ServingVersion& version) {
  absl::StatusOr<SampleTally> tally = GenerateForCheck(version.manifest, *version.generator);
  if (!tally.ok()) return Annotate(tally.status(), "warm-up");
  return tally;
}

absl::Status CheckGate(const VersionGate& gate, const v1::Manifest& manifest) {
  auto figures = manifest.figures();
  const v1::GateResult result = Judge(gate.limits, gate.name, &figures);
  if (result.passed()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "does not pass the gate ", gate.name, ": ",
      absl::StrJoin(result.breaches(), "; ",
                    [](std::string* out, const v1::Breach& breach) { absl::StrAppend(out, breach.message()); })));
}

}  // namespace

v1::Engine EngineOf(DeviceKind device, Precision precision) {
  v1::Engine engine;
  engine.set_device(device == DeviceKind::kCuda ? "cuda" : "cpu");
  engine.set_instruction_set(InstructionSet(device, precision));
  engine.set_precision(PrecisionName(precision));
  engine.set_kernel_revision(kKernelRevision);
  return engine;
}

v1::Engine EngineOfChain() {
  v1::Engine engine;
  engine.set_device("cpu");
  engine.set_instruction_set("any");
  engine.set_precision("any");
  engine.set_kernel_revision(kKernelRevision);
  return engine;
}

bool SameEngine(const v1::Engine& a, const v1::Engine& b) {
  return a.device() == b.device() && a.instruction_set() == b.instruction_set() && a.precision() == b.precision() &&
         a.kernel_revision() == b.kernel_revision();
}

absl::StatusOr<std::string> ManifestDigest(const CheckpointStore& store, absl::string_view model, int64_t version) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string manifest, store.Read(model, version, kManifestFile, kMaxManifestBytes));
  return Sha256Hex(manifest);
}

absl::Status VerifyVersion(const CheckpointStore& store, absl::string_view model, int64_t version,
                           const LoadOptions& options, std::string* digest) {
  GENOSERVE_ASSIGN_OR_RETURN(const v1::Manifest manifest, ReadManifest(store, model, version, digest));
  if (options.gate.has_value()) GENOSERVE_RETURN_IF_ERROR(CheckGate(*options.gate, manifest));
  for (const v1::ArtifactFile& file : manifest.files()) {
    GENOSERVE_RETURN_IF_ERROR(ReadListedFile(store, model, version, file).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ServingVersion>> LoadVersion(const CheckpointStore& store, absl::string_view model,
                                                            int64_t version, const LoadOptions& options) {
  const int64_t heap_before = HeapInUse();
  GENOSERVE_ASSIGN_OR_RETURN(Artifact artifact, ReadArtifact(store, model, version));
  if (options.gate.has_value()) GENOSERVE_RETURN_IF_ERROR(CheckGate(*options.gate, artifact.manifest));
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<Generator> generator,
                             LoadGenerator(artifact, {.device = options.device, .precision = options.precision}));
  auto loaded = std::make_unique<ServingVersion>();
  loaded->model = artifact.model;
  loaded->version = artifact.version;
  loaded->digest = artifact.digest;
  loaded->manifest = std::move(artifact.manifest);
  loaded->variants = std::move(artifact.variants);
  loaded->engine =
      loaded->manifest.generator().has_chain() ? EngineOfChain() : EngineOf(options.device, options.precision);
  loaded->generator = std::move(generator);
  // All that a version does not keep must be gone before it is measured.
  artifact = Artifact();
  GENOSERVE_ASSIGN_OR_RETURN(const SampleTally tally, Warm(*loaded));
  GENOSERVE_RETURN_IF_ERROR(Annotate(CheckTally(loaded->manifest, tally), "does not pass the check of its samples"));
  const int64_t estimate = EstimateMemory(loaded->manifest);
  loaded->memory_bytes = options.device == DeviceKind::kCuda ? estimate  // most of it is on the GPU
                                                             : MeasuredMemory(heap_before, HeapInUse(), estimate);
  return loaded;
}

}  // namespace genoserve

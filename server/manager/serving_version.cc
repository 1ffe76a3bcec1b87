#include "server/manager/serving_version.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/quality/gate.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestManifest = 64 << 20;  // bytes
constexpr size_t kSmallestTile = 8;              // samples
constexpr int kWarmUpPasses = 2;                 // the second pass over new code paths may still be slow

// Runs every tile size from the smallest to the largest in doublings, so that no request meets a cold one.
absl::Status WarmUp(const ServingVersion& version) {
  const Generator& generator = *version.generator;
  const std::vector<double> phenotypes = [&version] {
    std::vector<double> values;
    for (const auto& schema : version.manifest.phenotypes()) values.push_back(schema.continuous().mean());
    return values;
  }();
  for (size_t size = std::min(kSmallestTile, generator.max_tile_samples());;
       size = std::min(2 * size, generator.max_tile_samples())) {
    std::vector<SampleSpec> samples(size);
    for (size_t i = 0; i < size; ++i) {
      samples[i].sample = i;
      samples[i].label = version.manifest.labels().empty() ? -1 : 0;
      samples[i].phenotypes = phenotypes;
    }
    GenotypeMatrix rows(generator.packing(), size * RowsPerSample(generator.packing()), generator.variant_count());
    for (int pass = 0; pass < kWarmUpPasses; ++pass) {
      GENOSERVE_RETURN_IF_ERROR(Annotate(generator.Generate(samples, {}, rows), "warm-up"));
    }
    if (size == generator.max_tile_samples()) return absl::OkStatus();
  }
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
  GENOSERVE_ASSIGN_OR_RETURN(const std::string manifest, store.Read(model, version, kManifestFile, kLargestManifest));
  return Sha256Hex(manifest);
}

absl::StatusOr<std::unique_ptr<ServingVersion>> LoadVersion(const CheckpointStore& store, absl::string_view model,
                                                            int64_t version, const LoadOptions& options,
                                                            std::string* digest) {
  GENOSERVE_ASSIGN_OR_RETURN(*digest, ManifestDigest(store, model, version));
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
  GENOSERVE_RETURN_IF_ERROR(WarmUp(*loaded));
  return loaded;
}

}  // namespace genoserve

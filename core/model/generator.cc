#include "core/model/generator.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/model/chain_generator.h"
#include "core/model/cpu_network.h"
#include "core/model/network_generator.h"
#include "core/model/precision_effect.h"
#include "core/model/tile_generator.h"
#include "core/model/tile_library.h"
#include "core/model/weights.h"

namespace genoserve {
namespace {

// The shape of a network that these weights fit.
absl::StatusOr<GeneratorShape> CheckedShape(const v1::Manifest& manifest, const TensorMap& weights) {
  GENOSERVE_ASSIGN_OR_RETURN(GeneratorShape shape, ShapeOfGenerator(manifest));
  GENOSERVE_RETURN_IF_ERROR(CheckWeights(shape, weights));
  return shape;
}

absl::StatusOr<std::unique_ptr<MeasuredGenerator>> MakeNetworkGenerator(const v1::Manifest& manifest,
                                                                        const GeneratorShape& shape,
                                                                        const TensorMap& weights,
                                                                        const GeneratorOptions& options) {
  if (options.device == DeviceKind::kCuda && options.precision == Precision::kInt8) {
    return absl::FailedPreconditionError("precision int8 is for CPUs: a GPU runs networks in fp32 or bf16");
  }
  if (options.device == DeviceKind::kCuda) {
    GENOSERVE_ASSIGN_OR_RETURN(const TileDevice* gpu, OpenGpu());
    return MakeTileGenerator(*gpu, manifest, shape, weights, options.precision);
  }
  // Without them a product would round twice, and its bytes would be another engine's.
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return absl::FailedPreconditionError("this CPU has no AVX2 and FMA3 (x86-64-v3), which a network needs");
  }
  return NetworkGenerator::Make(manifest, shape, weights, MakeCpuNetwork(manifest, shape, weights, options.precision));
}

absl::StatusOr<std::unique_ptr<Generator>> MakeMeasured(const v1::Manifest& manifest, const TensorMap& weights,
                                                        const GeneratorOptions& options) {
  if (manifest.generator().has_chain() || options.precision == Precision::kFp32) {
    return MakeGenerator(manifest, weights, options);
  }
  GENOSERVE_ASSIGN_OR_RETURN(const GeneratorShape shape, CheckedShape(manifest, weights));
  GENOSERVE_ASSIGN_OR_RETURN(auto rounded, MakeNetworkGenerator(manifest, shape, weights, options));
  GENOSERVE_ASSIGN_OR_RETURN(
      const auto exact,
      MakeNetworkGenerator(manifest, shape, weights, {.device = options.device, .precision = Precision::kFp32}));
  GENOSERVE_ASSIGN_OR_RETURN(const PrecisionEffect effect, MeasurePrecision(manifest, shape, *exact, *rounded));
  GENOSERVE_RETURN_IF_ERROR(CheckPrecision(effect, options.precision));
  rounded->set_precision_effect(effect);
  return rounded;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Generator>> MakeGenerator(const v1::Manifest& manifest, const TensorMap& weights,
                                                         const GeneratorOptions& options) {
  if (manifest.generator().has_chain()) return MakeChainGenerator(manifest, weights);
  GENOSERVE_ASSIGN_OR_RETURN(const GeneratorShape shape, CheckedShape(manifest, weights));
  return MakeNetworkGenerator(manifest, shape, weights, options);
}

absl::StatusOr<std::unique_ptr<Generator>> LoadGenerator(const Artifact& artifact, const GeneratorOptions& options) {
  auto generator = MakeMeasured(artifact.manifest, artifact.weights, options);
  if (generator.ok()) return generator;
  return Annotate(generator.status(), absl::StrCat("model ", artifact.model, " version ", artifact.version));
}

}  // namespace genoserve

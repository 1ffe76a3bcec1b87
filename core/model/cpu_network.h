// The forward pass on a CPU by the project's own kernels.
#pragma once

#include <memory>

#include "core/artifact/safetensors.h"
#include "core/model/generator.h"
#include "core/model/network.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Makes the network of a manifest from weights that CheckWeights has passed, with its weights packed for the kernels.
/// Forward allocates nothing once as many calls have run side by side as ever will.
std::unique_ptr<Network> MakeCpuNetwork(const v1::Manifest& manifest, const GeneratorShape& shape,
                                        const TensorMap& weights, Precision precision);

}  // namespace genoserve

// The generator of a chain: no network, no LibTorch. Rows are walks of a graph, so that memory holds the graph alone
// and the bytes are the same on every machine, whatever the device that other generators use.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/model/generator.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Whether a chain's spec fits the manifest that it stands in: classes and labels, sizes in range. INVALID_ARGUMENT
/// names the field.
absl::Status CheckChainSpec(const v1::Manifest& manifest);

/// Makes the generator of a manifest with a chain. INVALID_ARGUMENT where spec or tensors are not sound.
absl::StatusOr<std::unique_ptr<Generator>> MakeChainGenerator(const v1::Manifest& manifest, const TensorMap& weights);

}  // namespace genoserve

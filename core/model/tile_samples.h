// What a network's generators ask of the samples of a tile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "absl/status/status.h"
#include "core/genotype/genotype_matrix.h"
#include "core/model/generator.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// INVALID_ARGUMENT where a tile has no or too many samples, blocks that CheckBlocks refuses, or rows of another form.
absl::Status CheckTile(const GeneratorShape& shape, size_t most_samples, std::span<const SampleSpec> samples,
                       std::span<const uint32_t> blocks, const GenotypeMatrix& rows);

/// Writes the condition of a sample, the one-hot label or the encoded phenotypes: shape.condition_size values.
/// INVALID_ARGUMENT where the model has no such label or phenotypes, or an index is too large.
absl::Status SetCondition(const v1::Manifest& manifest, const GeneratorShape& shape, const SampleSpec& sample,
                          std::span<float> condition);

}  // namespace genoserve

#include "core/model/tile_samples.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/model/blocks.h"
#include "core/model/condition.h"

namespace genoserve {

absl::Status CheckTile(const GeneratorShape& shape, size_t most_samples, std::span<const SampleSpec> samples,
                       std::span<const uint32_t> blocks, const GenotypeMatrix& rows) {
  if (samples.empty() || samples.size() > most_samples) {
    return absl::InvalidArgumentError(
        absl::StrCat("a tile of ", samples.size(), " samples; it must have 1 to ", most_samples));
  }
  if (rows.packing() != shape.packing || rows.samples() != samples.size() || rows.variants() != shape.variants) {
    return absl::InvalidArgumentError("the matrix for a tile has another packing or size than the tile");
  }
  return CheckBlocks(blocks, shape.variants);
}

absl::Status SetCondition(const v1::Manifest& manifest, const GeneratorShape& shape, const SampleSpec& sample,
                          std::span<float> condition) {
  if (sample.sample >> 48 != 0) return absl::InvalidArgumentError("a sample index is 2^48 or more");
  if (shape.packing == Packing::kDiploid2Bit) return EncodeCondition(manifest, sample.phenotypes, condition);
  if (sample.label < 0 || static_cast<size_t>(sample.label) >= condition.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("label index ", sample.label, " of a sample; the model has ", condition.size(), " labels"));
  }
  std::fill(condition.begin(), condition.end(), 0.0F);
  condition[static_cast<size_t>(sample.label)] = 1.0F;
  return absl::OkStatus();
}

}  // namespace genoserve

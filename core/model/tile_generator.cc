#include "core/model/tile_generator.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/status.h"
#include "core/model/fold_labels.h"
#include "core/model/tile_samples.h"

namespace genoserve {
namespace {

TileSpec SpecOf(const v1::Manifest& manifest, const GeneratorShape& shape) {
  TileSpec spec{.latent_size = static_cast<int64_t>(shape.latent_size),
                .condition_size = static_cast<int64_t>(shape.condition_size),
                .variants = static_cast<int64_t>(shape.variants),
                .states = static_cast<int64_t>(shape.states)};
  if (manifest.generator().has_acgan()) {
    const v1::AcganSpec& acgan = manifest.generator().acgan();
    spec.hidden_layers = acgan.hidden_sizes_size();
    spec.slope = acgan.leaky_slope();
    spec.threshold = acgan.output() == v1::ALLELE_OUTPUT_TANH_THRESHOLD;
  } else {
    spec.residual = true;
    spec.hidden_layers = manifest.generator().wgan_gp().hidden_sizes_size();
    spec.slope = manifest.generator().wgan_gp().leaky_slope();
  }
  return spec;
}

class TileGenerator final : public MeasuredGenerator {
 public:
  TileGenerator(v1::Manifest manifest, GeneratorShape shape, std::unique_ptr<ModelTiles> tiles)
      : manifest_(std::move(manifest)), shape_(std::move(shape)), tiles_(std::move(tiles)) {}

  Packing packing() const override { return shape_.packing; }
  size_t variant_count() const override { return shape_.variants; }
  size_t max_tile_samples() const override {
    return static_cast<size_t>(tiles_->most_rows()) / RowsPerSample(shape_.packing);
  }

  absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> blocks,
                        GenotypeMatrix& rows) const override {
    GENOSERVE_RETURN_IF_ERROR(CheckTile(shape_, max_tile_samples(), samples, blocks, rows));
    const size_t per_sample = RowsPerSample(shape_.packing);
    const size_t size = shape_.condition_size;
    std::vector<TileRow> tile;
    tile.reserve(samples.size() * per_sample);
    std::vector<float> conditions(samples.size() * per_sample * size);
    for (size_t row = 0; row < samples.size() * per_sample; ++row) {
      const SampleSpec& sample = samples[row / per_sample];
      tile.push_back({sample.seed, sample.sample, static_cast<int>(row % per_sample), std::max(0, sample.label)});
      GENOSERVE_RETURN_IF_ERROR(
          SetCondition(manifest_, shape_, sample, std::span(conditions).subspan(row * size, size)));
    }
    std::vector<int64_t> parts;
    for (const uint32_t block : blocks) {
      const auto part = static_cast<int64_t>(block * kBlockVariants) / kPartVariants;
      if (parts.empty() || parts.back() != part) parts.push_back(part);
    }
    const size_t row_bytes = RowBytes(shape_.packing, shape_.variants);
    return tiles_->Run(tile, conditions, parts, [&](const uint8_t* packed) {
      for (size_t row = 0; row < tile.size(); ++row) {
        std::memcpy(rows.MutableRow(row).data(), packed + row * row_bytes, row_bytes);
      }
    });
  }

 private:
  const v1::Manifest manifest_;
  const GeneratorShape shape_;
  const std::unique_ptr<ModelTiles> tiles_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<MeasuredGenerator>> MakeTileGenerator(const TileDevice& device,
                                                                     const v1::Manifest& manifest,
                                                                     const GeneratorShape& shape,
                                                                     const TensorMap& weights, Precision precision) {
  std::map<std::string, TileWeight> views;
  for (const auto& [name, tensor] : weights) views.emplace(name, TileWeight{tensor.shape, tensor.values});
  Tensor folded;
  if (manifest.generator().has_acgan()) {
    folded = FoldLabels(weights.at("hidden.0.weight"), shape, manifest.generator().acgan().label_repeats());
    views.at("hidden.0.weight") = {folded.shape, folded.values};
  }
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<ModelTiles> tiles,
                             device.Make(SpecOf(manifest, shape), views, precision == Precision::kBf16));
  return std::make_unique<TileGenerator>(manifest, shape, std::move(tiles));
}

}  // namespace genoserve

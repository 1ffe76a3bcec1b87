#include "core/model/torch_generator.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "core/base/status.h"
#include "core/gpu/tile_graph.h"
#include "core/model/fold_labels.h"
#include "core/model/tile_samples.h"
#include "core/model/torch_guard.h"

namespace genoserve {
namespace {

// The smaller tile shape, for calls of few samples.
constexpr int64_t kSmallTileRows = 64;

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

// On the memory of `tensor`.
at::Tensor View(const Tensor& tensor) {
  return at::from_blob(const_cast<float*>(tensor.values.data()), tensor.shape, at::TensorOptions().dtype(at::kFloat));
}

class TorchGenerator final : public MeasuredGenerator {
 public:
  // Throws what LibTorch throws.
  TorchGenerator(const v1::Manifest& manifest, const GeneratorShape& shape, const TensorMap& weights,
                 const GeneratorOptions& options)
      : manifest_(manifest), shape_(shape) {
    const c10::InferenceMode inference;
    const at::Device device = options.device == DeviceKind::kCuda ? at::kCUDA : at::kCPU;
    const at::ScalarType type = options.precision == Precision::kBf16 ? at::kBFloat16 : at::kFloat;
    std::map<std::string, at::Tensor> tensors;
    for (const auto& [name, tensor] : weights) tensors.emplace(name, View(tensor));
    Tensor folded;
    if (manifest.generator().has_acgan()) {
      folded = FoldLabels(weights.at("hidden.0.weight"), shape, manifest.generator().acgan().label_repeats());
      tensors.insert_or_assign("hidden.0.weight", View(folded));
    }
    const std::shared_ptr<DeviceStream> stream = MakeDeviceStream(device);
    std::shared_ptr<const TilePass> pass;
    std::vector<int64_t> proved;
    stream->Enqueue([&] {
      pass = std::make_shared<TilePass>(TileNetwork(SpecOf(manifest, shape), tensors, device, type), type);
      proved =
          ProvedTileRows(*pass, std::vector{kSmallTileRows, LargestTileRows(static_cast<int64_t>(shape.variants))});
      if (!proved.empty()) finite_ = OutputsAreFinite(*pass, kSmallTileRows);
    });
    for (const int64_t rows : proved) tiles_.push_back(std::make_unique<TileGraph>(pass, stream, rows));
  }

  absl::Status CheckOutputs() const {
    if (tiles_.empty()) return absl::InternalError("the rows of a tile depend on their order on this device");
    if (!finite_) return absl::InvalidArgumentError("weights: the outputs that they give are not finite");
    return absl::OkStatus();
  }

  Packing packing() const override { return shape_.packing; }
  size_t variant_count() const override { return shape_.variants; }
  size_t max_tile_samples() const override {
    return static_cast<size_t>(tiles_.back()->rows()) / RowsPerSample(shape_.packing);
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
    return GuardTorch([&] {
      TileGraph& graph = **std::ranges::find_if(
          tiles_, [&](const auto& candidate) { return static_cast<size_t>(candidate->rows()) >= tile.size(); });
      const size_t row_bytes = RowBytes(shape_.packing, shape_.variants);
      graph.Run(tile, conditions, parts, [&](const uint8_t* packed) {
        for (size_t row = 0; row < tile.size(); ++row) {
          std::memcpy(rows.MutableRow(row).data(), packed + row * row_bytes, row_bytes);
        }
      });
      return absl::OkStatus();
    });
  }

 private:
  const v1::Manifest manifest_;
  const GeneratorShape shape_;
  bool finite_ = false;
  std::vector<std::unique_ptr<TileGraph>> tiles_;  // by rows, ascending
};

}  // namespace

absl::StatusOr<std::unique_ptr<MeasuredGenerator>> MakeTorchGenerator(const v1::Manifest& manifest,
                                                                      const GeneratorShape& shape,
                                                                      const TensorMap& weights,
                                                                      const GeneratorOptions& options) {
  std::unique_ptr<TorchGenerator> generator;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    generator = std::make_unique<TorchGenerator>(manifest, shape, weights, options);
    return absl::OkStatus();
  }));
  GENOSERVE_RETURN_IF_ERROR(generator->CheckOutputs());
  return generator;
}

}  // namespace genoserve

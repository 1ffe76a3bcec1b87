#include "core/model/network_generator.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/base/status.h"
#include "core/kernels/draw.h"
#include "core/kernels/random.h"
#include "core/model/tile_samples.h"

namespace genoserve {

NetworkGenerator::NetworkGenerator(const v1::Manifest& manifest, GeneratorShape shape, const TensorMap& weights,
                                   std::unique_ptr<const Network> network)
    : manifest_(manifest), shape_(std::move(shape)), network_(std::move(network)) {
  threshold_ =
      manifest_.generator().has_acgan() && manifest_.generator().acgan().output() == v1::ALLELE_OUTPUT_TANH_THRESHOLD;
  if (shape_.label_logits) label_logits_ = weights.at("label_logits").values;
}

absl::StatusOr<std::unique_ptr<NetworkGenerator>> NetworkGenerator::Make(const v1::Manifest& manifest,
                                                                         GeneratorShape shape, const TensorMap& weights,
                                                                         std::unique_ptr<const Network> network) {
  std::unique_ptr<NetworkGenerator> generator(
      new NetworkGenerator(manifest, std::move(shape), weights, std::move(network)));
  GENOSERVE_RETURN_IF_ERROR(generator->CheckOutputs());
  return generator;
}

absl::Status NetworkGenerator::Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> blocks,
                                        GenotypeMatrix& rows) const {
  GENOSERVE_RETURN_IF_ERROR(CheckTile(shape_, max_tile_samples(), samples, blocks, rows));
  const size_t per_sample = RowsPerSample(shape_.packing);
  const size_t count = samples.size() * per_sample;
  const size_t stride = shape_.latent_size + shape_.condition_size;
  const auto workspace = workspaces_.Take();
  workspace->inputs.resize(std::max(workspace->inputs.size(), count * stride));
  workspace->draws.clear();
  for (size_t row = 0; row < count; ++row) {
    const SampleSpec& sample = samples[row / per_sample];
    const auto haplotype = static_cast<int>(row % per_sample);
    const auto inputs = std::span(workspace->inputs).subspan(row * stride, stride);
    GENOSERVE_RETURN_IF_ERROR(SetCondition(manifest_, shape_, sample, inputs.subspan(shape_.latent_size)));
    FillNormal(PhiloxStream(sample.seed, sample.sample, haplotype, Purpose::kLatent), 0,
               inputs.first(shape_.latent_size));
    workspace->draws.emplace_back(sample.seed, sample.sample, haplotype, Purpose::kAllele);
  }
  return network_->Forward(count, std::span(workspace->inputs).first(count * stride), blocks,
                           [&](const LogitBlock& block) {
                             const size_t first_byte = RowBytes(shape_.packing, block.first_variant);
                             for (size_t i = 0; i < block.rows; ++i) {
                               const size_t row = block.first_row + i;
                               Draw(block, i, samples[row / per_sample].label, workspace->draws[row],
                                    rows.MutableRow(row).data() + first_byte);
                             }
                           });
}

void NetworkGenerator::Draw(const LogitBlock& block, size_t row, int label, const PhiloxStream& draws,
                            uint8_t* packed) const {
  if (shape_.states == 3) {
    DrawAndPackGenotypes(block.Row(row, 0), block.Row(row, 1), block.Row(row, 2), draws, block.first_variant, packed);
    return;
  }
  std::span<const float> offsets;
  if (shape_.label_logits) {
    offsets = std::span(label_logits_)
                  .subspan(static_cast<size_t>(label) * shape_.variants + block.first_variant, block.variants);
  }
  if (threshold_) {
    ThresholdAndPackAlleles(block.Row(row, 0), offsets, packed);
  } else {
    DrawAndPackAlleles(block.Row(row, 0), offsets, draws, block.first_variant, packed);
  }
}

// Weights are finite, but their products may overflow: some random rows tell.
absl::Status NetworkGenerator::CheckOutputs() const {
  constexpr size_t kRows = 16;
  const size_t stride = shape_.latent_size + shape_.condition_size;
  std::vector<float> inputs(kRows * stride);
  for (size_t row = 0; row < kRows; ++row) {
    FillNormal(PhiloxStream(0, row, 0, Purpose::kLatent), 0, std::span(inputs).subspan(row * stride, stride));
  }
  bool finite = true;
  GENOSERVE_RETURN_IF_ERROR(network_->Forward(kRows, inputs, {}, [&](const LogitBlock& block) {
    for (size_t row = 0; row < block.rows; ++row) {
      for (size_t state = 0; state < shape_.states; ++state) {
        for (const float value : block.Row(row, state)) finite = finite && std::isfinite(value);
      }
    }
  }));
  if (finite) return absl::OkStatus();
  return absl::InvalidArgumentError("weights: the outputs that they give are not finite");
}

}  // namespace genoserve

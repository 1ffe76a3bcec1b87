// The generator of a network: noise and conditions in, the outputs drawn and packed.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/base/philox.h"
#include "core/model/measured_generator.h"
#include "core/model/network.h"
#include "core/model/pool.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Rows come from any Network, which gives a row the same outputs in every tile.
class NetworkGenerator final : public MeasuredGenerator {
 public:
  /// Takes the network of a manifest with this shape. INVALID_ARGUMENT where its outputs are not finite.
  static absl::StatusOr<std::unique_ptr<NetworkGenerator>> Make(const v1::Manifest& manifest, GeneratorShape shape,
                                                                const TensorMap& weights,
                                                                std::unique_ptr<const Network> network);

  Packing packing() const override { return shape_.packing; }
  size_t variant_count() const override { return shape_.variants; }
  size_t max_tile_samples() const override { return kMostNetworkRows / RowsPerSample(shape_.packing); }
  absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> blocks,
                        GenotypeMatrix& rows) const override;

 private:
  // What one call needs.
  struct Workspace {
    std::vector<float> inputs;  // [rows, latent + condition]
    std::vector<PhiloxStream> draws;
  };

  NetworkGenerator(const v1::Manifest& manifest, GeneratorShape shape, const TensorMap& weights,
                   std::unique_ptr<const Network> network);

  absl::Status CheckOutputs() const;
  // Draws and packs one row of a block.
  void Draw(const LogitBlock& block, size_t row, int label, const PhiloxStream& draws, uint8_t* packed) const;

  const v1::Manifest manifest_;
  const GeneratorShape shape_;
  const std::unique_ptr<const Network> network_;
  bool threshold_ = false;
  std::vector<float> label_logits_;  // [labels, variants]
  mutable Pool<Workspace> workspaces_;
};

}  // namespace genoserve

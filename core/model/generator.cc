#include "core/model/generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/base/status.h"
#include "core/model/chain_generator.h"
#include "core/model/condition.h"
#include "core/model/draw.h"
#include "core/model/network.h"
#include "core/model/weights.h"

namespace genoserve {
namespace {

// Rows of a tile. A call has the smallest one that holds it.
constexpr std::array<size_t, 3> kTileRows = {16, 64, 256};

// A number that tells two rows of outputs apart, bit for bit (64-bit FNV-1a over words), and whether all are finite.
struct RowPrint {
  uint64_t hash = 0xCBF29CE484222325ULL;
  bool finite = true;

  void Add(std::span<const float> values) {
    for (const float value : values) {
      uint32_t word = 0;
      std::memcpy(&word, &value, sizeof(word));
      hash = (hash ^ word) * 0x100000001B3ULL;
      finite = finite && std::isfinite(value);
    }
  }
  friend bool operator==(const RowPrint&, const RowPrint&) = default;
};

class TiledGenerator final : public Generator {
 public:
  TiledGenerator(v1::Manifest manifest, GeneratorShape shape, const TensorMap& weights,
                 std::unique_ptr<Network> network)
      : manifest_(std::move(manifest)), shape_(std::move(shape)), network_(std::move(network)) {
    threshold_ =
        manifest_.generator().has_acgan() && manifest_.generator().acgan().output() == v1::ALLELE_OUTPUT_TANH_THRESHOLD;
    if (shape_.label_logits) label_logits_ = weights.at("label_logits").values;
    no_offsets_.assign(shape_.variants, 0.0F);
  }

  Packing packing() const override { return shape_.packing; }
  size_t variant_count() const override { return shape_.variants; }
  size_t max_tile_samples() const override { return tiles_.back() / RowsPerSample(shape_.packing); }

  // Runs random rows through every tile shape, in two orders, and keeps the shapes that give the largest one's bits.
  absl::Status ProveTiles() {
    const size_t most = kTileRows.back();
    std::vector<size_t> rows(most);
    for (size_t row = 0; row < most; ++row) rows[row] = row;
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<RowPrint> prints, Prints(rows, most));
    if (!std::all_of(prints.begin(), prints.end(), [](const RowPrint& print) { return print.finite; })) {
      return absl::InvalidArgumentError("weights: the outputs that they give are not finite");
    }
    for (size_t row = 0; row < most; ++row) rows[row] = (row * 89 + 41) % most;
    for (const size_t tile : kTileRows) {
      bool equal = true;
      for (size_t first = 0; first < most && equal; first += tile) {
        const std::vector<size_t> some(rows.begin() + static_cast<ptrdiff_t>(first),
                                       rows.begin() + static_cast<ptrdiff_t>(first + tile));
        GENOSERVE_ASSIGN_OR_RETURN(const std::vector<RowPrint> again, Prints(some, tile));
        for (size_t i = 0; i < tile; ++i) equal = equal && again[i] == prints[some[i]];
      }
      if (equal) tiles_.push_back(tile);
    }
    if (tiles_.empty() || tiles_.back() != most) {
      return absl::InternalError("the rows of a tile depend on their order on this device");
    }
    return absl::OkStatus();
  }

  absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> /*blocks*/,
                        GenotypeMatrix& rows) const override {
    const size_t per_sample = RowsPerSample(shape_.packing);
    if (samples.empty() || samples.size() > max_tile_samples()) {
      return absl::InvalidArgumentError(
          absl::StrCat("a tile of ", samples.size(), " samples; it must have 1 to ", max_tile_samples()));
    }
    if (rows.packing() != shape_.packing || rows.samples() != samples.size() || rows.variants() != shape_.variants) {
      return absl::InvalidArgumentError("the matrix for a tile has another packing or size than the tile");
    }
    const size_t used = samples.size() * per_sample;
    const size_t tile = *std::lower_bound(tiles_.begin(), tiles_.end(), used);
    std::vector<float> latent(tile * shape_.latent_size);
    std::vector<float> condition(tile * shape_.condition_size);
    std::vector<PhiloxStream> draws;
    draws.reserve(used);
    for (size_t row = 0; row < used; ++row) {
      const SampleSpec& sample = samples[row / per_sample];
      const int haplotype = static_cast<int>(row % per_sample);
      GENOSERVE_RETURN_IF_ERROR(
          SetCondition(sample, std::span(condition).subspan(row * shape_.condition_size, shape_.condition_size)));
      PhiloxStream(sample.seed, sample.sample, haplotype, Purpose::kLatent)
          .FillNormal(std::span(latent).subspan(row * shape_.latent_size, shape_.latent_size));
      draws.emplace_back(sample.seed, sample.sample, haplotype, Purpose::kAllele);
    }
    std::vector<uint32_t> bits;
    std::vector<uint8_t> codes;
    return network_->Forward(tile, latent, condition, [&](const LogitBlock& block) {
      bits.resize(block.variants);
      codes.resize(block.variants);
      const size_t first_byte = RowBytes(shape_.packing, block.first_variant);
      for (size_t row = 0; row < used; ++row) {
        Draw(block, row, samples[row / per_sample].label, draws[row], bits, codes);
        PackCodes(shape_.packing, codes,
                  rows.MutableRow(row).subspan(first_byte, RowBytes(shape_.packing, block.variants)));
      }
    });
  }

 private:
  absl::Status SetCondition(const SampleSpec& sample, std::span<float> condition) const {
    if (sample.sample >> 48 != 0) return absl::InvalidArgumentError("a sample index is 2^48 or more");
    if (shape_.packing == Packing::kDiploid2Bit) return EncodeCondition(manifest_, sample.phenotypes, condition);
    if (sample.label < 0 || static_cast<size_t>(sample.label) >= condition.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("label index ", sample.label, " of a sample; the model has ", condition.size(), " labels"));
    }
    condition[static_cast<size_t>(sample.label)] = 1.0F;
    return absl::OkStatus();
  }

  void Draw(const LogitBlock& block, size_t row, int label, const PhiloxStream& draws, std::span<uint32_t> bits,
            std::span<uint8_t> codes) const {
    if (!threshold_) draws.FillBits(static_cast<uint32_t>(block.first_variant), bits);
    if (shape_.states == 3) {
      DrawGenotypes(block.Row(row, 0), block.Row(row, 1), block.Row(row, 2), bits, codes);
      return;
    }
    const float* label_offsets =
        shape_.label_logits ? label_logits_.data() + static_cast<size_t>(label) * shape_.variants : no_offsets_.data();
    const std::span<const float> offsets(label_offsets + block.first_variant, block.variants);
    if (threshold_) {
      ThresholdAlleles(block.Row(row, 0), offsets, codes);
    } else {
      DrawAlleles(block.Row(row, 0), offsets, bits, codes);
    }
  }

  // The prints of these random rows, computed in one tile.
  absl::StatusOr<std::vector<RowPrint>> Prints(std::span<const size_t> rows, size_t tile) const {
    std::vector<float> latent(tile * shape_.latent_size);
    std::vector<float> condition(tile * shape_.condition_size);
    for (size_t i = 0; i < rows.size(); ++i) {
      PhiloxStream(0, rows[i], 0, Purpose::kLatent)
          .FillNormal(std::span(latent).subspan(i * shape_.latent_size, shape_.latent_size));
      const auto conditions = std::span(condition).subspan(i * shape_.condition_size, shape_.condition_size);
      if (shape_.packing == Packing::kDiploid2Bit) {
        PhiloxStream(0, rows[i], 1, Purpose::kLatent).FillNormal(conditions);
      } else {
        conditions[rows[i] % shape_.condition_size] = 1.0F;
      }
    }
    std::vector<RowPrint> prints(rows.size());
    GENOSERVE_RETURN_IF_ERROR(network_->Forward(tile, latent, condition, [&](const LogitBlock& block) {
      for (size_t i = 0; i < prints.size(); ++i) {
        for (size_t state = 0; state < shape_.states; ++state) prints[i].Add(block.Row(i, state));
      }
    }));
    return prints;
  }

  v1::Manifest manifest_;
  GeneratorShape shape_;
  std::unique_ptr<Network> network_;
  bool threshold_ = false;
  std::vector<float> label_logits_;  // [labels, variants]
  std::vector<float> no_offsets_;    // [variants], all 0
  std::vector<size_t> tiles_;        // rows, ascending
};

}  // namespace

absl::StatusOr<std::unique_ptr<Generator>> MakeGenerator(const v1::Manifest& manifest, const TensorMap& weights,
                                                         const GeneratorOptions& options) {
  if (manifest.generator().has_chain()) return MakeChainGenerator(manifest, weights);
  GENOSERVE_ASSIGN_OR_RETURN(GeneratorShape shape, ShapeOfGenerator(manifest));
  GENOSERVE_RETURN_IF_ERROR(CheckWeights(shape, weights));
  GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<Network> network, Network::Make(manifest, shape, weights, options.device));
  auto generator = std::make_unique<TiledGenerator>(manifest, std::move(shape), weights, std::move(network));
  GENOSERVE_RETURN_IF_ERROR(generator->ProveTiles());
  return generator;
}

absl::StatusOr<std::unique_ptr<Generator>> LoadGenerator(const Artifact& artifact, const GeneratorOptions& options) {
  auto generator = MakeGenerator(artifact.manifest, artifact.weights, options);
  if (generator.ok()) return generator;
  return Annotate(generator.status(), absl::StrCat("model ", artifact.model, " version ", artifact.version));
}

}  // namespace genoserve

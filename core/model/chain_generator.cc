#include "core/model/chain_generator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/base/status.h"
#include "core/model/chain_graph.h"
#include "core/model/chain_walk.h"

namespace genoserve {
namespace {

constexpr size_t kMostTileSamples = 128;

absl::Status CheckField(const char* field, double value, double lowest, double highest) {
  if (value >= lowest && value <= highest) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("generator spec: ", field, " is ", value, "; it must be ", lowest, " to ", highest));
}

class ChainGenerator final : public Generator {
 public:
  ChainGenerator(const v1::Manifest& manifest, ChainGraph graph)
      : packing_(manifest.phased() ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit), graph_(std::move(graph)) {}

  Packing packing() const override { return packing_; }
  size_t variant_count() const override { return graph_.variants(); }
  size_t max_tile_samples() const override { return kMostTileSamples; }

  absl::Status Generate(std::span<const SampleSpec> samples, GenotypeMatrix& rows) const override {
    if (samples.empty() || samples.size() > kMostTileSamples) {
      return absl::InvalidArgumentError(
          absl::StrCat("a tile of ", samples.size(), " samples; it must have 1 to ", kMostTileSamples));
    }
    if (rows.packing() != packing_ || rows.samples() != samples.size() || rows.variants() != graph_.variants()) {
      return absl::InvalidArgumentError("the matrix for a tile has another packing or size than the tile");
    }
    const size_t per_sample = RowsPerSample(packing_);
    for (size_t i = 0; i < samples.size(); ++i) {
      const SampleSpec& sample = samples[i];
      if (sample.sample >> 48 != 0) return absl::InvalidArgumentError("a sample index is 2^48 or more");
      if (sample.label < 0 || static_cast<size_t>(sample.label) >= graph_.classes()) {
        return absl::InvalidArgumentError(
            absl::StrCat("label index ", sample.label, " of a sample; the model has ", graph_.classes(), " labels"));
      }
      for (size_t haplotype = 0; haplotype < per_sample; ++haplotype) {
        const auto half = static_cast<int>(haplotype);
        const ChainNumbers numbers = {PhiloxStream(sample.seed, sample.sample, half, Purpose::kAllele),
                                      PhiloxStream(sample.seed, sample.sample, half, Purpose::kLatent)};
        const std::span<uint8_t> row = rows.MutableRow(i * per_sample + haplotype);
        std::fill(row.begin(), row.end(), uint8_t{0});
        for (size_t chromosome = 0; chromosome < graph_.chromosomes(); ++chromosome) {
          WalkChromosome(graph_, chromosome, static_cast<size_t>(sample.label), numbers, row);
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  Packing packing_;
  ChainGraph graph_;
};

}  // namespace

absl::Status CheckChainSpec(const v1::Manifest& manifest) {
  const v1::ChainSpec& spec = manifest.generator().chain();
  GENOSERVE_RETURN_IF_ERROR(CheckField("variant_count", static_cast<double>(manifest.variant_count()), 1, 1 << 26));
  GENOSERVE_RETURN_IF_ERROR(CheckField("classes", spec.classes(), 1, 4096));
  GENOSERVE_RETURN_IF_ERROR(CheckField("min_support", spec.min_support(), 2, 1 << 20));
  GENOSERVE_RETURN_IF_ERROR(CheckField("block", spec.block(), 1, 1 << 20));
  GENOSERVE_RETURN_IF_ERROR(CheckField("crossover", spec.crossover(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckField("kept_context", spec.kept_context(), 0, 1 << 20));
  GENOSERVE_RETURN_IF_ERROR(CheckField("borrowing", spec.borrowing(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckField("candidates", spec.candidates(), 1, 1024));
  if (spec.classes() != manifest.labels_size()) {
    return absl::InvalidArgumentError(absl::StrCat("generator spec: classes is ", spec.classes(), ", the manifest has ",
                                                   manifest.labels_size(), " labels"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Generator>> MakeChainGenerator(const v1::Manifest& manifest, const TensorMap& weights) {
  GENOSERVE_RETURN_IF_ERROR(CheckChainSpec(manifest));
  GENOSERVE_ASSIGN_OR_RETURN(ChainGraph graph, ChainGraph::FromTensors(manifest, weights));
  return std::make_unique<ChainGenerator>(manifest, std::move(graph));
}

}  // namespace genoserve

#include "core/model/chain_generator.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/base/status.h"
#include "core/model/blocks.h"
#include "core/model/chain_conditions.h"
#include "core/model/chain_graph.h"
#include "core/model/chain_walk.h"
#include "core/model/condition.h"
#include "core/model/pool.h"
#include "core/model/spec_field.h"

namespace genoserve {
namespace {

constexpr size_t kMostTileSamples = 128;
// What choosing the candidates of a row keeps in memory at most.
constexpr double kMostScores = 0x1p24;

class ChainGenerator final : public Generator {
 public:
  ChainGenerator(const v1::Manifest& manifest, ChainGraph graph, std::optional<ChainConditions> conditions)
      : manifest_(manifest),
        packing_(manifest.phased() ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit),
        candidates_(static_cast<size_t>(manifest.generator().chain().candidates())),
        graph_(std::move(graph)),
        conditions_(std::move(conditions)) {}

  Packing packing() const override { return packing_; }
  size_t variant_count() const override { return graph_.variants(); }
  size_t max_tile_samples() const override { return kMostTileSamples; }

  absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> blocks,
                        GenotypeMatrix& rows) const override {
    if (samples.empty() || samples.size() > kMostTileSamples) {
      return absl::InvalidArgumentError(
          absl::StrCat("a tile of ", samples.size(), " samples; it must have 1 to ", kMostTileSamples));
    }
    if (rows.packing() != packing_ || rows.samples() != samples.size() || rows.variants() != graph_.variants()) {
      return absl::InvalidArgumentError("the matrix for a tile has another packing or size than the tile");
    }
    GENOSERVE_RETURN_IF_ERROR(CheckBlocks(blocks, graph_.variants()));
    const std::vector<Stretch> stretches = Stretches(blocks);
    const size_t per_sample = RowsPerSample(packing_);
    const Pool<Buffers>::Lease buffers = buffers_.Take();
    for (size_t i = 0; i < samples.size(); ++i) {
      if (samples[i].sample >> 48 != 0) return absl::InvalidArgumentError("a sample index is 2^48 or more");
      for (size_t half = 0; half < per_sample; ++half) {
        GENOSERVE_RETURN_IF_ERROR(GenerateRow(samples[i], static_cast<int>(half), stretches, *buffers,
                                              rows.MutableRow(i * per_sample + half)));
      }
    }
    return absl::OkStatus();
  }

 private:
  // What is walked of a row: chromosomes that hold variants that are asked for, each up to the last of them.
  struct Stretch {
    size_t chromosome = 0;
    size_t end = 0;
  };

  // What a row with phenotypes needs, kept from row to row.
  struct Buffers {
    std::vector<float> condition;
    std::vector<double> scores;
    std::vector<uint8_t> codes;
  };

  std::vector<Stretch> Stretches(std::span<const uint32_t> blocks) const {
    std::vector<Stretch> stretches;
    for (size_t chromosome = 0; chromosome < graph_.chromosomes(); ++chromosome) {
      const size_t first = graph_.Start(chromosome);
      const size_t end = graph_.Start(chromosome + 1);
      if (blocks.empty()) {
        stretches.push_back({chromosome, end});
        continue;
      }
      const auto after = std::lower_bound(blocks.begin(), blocks.end(), BlockCount(end));
      if (after == blocks.begin()) continue;
      const size_t wanted = (static_cast<size_t>(*(after - 1)) + 1) * kBlockVariants;
      if (wanted > first) stretches.push_back({chromosome, std::min(end, wanted)});
    }
    return stretches;
  }

  absl::Status GenerateRow(const SampleSpec& sample, int half, std::span<const Stretch> stretches, Buffers& buffers,
                           std::span<uint8_t> row) const {
    const ChainNumbers numbers = {PhiloxStream(sample.seed, sample.sample, half, Purpose::kAllele),
                                  PhiloxStream(sample.seed, sample.sample, half, Purpose::kLatent)};
    if (!conditions_) {
      if (sample.label < 0 || static_cast<size_t>(sample.label) >= graph_.classes()) {
        return absl::InvalidArgumentError(
            absl::StrCat("label index ", sample.label, " of a sample; the model has ", graph_.classes(), " labels"));
      }
      Walk(static_cast<size_t>(sample.label), {}, stretches, numbers, row);
      return absl::OkStatus();
    }
    buffers.condition.resize(conditions_->inputs());
    GENOSERVE_RETURN_IF_ERROR(EncodeCondition(manifest_, sample.phenotypes, buffers.condition));
    const PhiloxStream choices(sample.seed, sample.sample, half, Purpose::kLabel);
    const size_t kind = conditions_->ChooseClass(buffers.condition, choices);
    Walk(kind, ChooseCandidates(kind, numbers, choices, buffers, row), stretches, numbers, row);
    return absl::OkStatus();
  }

  // Walks each stretch with the numbers of its chromosome's candidate, the first one where none were chosen.
  void Walk(size_t kind, std::span<const size_t> chosen, std::span<const Stretch> stretches, ChainNumbers numbers,
            std::span<uint8_t> row) const {
    const size_t bits = BitsPerGenotype(packing_);
    for (const Stretch& stretch : stretches) {
      // Whole bytes: what they hold of a neighbour is walked after this, or not asked for.
      const size_t first = graph_.Start(stretch.chromosome) * bits / 8;
      const size_t end = (stretch.end * bits + 7) / 8;
      std::fill(row.begin() + static_cast<ptrdiff_t>(first), row.begin() + static_cast<ptrdiff_t>(end), uint8_t{0});
    }
    for (const Stretch& stretch : stretches) {
      numbers.first = FirstNumber(chosen.empty() ? 0 : chosen[stretch.chromosome]);
      WalkChromosome(graph_, stretch.chromosome, kind, numbers, row, stretch.end);
    }
  }

  uint32_t FirstNumber(size_t candidate) const { return static_cast<uint32_t>(candidate * graph_.variants()); }

  // Walks all candidates of all chromosomes for their scores, with `row` for use in between; empty where there is no
  // choice.
  std::vector<size_t> ChooseCandidates(size_t kind, ChainNumbers numbers, const PhiloxStream& choices, Buffers& buffers,
                                       std::span<uint8_t> row) const {
    const size_t chromosomes = graph_.chromosomes();
    const size_t inputs = conditions_->inputs();
    if (candidates_ == 1 || inputs == 0) return {};
    buffers.scores.resize(chromosomes * candidates_ * inputs);
    buffers.codes.resize(graph_.variants());
    for (size_t candidate = 0; candidate < candidates_; ++candidate) {
      numbers.first = FirstNumber(candidate);
      std::fill(row.begin(), row.end(), uint8_t{0});
      for (size_t chromosome = 0; chromosome < chromosomes; ++chromosome) {
        WalkChromosome(graph_, chromosome, kind, numbers, row);
      }
      UnpackCodes(packing_, row, buffers.codes);
      for (size_t chromosome = 0; chromosome < chromosomes; ++chromosome) {
        const size_t first = graph_.Start(chromosome);
        conditions_->Score(std::span(buffers.codes).subspan(first, graph_.Start(chromosome + 1) - first), first,
                           std::span(buffers.scores).subspan((chromosome * candidates_ + candidate) * inputs, inputs));
      }
    }
    return conditions_->ChooseCandidates(buffers.scores, chromosomes, candidates_, buffers.condition, choices);
  }

  const v1::Manifest manifest_;
  const Packing packing_;
  const size_t candidates_;
  const ChainGraph graph_;
  const std::optional<ChainConditions> conditions_;  // absent where the classes are labels
  mutable Pool<Buffers> buffers_;
};

}  // namespace

absl::Status CheckChainSpec(const v1::Manifest& manifest) {
  const v1::ChainSpec& spec = manifest.generator().chain();
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("variant_count", manifest.variant_count(), 1, 1 << 26));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("classes", spec.classes(), 1, 4096));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("min_support", spec.min_support(), 2, 1 << 20));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("block", spec.block(), 1, 1 << 20));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("crossover", spec.crossover(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("kept_context", spec.kept_context(), 1, 1 << 20));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("borrowing", spec.borrowing(), 0, 1));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("candidates", spec.candidates(), 1, 1024));
  if (static_cast<double>(spec.candidates()) * static_cast<double>(manifest.variant_count()) > 0x1p32) {
    return absl::InvalidArgumentError("generator spec: candidates x variants is more than 2^32");
  }
  if (!manifest.labels().empty() && !manifest.phenotypes().empty()) {
    return absl::InvalidArgumentError("a chain is conditioned on labels or on phenotypes, the manifest has both");
  }
  if (manifest.phased() && manifest.labels().empty()) {
    return absl::InvalidArgumentError("a chain of haplotypes needs labels, the manifest has none");
  }
  if (!manifest.labels().empty() && spec.classes() != manifest.labels_size()) {
    return absl::InvalidArgumentError(absl::StrCat("generator spec: classes is ", spec.classes(), ", the manifest has ",
                                                   manifest.labels_size(), " labels"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Generator>> MakeChainGenerator(const v1::Manifest& manifest, const TensorMap& weights) {
  GENOSERVE_RETURN_IF_ERROR(CheckChainSpec(manifest));
  GENOSERVE_ASSIGN_OR_RETURN(ChainGraph graph, ChainGraph::FromTensors(manifest, weights));
  std::optional<ChainConditions> conditions;
  if (manifest.labels().empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(conditions, ChainConditions::FromTensors(manifest, graph.classes(), weights));
    const double scores = static_cast<double>(graph.chromosomes()) * manifest.generator().chain().candidates() *
                          static_cast<double>(conditions->inputs());
    if (scores > kMostScores) {
      return absl::InvalidArgumentError(absl::StrCat(
          "generator spec: chromosomes x candidates x inputs of phenotypes is ", scores, "; it may be ", kMostScores));
    }
  }
  return std::make_unique<ChainGenerator>(manifest, std::move(graph), std::move(conditions));
}

}  // namespace genoserve

#include "trainer/chain/chain_recipe.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/model/chain_generator.h"
#include "trainer/chain/borrowing.h"
#include "trainer/chain/chain_builder.h"

namespace genoserve {
namespace {

class ChainRecipe final : public Recipe {
 public:
  ChainRecipe(const v1::Manifest& manifest, const TrainingSet& data)
      : spec_(manifest.generator().chain()), data_(data), total_steps_(ChainSteps(manifest)) {}

  absl::Status SetUp() {
    const size_t per_sample = RowsPerSample(data_.genotypes.packing());
    std::vector<std::vector<size_t>> own(static_cast<size_t>(spec_.classes()));
    for (size_t row = 0; row < data_.genotypes.rows(); ++row) {
      own[static_cast<size_t>(data_.labels[row / per_sample])].push_back(row);
    }
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i].empty()) return absl::InvalidArgumentError(absl::StrCat("class ", i, " has no training rows"));
    }
    Borrow(own);
    Begin();
    return absl::OkStatus();
  }

  absl::StatusOr<Losses> Step() override {
    const size_t variants = data_.genotypes.variants();
    const size_t first = static_cast<size_t>(steps_) * static_cast<size_t>(spec_.block());
    const size_t last = std::min(variants, first + static_cast<size_t>(spec_.block()));
    if (first >= variants) return absl::FailedPreconditionError("the chain is whole");
    std::vector<double> bits(builders_.size(), 0.0);
    ParallelFor(builders_.size(), [&](size_t i) { bits[i] = AddVariants(i, first, last); });
    ++steps_;
    double mean = 0;
    double states = 0;
    for (size_t i = 0; i < bits.size(); ++i) {
      mean += bits[i] / static_cast<double>(bits.size() * (last - first));
      states += static_cast<double>(builders_[i].states()) / static_cast<double>(bits.size());
    }
    return Losses{{"bits", mean}, {"contexts", states}};
  }

  int64_t steps() const override { return steps_; }

  absl::StatusOr<std::string> SaveState() const override {
    std::string state(sizeof(steps_), '\0');
    std::memcpy(state.data(), &steps_, sizeof(steps_));
    return state;
  }

  absl::Status RestoreState(absl::string_view state) override {
    int64_t steps = -1;
    if (state.size() == sizeof(steps)) std::memcpy(&steps, state.data(), sizeof(steps));
    if (steps < 0 || steps > total_steps_) {
      return absl::InvalidArgumentError(absl::StrCat("the state of a chain is a number of steps, 0 to ", total_steps_));
    }
    if (steps < steps_) Begin();
    while (steps_ < steps) GENOSERVE_RETURN_IF_ERROR(Step().status());
    return absl::OkStatus();
  }

  // Nothing is drawn and no rate is there to be lowered.
  void Recover(int /*attempt*/) override {}

  absl::StatusOr<TensorMap> Export() const override {
    if (steps_ < total_steps_) {
      return absl::FailedPreconditionError(
          absl::StrCat("a chain cannot be used before it is whole: ", steps_, " of ", total_steps_, " steps are done"));
    }
    std::vector<const ChainGraph*> graphs;
    for (const ChainBuilder& builder : builders_) graphs.push_back(&builder.graph());
    TensorMap tensors;
    MergeClasses(graphs).ToTensors(tensors);
    return tensors;
  }

 private:
  void Begin() {
    ChainRules rules;
    rules.min_support = static_cast<size_t>(spec_.min_support());
    rules.block = static_cast<size_t>(spec_.block());
    rules.crossover = spec_.crossover();
    rules.kept_context = static_cast<size_t>(spec_.kept_context());
    const size_t symbols = data_.genotypes.packing() == Packing::kHaplotype1Bit ? 2 : 3;
    builders_.clear();
    for (const auto& weights : weights_of_) {
      builders_.emplace_back(rules, weights, symbols, data_.genotypes.variants());
    }
    steps_ = 0;
  }

  // Gives each class its rows, and those of classes that are like it.
  void Borrow(const std::vector<std::vector<size_t>>& own) {
    const size_t classes = own.size();
    std::vector<std::vector<double>> shares(classes, std::vector<double>(classes, 0.0));
    if (spec_.borrowing() > 0 && classes > 1) {
      std::vector<ClassFrequencies> frequencies(classes);
      ParallelFor(classes, [&](size_t i) { frequencies[i] = FrequenciesOf(own[i]); });
      shares = BorrowingWeights(frequencies);
    }
    rows_of_.resize(classes);
    weights_of_.resize(classes);
    for (size_t i = 0; i < classes; ++i) {
      for (size_t other = 0; other < classes; ++other) {
        const double weight = other == i ? 1 : spec_.borrowing() * shares[i][other];
        if (weight <= 0) continue;
        rows_of_[i].insert(rows_of_[i].end(), own[other].begin(), own[other].end());
        weights_of_[i].insert(weights_of_[i].end(), own[other].size(), weight);
      }
    }
  }

  ClassFrequencies FrequenciesOf(const std::vector<size_t>& rows) const {
    const GenotypeMatrix& genotypes = data_.genotypes;
    ClassFrequencies frequencies;
    frequencies.most = genotypes.packing() == Packing::kHaplotype1Bit ? 1 : 2;
    frequencies.rows = static_cast<double>(rows.size());
    frequencies.alleles.assign(genotypes.variants(), 0.0);
    std::vector<uint8_t> codes(genotypes.variants());
    for (const size_t row : rows) {
      genotypes.UnpackRow(row, codes);
      for (size_t v = 0; v < codes.size(); ++v) frequencies.alleles[v] += codes[v];
    }
    for (double& allele : frequencies.alleles) allele /= frequencies.most * frequencies.rows;
    return frequencies;
  }

  // Adds variants [first, last) to the chain of a class; returns the sum of their bits.
  double AddVariants(size_t i, size_t first, size_t last) {
    const std::vector<size_t>& rows = rows_of_[i];
    ChainBuilder& builder = builders_[i];
    // [variant][row]
    std::vector<uint8_t> codes((last - first) * rows.size());
    for (size_t row = 0; row < rows.size(); ++row) {
      for (size_t variant = first; variant < last; ++variant) {
        codes[(variant - first) * rows.size() + row] = static_cast<uint8_t>(data_.genotypes.Get(rows[row], variant));
      }
    }
    double bits = 0;
    for (size_t variant = first; variant < last; ++variant) {
      if (StartsChromosome(variant)) {
        if (variant > 0) builder.EndChromosome();
        builder.StartChromosome(variant);
      }
      builder.Add(variant, {codes.data() + (variant - first) * rows.size(), rows.size()});
      bits += builder.bits();
    }
    if (last == data_.genotypes.variants()) builder.EndChromosome();
    return bits;
  }

  bool StartsChromosome(size_t variant) const {
    return variant == 0 || std::binary_search(data_.chromosome_starts.begin(), data_.chromosome_starts.end(), variant);
  }

  const v1::ChainSpec spec_;
  const TrainingSet& data_;
  const int64_t total_steps_;
  std::vector<std::vector<size_t>> rows_of_;     // [class]
  std::vector<std::vector<double>> weights_of_;  // [class], one a row
  std::vector<ChainBuilder> builders_;           // [class]
  int64_t steps_ = 0;
};

}  // namespace

void FillChain(v1::Manifest& manifest) {
  v1::ChainSpec& spec = *manifest.mutable_generator()->mutable_chain();
  const ChainRules rules;
  spec.set_classes(manifest.labels_size());
  spec.set_min_support(static_cast<int>(rules.min_support));
  spec.set_block(static_cast<int>(rules.block));
  spec.set_crossover(rules.crossover);
  spec.set_kept_context(static_cast<int>(rules.kept_context));
  spec.set_borrowing(0.5);
  spec.set_candidates(1);
}

int64_t ChainSteps(const v1::Manifest& manifest) {
  const int64_t block = std::max(1, manifest.generator().chain().block());
  return (manifest.variant_count() + block - 1) / block;
}

absl::StatusOr<std::unique_ptr<Recipe>> MakeChainRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                        const RecipeSetup& setup) {
  GENOSERVE_RETURN_IF_ERROR(CheckChainSpec(manifest));
  if (setup.total_steps != ChainSteps(manifest)) {
    return absl::InvalidArgumentError(absl::StrCat("a chain of ", manifest.variant_count(), " variants takes ",
                                                   ChainSteps(manifest), " steps, not ", setup.total_steps));
  }
  auto recipe = std::make_unique<ChainRecipe>(manifest, data);
  GENOSERVE_RETURN_IF_ERROR(recipe->SetUp());
  return recipe;
}

}  // namespace genoserve

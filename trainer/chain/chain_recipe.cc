#include "trainer/chain/chain_recipe.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/parallel.h"
#include "core/base/status.h"
#include "core/model/chain_generator.h"
#include "core/model/condition.h"
#include "trainer/chain/borrowing.h"
#include "trainer/chain/chain_builder.h"
#include "trainer/chain/phenotype_effects.h"
#include "trainer/chain/relatedness.h"

namespace genoserve {
namespace {

// People whose rows share a context.
constexpr int kLeastPeople = 5;
// Samples of a class that the trainer finds.
constexpr size_t kLeastClass = 30;
constexpr int64_t kSamplesPerClass = 90;
constexpr int kMostClasses = 32;
// Candidates of a chromosome where phenotypes choose among them.
constexpr int kCandidates = 16;
// Generated rows that the effects of phenotypes are scaled by.
constexpr size_t kScalingRows = 1000;

Tensor ToTensor(const Eigen::MatrixXf& matrix) {
  Tensor tensor{{matrix.rows(), matrix.cols()}, {}};
  tensor.values.reserve(static_cast<size_t>(matrix.size()));
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    for (Eigen::Index j = 0; j < matrix.cols(); ++j) tensor.values.push_back(matrix(i, j));
  }
  return tensor;
}

class ChainRecipe final : public Recipe {
 public:
  ChainRecipe(const v1::Manifest& manifest, const TrainingSet& data, uint64_t seed)
      : manifest_(manifest),
        spec_(manifest_.generator().chain()),
        data_(data),
        seed_(seed),
        total_steps_(ChainSteps(manifest)) {}

  absl::Status SetUp() {
    const size_t per_sample = RowsPerSample(data_.genotypes.packing());
    std::vector<int> classes = data_.labels;
    auto count = static_cast<size_t>(spec_.classes());
    if (manifest_.labels().empty()) {
      GENOSERVE_ASSIGN_OR_RETURN(classes, FindConditions(count));
      count = static_cast<size_t>(*std::max_element(classes.begin(), classes.end())) + 1;
    }
    std::vector<std::vector<size_t>> own(count);
    for (size_t row = 0; row < data_.genotypes.rows(); ++row) {
      own[static_cast<size_t>(classes[row / per_sample])].push_back(row);
    }
    for (size_t i = 0; i < own.size(); ++i) {
      if (own[i].empty()) return absl::InvalidArgumentError(absl::StrCat("class ", i, " has no training rows"));
    }
    Borrow(own);
    for (size_t i = 0; i < rows_of_.size(); ++i) {
      if (rows_of_[i].size() >= static_cast<size_t>(spec_.min_support())) continue;
      const std::string name =
          manifest_.labels().empty() ? absl::StrCat("class ", i) : manifest_.labels(static_cast<int>(i)).name();
      return absl::InvalidArgumentError(absl::StrCat(name, " has ", rows_of_[i].size(),
                                                     " training rows; the contexts of a chain are shared by ",
                                                     spec_.min_support(), " (chain.min_support)"));
    }
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
    graphs.reserve(builders_.size());
    for (const ChainBuilder& builder : builders_) graphs.push_back(&builder.graph());
    TensorMap tensors = conditions_;
    GENOSERVE_ASSIGN_OR_RETURN(ChainGraph graph, MergeClasses(graphs));
    std::move(graph).ToTensors(tensors);
    if (ConditionSize(manifest_) > 0) GENOSERVE_RETURN_IF_ERROR(AddEffects(tensors));
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

  // Finds the classes of samples without labels, one a sample, at most `most`, and what phenotypes have to do with them
  // and with the genotypes.
  absl::StatusOr<std::vector<int>> FindConditions(size_t most) {
    const size_t samples = data_.genotypes.samples();
    const Relatedness relatedness = Relate(data_.genotypes);
    // Components of unrelated people are chance, and those of more samples than are looked at are not known.
    const std::set<int> families(data_.families.begin(), data_.families.end());
    const bool related = 2 * families.size() < data_.families.size() && relatedness.samples.size() == samples;
    std::vector<int> classes =
        related ? FindClasses(relatedness, most, kLeastClass, seed_) : std::vector<int>(samples, 0);
    const int count = *std::max_element(classes.begin(), classes.end()) + 1;
    Tensor& shares = conditions_["chain.class_shares"];
    shares = {{count}, std::vector<float>(static_cast<size_t>(count), 0.0F)};
    for (const int kind : classes) shares.values[static_cast<size_t>(kind)] += 1.0F / static_cast<float>(samples);
    const size_t inputs = ConditionSize(manifest_);
    if (inputs == 0) return classes;
    Eigen::MatrixXd conditions(relatedness.samples.size(), inputs);
    std::vector<double> values(data_.phenotypes.size());
    std::vector<float> encoded(inputs);
    for (size_t i = 0; i < relatedness.samples.size(); ++i) {
      for (size_t p = 0; p < values.size(); ++p) values[p] = data_.phenotypes[p][relatedness.samples[i]];
      GENOSERVE_RETURN_IF_ERROR(EncodeCondition(manifest_, values, encoded));
      for (size_t p = 0; p < inputs; ++p) {
        conditions(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(p)) = static_cast<double>(encoded[p]);
      }
    }
    DescribeClasses(relatedness, classes, count, conditions);
    effects_ = FitPhenotypes(relatedness, conditions);
    return classes;
  }

  // Adds the effects of genotypes on phenotypes, scaled by rows that the chain makes for the training phenotypes while
  // no candidates are chosen.
  absl::Status AddEffects(TensorMap& tensors) const {
    PhenotypeEffects effects = effects_;
    SetEffects(effects, tensors);
    v1::Manifest plain = manifest_;
    plain.mutable_generator()->mutable_chain()->set_candidates(1);
    GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, MakeChainGenerator(plain, tensors));
    const size_t rows = std::min(data_.genotypes.samples(), kScalingRows);
    Eigen::MatrixXf codes(rows, data_.genotypes.variants());
    std::vector<uint8_t> row(data_.genotypes.variants());
    std::vector<double> phenotypes(data_.phenotypes.size());
    for (size_t i = 0; i < rows; ++i) {
      const size_t sample = i * data_.genotypes.samples() / rows;
      for (size_t p = 0; p < phenotypes.size(); ++p) phenotypes[p] = data_.phenotypes[p][sample];
      GenotypeMatrix made(Packing::kDiploid2Bit, 1, row.size());
      const SampleSpec spec = {.seed = seed_, .sample = i, .label = -1, .phenotypes = phenotypes};
      GENOSERVE_RETURN_IF_ERROR(generator->Generate({&spec, 1}, {}, made));
      made.UnpackRow(0, row);
      for (size_t v = 0; v < row.size(); ++v) {
        codes(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(v)) = static_cast<float>(row[v]);
      }
    }
    ScaleTo((codes * effects.effects.transpose()).cast<double>(), effects);
    SetEffects(effects, tensors);
    return absl::OkStatus();
  }

  static void SetEffects(const PhenotypeEffects& effects, TensorMap& tensors) {
    tensors["chain.effects"] = ToTensor(effects.effects);
    tensors["chain.offsets"] = ToTensor(effects.offsets);
    tensors["chain.offsets"].shape = {effects.offsets.size()};
    tensors["chain.residual_precision"] = ToTensor(effects.residual_precision);
  }

  // Means of the inputs by class, and how they vary within.
  void DescribeClasses(const Relatedness& relatedness, const std::vector<int>& classes, int count,
                       const Eigen::MatrixXd& conditions) {
    Eigen::MatrixXd means = Eigen::MatrixXd::Zero(count, conditions.cols());
    Eigen::VectorXd sizes = Eigen::VectorXd::Zero(count);
    for (Eigen::Index i = 0; i < conditions.rows(); ++i) {
      const int kind = classes[relatedness.samples[static_cast<size_t>(i)]];
      means.row(kind) += conditions.row(i);
      sizes[kind] += 1;
    }
    for (int kind = 0; kind < count; ++kind) means.row(kind) /= std::max(1.0, sizes[kind]);
    Eigen::MatrixXd within = conditions;
    for (Eigen::Index i = 0; i < conditions.rows(); ++i) {
      within.row(i) -= means.row(classes[relatedness.samples[static_cast<size_t>(i)]]);
    }
    conditions_["chain.class_means"] = ToTensor(means.cast<float>());
    conditions_["chain.class_precision"] = ToTensor(PrecisionOf(within));
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

  const v1::Manifest manifest_;
  const v1::ChainSpec& spec_;
  const TrainingSet& data_;
  const uint64_t seed_;
  const int64_t total_steps_;
  std::vector<std::vector<size_t>> rows_of_;     // [class]
  std::vector<std::vector<double>> weights_of_;  // [class], one a row
  TensorMap conditions_;                         // of ChainConditions, but for the effects
  PhenotypeEffects effects_;
  std::vector<ChainBuilder> builders_;  // [class]
  int64_t steps_ = 0;
};

}  // namespace

void FillChain(v1::Manifest& manifest) {
  v1::ChainSpec& spec = *manifest.mutable_generator()->mutable_chain();
  const ChainRules rules;
  const int64_t clusters = manifest.training().samples() / kSamplesPerClass;
  spec.set_classes(manifest.labels_size() > 0 ? manifest.labels_size()
                                              : static_cast<int>(std::clamp<int64_t>(clusters, 1, kMostClasses)));
  spec.set_min_support(kLeastPeople * (manifest.phased() ? 2 : 1));
  spec.set_block(static_cast<int>(rules.block));
  spec.set_crossover(rules.crossover);
  spec.set_kept_context(static_cast<int>(rules.kept_context));
  spec.set_borrowing(0.5);
  spec.set_candidates(manifest.phenotypes_size() > 0 ? kCandidates : 1);
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
  auto recipe = std::make_unique<ChainRecipe>(manifest, data, setup.seed);
  GENOSERVE_RETURN_IF_ERROR(recipe->SetUp());
  return recipe;
}

}  // namespace genoserve

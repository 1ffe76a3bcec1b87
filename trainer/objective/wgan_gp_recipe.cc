// wgan-gp: the training of DiscreteGenoGen's WGAN_GS, started from the data where the recipe asks for it.
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/gpu/torch_guard.h"
#include "core/model/condition.h"
#include "core/model/weights.h"
#include "trainer/objective/adversarial_recipe.h"
#include "trainer/objective/batches.h"
#include "trainer/objective/calibration.h"
#include "trainer/objective/critic_loss.h"
#include "trainer/objective/data_statistics.h"
#include "trainer/objective/generator_weights.h"
#include "trainer/objective/principal_components.h"
#include "trainer/objective/relaxed_draw.h"
#include "trainer/objective/wasserstein.h"
#include "trainer/objective/wgan_gp_networks.h"

namespace genoserve {
namespace {

// Rows that BatchNorm is folded over and frequencies are calibrated on.
constexpr int64_t kCalibrationRows = 1024;
// Variants that are calibrated together, to bound memory.
constexpr int64_t kCalibrationBlock = 2048;

class WganGpRecipe final : public AdversarialRecipe {
 public:
  WganGpRecipe(const v1::Manifest& manifest, const TrainingSet& data, const RecipeSetup& setup)
      : AdversarialRecipe(manifest, data, setup),
        spec_(manifest_.generator().wgan_gp()),
        order_(data.genotypes.rows(), static_cast<size_t>(recipe_.batch_size()), setup.seed),
        real_(data.genotypes, order_, Part(recipe_.batch_size())) {}

  absl::Status SetUp() {
    GENOSERVE_ASSIGN_OR_RETURN(const GeneratorShape shape, ShapeOfGenerator(manifest_));
    GENOSERVE_RETURN_IF_ERROR(EncodeConditions(shape.condition_size));
    return GuardTorch([&] {
      conditions_ = conditions_.to(device_);
      generator_ = InitialGenerator(manifest_, shape, recipe_.start_from_data(), noise_);
      critic_ = InitialCritic(recipe_, manifest_.variant_count(), spec_.condition_size(), noise_);
      if (recipe_.start_from_data() || recipe_.calibrate()) {
        groups_.assign(data_.genotypes.rows(), 0);
        statistics_ = DescribeData(data_.genotypes, groups_, 1, device_);
        frequencies_ = StateFrequencies(statistics_)[0].contiguous();
      }
      if (recipe_.start_from_data()) StartFromData();
      return SetUpOptimizers();
    });
  }

 protected:
  Losses TrainStep() override {
    const int64_t batch = recipe_.batch_size();
    const BatchRows rows = Part(batch);
    const at::Tensor condition = ConditionsOf(real_.Rows(steps()));
    const at::Tensor real = OneHot(real_.Rows(steps()), real_.Batch(steps(), device_));
    double critic_loss = 0;
    for (int i = 0; i < recipe_.critic_steps(); ++i) {
      at::Tensor fake;
      {
        const c10::NoGradGuard no_grad;
        fake = Draw(rows, condition);
      }
      const at::Tensor mix = noise_.Uniform(rows, {1});
      const at::Tensor loss = CriticLossOf(Judge(), real, fake, condition, mix);
      critic_loss += Descend(loss, rows, critic_, *critic_optimizer_) / recipe_.critic_steps();
    }
    const at::Tensor loss =
        GeneratorLoss(Criticise(recipe_, spec_.leaky_slope(), Judge(), Draw(rows, condition), condition));
    return {{"critic", critic_loss}, {"generator", Descend(loss, rows, generator_, *generator_optimizer_)}};
  }

  TensorMap ExportWeights(const Parameters& generator, TrainingNoise& noise) const override {
    TensorMap weights;
    const at::Tensor hidden = FoldWganGpHidden(spec_, generator, noise.Normal({kCalibrationRows, spec_.latent_size()}),
                                               RandomConditions(kCalibrationRows, noise), weights);
    for (const auto& [name, tensor] : generator.items()) {
      if (name.find(".norm.") == std::string::npos) weights.try_emplace(name, FromTorch(tensor));
    }
    if (recipe_.calibrate()) weights["output.bias"] = FromTorch(CalibratedBias(generator, hidden).flatten());
    return weights;
  }

 private:
  absl::Status EncodeConditions(size_t size) {
    const size_t rows = data_.genotypes.rows();
    conditions_ = at::zeros({static_cast<int64_t>(rows), static_cast<int64_t>(size)}, at::kFloat);
    float* to = conditions_.mutable_data_ptr<float>();
    std::vector<double> values(data_.phenotypes.size());
    for (size_t row = 0; row < rows; ++row) {
      for (size_t i = 0; i < values.size(); ++i) values[i] = data_.phenotypes[i][row];
      GENOSERVE_RETURN_IF_ERROR(EncodeCondition(manifest_, values, {to + row * size, size}));
    }
    return absl::OkStatus();
  }

  at::Tensor ConditionsOf(const std::vector<size_t>& rows) const {
    return conditions_.index_select(0, IndexTensor({rows.begin(), rows.end()}, device_));
  }

  at::Tensor RandomConditions(int64_t rows, TrainingNoise& noise) const {
    return conditions_.index_select(
        0, IndexTensor(noise.Integers(static_cast<size_t>(rows), conditions_.size(0)), device_));
  }

  // The batch's deviation makes scores of different rows depend on each other, which the closed form does not know.
  at::Tensor CriticLossOf(const Parameters& judge, const at::Tensor& real, const at::Tensor& fake,
                          const at::Tensor& condition, const at::Tensor& mix) const {
    if (!recipe_.minibatch_deviation()) {
      return CriticLossWithPenalty(recipe_, spec_.leaky_slope(), judge, real, fake, condition, mix);
    }
    const auto score = [&](const at::Tensor& genotypes) {
      return Criticise(recipe_, spec_.leaky_slope(), judge, genotypes, condition);
    };
    return CriticLoss(score(real), score(fake)) + recipe_.gradient_penalty() * GradientPenalty(score, real, fake, mix);
  }

  // Real rows with these codes as one-hots [rows, 3 * variants], planar. The input noise of a row is always the same
  // one.
  at::Tensor OneHot(const std::vector<size_t>& rows, const at::Tensor& codes) const {
    at::Tensor one_hot =
        at::stack({at::eq(codes, 0), at::eq(codes, 1), at::eq(codes, 2)}, 1).to(at::kFloat);  // [rows, 3, variants]
    if (recipe_.input_noise() > 0) {
      for (size_t i = 0; i < rows.size(); ++i) {
        TrainingNoise noise(seed_, device_);
        noise.StartStep(kFirstRowNoise + static_cast<int64_t>(rows[i]));
        const at::Tensor moved = noise.Uniform({1, codes.size(1)}) * recipe_.input_noise();
        at::Tensor row = one_hot[static_cast<int64_t>(i)];
        row.add_(moved * (0.5 - 1.5 * row));
      }
    }
    return one_hot.flatten(1);
  }

  // What the critic sees of generated rows, [rows, 3 * variants].
  at::Tensor Draw(const BatchRows& rows, const at::Tensor& condition) {
    const at::Tensor z = noise_.Normal(rows, {spec_.latent_size()});
    const at::Tensor logits = WganGpLogits(generator_, WganGpHidden(spec_, generator_, z, condition, rows, group_));
    const at::Tensor gumbel = noise_.Gumbel(rows, {logits.size(1), logits.size(2)});
    return GumbelSoftmax(logits, gumbel, Temperature(order_.batches()), recipe_.straight_through()).flatten(1);
  }

  // Biases [3, variants] with which the mean probabilities over the rows of `hidden` are the training frequencies.
  at::Tensor CalibratedBias(const Parameters& generator, const at::Tensor& hidden) const {
    const int64_t variants = manifest_.variant_count();
    const at::Tensor weight = generator["output.weight"].view({3, variants, -1});
    const at::Tensor bias = generator["output.bias"].view({3, variants});
    std::vector<at::Tensor> blocks;
    for (int64_t first = 0; first < variants; first += kCalibrationBlock) {
      const int64_t last = std::min(first + kCalibrationBlock, variants);
      const at::Tensor block_weight = weight.slice(1, first, last).flatten(0, 1);
      const at::Tensor logits = at::mm(hidden, block_weight.t()).view({hidden.size(0), 3, last - first});
      const at::Tensor start = bias.slice(1, first, last);
      blocks.push_back(CalibrateGenotypes(logits, frequencies_.slice(1, first, last), start));
    }
    return at::cat(blocks, 1);
  }

  // Components become the output layer. Their scores are linear in the condition with a normal rest: h = A c + B z.
  void StartFromData() {
    const c10::NoGradGuard no_grad;
    const auto rows = static_cast<int64_t>(data_.genotypes.rows());
    const int64_t count = StartingComponents(spec_.rank(), rows, manifest_.variant_count());
    const PrincipalComponents components =
        FindComponents(data_.genotypes, groups_, statistics_.means, statistics_.deviations, count, noise_);
    at::Tensor skip = generator_["skip.weight"];
    skip.zero_();
    at::Tensor rest = components.scores;
    if (spec_.condition_size() > 0) {
      const at::Tensor mean = at::mean(conditions_, 0, true);
      const at::Tensor centred = conditions_ - mean;
      // The ridge of one row keeps levels that sum to one, or are rare, from making it singular.
      const at::Tensor gram = at::mm(centred.t(), centred) + at::eye(centred.size(1), centred.options());
      const at::Tensor slopes = at::linalg_solve(gram, at::mm(centred.t(), components.scores));  // [condition, count]
      rest = components.scores - at::mm(centred, slopes);
      skip.slice(0, 0, count).slice(1, spec_.latent_size()).copy_(slopes.t());
      generator_["rank.bias"].slice(0, 0, count).copy_(-at::mm(mean, slopes).squeeze(0));
    }
    const at::Tensor covariance = at::mm(rest.t(), rest) / static_cast<double>(rows);
    skip.slice(0, 0, count)
        .slice(1, 0, count)
        .copy_(at::linalg_cholesky(covariance + 1e-5 * at::eye(count, rest.options())));
    const at::Tensor z = noise_.Normal({kCalibrationRows, spec_.latent_size()});
    const at::Tensor inputs = at::cat({z, RandomConditions(kCalibrationRows, noise_)}, 1);
    const at::Tensor hidden = at::addmm(generator_["rank.bias"], inputs, skip.t()).slice(1, 0, count).contiguous();
    const LiabilityModel model = FitLiability(hidden, components.loadings, frequencies_, statistics_.neighbour_r2);
    at::Tensor output = generator_["output.weight"];
    output.zero_();
    const int64_t variants = manifest_.variant_count();
    output.slice(0, variants, 2 * variants).slice(1, 0, count).copy_(model.weights);
    output.slice(0, 2 * variants).slice(1, 0, count).copy_(2 * model.weights);
    generator_["output.bias"].copy_(model.biases.flatten());
  }

  static constexpr int64_t kFirstRowNoise = int64_t{1} << 37;

  const v1::WganGpSpec& spec_;
  BatchOrder order_;
  RealBatches real_;
  std::vector<int64_t> groups_;
  at::Tensor conditions_;  // [rows, condition]
  DataStatistics statistics_;
  at::Tensor frequencies_;  // [3, variants]
};

}  // namespace

absl::StatusOr<std::unique_ptr<Recipe>> MakeWganGpRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                         const RecipeSetup& setup) {
  auto recipe = std::make_unique<WganGpRecipe>(manifest, data, setup);
  GENOSERVE_RETURN_IF_ERROR(recipe->SetUp());
  return recipe;
}

}  // namespace genoserve

// acgan: the training of Genome-AC-GAN, started from the data where the recipe asks for it.
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/model/torch_guard.h"
#include "core/model/weights.h"
#include "trainer/objective/acgan_networks.h"
#include "trainer/objective/adversarial_loss.h"
#include "trainer/objective/adversarial_recipe.h"
#include "trainer/objective/batches.h"
#include "trainer/objective/calibration.h"
#include "trainer/objective/data_statistics.h"
#include "trainer/objective/generator_weights.h"
#include "trainer/objective/polyloss.h"
#include "trainer/objective/principal_components.h"
#include "trainer/objective/relaxed_draw.h"

namespace genoserve {
namespace {

// Rows that frequencies are calibrated on; half of them mirror the others.
constexpr int64_t kCalibrationRows = 1024;

// The label of each haplotype.
std::vector<int> LabelsOfRows(const TrainingSet& data) {
  std::vector<int> labels(data.genotypes.rows());
  for (size_t row = 0; row < labels.size(); ++row) labels[row] = data.labels[row / 2];
  return labels;
}

class AcganRecipe final : public AdversarialRecipe {
 public:
  AcganRecipe(const v1::Manifest& manifest, const TrainingSet& data, const RecipeSetup& setup)
      : AdversarialRecipe(manifest, data, setup),
        spec_(manifest_.generator().acgan()),
        label_count_(manifest_.labels_size()),
        order_(data.genotypes.rows(), static_cast<size_t>(recipe_.batch_size()), setup.seed,
               recipe_.balanced_labels() ? LabelsOfRows(data) : std::vector<int>()) {
    for (const int label : data.labels) row_labels_.insert(row_labels_.end(), 2, label);
  }

  absl::Status SetUp() {
    GENOSERVE_ASSIGN_OR_RETURN(const GeneratorShape shape, ShapeOfGenerator(manifest_));
    return GuardTorch([&] {
      generator_ = InitialGenerator(manifest_, shape, recipe_.start_from_data(), noise_);
      critic_ = InitialDiscriminator(recipe_, manifest_.variant_count(), label_count_, noise_);
      if (recipe_.start_from_data() || recipe_.calibrate()) {
        statistics_ = DescribeData(data_.genotypes, row_labels_, label_count_, device_);
        frequencies_ = StateFrequencies(statistics_).select(1, 1).contiguous();
      }
      if (recipe_.start_from_data()) StartFromData();
      return SetUpOptimizers();
    });
  }

 protected:
  Losses TrainStep() override {
    const int64_t batch = recipe_.batch_size();
    const std::vector<size_t> batch_rows = order_.Rows(steps());
    std::vector<int64_t> real_label_values;
    real_label_values.reserve(batch_rows.size());
    for (const size_t row : batch_rows) real_label_values.push_back(row_labels_[row]);
    const at::Tensor real_labels = IndexTensor(real_label_values, device_);
    const BatchRows rows = Part(batch);
    std::vector<size_t> real_rows;
    real_rows.reserve(rows.rows.size());
    for (const int64_t i : rows.rows) real_rows.push_back(batch_rows[static_cast<size_t>(i)]);
    at::Tensor real = DecodeRows(data_.genotypes, real_rows, device_);
    if (recipe_.input_noise() > 0) {
      const at::Tensor noise = noise_.Normal(rows, {real.size(1)});
      real = real - (noise + 1.0).mul_(recipe_.input_noise()).clamp_(0.0, 0.3);
    }

    // Generated and real rows in one order, cut into the discriminator's steps.
    const at::Tensor fake_labels = FakeLabels(real_labels);
    at::Tensor fake;
    {
      const c10::NoGradGuard no_grad;
      fake = Draw(rows, rows.Of(fake_labels));
    }
    const std::vector<Chunk> chunks = Cut(noise_.Permutation(static_cast<size_t>(2 * batch)), rows);
    const at::Tensor none = at::zeros({batch}, real.options());
    const at::Tensor one = at::ones({batch}, real.options());
    const at::Tensor targets = at::cat(
        {none + TargetNoise(batch), one - noise_.Uniform({batch}) * recipe_.target_noise() - TargetNoise(batch)});
    const at::Tensor alleles = at::cat({fake, real});
    const at::Tensor classes = at::cat({fake_labels, real_labels});
    double critic_loss = 0;
    for (const Chunk& chunk : chunks) {
      const at::Tensor in_batch = IndexTensor(chunk.in_batch, device_);
      const at::Tensor loss =
          Loss(alleles.index_select(0, IndexTensor(chunk.in_part, device_)), targets.index_select(0, in_batch),
               classes.index_select(0, in_batch), chunk.rows, critic_);
      critic_loss += Descend(loss, chunk.rows, critic_, *critic_optimizer_) / static_cast<double>(chunks.size());
    }

    const at::Tensor labels = rows.Of(FakeLabels(real_labels));
    const at::Tensor made = Draw(rows, labels);
    const at::Tensor wanted = rows.Of(one - TargetNoise(batch));
    const at::Tensor loss = Loss(made, wanted, labels, rows, generator_);
    return {{"discriminator", critic_loss}, {"generator", Descend(loss, rows, generator_, *generator_optimizer_)}};
  }

  TensorMap ExportWeights(const Parameters& generator, TrainingNoise& noise) const override {
    TensorMap weights;
    for (const auto& [name, tensor] : generator.items()) weights[name] = FromTorch(tensor);
    if (recipe_.calibrate()) {
      const at::Tensor half = noise.Normal({kCalibrationRows / 2, spec_.latent_size()});
      weights["label_logits"] = FromTorch(LabelLogits(generator, at::cat({half, -half})));
    }
    return weights;
  }

 private:
  // What this process has of one step of the discriminator.
  struct Chunk {
    BatchRows rows;                 // of the chunk
    std::vector<int64_t> in_batch;  // the same among the generated and then the real rows of the whole batch
    std::vector<int64_t> in_part;   // and among those of this process
  };

  // Cuts the generated and real rows of a batch in this order into steps of the discriminator. `part` are the rows of
  // this process, of each kind; a step may have none of them.
  std::vector<Chunk> Cut(const std::vector<int64_t>& order, const BatchRows& part) const {
    const auto total = static_cast<int64_t>(order.size());
    const int64_t length = (total + recipe_.critic_steps() - 1) / recipe_.critic_steps();
    std::vector<Chunk> chunks;
    for (int64_t first = 0; first < total; first += length) {
      Chunk& chunk = chunks.emplace_back();
      chunk.rows.total = std::min(length, total - first);
      for (int64_t i = 0; i < chunk.rows.total; ++i) {
        const int64_t row = order[static_cast<size_t>(first + i)];
        const int64_t place = row % part.total - part.rows.front();
        if (place < 0 || place >= part.count()) continue;
        chunk.rows.rows.push_back(i);
        chunk.in_batch.push_back(row);
        chunk.in_part.push_back(row < part.total ? place : part.count() + place);
      }
    }
    return chunks;
  }

  // Labels for generated rows: uniform, or those of the real batch.
  at::Tensor FakeLabels(const at::Tensor& real_labels) {
    if (!recipe_.uniform_labels()) return real_labels;
    return IndexTensor(noise_.Integers(static_cast<size_t>(real_labels.size(0)), label_count_), device_);
  }

  // |N(.01, .001)| for the paper's targets, whose uniform noise goes to .1.
  at::Tensor TargetNoise(int64_t rows) {
    return (noise_.Normal({rows}) * 0.01 + 0.1).mul_(recipe_.target_noise()).abs_();
  }

  // What the discriminator sees of generated rows, which have these labels.
  at::Tensor Draw(const BatchRows& rows, const at::Tensor& labels) {
    const at::Tensor z = noise_.Normal(rows, {spec_.latent_size()});
    const at::Tensor logits = AcganLogits(generator_, AcganHidden(spec_, generator_, label_count_, z, labels), labels);
    if (spec_.output() == v1::ALLELE_OUTPUT_TANH_THRESHOLD) return at::tanh(logits);
    return RelaxedBernoulli(logits, noise_.Logistic(rows, {logits.size(1)}), Temperature(order_.batches()),
                            recipe_.straight_through());
  }

  at::Tensor Loss(const at::Tensor& alleles, const at::Tensor& validity, const at::Tensor& classes,
                  const BatchRows& rows, const Parameters& trained) {
    const Verdict verdict = Discriminate(recipe_, spec_.leaky_slope(), Judge(), alleles, rows, noise_);
    if (rows.count() == 0)
      return at::sum(verdict.validity) + at::sum(verdict.classes);  // a mean of nothing is no number
    at::Tensor loss = BinaryCrossEntropy(verdict.validity, validity);
    if (recipe_.classifier_weight() > 0) {
      loss = loss + recipe_.classifier_weight() *
                        PolyLoss(verdict.classes, classes, recipe_.polyloss_epsilon(), recipe_.label_smoothing());
    }
    // adamw decays by itself.
    if (recipe_.weight_decay() > 0 && recipe_.optimizer() != "adamw") {
      loss = loss + recipe_.weight_decay() * HiddenKernelSquares(trained);
    }
    return loss;
  }

  // label_logits with which the mean probabilities over z are the training frequencies of each label.
  at::Tensor LabelLogits(const Parameters& generator, const at::Tensor& z) const {
    std::vector<at::Tensor> rows;
    for (int64_t label = 0; label < label_count_; ++label) {
      const at::Tensor labels = at::full({z.size(0)}, label, z.options().dtype(at::kLong));
      const at::Tensor hidden = AcganHidden(spec_, generator, label_count_, z, labels);
      rows.push_back(
          CalibrateAlleles(generator.Linear("output", hidden), frequencies_[label], generator["label_logits"][label]));
    }
    return at::stack(rows);
  }

  // Components within labels become the output layer, z itself the hidden state; see calibration.h.
  void StartFromData() {
    const c10::NoGradGuard no_grad;
    const auto rows = static_cast<int64_t>(data_.genotypes.rows());
    const int64_t count = StartingComponents(spec_.rank(), rows, manifest_.variant_count());
    const PrincipalComponents components =
        FindComponents(data_.genotypes, row_labels_, statistics_.means, statistics_.deviations, count, noise_);
    const at::Tensor half = noise_.Normal({kCalibrationRows / 2, spec_.latent_size()});
    const at::Tensor z = at::cat({half, -half});
    const at::Tensor pooled =
        at::mm((statistics_.group_rows / at::sum(statistics_.group_rows)).unsqueeze(0), frequencies_);
    const LiabilityModel model =
        FitLiability(z.slice(1, 0, count), components.loadings, pooled, statistics_.neighbour_r2);
    generator_["output.weight"].zero_();
    generator_["output.weight"].slice(1, 0, count).copy_(model.weights);
    generator_["output.bias"].zero_();
    generator_["skip.weight"].copy_(at::eye(spec_.rank(), spec_.latent_size(), z.options()));
    generator_["label_logits"].copy_(at::logit(frequencies_));
    generator_["label_logits"].copy_(LabelLogits(generator_, z));
  }

  const v1::AcganSpec& spec_;
  const int64_t label_count_;
  std::vector<int64_t> row_labels_;
  BatchOrder order_;
  DataStatistics statistics_;
  at::Tensor frequencies_;  // [labels, variants]
};

}  // namespace

absl::StatusOr<std::unique_ptr<Recipe>> MakeAcganRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                        const RecipeSetup& setup) {
  auto recipe = std::make_unique<AcganRecipe>(manifest, data, setup);
  GENOSERVE_RETURN_IF_ERROR(recipe->SetUp());
  return recipe;
}

}  // namespace genoserve

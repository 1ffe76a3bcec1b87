// acgan: the training of Genome-AC-GAN, started from the data where the recipe asks for it.
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <utility>

#include "core/base/status.h"
#include "core/gpu/torch_guard.h"
#include "core/model/weights.h"
#include "trainer/objective/acgan_networks.h"
#include "trainer/objective/adversarial_loss.h"
#include "trainer/objective/adversarial_recipe.h"
#include "trainer/objective/allele_layer.h"
#include "trainer/objective/batches.h"
#include "trainer/objective/calibration.h"
#include "trainer/objective/data_statistics.h"
#include "trainer/objective/generator_weights.h"
#include "trainer/objective/polyloss.h"
#include "trainer/objective/principal_components.h"
#include "trainer/objective/products.h"

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
        type_(ProductType(recipe_)),
        order_(data.genotypes.rows(), static_cast<size_t>(recipe_.batch_size()), setup.seed,
               recipe_.balanced_labels() ? LabelsOfRows(data) : std::vector<int>()),
        real_(data.genotypes, order_, Part(recipe_.batch_size())) {
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
    at::Tensor real = real_.Batch(steps(), device_);
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
    const at::Tensor alleles = InOrder(chunks, fake, real);
    const at::Tensor classes = at::cat({fake_labels, real_labels});
    // adamw decays by itself.
    const double decay = recipe_.optimizer() == "adamw" ? 0.0 : recipe_.weight_decay();
    double critic_loss = 0;
    int64_t first = 0;
    for (const Chunk& chunk : chunks) {
      const at::Tensor in_batch = IndexTensor(chunk.in_batch, device_);
      const at::Tensor loss = Loss(alleles.narrow(0, first, chunk.rows.count()), targets.index_select(0, in_batch),
                                   classes.index_select(0, in_batch), chunk.rows);
      critic_loss += Descend(loss, chunk.rows, critic_, *critic_optimizer_, decay) / static_cast<double>(chunks.size());
      first += chunk.rows.count();
    }

    const at::Tensor labels = rows.Of(FakeLabels(real_labels));
    const at::Tensor made = Draw(rows, labels);
    const at::Tensor wanted = rows.Of(one - TargetNoise(batch));
    const at::Tensor loss = Loss(made, wanted, labels, rows);
    return {{"discriminator", critic_loss},
            {"generator", Descend(loss, rows, generator_, *generator_optimizer_, decay)}};
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

  // Generated and real rows of this process in the order of the chunks.
  at::Tensor InOrder(const std::vector<Chunk>& chunks, const at::Tensor& fake, const at::Tensor& real) const {
    std::vector<int64_t> places(static_cast<size_t>(2 * fake.size(0)));
    int64_t place = 0;
    for (const Chunk& chunk : chunks) {
      for (const int64_t row : chunk.in_part) places[static_cast<size_t>(row)] = place++;
    }
    const at::Tensor index = IndexTensor(places, device_);
    at::Tensor ordered = at::empty({place, fake.size(1)}, fake.options());
    ordered.index_copy_(0, index.narrow(0, 0, fake.size(0)), fake);
    ordered.index_copy_(0, index.narrow(0, fake.size(0), fake.size(0)), real.to(type_));
    return ordered;
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
    const at::Tensor z = noise_.Normal(rows, {spec_.latent_size()}).to(type_);
    const at::Tensor hidden = AcganHidden(spec_, generator_, label_count_, z, labels);
    if (spec_.output() == v1::ALLELE_OUTPUT_TANH_THRESHOLD) return at::tanh(AcganLogits(generator_, hidden, labels));
    return DrawAlleles(generator_, hidden, labels, noise_.LogisticRows(rows),
                       {.temperature = Temperature(order_.batches()), .straight_through = recipe_.straight_through()});
  }

  at::Tensor Loss(const at::Tensor& alleles, const at::Tensor& validity, const at::Tensor& classes,
                  const BatchRows& rows) {
    const Verdict verdict = Discriminate(recipe_, spec_.leaky_slope(), Judge(), alleles, rows, noise_);
    if (rows.count() == 0)
      return at::sum(verdict.validity) + at::sum(verdict.classes);  // a mean of nothing is no number
    at::Tensor loss = BinaryCrossEntropy(verdict.validity, validity);
    if (recipe_.classifier_weight() > 0) {
      loss = loss + recipe_.classifier_weight() *
                        PolyLoss(verdict.classes, classes, recipe_.polyloss_epsilon(), recipe_.label_smoothing());
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
  const at::ScalarType type_;  // of the products
  BatchOrder order_;
  RealBatches real_;
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

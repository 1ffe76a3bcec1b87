// What the recipes share: two networks, their optimisers, the average of the generator, and their state.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/batch_rows.h"
#include "trainer/objective/noise.h"
#include "trainer/objective/optimizer.h"
#include "trainer/objective/parameters.h"
#include "trainer/objective/recipe.h"
#include "trainer/objective/spectral_norm.h"

namespace genoserve {

/// Base of the recipes. Derived classes fill the networks and call SetUpOptimizers.
class AdversarialRecipe : public Recipe {
 public:
  absl::StatusOr<Losses> Step() final;
  int64_t steps() const final { return steps_; }
  absl::StatusOr<std::string> SaveState() const final;
  absl::Status RestoreState(absl::string_view state) final;
  void Recover(int attempt) final;
  absl::StatusOr<TensorMap> Export() const final;

 protected:
  AdversarialRecipe(const v1::Manifest& manifest, const TrainingSet& data, const RecipeSetup& setup);

  /// One generator step with its critic steps; may throw LibTorch's exceptions.
  virtual Losses TrainStep() = 0;
  /// Weights for MakeGenerator from those of the average; may throw LibTorch's exceptions.
  virtual TensorMap ExportWeights(const Parameters& generator, TrainingNoise& noise) const = 0;

  /// Makes the optimisers and the average once both networks are there.
  absl::Status SetUpOptimizers();
  /// Temperature of the relaxed draws of this step, linear from start to end: over all steps, or over the passes over
  /// the data, of `pass_steps` steps each, where temperature_by_pass is set.
  double Temperature(int64_t pass_steps) const;
  /// This process' part of a batch.
  BatchRows Part(int64_t rows) const { return BatchRows::Part(rows, group_.rank(), group_.size()); }
  /// One step of the optimiser down the gradient of a loss over a batch. `loss` is its mean over these rows of the
  /// batch, whose other rows the other processes have. Returns the mean over all. With `hidden_decay` the loss has the
  /// penalty of AddHiddenPenalty besides.
  double Descend(const at::Tensor& loss, const BatchRows& rows, const Parameters& parameters, Optimizer& optimizer,
                 double hidden_decay = 0);
  /// The critic as it judges: critic_, its matrices spectrally normalised where spectral_norm is set.
  Parameters Judge() const { return spectral_norm_ != nullptr ? spectral_norm_->Normalised(critic_) : critic_; }

  v1::Manifest manifest_;
  const v1::TrainingRecipe& recipe_;
  const TrainingSet& data_;
  const uint64_t seed_;
  const at::Device device_;

 private:
  const std::unique_ptr<ProcessGroup> lone_;  // where the setup has no group

 protected:
  ProcessGroup& group_;
  TrainingNoise noise_;
  Parameters generator_;
  Parameters critic_;
  std::unique_ptr<Optimizer> generator_optimizer_;
  std::unique_ptr<Optimizer> critic_optimizer_;

 private:
  absl::Status Restore(absl::string_view state);
  // Rates and draws of an attempt, with optimisers that have no state yet.
  absl::Status SetAttempt(int64_t attempt);
  // Every tensor that the next step depends on, by a unique name.
  std::vector<std::pair<std::string, at::Tensor>> StateTensors() const;

  int64_t total_steps_;
  int64_t steps_ = 0;
  int64_t attempt_ = 0;  // of Recover
  Parameters average_;
  std::unique_ptr<SpectralNorm> spectral_norm_;  // of the critic; null = none
};

/// Makes the recipe of an acgan; see MakeRecipe.
absl::StatusOr<std::unique_ptr<Recipe>> MakeAcganRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                        const RecipeSetup& setup);

/// Makes the recipe of a wgan-gp; see MakeRecipe.
absl::StatusOr<std::unique_ptr<Recipe>> MakeWganGpRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                         const RecipeSetup& setup);

}  // namespace genoserve

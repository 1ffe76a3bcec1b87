// A training recipe: networks, losses and optimisers of one architecture behind one step. The loop drives it and knows
// nothing of LibTorch.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/safetensors.h"
#include "core/genotype/genotype_matrix.h"
#include "core/model/generator.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/distributed/process_group.h"

namespace genoserve {

/// What a recipe learns from. The recipe keeps a reference; it must outlive the recipe.
struct TrainingSet {
  GenotypeMatrix genotypes;  ///< haplotypes for acgan, diploid genotypes for wgan-gp; no missing codes
  std::vector<int> labels;   ///< one a sample, index into the manifest's labels; empty where it has none
  /// [phenotype of the manifest][sample]: value in its unit or index of a level; NaN = missing.
  std::vector<std::vector<double>> phenotypes;
  std::vector<int> families;  ///< one a sample, as FamilyClusters numbers them; empty = none are known to be related
  std::vector<size_t> chromosome_starts;  ///< first variant of each chromosome, rising; empty = all are of one
};

/// Losses of one step by name, such as {"critic", -1.2}, for the progress line.
using Losses = std::vector<std::pair<std::string, double>>;

/// Not thread-safe. Deterministic on a CPU: the same manifest, data and seed give the same weights with the same
/// instruction set and number of LibTorch threads. Where several processes train together, Step and RestoreState are
/// called by all of them; the weights stay the same in each, and are those of one process alone up to rounding.
class Recipe {
 public:
  virtual ~Recipe() = default;

  /// One generator step with the critic steps that belong to it. INTERNAL where a loss is not finite, for all processes
  /// alike; UNAVAILABLE where another process was lost in the midst of it, after which only a restart helps.
  virtual absl::StatusOr<Losses> Step() = 0;
  /// Steps done, restored ones included.
  virtual int64_t steps() const = 0;
  /// Everything that the next step depends on: weights, averages, optimisers, position in the data. Raw bytes.
  virtual absl::StatusOr<std::string> SaveState() const = 0;
  /// Continues where SaveState was called, to the bit on a CPU. INVALID_ARGUMENT where it belongs to other sizes. Of
  /// several processes all take the state of process 0, whatever theirs is; their number may have been another one.
  virtual absl::Status RestoreState(absl::string_view state) = 0;
  /// Call after RestoreState where the run diverged: what follows draws anew and at rates of 0.5^`attempt` of those of
  /// the recipe, so that it takes another path. `attempt` is 1 and up, and part of the state.
  virtual void Recover(int attempt) = 0;
  /// Weights for MakeGenerator: averaged, BatchNorm folded, calibrated to the training frequencies where asked for.
  virtual absl::StatusOr<TensorMap> Export() const = 0;
};

/// Names of the presets, for help and errors: chain, acgan, acgan-paper, wgan-gp, wgan-gp-paper.
std::vector<std::string> PresetNames();

/// Fills the manifest's generator spec and training recipe from a preset, for its variant count, labels and
/// phenotypes, which must be there. INVALID_ARGUMENT for an unknown preset, or for one that does not fit the data:
/// acgan needs labels and haplotypes, wgan-gp diploid genotypes.
absl::Status ApplyPreset(absl::string_view preset, v1::Manifest& manifest);

/// What a recipe needs beside manifest and data.
struct RecipeSetup {
  uint64_t seed = 1;
  int64_t total_steps = 1;  ///< what schedules run over
  DeviceKind device = DeviceKind::kCpu;
  ProcessGroup* group = nullptr;  ///< that trains together; null = this process alone. Must outlive the recipe.
};

/// Makes a recipe; all processes of the group do. The manifest must be filled by ApplyPreset (and may have been edited
/// since). INVALID_ARGUMENT with the setting where sizes or rates make no sense, or where a batch has fewer rows than
/// there are processes to share them.
absl::StatusOr<std::unique_ptr<Recipe>> MakeRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                   const RecipeSetup& setup);

/// The same for a process that is alone.
inline absl::StatusOr<std::unique_ptr<Recipe>> MakeRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                          uint64_t seed, int64_t total_steps, DeviceKind device) {
  return MakeRecipe(manifest, data, RecipeSetup{seed, total_steps, device, nullptr});
}

}  // namespace genoserve

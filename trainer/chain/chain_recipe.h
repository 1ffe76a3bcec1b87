// chain: learns a chain for each class, a block of variants a step. No LibTorch.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "genoserve/v1/manifest.pb.h"
#include "trainer/objective/recipe.h"

namespace genoserve {

/// Fills the manifest's generator spec and training recipe with the settings of "chain", for its labels.
void FillChain(v1::Manifest& manifest);

/// Steps that learning takes: one a block of the spec.
int64_t ChainSteps(const v1::Manifest& manifest);

/// Makes the recipe. Its state is the number of its steps: RestoreState takes them anew, which gives the same graph and
/// takes no longer than they took. Its loss is the entropy of a variant given its context, in bits. Export fails with
/// FAILED_PRECONDITION before the last step. INVALID_ARGUMENT where the spec does not fit, or where `total_steps` are
/// not ChainSteps: a chain is whole or of no use.
absl::StatusOr<std::unique_ptr<Recipe>> MakeChainRecipe(const v1::Manifest& manifest, const TrainingSet& data,
                                                        const RecipeSetup& setup);

}  // namespace genoserve

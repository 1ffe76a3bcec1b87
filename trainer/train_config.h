// What a training configuration means: its defaults, and whether it makes sense.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/io/genotype_source.h"
#include "genoserve/v1/manifest.pb.h"
#include "genoserve/v1/train.pb.h"

namespace genoserve {

/// Fills in the defaults that train.proto tells, but those that depend on the data.
void FillDefaults(v1::TrainConfig& config);

/// Whether a configuration with its defaults makes sense as a whole. INVALID_ARGUMENT with all that is wrong and what
/// is allowed; what only the data can tell is found later.
absl::Status CheckTrainConfig(const v1::TrainConfig& config);

/// Fills the manifest's generator and recipe: those of the preset of `config` for the data that the manifest tells of,
/// with the fields of recipe and sizes that `config` sets in their place. Errors are those of ApplyPreset.
absl::Status FillManifest(const v1::TrainConfig& config, v1::Manifest& manifest);

/// The one source of genotypes. INVALID_ARGUMENT where there is none, more than one, or haplotypes without a legend.
absl::StatusOr<GenotypeSource> SourceOf(const v1::TrainInput& input);

/// The files that a training reads, in the order in which its data digest (DigestFiles) takes them. Errors of SourceOf.
absl::StatusOr<std::vector<std::string>> InputFiles(const v1::TrainInput& input);

/// Whether the generator is a chain, which is whole or of no use: its steps follow from the data, and no limit of time,
/// no validation on the way and no other process has a part in it.
bool IsChain(const v1::TrainConfig& config);

/// Seconds that the training may take; 0 = no limit.
double MostSeconds(const v1::TrainConfig& config);

/// Whether the generator makes diploid genotypes, and not haplotypes: wgan-gp always, a chain where it is conditioned
/// on phenotypes.
bool MakesDiploids(const v1::TrainConfig& config);

/// Where checkpoints are that the user gave no place: beside the models of the store, where servers do not look; in the
/// current folder where the store is a bucket.
std::string DefaultCheckpointFolder(const v1::TrainConfig& config);

/// The file of the checkpoint.
std::string CheckpointPath(const v1::TrainConfig& config);

/// The steps to take where the user did not say, for a manifest that a preset has filled: those in which the defaults
/// converge on panels of about a thousand variants, fewer with --quick; for the presets of papers, their epochs.
int64_t DefaultSteps(const v1::Manifest& manifest, bool quick);

/// Seconds that --quick trains for at most.
inline constexpr double kQuickSeconds = 35;

}  // namespace genoserve

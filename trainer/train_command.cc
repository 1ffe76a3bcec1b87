#include "trainer/train_command.h"

#include <iostream>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/model/generator.h"
#include "core/quality/gate.h"
#include "core/store/checkpoint_store.h"
#include "trainer/dataset/dataset.h"
#include "trainer/distributed/process_group.h"
#include "trainer/train_config.h"
#include "trainer/training_run.h"
#include "trainer/watch.h"

namespace genoserve {
namespace {

void Tell(absl::string_view line) { std::cerr << line << std::endl; }

// The folder must be there, unless it may be made, and must be writable, before hours are spent.
absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenForPublishing(const v1::TrainConfig& config) {
  if (!config.output().create_store()) {
    const auto store = OpenStore(config.output().store(), false);
    if (absl::IsNotFound(store.status())) {
      return Annotate(store.status(), "add --create-store to make it");
    }
    GENOSERVE_RETURN_IF_ERROR(store.status());
  }
  return OpenStore(config.output().store(), true);
}

DatasetOptions OptionsOf(const v1::TrainConfig& config, GenotypeSource source) {
  const v1::TrainInput& input = config.input();
  DatasetOptions options;
  options.genotypes = std::move(source);
  options.diploid = MakesDiploids(config);
  options.panel = input.panel();
  options.label_column = input.label_column();
  options.phenotypes = input.pheno();
  options.phenotype_names = {input.pheno_names().begin(), input.pheno_names().end()};
  options.categorical = {input.categorical().begin(), input.categorical().end()};
  options.holdout_share = input.holdout_share();
  if (input.min_label_samples() > 0) options.min_label_samples = input.min_label_samples();
  options.log_scale = {input.log_scale().begin(), input.log_scale().end()};
  return options;
}

std::string Describe(const Dataset& dataset) {
  const v1::Manifest& manifest = dataset.manifest;
  std::string text =
      absl::StrFormat("%d samples, %d more kept apart to judge by, %d variants", manifest.training().samples(),
                      manifest.training().holdout_samples(), manifest.variant_count());
  if (manifest.labels_size() > 0) {
    absl::StrAppendFormat(&text, ", %d labels of %s", manifest.labels_size(), manifest.label_column());
  }
  if (manifest.phenotypes_size() > 0) absl::StrAppendFormat(&text, ", %d phenotypes", manifest.phenotypes_size());
  if (manifest.training().imputed_calls() > 0) {
    absl::StrAppendFormat(&text, "; %d missing calls filled in by allele frequency",
                          manifest.training().imputed_calls());
  }
  return text;
}

// The place of this process, on a GPU of its own where the launcher says so.
absl::StatusOr<ProcessPlace> TakePlace(const v1::TrainConfig& config) {
  GENOSERVE_ASSIGN_OR_RETURN(ProcessPlace place, ReadProcessPlace());
  if (place.size > 1 && IsChain(config)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "chain is learned by one process, in seconds to minutes: start it once, without WORLD_SIZE (it is ", place.size,
        ")"));
  }
  GENOSERVE_RETURN_IF_ERROR(TakeOwnGpu(place));
  return place;
}

// Whether there is anything to train, by what process 0 finds in its store.
absl::StatusOr<bool> IsDue(const v1::TrainConfig& config, ProcessGroup& group) {
  WatchResult watched;
  if (group.rank() == 0) {
    GENOSERVE_ASSIGN_OR_RETURN(watched, Watch(config));
    Tell(watched.reason);
  }
  return group.Any(watched.train);
}

}  // namespace

absl::Status Train(const v1::TrainConfig& config, const TrainStart& start) {
  GENOSERVE_ASSIGN_OR_RETURN(GenotypeSource source, SourceOf(config.input()));
  GENOSERVE_RETURN_IF_ERROR(ReadGate(config.output().gate()).status());
  GENOSERVE_ASSIGN_OR_RETURN(const DeviceChoice choice, ParseDeviceChoice(config.schedule().device()));
  GENOSERVE_ASSIGN_OR_RETURN(const ProcessPlace place, TakePlace(config));
  GENOSERVE_ASSIGN_OR_RETURN(const DeviceKind device, ResolveDevice(choice));
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<ProcessGroup> group,
                             JoinProcessGroup(place, device == DeviceKind::kCuda));
  if (start.watch) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool due, IsDue(config, *group));
    if (!due) return absl::OkStatus();
  }
  GENOSERVE_ASSIGN_OR_RETURN(Dataset dataset, LoadDataset(OptionsOf(config, std::move(source))));
  std::unique_ptr<CheckpointStore> store;
  if (place.rank == 0) {
    GENOSERVE_ASSIGN_OR_RETURN(store, OpenForPublishing(config));
    Tell(Describe(dataset));
    for (const std::string& note : dataset.notes) Tell(note);
  }
  return TrainingRun(config, start, store.get(), std::move(dataset), device, *group).Run();
}

}  // namespace genoserve

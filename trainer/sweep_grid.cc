#include "trainer/sweep_grid.h"

#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "trainer/config_field.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

// What a sweep sets itself, or what makes no other generator.
bool IsForSweeps(const std::string& field) {
  static const std::set<std::string>* const others =
      new std::set<std::string>{"schedule.checkpoint", "schedule.checkpoint_seconds", "schedule.metrics_port",
                                "schedule.metrics_host", "schedule.tensorboard"};
  return !absl::StartsWith(field, "output.") && !others->contains(field);
}

absl::Status CheckAxes(const v1::TrainConfig& config) {
  if (config.sweep().empty()) {
    return absl::InvalidArgumentError(
        "there is nothing to sweep: give axes in the file of --config, such as sweep { field: \"recipe.batch_size\" "
        "values: [\"64\", \"256\"] }");
  }
  std::set<std::string> fields;
  int64_t runs = 1;
  for (const v1::SweepAxis& axis : config.sweep()) {
    const std::string name = absl::StrCat("sweep of ", axis.field());
    if (!fields.insert(axis.field()).second) return absl::InvalidArgumentError(name + ": is there twice");
    if (!IsForSweeps(axis.field())) {
      return absl::InvalidArgumentError(name + ": is no setting that makes another generator");
    }
    if (axis.values().empty()) return absl::InvalidArgumentError(name + ": has no values");
    const std::set<std::string> values(axis.values().begin(), axis.values().end());
    if (static_cast<int>(values.size()) < axis.values_size()) {
      return absl::InvalidArgumentError(name + ": has a value twice");
    }
    runs *= axis.values_size();
    if (runs > kMostSweepRuns) {
      return absl::InvalidArgumentError(
          absl::StrCat("a sweep has at most ", kMostSweepRuns, " runs, these axes have more"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<SweepPoint>> SweepGrid(const v1::TrainConfig& config) {
  GENOSERVE_RETURN_IF_ERROR(CheckAxes(config));
  std::vector<SweepPoint> points(1);
  points[0].config = config;
  points[0].config.clear_sweep();
  for (const v1::SweepAxis& axis : config.sweep()) {
    std::vector<SweepPoint> finer;
    for (const SweepPoint& point : points) {
      for (const std::string& value : axis.values()) {
        SweepPoint next = point;
        next.values.push_back(value);
        GENOSERVE_RETURN_IF_ERROR(Annotate(SetField(next.config, axis.field(), {value}), "sweep"));
        finer.push_back(std::move(next));
      }
    }
    points = std::move(finer);
  }
  for (const SweepPoint& point : points) GENOSERVE_RETURN_IF_ERROR(Annotate(CheckTrainConfig(point.config), "sweep"));
  return points;
}

}  // namespace genoserve

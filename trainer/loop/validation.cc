#include "trainer/loop/validation.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/quality/evenly_spaced.h"
#include "core/quality/gate.h"

namespace genoserve {
namespace {

// What a validation tells, in this order.
struct Told {
  absl::string_view name;
  absl::string_view label;
};
constexpr Told kTold[] = {
    {"cover.f1", ""},     {"cover.precision", ""}, {"cover.recall", ""},         {"af.rmse", ""},
    {"ld.r2_rmse", ""},   {"ld.decay_rmse", ""},   {"privacy.aa", ""},           {"privacy.aa_truth", ""},
    {"privacy.loss", ""}, {"mia.auc", "distance"}, {"mia.auc", "density ratio"},
};

const v1::Figure* Find(const v1::Quality& quality, absl::string_view name, absl::string_view label) {
  for (const v1::Figure& figure : quality.figures()) {
    if (figure.name() == name && figure.label() == label) return &figure;
  }
  return nullptr;
}

// A part of the fidelity; 0 where the figure, or its floor, could not be measured.
template <typename Part>
double PartOf(const v1::Quality& quality, absl::string_view name, const Part& part) {
  const v1::Figure* const figure = Find(quality, name, "");
  if (figure == nullptr || !figure->has_value() || !figure->has_floor()) return 0;
  const double value = part(figure->value(), figure->floor().value());
  return std::isfinite(value) ? std::clamp(value, 0.0, 1.0) : 0;
}

// Errors: how small one is beside the floor's.
double OfError(double value, double floor) { return value <= floor ? 1 : floor / value; }
double OfShare(double value, double floor) { return value >= floor ? 1 : value / floor; }
double OfAccuracy(double value, double floor) { return 1 - 2 * std::abs(value - floor); }

// Whether the quick figures have what the limit is of.
bool IsThere(const v1::Limit& limit, const v1::Quality& quality) {
  return std::any_of(quality.figures().begin(), quality.figures().end(), [&](const v1::Figure& figure) {
    return figure.name() == limit.figure() && (limit.label() == "*" || figure.label() == limit.label());
  });
}

int BrokenLimits(const v1::Gate& gate, v1::Quality* quality) {
  v1::Gate hard;
  for (const v1::Limit& limit : gate.limits()) {
    if (limit.hard() && IsThere(limit, *quality)) *hard.add_limits() = limit;
  }
  return hard.limits().empty() ? 0 : Judge(hard, "", quality->mutable_figures()).breaches_size();
}

TrainingSet Picked(const TrainingSet& samples, size_t most) {
  const std::vector<size_t> picked = EvenlySpaced(samples.genotypes.samples(), most);
  TrainingSet some;
  some.genotypes = samples.genotypes.SelectSamples(picked);
  for (const size_t i : picked) {
    if (!samples.labels.empty()) some.labels.push_back(samples.labels[i]);
  }
  for (const std::vector<double>& values : samples.phenotypes) {
    std::vector<double>& to = some.phenotypes.emplace_back();
    for (const size_t i : picked) to.push_back(values[i]);
  }
  return some;
}

std::vector<int> PickedFamilies(const std::vector<int>& families, size_t most) {
  std::vector<int> picked;
  for (const size_t i : EvenlySpaced(families.size(), most)) picked.push_back(families[i]);
  return picked;
}

}  // namespace

v1::Validation ScoreFigures(const v1::Gate& gate, v1::Quality quality) {
  v1::Validation validation;
  for (const Told& told : kTold) {
    const v1::Figure* const figure = Find(quality, told.name, told.label);
    if (figure == nullptr || !figure->has_value()) continue;
    v1::ValidationFigure& added = *validation.add_figures();
    added.set_name(absl::StrCat(told.name, told.label.empty() ? "" : " of ", told.label));
    added.set_value(figure->value());
  }
  validation.set_fidelity((PartOf(quality, "cover.f1", OfShare) + PartOf(quality, "ld.r2_rmse", OfError) +
                           PartOf(quality, "af.rmse", OfError) + PartOf(quality, "privacy.aa", OfAccuracy)) /
                          4);
  validation.set_broken_limits(BrokenLimits(gate, &quality));
  validation.set_score(validation.fidelity() - (validation.broken_limits() > 0 ? 1 + validation.broken_limits() : 0));
  return validation;
}

Validator::Validator(const v1::Manifest& manifest, const RealSamples& real, v1::Gate gate, DeviceKind device)
    : manifest_(manifest),
      like_(Picked(real.training, kValidationSamples)),
      training_(Picked(real.training, 3 * kValidationSamples)),
      holdout_(Picked(real.holdout, kValidationSamples)),
      families_(PickedFamilies(real.families, 3 * kValidationSamples)),
      variants_(real.variants),
      gate_(std::move(gate)),
      device_(device) {}

absl::StatusOr<v1::Validation> Validator::Validate(const TensorMap& weights,
                                                   absl::FunctionRef<bool()> should_stop) const {
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator,
                             MakeGenerator(manifest_, weights, {.device = device_}));
  GENOSERVE_ASSIGN_OR_RETURN(GenotypeMatrix genotypes,
                             GenerateLike(*generator, like_, manifest_.training().seed(), should_stop));
  const std::string no_note;
  const RealSamples real{training_, holdout_, families_, variants_, no_note};
  const auto progress = [&](absl::string_view /*stage*/, int /*done*/, int /*stages*/) {
    return should_stop() ? absl::CancelledError("interrupted") : absl::OkStatus();
  };
  GENOSERVE_ASSIGN_OR_RETURN(v1::Quality quality,
                             MeasureGeneratorQuickly(manifest_, real, {like_, std::move(genotypes)}, progress));
  return ScoreFigures(gate_, std::move(quality));
}

}  // namespace genoserve

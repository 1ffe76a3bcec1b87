// Validations: a generator that is still training, measured in seconds beside the hold-out and told in one number.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/model/generator.h"
#include "genoserve/v1/checkpoint.pb.h"
#include "genoserve/v1/manifest.pb.h"
#include "genoserve/v1/quality.pb.h"
#include "trainer/loop/generator_quality.h"

namespace genoserve {

/// Samples of a validation's cohort, and of the hold-out that it is compared with, at most; of the training, three
/// times as many.
inline constexpr size_t kValidationSamples = 1000;

/// The score of figures that MeasureDecisive made. Higher is better, and fidelity buys no privacy: whatever breaks a
/// limit scores under all that keeps them.
///
/// Fidelity is the mean of four parts from 0 to 1, where 1 is as good as real people in the place of the synthetic ones
/// (the floor): floor / value of `ld.r2_rmse` and of `af.rmse`, value / floor of `cover.f1`, each at most 1, and
/// 1 - 2 |value - floor| of `privacy.aa` (adversarial accuracy, for which both sides of the floor are wrong). A part
/// that could not be measured counts as 0.
///
/// Broken limits are those of the gate that are marked `hard` and are of figures that are there. Score = fidelity where
/// none is broken, else fidelity - 1 - broken limits.
v1::Validation ScoreFigures(const v1::Gate& gate, v1::Quality quality);

/// Validates generators of one training. Not thread-safe.
class Validator {
 public:
  /// Of larger sets, samples are picked at even spaces, which keeps the shares of the labels. The variants must outlive
  /// the object.
  Validator(const v1::Manifest& manifest, const RealSamples& real, v1::Gate gate, DeviceKind device);

  /// The validation of the generator with these weights, without its step: a cohort like the training, drawn with the
  /// seed of the manifest, measured and scored. CANCELLED once `should_stop` is true, which is asked after each tile of
  /// the cohort and after each family of figures; errors of MakeGenerator and EqualiseSets.
  absl::StatusOr<v1::Validation> Validate(const TensorMap& weights, absl::FunctionRef<bool()> should_stop) const;

 private:
  const v1::Manifest manifest_;
  const TrainingSet like_;  // whose labels and phenotypes the cohort gets
  const TrainingSet training_;
  const TrainingSet holdout_;
  const std::vector<int> families_;
  const VariantTable& variants_;
  const v1::Gate gate_;
  const DeviceKind device_;
};

}  // namespace genoserve

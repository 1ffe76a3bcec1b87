// How the phenotypes that are asked for choose a row of a chain: first its class, then, chromosome by chromosome, one
// of several candidates by what their genotypes predict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "core/base/philox.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// Where a model has no labels. With P = ConditionSize() inputs of EncodeCondition, tensors of an artifact, all F32:
/// chain.class_shares [classes], of the training rows; chain.class_means [classes, P]; chain.class_precision [P, P],
/// the inverse of the covariance of the inputs within classes; chain.effects [P, variants], what a code adds to the
/// prediction of an input; chain.offsets [P], the prediction of a row of zeros; chain.residual_precision [P, P], the
/// inverse of the covariance of what the prediction leaves. Without phenotypes only chain.class_shares.
///
/// A row g for the inputs c has a density in proportion to P(g | class) P(class) N(c; class) and, over candidates of
/// the chain, to N(c; prediction of g, residual): the second by Gibbs sampling of one chromosome at a time (Geman and
/// Geman 1984). All arithmetic is in one order and without libm, so that the choice is the same on every machine.
class ChainConditions {
 public:
  /// Reads and checks the tensors. INVALID_ARGUMENT names what is wrong.
  static absl::StatusOr<ChainConditions> FromTensors(const v1::Manifest& manifest, size_t classes,
                                                     const TensorMap& tensors);

  size_t inputs() const { return inputs_; }

  /// The class of a row with these inputs; `numbers` decides.
  size_t ChooseClass(std::span<const float> condition, const PhiloxStream& numbers) const;

  /// What variants [first, first + codes.size()) with these codes add to the predictions; `scores` has inputs() places.
  void Score(std::span<const uint8_t> codes, size_t first, std::span<double> scores) const;

  /// The candidate to take of each chromosome, from [chromosome][candidate][input] scores.
  std::vector<size_t> ChooseCandidates(std::span<const double> scores, size_t chromosomes, size_t candidates,
                                       std::span<const float> condition, const PhiloxStream& numbers) const;

 private:
  size_t inputs_ = 0;
  size_t variants_ = 0;
  std::vector<float> shares_;
  std::vector<float> means_;
  std::vector<float> class_precision_;
  std::vector<float> effects_;
  std::vector<float> offsets_;
  std::vector<float> residual_precision_;
};

}  // namespace genoserve

// Compiled with -ffp-contract=off: the same bits on every machine.
#include "core/model/chain_conditions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "core/model/condition.h"
#include "core/model/stable_exp.h"

namespace genoserve {
namespace {

constexpr int kSweeps = 3;
constexpr size_t kLanes = 8;

absl::Status Take(const TensorMap& tensors, const char* name, const std::vector<size_t>& shape,
                  std::vector<float>& values) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", name, " is missing"));
  const std::vector<int64_t> wanted(shape.begin(), shape.end());
  if (found->second.shape != wanted || !found->second.words.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("weights: tensor ", name, " is not F32 of shape [", absl::StrJoin(wanted, ", "), "]"));
  }
  values = found->second.values;
  if (std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); })) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", name, " has values that are not finite"));
}

// Sums side by side, so that the compiler may use vectors and the order of additions is still written down.
GENOSERVE_VECTOR_CLONES
double Dot(const float* __restrict effects, const uint8_t* __restrict codes, size_t size) {
  std::array<double, kLanes> sums{};
  size_t v = 0;
  for (; v + kLanes <= size; v += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      sums[lane] += static_cast<double>(effects[v + lane]) * codes[v + lane];
    }
  }
  for (; v < size; ++v) sums[v % kLanes] += static_cast<double>(effects[v]) * codes[v];
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

// d'Md.
double Quadratic(std::span<const double> d, std::span<const float> matrix) {
  double sum = 0;
  for (size_t i = 0; i < d.size(); ++i) {
    double row = 0;
    for (size_t j = 0; j < d.size(); ++j) row += static_cast<double>(matrix[i * d.size() + j]) * d[j];
    sum += d[i] * row;
  }
  return sum;
}

// An index with probability in proportion to prior[i] e^log_weights[i]; an empty prior is 1 throughout.
size_t Choose(std::span<const double> log_weights, std::span<const float> prior, uint32_t number) {
  const double highest = *std::max_element(log_weights.begin(), log_weights.end());
  std::vector<double> weights(log_weights.size());
  double total = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    weights[i] = static_cast<double>(StableExpInline(static_cast<float>(log_weights[i] - highest)));
    if (!prior.empty()) weights[i] *= static_cast<double>(prior[i]);
    total += weights[i];
  }
  double left = ToUniform(number) * total;
  for (size_t i = 0; i + 1 < weights.size(); ++i) {
    if (left < weights[i]) return i;
    left -= weights[i];
  }
  return weights.size() - 1;
}

}  // namespace

absl::StatusOr<ChainConditions> ChainConditions::FromTensors(const v1::Manifest& manifest, size_t classes,
                                                             const TensorMap& tensors) {
  ChainConditions conditions;
  const size_t inputs = conditions.inputs_ = ConditionSize(manifest);
  const size_t variants = conditions.variants_ = static_cast<size_t>(manifest.variant_count());
  GENOSERVE_RETURN_IF_ERROR(Take(tensors, "chain.class_shares", {classes}, conditions.shares_));
  if (!std::all_of(conditions.shares_.begin(), conditions.shares_.end(), [](float share) { return share > 0; })) {
    return absl::InvalidArgumentError("weights: chain.class_shares has a share that is not above 0");
  }
  if (inputs == 0) return conditions;
  GENOSERVE_RETURN_IF_ERROR(Take(tensors, "chain.class_means", {classes, inputs}, conditions.means_));
  GENOSERVE_RETURN_IF_ERROR(Take(tensors, "chain.class_precision", {inputs, inputs}, conditions.class_precision_));
  GENOSERVE_RETURN_IF_ERROR(Take(tensors, "chain.effects", {inputs, variants}, conditions.effects_));
  GENOSERVE_RETURN_IF_ERROR(Take(tensors, "chain.offsets", {inputs}, conditions.offsets_));
  GENOSERVE_RETURN_IF_ERROR(
      Take(tensors, "chain.residual_precision", {inputs, inputs}, conditions.residual_precision_));
  return conditions;
}

size_t ChainConditions::ChooseClass(std::span<const float> condition, const PhiloxStream& numbers) const {
  std::vector<double> log_weights(shares_.size(), 0.0);
  std::vector<double> distance(inputs_);
  for (size_t kind = 0; kind < shares_.size() && inputs_ > 0; ++kind) {
    for (size_t i = 0; i < inputs_; ++i) {
      distance[i] = static_cast<double>(condition[i]) - static_cast<double>(means_[kind * inputs_ + i]);
    }
    log_weights[kind] = -0.5 * Quadratic(distance, class_precision_);
  }
  return Choose(log_weights, shares_, numbers.Bits(0));
}

void ChainConditions::Score(std::span<const uint8_t> codes, size_t first, std::span<double> scores) const {
  for (size_t i = 0; i < inputs_; ++i) {
    scores[i] = Dot(effects_.data() + i * variants_ + first, codes.data(), codes.size());
  }
}

std::vector<size_t> ChainConditions::ChooseCandidates(std::span<const double> scores, size_t chromosomes,
                                                      size_t candidates, std::span<const float> condition,
                                                      const PhiloxStream& numbers) const {
  const auto score = [&](size_t chromosome, size_t candidate) {
    return scores.subspan((chromosome * candidates + candidate) * inputs_, inputs_);
  };
  std::vector<size_t> chosen(chromosomes, 0);
  // What the row leaves of the inputs, without the chromosome at hand.
  std::vector<double> rest(inputs_);
  for (size_t i = 0; i < inputs_; ++i) {
    rest[i] = static_cast<double>(condition[i]) - static_cast<double>(offsets_[i]);
    for (size_t chromosome = 0; chromosome < chromosomes; ++chromosome) rest[i] -= score(chromosome, 0)[i];
  }
  std::vector<double> left(inputs_);
  std::vector<double> log_weights(candidates);
  uint32_t draw = 1;  // 0 decided the class
  for (int sweep = 0; sweep < kSweeps; ++sweep) {
    for (size_t chromosome = 0; chromosome < chromosomes; ++chromosome) {
      const auto old = score(chromosome, chosen[chromosome]);
      for (size_t i = 0; i < inputs_; ++i) rest[i] += old[i];
      for (size_t candidate = 0; candidate < candidates; ++candidate) {
        const auto one = score(chromosome, candidate);
        for (size_t i = 0; i < inputs_; ++i) left[i] = rest[i] - one[i];
        log_weights[candidate] = -0.5 * Quadratic(left, residual_precision_);
      }
      chosen[chromosome] = Choose(log_weights, {}, numbers.Bits(draw++));
      const auto taken = score(chromosome, chosen[chromosome]);
      for (size_t i = 0; i < inputs_; ++i) rest[i] -= taken[i];
    }
  }
  return chosen;
}

}  // namespace genoserve

#include "trainer/chain/smoothing.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace genoserve {
namespace {

constexpr double kLeastWeight = 1e-9;       // of rows that are there: differences of sums are not exact
constexpr double kLeastProbability = 1e-6;  // of a code that no other row has

}  // namespace

Smoothing::Weights Smoothing::WeightsOf(const Context& context) const {
  Weights weights{};
  for (size_t s = 0; s < symbols_; ++s) {
    // Whether a code is there at all is told by counts, which have no rounding.
    if (Count(context, s) == 0) continue;
    weights[s] = std::max(weights_before_[context.high * symbols_ + s] - weights_before_[context.low * symbols_ + s],
                          kLeastWeight);
  }
  return weights;
}

double Smoothing::BestStrength() const {
  const std::vector<Context>& contexts = tree_.contexts();
  // [context][symbol]: rows that have a longer context, and their weights.
  std::vector<uint32_t> longer(contexts.size() * symbols_, 0);
  std::vector<double> longer_weights(contexts.size() * symbols_, 0.0);
  std::vector<std::array<double, 2>> path;  // weight of a code and of all codes, from a context to that of all rows
  std::array<double, kStrengths.size()> logs{};
  for (size_t i = 0; i < contexts.size(); ++i) {
    const Context& context = contexts[i];
    const Weights all = WeightsOf(context);
    const auto codes = static_cast<size_t>(std::count_if(all.begin(), all.end(), [](double one) { return one > 0; }));
    for (size_t s = 0; s < symbols_; ++s) {
      const uint32_t count = Count(context, s);
      const uint32_t own = count - longer[i * symbols_ + s];
      const double own_weight = all[s] - longer_weights[i * symbols_ + s];
      if (context.parent != i) {
        longer[context.parent * symbols_ + s] += count;
        longer_weights[context.parent * symbols_ + s] += all[s];
      }
      if (own == 0 || codes < 2 || (count == 1 && codes == 2)) continue;
      const double row = std::max(own_weight / own, kLeastWeight);
      path.clear();
      for (size_t at = i;; at = contexts[at].wider) {
        const Weights here = WeightsOf(contexts[at]);
        const double others = Count(contexts[at], s) > 1 ? std::max(here[s] - row, 0.0) : 0.0;
        path.push_back({others, others + std::accumulate(here.begin(), here.end(), 0.0) - here[s]});
        if (at + 1 == contexts.size()) break;
      }
      for (size_t k = 0; k < kStrengths.size(); ++k) {
        double p = path.back()[0] / path.back()[1];
        for (size_t step = path.size() - 1; step-- > 0;) {
          p = (path[step][0] + kStrengths[k] * p) / (path[step][1] + kStrengths[k]);
        }
        logs[k] += own * row * std::log(std::max(p, kLeastProbability));
      }
    }
  }
  return kStrengths[static_cast<size_t>(std::max_element(logs.begin(), logs.end()) - logs.begin())];
}

void Smoothing::Probabilities(uint32_t low, uint32_t high, double strength, std::span<double> probabilities) const {
  const Context* context = &tree_.At(low, high);
  const Context* const all = &tree_.contexts().back();
  double prior = 1;  // what the codes of the context at hand weigh in the end
  std::fill(probabilities.begin(), probabilities.end(), 0.0);
  const Weights own = WeightsOf(*context);
  for (;; context = &tree_.contexts()[context->wider]) {
    const Weights weights = WeightsOf(*context);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    const double share = context == all ? prior : prior / (total + strength);
    for (size_t s = 0; s < symbols_; ++s) {
      if (own[s] > 0) probabilities[s] += share * (context == all ? weights[s] / total : weights[s]);
    }
    if (context == all) break;
    prior *= strength / (total + strength);
  }
  const double sum = std::accumulate(probabilities.begin(), probabilities.end(), 0.0);
  for (double& probability : probabilities) probability /= sum;
}

}  // namespace genoserve

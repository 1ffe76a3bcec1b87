#include "trainer/chain/chain_builder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "core/base/status.h"
#include "trainer/chain/smoothing.h"
#include "trainer/chain/tilt.h"

namespace genoserve {
namespace {

// A probability as a cut of 32-bit numbers, never one that makes the choice certain.
uint32_t CutOf(double probability) {
  return static_cast<uint32_t>(std::llround(std::clamp(probability * 0x1p32, 1.0, 0x1p32 - 2)));
}

uint64_t KeyOf(std::pair<uint32_t, uint32_t> interval) {
  return (static_cast<uint64_t>(interval.first) << 32) | interval.second;
}

}  // namespace

ChainBuilder::ChainBuilder(const ChainRules& rules, std::vector<double> weights, size_t symbols, size_t variants)
    : rules_(rules),
      weights_(std::move(weights)),
      symbols_(symbols),
      order_(weights_.size(), symbols),
      graph_(symbols, variants, 1),
      weights_before_((weights_.size() + 1) * symbols) {}

void ChainBuilder::StartChromosome(size_t variant) {
  chromosome_start_ = variant;
  order_.Restart(variant);
  states_.clear();
  const uint32_t root = graph_.OpenNode(variant);
  graph_.AddChromosome(variant, {&root, 1});
  states_.push_back({0, static_cast<uint32_t>(order_.rows()), 1.0, root, {}});
}

void ChainBuilder::Add(size_t variant, std::span<const uint8_t> codes) {
  if (variant != chromosome_start_ && (variant - chromosome_start_) % rules_.block == 0) CrossOver(variant);
  contexts_.Build(order_, rules_.min_support);
  const std::vector<uint32_t> before(order_.order().begin(), order_.order().end());
  order_.Add(variant, codes);
  SetProbabilities(before, codes);
  Advance(variant);
}

void ChainBuilder::EndChromosome() {
  for (State& state : states_) graph_.CloseNode(state.node, state.run, ChainStep::kEnd, {}, {});
  states_.clear();
}

ChainBuilder::Interval ChainBuilder::KeptContext(const State& state, std::span<const uint32_t> group_starts) {
  const uint32_t low = group_starts[state.low];
  // A context that is shorter than what is kept stays as it is.
  if (group_starts[state.high - 1] != low) return {state.low, state.high};
  const auto end = std::upper_bound(group_starts.begin() + state.high - 1, group_starts.end(), low);
  return {low, static_cast<uint32_t>(end - group_starts.begin())};
}

void ChainBuilder::CrossOver(size_t variant) {
  if (rules_.crossover <= 0) return;
  // [place]: first place of the rows that agree with it in all codes that are kept.
  std::vector<uint32_t> group_starts(order_.rows());
  const size_t kept = std::min(rules_.kept_context, variant - chromosome_start_);
  for (uint32_t place = 1; place < group_starts.size(); ++place) {
    group_starts[place] = order_.Agree(place) + kept > variant ? place : group_starts[place - 1];
  }
  std::unordered_map<uint64_t, size_t> known;
  for (size_t i = 0; i < states_.size(); ++i) known.emplace(KeyOf({states_[i].low, states_[i].high}), i);
  const size_t before = states_.size();
  std::vector<size_t> targets(before);
  std::vector<bool> reached(before, false);
  for (size_t i = 0; i < before; ++i) {
    const Interval kept_places = KeptContext(states_[i], group_starts);
    const auto [found, added] = known.emplace(KeyOf(kept_places), states_.size());
    if (added) states_.push_back({kept_places.first, kept_places.second, 0, 0, {}});
    targets[i] = found->second;
    if (targets[i] != i && targets[i] < before) reached[targets[i]] = true;
  }
  // A state that is left or reached goes on in a node of its own; its walks so far lead there.
  std::vector<uint32_t> ended(before);
  std::vector<std::vector<uint8_t>> runs(before);
  std::vector<bool> split(before);
  for (size_t i = 0; i < states_.size(); ++i) {
    if (i < before) {
      split[i] = targets[i] != i || reached[i];
      if (!split[i]) continue;
      ended[i] = states_[i].node;
      runs[i] = std::move(states_[i].run);
      states_[i].run.clear();
    }
    states_[i].node = graph_.OpenNode(variant);
  }
  std::vector<double> gains(states_.size(), 0.0);
  for (size_t i = 0; i < before; ++i) {
    if (!split[i]) continue;
    if (targets[i] == i) {
      graph_.CloseNode(ended[i], runs[i], ChainStep::kJoin, {}, {&states_[i].node, 1});
      continue;
    }
    const uint32_t cut = CutOf(rules_.crossover);
    const std::array<uint32_t, 2> next = {states_[i].node, states_[targets[i]].node};
    graph_.CloseNode(ended[i], runs[i], ChainStep::kCrossover, {&cut, 1}, next);
    const double leaves = states_[i].mass * rules_.crossover;
    gains[i] -= leaves;
    gains[targets[i]] += leaves;
  }
  for (size_t i = 0; i < states_.size(); ++i) states_[i].mass += gains[i];
}

ChainBuilder::Interval ChainBuilder::Supported(Interval places, size_t variant) const {
  auto [low, high] = places;
  const auto rows = static_cast<uint32_t>(order_.rows());
  while (high - low < rules_.min_support && high - low < rows) {
    // The longest context that has more rows.
    const uint32_t agree =
        std::min(low > 0 ? order_.Agree(low) : UINT32_MAX, high < rows ? order_.Agree(high) : UINT32_MAX);
    if (agree > variant) return {0, rows};
    while (low > 0 && order_.Agree(low) <= agree) --low;
    while (high < rows && order_.Agree(high) <= agree) ++high;
  }
  return {low, high};
}

void ChainBuilder::SetProbabilities(std::span<const uint32_t> before, std::span<const uint8_t> codes) {
  for (size_t place = 0; place < before.size(); ++place) {
    std::copy_n(&weights_before_[place * symbols_], symbols_, &weights_before_[(place + 1) * symbols_]);
    weights_before_[(place + 1) * symbols_ + codes[before[place]]] += weights_[before[place]];
  }
  const double* const all = &weights_before_[before.size() * symbols_];
  const double total_weight = std::accumulate(all, all + symbols_, 0.0);
  probabilities_.assign(states_.size() * symbols_, 0.0);
  std::array<double, kMostChainSymbols> fixed{};  // mass of the states with one symbol
  std::vector<double> open;                       // probabilities of the others
  std::vector<double> open_masses;
  const Smoothing smoothing(contexts_, order_, weights_before_, symbols_);
  const double strength = smoothing.BestStrength();
  for (size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    const std::span<double> p(&probabilities_[i * symbols_], symbols_);
    smoothing.Probabilities(state.low, state.high, strength, p);
    for (size_t s = 0; s < symbols_; ++s) {
      if (order_.CountBefore(state.high, s) - order_.CountBefore(state.low, s) == state.high - state.low) {
        p[s] = 1;
        fixed[s] += state.mass;
      }
    }
    if (IsCertain(i)) continue;
    open.insert(open.end(), p.begin(), p.end());
    open_masses.push_back(state.mass);
  }
  bits_ = 0;
  if (open_masses.empty()) return;
  // What the open states must have together, so that with the others it is the frequency of the class.
  std::array<double, kMostChainSymbols> wanted{};
  for (size_t s = 0; s < symbols_; ++s) {
    wanted[s] = all[s] / total_weight - fixed[s];
  }
  const auto factors = TiltFactors(open, open_masses, {wanted.data(), symbols_});
  for (size_t i = 0; i < states_.size(); ++i) {
    double* const p = &probabilities_[i * symbols_];
    if (IsCertain(i)) continue;
    double total = 0;
    for (size_t s = 0; s < symbols_; ++s) total += p[s] *= factors[s];
    for (size_t s = 0; s < symbols_; ++s) {
      p[s] /= total;
      if (p[s] > 0) bits_ -= states_[i].mass * p[s] * std::log2(p[s]);
    }
  }
}

bool ChainBuilder::IsCertain(size_t state) const {
  const double* const p = &probabilities_[state * symbols_];
  return std::count_if(p, p + symbols_, [](double one) { return one > 0; }) == 1;
}

void ChainBuilder::Advance(size_t variant) {
  struct Arrival {
    size_t from;
    uint8_t code;
    bool certain;
    uint32_t arrivals;
  };
  std::unordered_map<uint64_t, size_t> known;
  std::vector<State> next;
  std::vector<Arrival> first_arrival;
  std::vector<size_t> targets(states_.size() * symbols_, SIZE_MAX);
  for (size_t i = 0; i < states_.size(); ++i) {
    for (size_t s = 0; s < symbols_; ++s) {
      const double p = probabilities_[i * symbols_ + s];
      if (p <= 0) continue;
      const uint32_t first = order_.FirstPlace(s);
      const Interval places = Supported(
          {first + order_.CountBefore(states_[i].low, s), first + order_.CountBefore(states_[i].high, s)}, variant);
      const auto [found, added] = known.emplace(KeyOf(places), next.size());
      if (added) {
        next.push_back({places.first, places.second, 0, 0, {}});
        first_arrival.push_back({i, static_cast<uint8_t>(s), IsCertain(i), 0});
      }
      next[found->second].mass += states_[i].mass * p;
      ++first_arrival[found->second].arrivals;
      targets[i * symbols_ + s] = found->second;
    }
  }
  // A context that is reached from one place without a choice goes on in its node.
  std::vector<bool> goes_on(states_.size(), false);
  for (size_t i = 0; i < next.size(); ++i) {
    const Arrival& arrival = first_arrival[i];
    if (arrival.arrivals == 1 && arrival.certain) {
      goes_on[arrival.from] = true;
      next[i].node = states_[arrival.from].node;
      next[i].run = std::move(states_[arrival.from].run);
      next[i].run.push_back(arrival.code);
    } else {
      next[i].node = graph_.OpenNode(variant + 1);
    }
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    if (goes_on[i]) continue;
    const double* const p = &probabilities_[i * symbols_];
    const size_t likely = static_cast<size_t>(std::max_element(p, p + symbols_) - p);
    std::array<uint32_t, kMostChainSymbols> nodes{};
    for (size_t s = 0; s < symbols_; ++s) nodes[s] = next[targets[i * symbols_ + (p[s] > 0 ? s : likely)]].node;
    if (IsCertain(i)) {
      states_[i].run.push_back(static_cast<uint8_t>(likely));
      graph_.CloseNode(states_[i].node, states_[i].run, ChainStep::kJoin, {}, {&nodes[likely], 1});
      continue;
    }
    std::array<uint32_t, kMostChainSymbols> cuts{};
    double sum = 0;
    for (size_t s = 0; s + 1 < symbols_; ++s) {
      sum += p[s];
      const bool more = std::any_of(p + s + 1, p + symbols_, [](double one) { return one > 0; });
      cuts[s] = sum <= 0 ? 0 : more ? CutOf(sum) : UINT32_MAX;
    }
    graph_.CloseNode(states_[i].node, states_[i].run, ChainStep::kDraw, {cuts.data(), symbols_ - 1},
                     {nodes.data(), symbols_});
  }
  states_ = std::move(next);
}

absl::StatusOr<ChainGraph> MergeClasses(std::span<const ChainGraph* const> classes) {
  size_t nodes = 0;
  size_t codes = 0;
  for (const ChainGraph* graph : classes) {
    nodes += graph->nodes();
    codes += graph->codes().size() * 32 / graph->bits_per_code();
  }
  GENOSERVE_RETURN_IF_ERROR(ChainGraph::CheckSize(nodes, codes));
  const ChainGraph& first = *classes.front();
  ChainGraph merged(first.symbols(), first.variants(), classes.size());
  std::vector<uint32_t> offsets;
  offsets.reserve(classes.size());
  for (const ChainGraph* graph : classes) offsets.push_back(merged.Append(*graph));
  for (size_t chromosome = 0; chromosome < first.chromosomes(); ++chromosome) {
    std::vector<uint32_t> roots;
    roots.reserve(classes.size());
    for (size_t i = 0; i < classes.size(); ++i) roots.push_back(classes[i]->Root(chromosome, 0) + offsets[i]);
    merged.AddChromosome(first.Start(chromosome), roots);
  }
  return merged;
}

}  // namespace genoserve

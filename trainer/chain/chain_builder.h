// Learns the chain of one class of rows: a graph of contexts along the chromosomes, each shared by at least
// `min_support` rows, so that no probability rests on fewer people and none can be followed for longer than others are
// like them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/model/chain_graph.h"
#include "trainer/chain/context_tree.h"
#include "trainer/chain/prefix_order.h"

namespace genoserve {

/// How a chain is learned; see ChainSpec.
struct ChainRules {
  size_t min_support = 10;
  size_t block = 64;
  double crossover = 0.06;
  size_t kept_context = 60;
};

/// The graph is made variant by variant, in one pass. A state is a context: the rows that agree in the last so many
/// codes, an interval of PrefixOrder. Behind a code it is extended by it, and shortened until `min_support` rows share
/// it. The next code has the frequency that it has among the rows of the context, smoothed by those of shorter ones
/// (see Smoothing), and tilted by one factor a code and variant so that over all states, weighted by how often a walk
/// comes there, it has the frequency of the class. The chain would drift away from these otherwise, since shortening
/// does not keep them.
///
/// Not thread-safe; the same rows give the same graph.
class ChainBuilder {
 public:
  /// `weights` has one weight above 0 a row, at least one: what a row counts in frequencies. `symbols` is 2 or 3,
  /// `variants` those of the whole model.
  ChainBuilder(const ChainRules& rules, std::vector<double> weights, size_t symbols, size_t variants);

  /// Begins a chromosome before `variant`.
  void StartChromosome(size_t variant);
  /// Takes the codes of the next variant, one a row.
  void Add(size_t variant, std::span<const uint8_t> codes);
  /// Ends the chromosome behind the last variant that was added.
  void EndChromosome();

  /// The graph, of one class. Whole after EndChromosome.
  const ChainGraph& graph() const { return graph_; }
  /// Contexts before the next variant.
  size_t states() const { return states_.size(); }
  /// Entropy of the last code that was added, in bits, given its context.
  double bits() const { return bits_; }

 private:
  // A context, and the node that a walk is in when it is there. The node is open: what follows its run is not known
  // yet.
  struct State {
    uint32_t low = 0;  // places [low, high) of the order
    uint32_t high = 0;
    double mass = 0;  // probability that a walk is here
    uint32_t node = 0;
    std::vector<uint8_t> run;  // codes of the node so far
  };
  using Interval = std::pair<uint32_t, uint32_t>;

  // Lets walks leave their contexts for what they share with more rows.
  void CrossOver(size_t variant);
  // The places of the rows that agree in the last `kept_context` codes with those of a state, which may be more.
  static Interval KeptContext(const State& state, std::span<const uint32_t> group_starts);
  // A context of at least min_support rows around these places of the order behind `variant`.
  Interval Supported(Interval places, size_t variant) const;
  // Sets the probabilities of the codes in the states, tilted. `before` is the order that the states are intervals of.
  void SetProbabilities(std::span<const uint32_t> before, std::span<const uint8_t> codes);
  // Whether a state has one code only.
  bool IsCertain(size_t state) const;
  void Advance(size_t variant);

  const ChainRules rules_;
  const std::vector<double> weights_;  // [row]
  const size_t symbols_;
  PrefixOrder order_;
  ContextTree contexts_;  // before the variant that is being added
  ChainGraph graph_;
  size_t chromosome_start_ = 0;
  std::vector<State> states_;
  std::vector<double> probabilities_;   // [state][symbol]
  std::vector<double> weights_before_;  // [place + 1][symbol]: of the rows before a place
  double bits_ = 0;
};

/// The graph of all classes from those of each; they must be of the same variants and chromosomes. RESOURCE_EXHAUSTED
/// where it would be larger than a graph may be.
absl::StatusOr<ChainGraph> MergeClasses(std::span<const ChainGraph* const> classes);

}  // namespace genoserve

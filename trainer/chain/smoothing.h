// How likely a code is in a context, told by the rows of the context and, as far as these say no more than chance, by
// those of wider ones.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "trainer/chain/context_tree.h"
#include "trainer/chain/prefix_order.h"
#include "trainer/chain/tilt.h"

namespace genoserve {

/// Rows that the shares in a wider context may count as. More would take codes that few contexts have further from what
/// the class has of them than factors of TiltFactors can bring back.
inline constexpr std::array<double, 5> kStrengths = {0.25, 1, 4, 16, 64};

/// The codes of one variant in the contexts before it. The probability of code s in context c is
/// (n(c, s) + strength p(wider(c), s)) / (n(c) + strength), n the weights of rows, and their share in the context of
/// all rows: a Dirichlet prior around the wider context (MacKay and Peto 1995, "A hierarchical Dirichlet language
/// model"). Codes that no row of the context has stay impossible, so that it does not add paths to the graph.
///
/// Without it a context of ten rows repeats what these happen to have, also of variants that have nothing to do with
/// one another, which is what of a chain tells its training people from others.
class Smoothing {
 public:
  /// All three are kept by reference. `tree` is of the order before the variant, `order` has added it since;
  /// `weights_before` is [place + 1][symbol], the weights of the rows before a place of the order before the variant.
  Smoothing(const ContextTree& tree, const PrefixOrder& order, std::span<const double> weights_before, size_t symbols)
      : tree_(tree), order_(order), weights_before_(weights_before), symbols_(symbols) {}

  /// The one of kStrengths that makes the codes of all rows most likely, each row's told by the others. Rows
  /// whose context has one code without them are left out: no strength changes what is drawn there.
  double BestStrength() const;

  /// Sets the probability of each symbol in the context of these places.
  void Probabilities(uint32_t low, uint32_t high, double strength, std::span<double> probabilities) const;

 private:
  using Weights = std::array<double, kMostChainSymbols>;

  uint32_t Count(const Context& context, size_t symbol) const {
    return order_.CountBefore(context.high, symbol) - order_.CountBefore(context.low, symbol);
  }
  Weights WeightsOf(const Context& context) const;

  const ContextTree& tree_;
  const PrefixOrder& order_;
  const std::span<const double> weights_before_;
  const size_t symbols_;
};

}  // namespace genoserve

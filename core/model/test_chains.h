// Small chains with random graphs, for tests of this and other rooms.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/safetensors.h"
#include "core/model/chain_graph.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// A manifest with a chain of `classes` labels L0, L1, ... over haplotypes (`symbols` 2), or of as many clusters of
/// diploid genotypes without labels (3).
inline v1::Manifest ChainManifest(size_t symbols, size_t variants, size_t classes) {
  v1::Manifest manifest;
  manifest.set_ploidy(2);
  manifest.set_phased(symbols == 2);
  manifest.set_variant_count(static_cast<int64_t>(variants));
  for (size_t i = 0; i < classes && symbols == 2; ++i) manifest.add_labels()->set_name(absl::StrCat("L", i));
  v1::ChainSpec& spec = *manifest.mutable_generator()->mutable_chain();
  spec.set_classes(static_cast<int>(classes));
  spec.set_min_support(5);
  spec.set_block(64);
  spec.set_crossover(0.06);
  spec.set_kept_context(60);
  spec.set_candidates(1);
  return manifest;
}

/// A graph with random runs and steps of every kind, two nodes side by side, and the same for the same seed.
inline ChainGraph RandomChain(size_t symbols, size_t variants, size_t classes, std::span<const size_t> starts,
                              uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](size_t count) { return static_cast<size_t>(random() % count); };
  ChainGraph graph(symbols, variants, classes);
  for (size_t chromosome = 0; chromosome < starts.size(); ++chromosome) {
    const size_t end = chromosome + 1 < starts.size() ? starts[chromosome + 1] : variants;
    std::vector<uint32_t> roots;
    for (size_t kind = 0; kind < classes; ++kind) {
      size_t at = starts[chromosome];
      std::vector<uint32_t> open = {graph.OpenNode(at)};
      roots.push_back(open[0]);
      for (bool over = false; !over;) {
        const size_t length = below(std::min<size_t>(end - at, 40) + 1);
        const size_t after = at + length;
        over = at == end || (after == end && below(2) == 0);
        const auto step = over           ? ChainStep::kEnd
                          : after == end ? ChainStep::kJoin
                                         : std::vector{ChainStep::kDraw, ChainStep::kDraw, ChainStep::kJoin,
                                                       ChainStep::kCrossover}[below(4)];
        at = after + (step == ChainStep::kDraw ? 1 : 0);
        std::vector<uint32_t> next;
        for (int i = 0; i < 2 && !over; ++i) next.push_back(graph.OpenNode(at));
        for (const uint32_t node : open) {
          std::vector<uint8_t> run(length);
          for (uint8_t& code : run) code = static_cast<uint8_t>(below(symbols));
          std::vector<uint32_t> cuts;
          for (size_t i = 0; i + 1 < symbols; ++i) cuts.push_back(static_cast<uint32_t>(random()));
          std::sort(cuts.begin(), cuts.end());
          std::vector<uint32_t> follow;
          for (size_t i = 0; i < symbols && !over; ++i) follow.push_back(next[below(2)]);
          graph.CloseNode(node, run, step, cuts, follow);
        }
        open = next;
      }
    }
    graph.AddChromosome(starts[chromosome], roots);
  }
  return graph;
}

/// Tensors of equal classes, where there are no labels.
inline void AddClassShares(size_t classes, TensorMap& tensors) {
  tensors["chain.class_shares"] = {.shape = {static_cast<int64_t>(classes)},
                                   .values = std::vector<float>(classes, 1.0F / static_cast<float>(classes))};
}

}  // namespace genoserve

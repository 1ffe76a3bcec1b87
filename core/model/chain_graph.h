// The graph of a chain generator: what the trainer writes, the server checks and walks. Every row of a chromosome is a
// path from a root to the chromosome's end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/artifact/safetensors.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// What happens after the fixed run of codes that a node begins with.
enum class ChainStep : uint32_t {
  kEnd = 0,        ///< the chromosome is over
  kJoin = 1,       ///< on to next(0)
  kCrossover = 2,  ///< on to next(1) with a probability of cut(0) / 2^32, else to next(0); no variant is taken
  kDraw = 3,  ///< one variant: the code is the number of cuts that a random 32-bit number, 2^32 - 2 at most, reaches
};

/// A node is `node_words()` words: first variant, length of its run and ChainStep in the upper two bits, place of the
/// run's codes in the pool, symbols - 1 cuts, symbols nodes that may follow.
///
/// Tensors of an artifact, all U32: chain.nodes [nodes, node_words()]; chain.codes [words], the pool, 1 bit a code for
/// haplotypes and 2 for genotypes, the first in the lowest bits; chain.starts [chromosomes], the first variant of each;
/// chain.roots [chromosomes, classes].
class ChainGraph {
 public:
  /// An empty graph. `symbols` is 2 for haplotypes and 3 for diploid genotypes.
  ChainGraph(size_t symbols, size_t variants, size_t classes)
      : symbols_(symbols), variants_(variants), classes_(classes) {}

  /// Checks the tensors of an artifact, so that every walk stays inside and ends: places in range, runs inside their
  /// chromosome, next nodes that stand later and begin where the walk then is. INVALID_ARGUMENT names what is wrong.
  static absl::StatusOr<ChainGraph> FromTensors(const v1::Manifest& manifest, const TensorMap& tensors);
  /// Adds the graph's tensors, which take its memory: a graph of many variants is large.
  void ToTensors(TensorMap& tensors) &&;

  size_t symbols() const { return symbols_; }
  size_t variants() const { return variants_; }
  size_t classes() const { return classes_; }
  size_t chromosomes() const { return starts_.size(); }
  size_t nodes() const { return nodes_.size() / node_words(); }
  /// Places of the pool that are taken.
  size_t code_count() const { return code_count_; }
  size_t bits_per_code() const { return symbols_ - 1; }
  size_t node_words() const { return 2 + 2 * symbols_; }

  /// First variant of a chromosome; for chromosomes() the number of variants.
  size_t Start(size_t chromosome) const { return chromosome < starts_.size() ? starts_[chromosome] : variants_; }
  uint32_t Root(size_t chromosome, size_t kind) const { return roots_[chromosome * classes_ + kind]; }

  uint32_t First(uint32_t node) const { return Word(node, 0); }
  uint32_t RunLength(uint32_t node) const { return Word(node, 1) & kLengthMask; }
  ChainStep Step(uint32_t node) const { return static_cast<ChainStep>(Word(node, 1) >> kStepShift); }
  /// Place of the run's first code in the pool, in codes.
  uint32_t RunOffset(uint32_t node) const { return Word(node, 2); }
  uint32_t Cut(uint32_t node, size_t i) const { return Word(node, 3 + i); }
  uint32_t Next(uint32_t node, size_t i) const { return Word(node, 2 + symbols_ + i); }
  std::span<const uint32_t> codes() const { return codes_; }

  /// Whether a graph may have this size: nodes and places of the pool are 32-bit numbers. RESOURCE_EXHAUSTED otherwise.
  static absl::Status CheckSize(size_t nodes, size_t codes);

  /// Begins a chromosome whose roots are the given nodes, one a class.
  void AddChromosome(size_t first_variant, std::span<const uint32_t> roots);
  /// Adds the nodes of another graph, not its chromosomes; returns what their numbers grow by.
  uint32_t Append(const ChainGraph& other);
  /// Adds a node at `first_variant`; the rest of it follows by CloseNode.
  uint32_t OpenNode(size_t first_variant);
  /// Fills a node in. `run` has one code a byte; `cuts` and `next` may be shorter than a node has room for.
  void CloseNode(uint32_t node, std::span<const uint8_t> run, ChainStep step, std::span<const uint32_t> cuts,
                 std::span<const uint32_t> next);

 private:
  static constexpr uint32_t kStepShift = 30;
  static constexpr uint32_t kLengthMask = (uint32_t{1} << kStepShift) - 1;

  static constexpr size_t kMostPlaces = UINT32_MAX;

  uint32_t Word(uint32_t node, size_t i) const { return nodes_[node * node_words() + i]; }
  // Where a walk ends that has taken all variants of its chromosome.
  bool EndsAtOnce(uint32_t node) const { return Step(node) == ChainStep::kEnd && RunLength(node) == 0; }
  absl::Status Check() const;
  absl::Status CheckNode(uint32_t node) const;

  size_t symbols_;
  size_t variants_;
  size_t classes_;
  std::vector<uint32_t> nodes_;
  std::vector<uint32_t> codes_;
  size_t code_count_ = 0;
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> roots_;
};

}  // namespace genoserve

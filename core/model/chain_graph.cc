#include "core/model/chain_graph.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr char kNodes[] = "chain.nodes";
constexpr char kCodes[] = "chain.codes";
constexpr char kStarts[] = "chain.starts";
constexpr char kRoots[] = "chain.roots";

absl::Status Refuse(absl::string_view what) { return absl::InvalidArgumentError(absl::StrCat("weights: ", what)); }

// The words of a tensor with this many dimensions.
absl::StatusOr<const Tensor*> WordsOf(const TensorMap& tensors, const char* name, size_t dimensions) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return Refuse(absl::StrCat("tensor ", name, " is missing"));
  if (found->second.shape.size() != dimensions || found->second.words.empty()) {
    return Refuse(absl::StrCat("tensor ", name, " is not U32 with ", dimensions, " dimensions"));
  }
  return &found->second;
}

Tensor Words(std::vector<int64_t> shape, std::vector<uint32_t> words) {
  return {.shape = std::move(shape), .values = {}, .words = std::move(words)};
}

}  // namespace

absl::StatusOr<ChainGraph> ChainGraph::FromTensors(const v1::Manifest& manifest, const TensorMap& tensors) {
  ChainGraph graph(manifest.phased() ? 2 : 3, static_cast<size_t>(manifest.variant_count()),
                   static_cast<size_t>(manifest.generator().chain().classes()));
  GENOSERVE_ASSIGN_OR_RETURN(const Tensor* nodes, WordsOf(tensors, kNodes, 2));
  GENOSERVE_ASSIGN_OR_RETURN(const Tensor* codes, WordsOf(tensors, kCodes, 1));
  GENOSERVE_ASSIGN_OR_RETURN(const Tensor* starts, WordsOf(tensors, kStarts, 1));
  GENOSERVE_ASSIGN_OR_RETURN(const Tensor* roots, WordsOf(tensors, kRoots, 2));
  if (nodes->shape[1] != static_cast<int64_t>(graph.node_words())) {
    return Refuse(absl::StrCat("the nodes have ", nodes->shape[1], " words, not ", graph.node_words()));
  }
  // Of labels there are as many as the spec says, of clusters at most as many.
  const int64_t classes = roots->shape[1];
  if (roots->shape[0] != starts->shape[0] || classes < 1 || classes > static_cast<int64_t>(graph.classes_) ||
      (!manifest.labels().empty() && classes != manifest.labels_size())) {
    return Refuse("the roots are not one for each chromosome and class");
  }
  if (nodes->shape[0] > static_cast<int64_t>(kMostPlaces)) return Refuse("there are more than 2^32 - 1 nodes");
  graph.classes_ = static_cast<size_t>(classes);
  graph.nodes_ = nodes->words;
  graph.codes_ = codes->words;
  graph.code_count_ = graph.codes_.size() * 32 / graph.bits_per_code();
  graph.starts_ = starts->words;
  graph.roots_ = roots->words;
  GENOSERVE_RETURN_IF_ERROR(graph.Check());
  return graph;
}

void ChainGraph::ToTensors(TensorMap& tensors) && {
  const std::vector<int64_t> shape = {static_cast<int64_t>(nodes()), static_cast<int64_t>(node_words())};
  const auto chromosome_count = static_cast<int64_t>(chromosomes());
  // One word more than is used, so that a pool without codes is a tensor too.
  codes_.push_back(0);
  const auto code_words = static_cast<int64_t>(codes_.size());
  tensors[kCodes] = Words({code_words}, std::move(codes_));
  tensors[kNodes] = Words(shape, std::move(nodes_));
  tensors[kStarts] = Words({chromosome_count}, std::move(starts_));
  tensors[kRoots] = Words({chromosome_count, static_cast<int64_t>(classes_)}, std::move(roots_));
}

void ChainGraph::AddChromosome(size_t first_variant, std::span<const uint32_t> roots) {
  starts_.push_back(static_cast<uint32_t>(first_variant));
  roots_.insert(roots_.end(), roots.begin(), roots.end());
}

uint32_t ChainGraph::Append(const ChainGraph& other) {
  const auto offset = static_cast<uint32_t>(nodes());
  // The pool goes on at a whole word, so that the other's words need no shift.
  const size_t codes_per_word = 32 / bits_per_code();
  const auto pool_offset = static_cast<uint32_t>(codes_.size() * codes_per_word);
  codes_.insert(codes_.end(), other.codes_.begin(), other.codes_.end());
  code_count_ = codes_.size() * codes_per_word;
  nodes_.insert(nodes_.end(), other.nodes_.begin(), other.nodes_.end());
  for (size_t node = offset; node < nodes(); ++node) {
    uint32_t* const words = nodes_.data() + node * node_words();
    words[2] += pool_offset;
    for (size_t i = 0; i < symbols_; ++i) words[2 + symbols_ + i] += offset;
  }
  return offset;
}

uint32_t ChainGraph::OpenNode(size_t first_variant) {
  const auto node = static_cast<uint32_t>(nodes());
  nodes_.resize(nodes_.size() + node_words(), 0);
  nodes_[node * node_words()] = static_cast<uint32_t>(first_variant);
  return node;
}

void ChainGraph::CloseNode(uint32_t node, std::span<const uint8_t> run, ChainStep step, std::span<const uint32_t> cuts,
                           std::span<const uint32_t> next) {
  uint32_t* const words = nodes_.data() + node * node_words();
  words[1] = static_cast<uint32_t>(run.size()) | (static_cast<uint32_t>(step) << kStepShift);
  words[2] = static_cast<uint32_t>(code_count_);
  std::copy(cuts.begin(), cuts.end(), words + 3);
  std::copy(next.begin(), next.end(), words + 2 + symbols_);
  for (const uint8_t code : run) {
    const size_t bit = code_count_++ * bits_per_code();
    if (bit / 32 >= codes_.size()) codes_.push_back(0);
    codes_[bit / 32] |= static_cast<uint32_t>(code) << (bit % 32);
  }
}

absl::Status ChainGraph::CheckSize(size_t nodes, size_t codes) {
  if (nodes <= kMostPlaces && codes <= kMostPlaces) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("a chain of ", nodes, " contexts with ", codes,
                                                   " codes that follow without a choice; there may be ", kMostPlaces,
                                                   " of each: ask for a higher min_support or fewer variants"));
}

absl::Status ChainGraph::Check() const {
  if (starts_[0] != 0 || !std::is_sorted(starts_.begin(), starts_.end(), std::less_equal<>()) ||
      starts_.back() >= variants_) {
    return Refuse("the chromosomes do not begin at variant 0 and rise below the number of variants");
  }
  for (size_t i = 0; i < roots_.size(); ++i) {
    const bool fits = roots_[i] < nodes() && First(roots_[i]) == starts_[i / classes_];
    if (!fits || EndsAtOnce(roots_[i])) {
      return Refuse(absl::StrCat("root ", i, " is no node at the start of its chromosome"));
    }
  }
  // Two bits hold a code more than there are genotypes.
  constexpr uint32_t kLowBits = 0x55555555;
  for (size_t i = 0; i < codes_.size() && symbols_ > 2; ++i) {
    if ((codes_[i] & (codes_[i] >> 1) & kLowBits) != 0) {
      return Refuse(absl::StrCat("word ", i, " of the codes has a code above 2"));
    }
  }
  for (uint32_t node = 0; node < nodes(); ++node) GENOSERVE_RETURN_IF_ERROR(CheckNode(node));
  return absl::OkStatus();
}

absl::Status ChainGraph::CheckNode(uint32_t node) const {
  const auto refuse = [node](absl::string_view what) { return Refuse(absl::StrCat("node ", node, " ", what)); };
  const size_t first = First(node);
  const size_t after = first + RunLength(node);
  const size_t chromosome =
      static_cast<size_t>(std::upper_bound(starts_.begin(), starts_.end(), first) - starts_.begin());
  const ChainStep step = Step(node);
  const size_t end = Start(chromosome);
  if (RunOffset(node) > code_count_ || RunLength(node) > code_count_ - RunOffset(node)) {
    return refuse("has codes outside the pool");
  }
  // The end of a chromosome stands where the next one begins.
  if (step == ChainStep::kEnd) {
    const bool at_end = RunLength(node) > 0 ? after == end : first == variants_ || Start(chromosome - 1) == first;
    return at_end ? absl::OkStatus() : refuse("ends a chromosome before its last variant");
  }
  if (first >= variants_ || after + (step == ChainStep::kDraw ? 1 : 0) > end) return refuse("passes its chromosome");
  const size_t followers = step == ChainStep::kDraw ? symbols_ : step == ChainStep::kCrossover ? 2 : 1;
  const size_t follow_at = step == ChainStep::kDraw ? after + 1 : after;
  for (size_t i = 0; i < followers; ++i) {
    const uint32_t next = Next(node, i);
    const bool fits = next > node && next < nodes() && First(next) == follow_at;
    if (!fits || EndsAtOnce(next) != (follow_at == end)) return refuse("leads to a node that cannot follow");
  }
  return absl::OkStatus();
}

}  // namespace genoserve

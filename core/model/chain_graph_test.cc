#include "core/model/chain_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/genotype/genotype_matrix.h"
#include "core/model/chain_walk.h"
#include "core/model/test_chains.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

constexpr size_t kVariants = 237;
constexpr size_t kClasses = 3;
const std::vector<size_t> kStarts = {0, 1, 100, 203};

ChainGraph Graph(size_t symbols) { return RandomChain(symbols, kVariants, kClasses, kStarts, 7); }

TensorMap TensorsOf(const ChainGraph& graph) {
  TensorMap tensors;
  ChainGraph(graph).ToTensors(tensors);
  return tensors;
}

absl::StatusOr<ChainGraph> Load(size_t symbols, const TensorMap& tensors) {
  return ChainGraph::FromTensors(ChainManifest(symbols, kVariants, kClasses), tensors);
}

ChainNumbers Numbers(uint64_t seed, uint64_t sample) {
  return {PhiloxStream(seed, sample, 0, Purpose::kAllele), PhiloxStream(seed, sample, 0, Purpose::kLatent)};
}

Packing PackingOf(size_t symbols) { return symbols == 2 ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit; }

// The walk code by code, with every place checked; nothing where a place is outside.
std::optional<std::vector<uint8_t>> SlowWalk(const ChainGraph& graph, size_t chromosome, size_t kind,
                                             const ChainNumbers& numbers) {
  std::vector<uint8_t> codes;
  const size_t begin = graph.Start(chromosome);
  const size_t bits = graph.bits_per_code();
  uint32_t node = graph.Root(chromosome, kind);
  for (size_t steps = 0; steps <= graph.nodes(); ++steps) {
    if (node >= graph.nodes() || graph.First(node) != begin + codes.size()) return std::nullopt;
    for (size_t i = 0; i < graph.RunLength(node); ++i) {
      const size_t bit = (size_t{graph.RunOffset(node)} + i) * bits;
      if (bit / 32 >= graph.codes().size()) return std::nullopt;
      codes.push_back(static_cast<uint8_t>((graph.codes()[bit / 32] >> (bit % 32)) & ((1U << bits) - 1)));
      if (codes.back() >= graph.symbols()) return std::nullopt;
    }
    const auto variant = static_cast<uint32_t>(begin + codes.size());
    if (graph.Step(node) == ChainStep::kEnd) return codes;
    if (graph.Step(node) == ChainStep::kJoin) {
      node = graph.Next(node, 0);
    } else if (graph.Step(node) == ChainStep::kCrossover) {
      node = graph.Next(node, numbers.crossovers.Bits(numbers.first + variant) < graph.Cut(node, 0) ? 1 : 0);
    } else {
      const uint32_t drawn = std::min(numbers.draws.Bits(numbers.first + variant), UINT32_MAX - 1);
      uint8_t code = drawn < graph.Cut(node, 0) ? 0 : 1;
      if (graph.symbols() == 3 && code == 1 && drawn >= graph.Cut(node, 1)) code = 2;
      codes.push_back(code);
      node = graph.Next(node, code);
    }
  }
  return std::nullopt;
}

// Whether a walk takes the variants of its chromosome, all of them and no others, as SlowWalk does.
bool WalksSoundly(const ChainGraph& graph, size_t chromosome, size_t kind, const ChainNumbers& numbers) {
  const auto slow = SlowWalk(graph, chromosome, kind, numbers);
  const size_t begin = graph.Start(chromosome);
  if (!slow || slow->size() != graph.Start(chromosome + 1) - begin) return false;
  const Packing packing = PackingOf(graph.symbols());
  std::vector<uint8_t> row(RowBytes(packing, graph.variants()));
  WalkChromosome(graph, chromosome, kind, numbers, row);
  std::vector<uint8_t> wanted(graph.variants(), 0);
  std::copy(slow->begin(), slow->end(), wanted.begin() + static_cast<ptrdiff_t>(begin));
  std::vector<uint8_t> packed(row.size());
  PackCodes(packing, wanted, packed);
  return row == packed;
}

class ChainGraphTest : public testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(Symbols, ChainGraphTest, testing::Values(2, 3));

TEST_P(ChainGraphTest, AFileOfItsTensorsHoldsTheWholeGraph) {
  const ChainGraph graph = Graph(GetParam());
  const TensorMap tensors = TensorsOf(graph);
  const auto read = Load(GetParam(), ParseSafetensors(SerializeSafetensors(tensors)).value());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->chromosomes(), kStarts.size());
  EXPECT_EQ(read->classes(), kClasses);
  EXPECT_EQ(read->nodes(), graph.nodes());
  for (const char* name : {"chain.nodes", "chain.starts", "chain.roots"}) {
    EXPECT_EQ(TensorsOf(*read).at(name).words, tensors.at(name).words) << name;
    EXPECT_EQ(TensorsOf(*read).at(name).shape, tensors.at(name).shape) << name;
  }
  EXPECT_TRUE(std::equal(graph.codes().begin(), graph.codes().end(), read->codes().begin()));
}

TEST_P(ChainGraphTest, WalksTakeTheVariantsOfTheirChromosomeAlone) {
  const ChainGraph graph = Load(GetParam(), TensorsOf(Graph(GetParam()))).value();
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (size_t chromosome = 0; chromosome < kStarts.size(); ++chromosome) {
      for (size_t kind = 0; kind < kClasses; ++kind) {
        ChainNumbers numbers = Numbers(seed, 3);
        numbers.first = static_cast<uint32_t>(seed % 2 * kVariants);
        ASSERT_TRUE(WalksSoundly(graph, chromosome, kind, numbers)) << seed << " " << chromosome << " " << kind;
      }
    }
  }
}

TEST_P(ChainGraphTest, AppendedGraphsWalkAsBefore) {
  const ChainGraph first = Graph(GetParam());
  const ChainGraph second = RandomChain(GetParam(), kVariants, kClasses, kStarts, 8);
  ChainGraph both(GetParam(), kVariants, 2 * kClasses);
  const std::vector<uint32_t> offsets = {both.Append(first), both.Append(second)};
  for (size_t chromosome = 0; chromosome < kStarts.size(); ++chromosome) {
    std::vector<uint32_t> roots;
    for (size_t kind = 0; kind < kClasses; ++kind) roots.push_back(first.Root(chromosome, kind) + offsets[0]);
    for (size_t kind = 0; kind < kClasses; ++kind) roots.push_back(second.Root(chromosome, kind) + offsets[1]);
    both.AddChromosome(kStarts[chromosome], roots);
  }
  const auto read = ChainGraph::FromTensors(ChainManifest(GetParam(), kVariants, 2 * kClasses), TensorsOf(both));
  ASSERT_TRUE(read.ok()) << read.status();
  for (size_t chromosome = 0; chromosome < kStarts.size(); ++chromosome) {
    for (size_t kind = 0; kind < kClasses; ++kind) {
      const auto numbers = Numbers(5, kind);
      EXPECT_EQ(SlowWalk(*read, chromosome, kind, numbers), SlowWalk(first, chromosome, kind, numbers));
      EXPECT_EQ(SlowWalk(*read, chromosome, kClasses + kind, numbers), SlowWalk(second, chromosome, kind, numbers));
    }
  }
}

// Every node with a step, and what may be done to it that no walk survives.
TEST_P(ChainGraphTest, DamagedNodesAreNamed) {
  const size_t symbols = GetParam();
  const ChainGraph graph = Graph(symbols);
  const TensorMap sound = TensorsOf(graph);
  const size_t words = graph.node_words();
  const size_t pool = sound.at("chain.codes").words.size() * 32 / graph.bits_per_code();
  const size_t next = 2 + symbols;
  std::map<ChainStep, int> seen;
  const auto expect_refused = [&](uint32_t node, size_t word, uint32_t value, const char* what) {
    TensorMap damaged = sound;
    damaged["chain.nodes"].words[node * words + word] = value;
    const absl::Status status = Load(symbols, damaged).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << what << " of node " << node;
    const bool root = absl::StrContains(status.message(), "root ");
    const bool before = absl::StrContains(status.message(), "leads to a node that cannot follow");
    EXPECT_TRUE(root || before || absl::StrContains(status.message(), absl::StrCat("node ", node, " ")))
        << what << " of node " << node << ": " << status;
  };
  for (uint32_t node = 0; node < graph.nodes(); ++node) {
    const ChainStep step = graph.Step(node);
    ++seen[step];
    const uint32_t length_word = sound.at("chain.nodes").words[node * words + 1];
    expect_refused(node, 0, graph.First(node) + 1, "first variant");
    expect_refused(node, 0, UINT32_MAX, "first variant");
    expect_refused(node, 1, length_word + 1, "a longer run");
    expect_refused(node, 1, length_word | 0x3FFFFFFF, "the longest run");
    if (graph.RunLength(node) > 0) {
      expect_refused(node, 1, length_word - 1, "a shorter run");
      expect_refused(node, 2, static_cast<uint32_t>(pool - graph.RunLength(node) + 1), "a run that passes the pool");
    }
    expect_refused(node, 2, UINT32_MAX, "a run behind the pool");
    const size_t followers = step == ChainStep::kDraw        ? symbols
                             : step == ChainStep::kCrossover ? 2
                             : step == ChainStep::kJoin      ? 1
                                                             : 0;
    for (size_t i = 0; i < followers; ++i) {
      expect_refused(node, next + i, node, "itself as next");
      expect_refused(node, next + i, 0, "an earlier next");
      expect_refused(node, next + i, static_cast<uint32_t>(graph.nodes()), "a next that is not there");
      expect_refused(node, next + i, UINT32_MAX, "a next that is not there");
      const uint32_t later = graph.Next(node, i) + 2;
      if (later >= graph.nodes() || graph.First(later) == graph.First(graph.Next(node, i))) continue;
      expect_refused(node, next + i, later, "a next of another place");
    }
  }
  EXPECT_EQ(seen.size(), 4U) << "every step is tried";
}

TEST_P(ChainGraphTest, RefusesWhatDoesNotFitTheManifest) {
  const size_t symbols = GetParam();
  const TensorMap sound = TensorsOf(Graph(symbols));
  const std::vector<std::pair<std::string, std::function<void(TensorMap&)>>> damages = {
      {"chain.nodes is missing", [](TensorMap& t) { t.erase("chain.nodes"); }},
      {"chain.codes is missing", [](TensorMap& t) { t.erase("chain.codes"); }},
      {"chain.starts is missing", [](TensorMap& t) { t.erase("chain.starts"); }},
      {"chain.roots is missing", [](TensorMap& t) { t.erase("chain.roots"); }},
      {"chain.nodes is not U32", [](TensorMap& t) { t["chain.nodes"].shape = {t["chain.nodes"].shape[0]}; }},
      {"chain.codes is not U32", [](TensorMap& t) { t["chain.codes"] = {.shape = {1}, .values = {1.0F}}; }},
      {"chain.starts is not U32", [](TensorMap& t) { t["chain.starts"] = {.shape = {0}}; }},
      {"words",
       [](TensorMap& t) {
         t["chain.nodes"] = {.shape = {1, 5}, .words = {1, 2, 3, 4, 5}};
       }},
      {"roots are not",
       [](TensorMap& t) {
         t["chain.roots"].shape = {2, 6};
       }},
      {"roots are not",
       [](TensorMap& t) {
         t["chain.roots"].shape = {3, 4};
       }},
      {"chromosomes do not begin", [](TensorMap& t) { t["chain.starts"].words[0] = 1; }},
      {"chromosomes do not begin", [](TensorMap& t) { t["chain.starts"].words[1] = 0; }},
      {"chromosomes do not begin", [](TensorMap& t) { t["chain.starts"].words[3] = 100; }},
      {"chromosomes do not begin", [](TensorMap& t) { t["chain.starts"].words[3] = kVariants; }},
      {"root 0 ", [](TensorMap& t) { t["chain.roots"].words[0] = UINT32_MAX; }},
      {"root 4 ", [](TensorMap& t) { t["chain.roots"].words[4] = t["chain.roots"].words[0]; }},
  };
  for (const auto& [message, damage] : damages) {
    TensorMap tensors = sound;
    damage(tensors);
    const absl::Status status = Load(symbols, tensors).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message));
  }
}

// The end of the first chromosome stands where the second begins: it must not be its root.
TEST(ChainGraphDamage, ARootThatEndsAtOnceIsRefused) {
  ChainGraph graph(2, 2, 1);
  const uint32_t first = graph.OpenNode(0);
  const uint32_t end = graph.OpenNode(1);
  const uint32_t second = graph.OpenNode(1);
  const std::vector<uint8_t> run = {1};
  graph.CloseNode(first, run, ChainStep::kJoin, {}, {&end, 1});
  graph.CloseNode(end, {}, ChainStep::kEnd, {}, {});
  graph.CloseNode(second, run, ChainStep::kEnd, {}, {});
  graph.AddChromosome(0, {&first, 1});
  graph.AddChromosome(1, {&second, 1});
  TensorMap tensors = TensorsOf(graph);
  const v1::Manifest manifest = ChainManifest(2, 2, 1);
  ASSERT_TRUE(ChainGraph::FromTensors(manifest, tensors).ok());
  tensors["chain.roots"].words[1] = end;
  EXPECT_THAT(std::string(ChainGraph::FromTensors(manifest, tensors).status().message()), HasSubstr("root 1 "));
}

// Genotype 3 would be a missing call, which no generator makes.
TEST(ChainGraphDamage, AMissingGenotypeInThePoolIsRefused) {
  TensorMap tensors = TensorsOf(Graph(3));
  tensors["chain.codes"].words[1] |= 3U << 6;
  const absl::Status status = Load(3, tensors).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("word 1 of the codes"));
}

// Whatever one word is changed to, the graph is refused, or its walks stay inside and end.
TEST_P(ChainGraphTest, NoSingleChangeOfAWordLeadsAWalkAstray) {
  const size_t symbols = GetParam();
  const TensorMap sound = TensorsOf(Graph(symbols));
  const std::vector<std::string> names = {"chain.nodes", "chain.nodes",  "chain.nodes",
                                          "chain.codes", "chain.starts", "chain.roots"};
  std::mt19937_64 random(symbols);
  size_t refused = 0;
  size_t walked = 0;
  for (int round = 0; round < 4000; ++round) {
    TensorMap changed = sound;
    const std::string& name = names[random() % names.size()];
    std::vector<uint32_t>& words = changed[name].words;
    uint32_t& word = words[random() % words.size()];
    const std::vector<uint32_t> values = {static_cast<uint32_t>(random()),
                                          static_cast<uint32_t>(random() % (words.size() + 1)),
                                          word ^ (1U << random() % 32),
                                          word + 1,
                                          word - 1,
                                          UINT32_MAX};
    word = values[random() % values.size()];
    const auto graph = Load(symbols, changed);
    if (!graph.ok()) {
      ASSERT_EQ(graph.status().code(), absl::StatusCode::kInvalidArgument);
      ++refused;
      continue;
    }
    ++walked;
    for (size_t chromosome = 0; chromosome < graph->chromosomes(); ++chromosome) {
      for (size_t kind = 0; kind < graph->classes(); ++kind) {
        for (uint64_t sample = 0; sample < 3; ++sample) {
          ASSERT_TRUE(WalksSoundly(*graph, chromosome, kind, Numbers(1, sample))) << "round " << round << ", " << name;
        }
      }
    }
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_GT(walked, 500U);
}

TEST(ChainGraphSize, IsThatOf32BitNumbers) {
  EXPECT_TRUE(ChainGraph::CheckSize(UINT32_MAX, UINT32_MAX).ok());
  for (const auto& [nodes, codes] : {std::pair{size_t{1} << 32, size_t{1}}, {size_t{1}, size_t{1} << 32}}) {
    const absl::Status status = ChainGraph::CheckSize(nodes, codes);
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("4294967296"));
  }
}

}  // namespace
}  // namespace genoserve

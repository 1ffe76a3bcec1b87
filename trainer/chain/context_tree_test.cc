#include "trainer/chain/context_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace genoserve {
namespace {

using Places = std::pair<uint32_t, uint32_t>;
using Codes = std::vector<std::vector<uint8_t>>;  // [variant][row]

Codes RandomCodes(size_t rows, size_t variants, size_t symbols, uint64_t seed) {
  std::mt19937_64 random(seed);
  Codes codes(variants, std::vector<uint8_t>(rows));
  for (auto& at : codes) {
    for (uint8_t& code : at) code = static_cast<uint8_t>(random() % symbols);
  }
  return codes;
}

PrefixOrder OrderOf(const Codes& codes, size_t symbols) {
  PrefixOrder order(codes.front().size(), symbols);
  for (size_t v = 0; v < codes.size(); ++v) order.Add(v, codes[v]);
  return order;
}

// The contexts by their meaning: for each length, the rows with the same last codes.
std::set<Places> ContextsOf(const Codes& codes, const PrefixOrder& order, size_t support) {
  const auto rows = static_cast<uint32_t>(order.rows());
  std::set<Places> contexts = {{0, rows}};
  for (size_t length = 0; length <= codes.size(); ++length) {
    std::map<size_t, Places> groups;  // by their codes, as digits
    for (uint32_t place = 0; place < rows; ++place) {
      size_t last = 0;
      for (size_t v = codes.size() - length; v < codes.size(); ++v) last = 3 * last + codes[v][order.order()[place]];
      groups.emplace(last, Places{place, place}).first->second.second = place + 1;
    }
    for (const auto& [last, places] : groups) {
      if (places.second - places.first >= support) contexts.insert(places);
    }
  }
  return contexts;
}

TEST(ContextTreeTest, HoldsTheContextsThatEnoughRowsShare) {
  for (const size_t symbols : {2, 3}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const Codes codes = RandomCodes(5 + 6 * seed, seed % 8 + 1, symbols, seed);
      const PrefixOrder order = OrderOf(codes, symbols);
      ContextTree tree;
      for (const size_t support : {2, 5}) {
        tree.Build(order, support);
        std::set<Places> found;
        for (const Context& one : tree.contexts()) EXPECT_TRUE(found.insert({one.low, one.high}).second);
        EXPECT_EQ(found, ContextsOf(codes, order, support)) << "seed " << seed;
        for (const Context& one : tree.contexts()) EXPECT_EQ(&tree.At(one.low, one.high), &one);
      }
    }
  }
}

TEST(ContextTreeTest, ParentsAndWiderContextsAreTheSmallestThatDo) {
  const Codes codes = RandomCodes(200, 10, 2, 7);
  ContextTree tree;
  tree.Build(OrderOf(codes, 2), 3);
  const std::vector<Context>& contexts = tree.contexts();
  for (size_t i = 0; i < contexts.size(); ++i) {
    const Context& context = contexts[i];
    size_t parent = contexts.size() - 1;
    size_t wider = contexts.size() - 1;
    for (size_t j = contexts.size(); j-- > 0;) {
      const Context& other = contexts[j];
      if (other.low > context.low || other.high < context.high || j == i) continue;
      if (other.rows() < contexts[parent].rows()) parent = j;
      if (other.rows() >= 2 * context.rows() && other.rows() < contexts[wider].rows()) wider = j;
    }
    EXPECT_EQ(context.parent, parent);
    EXPECT_EQ(context.wider, wider);
  }
}

TEST(ContextTreeTest, BeforeTheFirstVariantThereIsOneContext) {
  for (const size_t rows : {1, 2, 9}) {
    ContextTree tree;
    tree.Build(PrefixOrder(rows, 2), 5);
    ASSERT_EQ(tree.contexts().size(), 1U);
    EXPECT_EQ(tree.contexts()[0].rows(), rows);
    EXPECT_EQ(tree.contexts()[0].parent, 0U);
    EXPECT_EQ(tree.contexts()[0].wider, 0U);
  }
}

}  // namespace
}  // namespace genoserve

#include "core/gpu/tile_graph.h"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "core/gpu/graphed_step.h"

namespace genoserve {
namespace {

constexpr int64_t kVariants = kPartVariants + 700;  // two parts, the second one no whole number of blocks
constexpr int64_t kTile = 32;

at::Tensor RandomTensor(const std::vector<int64_t>& sizes, uint64_t seed) {
  at::Tensor tensor = at::zeros(sizes, at::kFloat);
  const auto size = static_cast<size_t>(tensor.numel());
  PhiloxStream(seed, 0, 0, Purpose::kTraining).FillNormal({tensor.mutable_data_ptr<float>(), size});
  return sizes.size() == 2 ? tensor.mul_(0.3) : tensor;
}

struct Model {
  TileSpec spec;
  std::map<std::string, at::Tensor> weights;
};

Model Acgan() {
  Model model{{.latent_size = 10, .condition_size = 3, .hidden_layers = 2, .slope = 0.2, .variants = kVariants}, {}};
  model.weights = {{"hidden.0.weight", RandomTensor({20, 13}, 1)},      {"hidden.0.bias", RandomTensor({20}, 2)},
                   {"hidden.1.weight", RandomTensor({24, 20}, 3)},      {"hidden.1.bias", RandomTensor({24}, 4)},
                   {"output.weight", RandomTensor({kVariants, 24}, 5)}, {"output.bias", RandomTensor({kVariants}, 6)},
                   {"label_logits", RandomTensor({3, kVariants}, 7)}};
  return model;
}

Model WganGp() {
  Model model{{.residual = true,
               .latent_size = 12,
               .condition_size = 3,
               .hidden_layers = 2,
               .slope = 0.05,
               .variants = kVariants,
               .states = 3},
              {}};
  model.weights = {{"first.weight", RandomTensor({18, 15}, 1)},
                   {"first.bias", RandomTensor({18}, 2)},
                   {"block.0.residual1.weight", RandomTensor({21, 21}, 3)},
                   {"block.0.residual1.bias", RandomTensor({21}, 4)},
                   {"block.0.residual2.weight", RandomTensor({21, 21}, 5)},
                   {"block.0.residual2.bias", RandomTensor({21}, 6)},
                   {"block.0.out.weight", RandomTensor({24, 21}, 7)},
                   {"block.0.out.bias", RandomTensor({24}, 8)},
                   {"rank.weight", RandomTensor({9, 24}, 9)},
                   {"rank.bias", RandomTensor({9}, 10)},
                   {"skip.weight", RandomTensor({9, 15}, 11)},
                   {"output.weight", RandomTensor({3 * kVariants, 9}, 12)},
                   {"output.bias", RandomTensor({3 * kVariants}, 13)}};
  return model;
}

using Bytes = std::vector<std::vector<uint8_t>>;

class Tiles {
 public:
  explicit Tiles(const Model& model, at::ScalarType type = at::kFloat)
      : pass_(std::make_shared<TilePass>(TileNetwork(model.spec, model.weights, at::kCPU, type), type)),
        tile_(pass_, MakeDeviceStream(at::kCPU), kTile) {}

  const TilePass& pass() const { return *pass_; }
  TileGraph& tile() { return tile_; }

  // Sample i has seed i % 3, label i % 3 and the condition of this label.
  Bytes Generate(const std::vector<uint64_t>& samples, const std::vector<int64_t>& parts = {}) {
    std::vector<TileRow> rows;
    std::vector<float> conditions;
    for (const uint64_t sample : samples) {
      const int label = static_cast<int>(sample % 3);
      rows.push_back({.seed = sample % 3, .sample = sample, .haplotype = static_cast<int>(sample % 2), .label = label});
      for (int i = 0; i < 3; ++i) conditions.push_back(i == label ? 1.0F : 0.0F);
    }
    Bytes bytes;
    tile_.Run(rows, conditions, parts, [&](const uint8_t* packed) {
      const auto size = static_cast<size_t>(pass_->row_bytes());
      for (size_t i = 0; i < rows.size(); ++i) bytes.emplace_back(packed + i * size, packed + (i + 1) * size);
    });
    return bytes;
  }

 private:
  std::shared_ptr<const TilePass> pass_;
  TileGraph tile_;
};

std::vector<uint64_t> Samples(uint64_t first, uint64_t count) {
  std::vector<uint64_t> samples;
  for (uint64_t i = 0; i < count; ++i) samples.push_back(first + i);
  return samples;
}

TEST(TileGraphTest, ARowsBytesAreTheSameBesideAnyOthersAndInAnyOrder) {
  for (const Model& model : {Acgan(), WganGp()}) {
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
      Tiles tiles(model, type);
      const Bytes whole = tiles.Generate(Samples(0, kTile));
      EXPECT_NE(whole[0], whole[3]) << "rows of other samples are other rows";
      EXPECT_EQ(tiles.Generate(Samples(0, kTile)), whole);
      const Bytes shifted = tiles.Generate(Samples(20, kTile));
      for (size_t i = 20; i < kTile; ++i) EXPECT_EQ(shifted[i - 20], whole[i]);
      std::vector<uint64_t> backwards = Samples(0, kTile);
      std::ranges::reverse(backwards);
      Bytes reversed = tiles.Generate(backwards);
      std::ranges::reverse(reversed);
      EXPECT_EQ(reversed, whole);
      EXPECT_EQ(tiles.Generate({5})[0], whole[5]);
    }
  }
}

TEST(TileGraphTest, APartHasTheBytesOfTheWholeRow) {
  for (const Model& model : {Acgan(), WganGp()}) {
    Tiles tiles(model);
    const Bytes whole = tiles.Generate(Samples(0, kTile));
    tiles.Generate(Samples(100, kTile));  // other bytes in each place
    tiles.Generate(Samples(100, kTile));
    const Bytes part = tiles.Generate(Samples(0, 7), {1});
    const auto first = static_cast<ptrdiff_t>(kPartVariants * tiles.pass().code_bits() / 8);
    for (size_t i = 0; i < part.size(); ++i) {
      EXPECT_TRUE(std::equal(part[i].begin() + first, part[i].end(), whole[i].begin() + first));
      EXPECT_FALSE(std::equal(part[i].begin(), part[i].begin() + first, whole[i].begin())) << "it was computed too";
    }
  }
}

TEST(TileGraphTest, ThreadsSideBySideGetTheirOwnRows) {
  Tiles tiles(Acgan());
  std::vector<Bytes> wanted;
  for (uint64_t i = 0; i < 6; ++i) wanted.push_back(tiles.Generate(Samples(i * 10, 10)));
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      for (int again = 0; again < 5; ++again) {
        if (tiles.Generate(Samples(i * 10, 10)) != wanted[i]) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// A tile that fails gives its place back: three would take more than there are.
TEST(TileGraphTest, AFailureLeavesNoTileInFlight) {
  Tiles tiles(Acgan());
  const std::vector<TileRow> rows(1);
  const std::vector<float> conditions(3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THROW(tiles.tile().Run(rows, conditions, {}, [](const uint8_t*) { throw std::runtime_error("no"); }),
                 std::runtime_error);
  }
  EXPECT_EQ(tiles.Generate({5}).size(), 1U);
}

TEST(TileGraphTest, TilesOfOtherSizesAreProved) {
  const Tiles tiles(WganGp());
  const std::vector<int64_t> sizes = {16, 64, 128};
  const std::vector<int64_t> proved = ProvedTileRows(tiles.pass(), sizes);
  ASSERT_FALSE(proved.empty());
  EXPECT_EQ(proved.back(), 128);
}

TEST(TileGraphTest, TilesOfManyVariantsHaveFewerRows) {
  EXPECT_EQ(LargestTileRows(805), 1024);
  EXPECT_EQ(LargestTileRows(10000), 1024);
  EXPECT_EQ(LargestTileRows(50000), 256);
  EXPECT_EQ(LargestTileRows(100'000'000), 64);
}

TEST(GraphedStepTest, EachRunIsOneStep) {
  at::Tensor weight = at::zeros({3}, at::kFloat);
  GraphedStep step(MakeDeviceStream(at::kCPU), [&] { weight.add_(1); });
  for (int i = 0; i < 10; ++i) step.Run();
  step.Wait();
  EXPECT_EQ(weight.const_data_ptr<float>()[2], 10.0F);
}

}  // namespace
}  // namespace genoserve

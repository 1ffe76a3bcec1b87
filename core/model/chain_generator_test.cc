#include "core/model/chain_generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "core/model/test_chains.h"

namespace genoserve {
namespace {

using testing::HasSubstr;

constexpr size_t kVariants = 1003;
constexpr size_t kClasses = 4;
const std::vector<size_t> kStarts = {0, 1, 500, 801};
const std::vector<std::vector<double>> kPhenotypes = {{20, 0}, {27.5, 1}, {NAN, 1}, {12, NAN}};

TensorMap GraphTensors(size_t symbols) {
  TensorMap tensors;
  RandomChain(symbols, kVariants, kClasses, kStarts, 3).ToTensors(tensors);
  return tensors;
}

v1::Manifest LabelManifest() { return ChainManifest(2, kVariants, kClasses); }

// Genotypes by weight (g) and coat (2 levels), 3 inputs.
v1::Manifest PhenotypeManifest() {
  v1::Manifest manifest = ChainManifest(3, kVariants, kClasses);
  manifest.mutable_generator()->mutable_chain()->set_candidates(8);
  auto* weight = manifest.add_phenotypes();
  weight->set_name("weight");
  weight->mutable_continuous()->set_mean(20);
  weight->mutable_continuous()->set_standard_deviation(4);
  auto* coat = manifest.add_phenotypes();
  coat->set_name("coat");
  coat->mutable_categorical()->add_levels("a");
  coat->mutable_categorical()->add_levels("b");
  return manifest;
}

TensorMap PhenotypeTensors() {
  TensorMap tensors = GraphTensors(3);
  AddClassShares(kClasses, tensors);
  tensors["chain.class_means"] = {.shape = {kClasses, 3}, .values = {-1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0}};
  tensors["chain.class_precision"] = {.shape = {3, 3}, .values = {1, 0, 0, 0, 1, 0, 0, 0, 1}};
  tensors["chain.effects"] = {.shape = {3, kVariants}, .values = std::vector<float>(3 * kVariants, 0.0F)};
  // The weight alone is predicted.
  for (size_t v = 0; v < kVariants; v += 7) tensors["chain.effects"].values[v] = 0.05F;
  tensors["chain.offsets"] = {.shape = {3}, .values = {-7, 0.5F, 0.5F}};
  tensors["chain.residual_precision"] = {.shape = {3, 3}, .values = {2, 0, 0, 0, 0.1F, 0, 0, 0, 0.1F}};
  return tensors;
}

SampleSpec Sample(uint64_t seed, uint64_t i) {
  return {.seed = seed, .sample = i, .label = static_cast<int>(i % 4), .phenotypes = kPhenotypes[i % 4]};
}

GenotypeMatrix Generate(const Generator& generator, const std::vector<SampleSpec>& samples) {
  GenotypeMatrix rows(generator.packing(), samples.size() * RowsPerSample(generator.packing()),
                      generator.variant_count());
  const absl::Status status = generator.Generate(samples, {}, rows);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(rows.PaddingIsZero());
  return rows;
}

std::vector<std::unique_ptr<Generator>> Generators() {
  std::vector<std::unique_ptr<Generator>> generators;
  generators.push_back(MakeGenerator(LabelManifest(), GraphTensors(2), {}).value());
  generators.push_back(MakeGenerator(PhenotypeManifest(), PhenotypeTensors(), {}).value());
  return generators;
}

TEST(ChainGeneratorTest, ASamplesBytesDependOnNothingElse) {
  for (const auto& generator : Generators()) {
    const size_t most = generator->max_tile_samples();
    std::vector<SampleSpec> samples;
    for (uint64_t i = 0; i < most; ++i) samples.push_back(Sample(7, i));
    const GenotypeMatrix whole = Generate(*generator, samples);
    for (const size_t count : {size_t{1}, size_t{7}, most - 1}) {
      for (size_t first = 0; first < most; first += count) {
        std::vector<size_t> indices;
        std::vector<SampleSpec> part;
        for (size_t i = first; i < std::min(most, first + count); ++i) {
          indices.push_back(i);
          part.push_back(samples[i]);
        }
        ASSERT_EQ(Generate(*generator, part), whole.SelectSamples(indices)) << count << " from " << first;
      }
    }
    // Into a matrix that held other rows, among samples of another request and in another order.
    std::vector<SampleSpec> mixed;
    for (size_t i = 0; i < most; ++i) mixed.push_back(i % 3 == 0 ? Sample(99, i) : samples[(i * 37 + 5) % most]);
    GenotypeMatrix rows = whole;
    ASSERT_TRUE(generator->Generate(mixed, {}, rows).ok());
    for (size_t i = 1; i < most; i += 3) {
      EXPECT_EQ(rows.SelectSamples(std::vector{i}), whole.SelectSamples(std::vector{(i * 37 + 5) % most}));
    }
  }
}

TEST(ChainGeneratorTest, BlocksHaveTheBytesOfTheWholeRow) {
  for (const auto& generator : Generators()) {
    std::vector<SampleSpec> samples;
    for (uint64_t i = 0; i < 16; ++i) samples.push_back(Sample(3, i));
    const GenotypeMatrix whole = Generate(*generator, samples);
    for (const std::vector<uint32_t>& blocks : {std::vector<uint32_t>{0}, {17}, {31}, {0, 1, 26}}) {
      // Into a matrix that held other things.
      GenotypeMatrix rows = whole;
      std::fill(rows.mutable_bytes().begin(), rows.mutable_bytes().end(), uint8_t{0xA5});
      ASSERT_TRUE(generator->Generate(samples, blocks, rows).ok());
      for (const uint32_t block : blocks) {
        const size_t end = std::min(kVariants, (block + 1) * kBlockVariants);
        for (size_t row = 0; row < rows.rows(); ++row) {
          for (size_t v = block * kBlockVariants; v < end; ++v) {
            ASSERT_EQ(rows.Get(row, v), whole.Get(row, v)) << row << ", " << v;
          }
        }
      }
    }
    GenotypeMatrix rows = whole;
    EXPECT_EQ(generator->Generate(samples, std::vector<uint32_t>{32}, rows).code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(ChainGeneratorTest, SeedSampleHaplotypeAndConditionAllMatter) {
  for (const auto& generator : Generators()) {
    SampleSpec other = Sample(7, 4);
    other.label = 1;
    other.phenotypes = kPhenotypes[1];
    const GenotypeMatrix rows = Generate(*generator, {Sample(7, 4), Sample(8, 4), Sample(7, 8), other});
    for (size_t row = 0; row < rows.rows(); ++row) {
      for (size_t before = 0; before < row; ++before) {
        EXPECT_FALSE(std::equal(rows.Row(row).begin(), rows.Row(row).end(), rows.Row(before).begin()))
            << row << " and " << before;
      }
    }
  }
}

// A change of these bytes is a change of what users get for their seeds: it needs another kKernelRevision.
TEST(ChainGeneratorTest, BytesStayWhatTheyWere) {
  const std::vector<size_t> starts = {0, 47};
  TensorMap haplotypes;
  RandomChain(2, 90, 2, starts, 6).ToTensors(haplotypes);
  TensorMap genotypes;
  RandomChain(3, 90, 2, starts, 8).ToTensors(genotypes);
  AddClassShares(2, genotypes);
  const auto hex = [](const Generator& generator) {
    const GenotypeMatrix rows = Generate(generator, {{.seed = 1, .sample = 0, .label = 0, .phenotypes = {}},
                                                     {.seed = 2, .sample = 5, .label = 1, .phenotypes = {}}});
    return absl::BytesToHexString(
        absl::string_view(reinterpret_cast<const char*>(rows.bytes().data()), rows.bytes().size()));
  };
  EXPECT_EQ(hex(*MakeChainGenerator(ChainManifest(2, 90, 2), haplotypes).value()),
            "217092308002e82689acd001217092308002e82689acd001ee00e145731f85d860addd01ee00e145b30985d840addc01");
  EXPECT_EQ(hex(*MakeChainGenerator(ChainManifest(3, 90, 2), genotypes).value()),
            "1652185024a40a4219192a11a50185984104a61a2520051652185024a40a4219192a11a50185284404a61a25a005");
}

TEST(ChainGeneratorTest, CandidatesMakeRowsFollowTheirPhenotypes) {
  v1::Manifest manifest = PhenotypeManifest();
  const auto mean_score = [&](int candidates, double weight) {
    manifest.mutable_generator()->mutable_chain()->set_candidates(candidates);
    TensorMap tensors = PhenotypeTensors();
    // One class, so that candidates alone make the difference.
    tensors["chain.class_precision"].values.assign(9, 0.0F);
    const auto generator = MakeChainGenerator(manifest, tensors).value();
    const std::vector<double> phenotypes = {weight, 0};
    double sum = 0;
    for (uint64_t i = 0; i < 128; ++i) {
      const GenotypeMatrix row =
          Generate(*generator, {{.seed = 4, .sample = i, .label = -1, .phenotypes = phenotypes}});
      for (size_t v = 0; v < kVariants; v += 7) sum += 0.05 * row.Get(0, v);
    }
    return sum / 128;
  };
  EXPECT_GT(mean_score(8, 28) - mean_score(8, 12), 0.3);
  EXPECT_EQ(mean_score(1, 28), mean_score(1, 12)) << "one candidate leaves no choice";
  EXPECT_GT(mean_score(64, 28) - mean_score(64, 12), mean_score(4, 28) - mean_score(4, 12));
}

TEST(ChainGeneratorTest, RefusesSamplesThatDoNotFit) {
  const auto generators = Generators();
  const auto code = [](const Generator& generator, const std::vector<SampleSpec>& samples, size_t matrix_samples) {
    GenotypeMatrix rows(generator.packing(), matrix_samples * RowsPerSample(generator.packing()), kVariants);
    return generator.Generate(samples, {}, rows).code();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  for (const auto& generator : generators) {
    const SampleSpec good = Sample(1, 0);
    EXPECT_EQ(code(*generator, {good}, 1), absl::StatusCode::kOk);
    EXPECT_EQ(code(*generator, {good}, 2), kInvalid);
    EXPECT_EQ(code(*generator, {}, 0), kInvalid);
    EXPECT_EQ(code(*generator, std::vector<SampleSpec>(129, good), 129), kInvalid);
    SampleSpec bad = good;
    bad.sample = uint64_t{1} << 48;
    EXPECT_EQ(code(*generator, {bad}, 1), kInvalid);
  }
  for (const int label : {-1, 4, 1 << 30}) {
    SampleSpec bad = Sample(1, 0);
    bad.label = label;
    EXPECT_EQ(code(*generators[0], {bad}, 1), kInvalid) << label;
  }
  const double infinite = INFINITY;
  for (const std::vector<double>& phenotypes :
       {std::vector<double>{}, {20}, {20, 0, 1}, {infinite, 0}, {20, 2}, {20, 0.5}}) {
    SampleSpec bad = Sample(1, 0);
    bad.phenotypes = phenotypes;
    EXPECT_EQ(code(*generators[1], {bad}, 1), kInvalid);
  }
  // Missing and absurd values are answered with rows.
  for (const std::vector<double>& phenotypes : {std::vector<double>{NAN, NAN}, {1e300, 0}, {-1e30, NAN}}) {
    SampleSpec odd = Sample(1, 0);
    odd.phenotypes = phenotypes;
    EXPECT_EQ(code(*generators[1], {odd}, 1), absl::StatusCode::kOk);
  }
}

// Every variant a chromosome, with a thousand candidates and 12 inputs: 300 MB for a row.
TEST(ChainGeneratorTest, RefusesMoreScoresThanARowMayKeep) {
  constexpr size_t kMany = 3000;
  std::vector<size_t> starts(kMany);
  std::iota(starts.begin(), starts.end(), size_t{0});
  v1::Manifest manifest = ChainManifest(3, kMany, 1);
  manifest.mutable_generator()->mutable_chain()->set_candidates(1024);
  manifest.add_phenotypes()->set_name("coat");
  for (int i = 0; i < 12; ++i) manifest.mutable_phenotypes(0)->mutable_categorical()->add_levels(std::to_string(i));
  TensorMap tensors;
  RandomChain(3, kMany, 1, starts, 1).ToTensors(tensors);
  AddClassShares(1, tensors);
  tensors["chain.class_means"] = {.shape = {1, 12}, .values = std::vector<float>(12)};
  tensors["chain.class_precision"] = {.shape = {12, 12}, .values = std::vector<float>(144)};
  tensors["chain.effects"] = {.shape = {12, kMany}, .values = std::vector<float>(12 * kMany)};
  tensors["chain.offsets"] = {.shape = {12}, .values = std::vector<float>(12)};
  tensors["chain.residual_precision"] = {.shape = {12, 12}, .values = std::vector<float>(144)};
  const absl::Status status = MakeChainGenerator(manifest, tensors).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("chromosomes x candidates x inputs"));
  manifest.mutable_generator()->mutable_chain()->set_candidates(16);
  EXPECT_TRUE(MakeChainGenerator(manifest, tensors).ok());
}

TEST(ChainGeneratorTest, RefusesSpecsThatMakeNoSense) {
  using Change = std::function<void(v1::Manifest&)>;
  const auto spec = [](v1::Manifest& m) -> v1::ChainSpec& { return *m.mutable_generator()->mutable_chain(); };
  const std::vector<std::pair<std::string, Change>> changes = {
      {"variant_count", [](v1::Manifest& m) { m.set_variant_count(0); }},
      {"variant_count", [](v1::Manifest& m) { m.set_variant_count(-5); }},
      {"classes is 0", [&](v1::Manifest& m) { spec(m).set_classes(0); }},
      {"classes is 3", [&](v1::Manifest& m) { spec(m).set_classes(3); }},
      {"min_support", [&](v1::Manifest& m) { spec(m).set_min_support(1); }},
      {"block", [&](v1::Manifest& m) { spec(m).set_block(0); }},
      {"crossover", [&](v1::Manifest& m) { spec(m).set_crossover(1.01); }},
      {"crossover", [&](v1::Manifest& m) { spec(m).set_crossover(NAN); }},
      {"kept_context", [&](v1::Manifest& m) { spec(m).set_kept_context(-1); }},
      {"borrowing", [&](v1::Manifest& m) { spec(m).set_borrowing(-0.1); }},
      {"candidates", [&](v1::Manifest& m) { spec(m).set_candidates(0); }},
      {"candidates x variants",
       [&](v1::Manifest& m) {
         spec(m).set_candidates(1024);
         m.set_variant_count(1 << 23);
       }},
      {"needs labels", [](v1::Manifest& m) { m.clear_labels(); }},
      {"has both", [](v1::Manifest& m) { m.add_phenotypes()->set_name("height"); }},
  };
  EXPECT_TRUE(CheckChainSpec(LabelManifest()).ok());
  for (const auto& [message, change] : changes) {
    v1::Manifest manifest = LabelManifest();
    change(manifest);
    const auto generator = MakeGenerator(manifest, GraphTensors(2), {});
    EXPECT_EQ(generator.status().code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(std::string(generator.status().message()), HasSubstr(message));
  }
}

}  // namespace
}  // namespace genoserve

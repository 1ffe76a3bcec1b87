#include "core/model/generator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "core/base/sha256.h"
#include "core/kernels/random.h"
#include "core/model/blocks.h"
#include "core/model/test_models.h"

namespace genoserve {
namespace {

// More than one block of variants, and neither a whole block nor a whole byte.
constexpr int64_t kVariants = 2347;
const std::vector<std::vector<double>> kPhenotypes = {{20, 0}, {27.5, 2}, {NAN, 1}, {12, NAN}};

struct Model {
  const char* name;
  v1::Manifest manifest;
  Precision precision = Precision::kFp32;
};

std::vector<Model> Models() {
  v1::Manifest threshold = SmallAcgan(kVariants, 4);
  threshold.mutable_generator()->mutable_acgan()->set_output(v1::ALLELE_OUTPUT_TANH_THRESHOLD);
  v1::Manifest plain = SmallAcgan(kVariants, 4);
  plain.mutable_generator()->mutable_acgan()->set_rank(0);
  plain.mutable_generator()->mutable_acgan()->set_latent_skip(false);
  plain.mutable_generator()->mutable_acgan()->set_label_logits(false);
  return {{"acgan", SmallAcgan(kVariants, 4)},
          {"threshold", threshold},
          {"plain", plain},
          {"wgan-gp", SmallWganGp(kVariants)},
          {"acgan in bf16", SmallAcgan(kVariants, 4), Precision::kBf16},
          {"wgan-gp in bf16", SmallWganGp(kVariants), Precision::kBf16},
          {"acgan in int8", SmallAcgan(kVariants, 4), Precision::kInt8},
          {"wgan-gp in int8", SmallWganGp(kVariants), Precision::kInt8}};
}

// Sample `i` of a cohort in which four conditions take turns.
SampleSpec Sample(uint64_t seed, uint64_t i) {
  return {.seed = seed, .sample = i, .label = static_cast<int>(i % 4), .phenotypes = kPhenotypes[i % 4]};
}

class GeneratorTest : public testing::Test {
 protected:
  static std::unique_ptr<Generator> Make(const v1::Manifest& manifest, Precision precision = Precision::kFp32) {
    auto generator = MakeGenerator(manifest, RandomWeights(manifest, 11), {.precision = precision});
    EXPECT_TRUE(generator.ok()) << generator.status();
    return std::move(generator).value();
  }

  static GenotypeMatrix Generate(const Generator& generator, const std::vector<SampleSpec>& samples) {
    GenotypeMatrix rows(generator.packing(), samples.size() * RowsPerSample(generator.packing()),
                        generator.variant_count());
    const absl::Status status = generator.Generate(samples, {}, rows);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_TRUE(rows.PaddingIsZero());
    return rows;
  }
};

TEST_F(GeneratorTest, ASamplesBytesDependOnNothingElse) {
  for (const Model& model : Models()) {
    SCOPED_TRACE(model.name);
    const auto generator = Make(model.manifest, model.precision);
    const size_t most = generator->max_tile_samples();
    ASSERT_GE(most, 64U);
    std::vector<SampleSpec> samples;
    for (uint64_t i = 0; i < most; ++i) samples.push_back(Sample(7, i));
    const GenotypeMatrix whole = Generate(*generator, samples);

    for (const size_t count : {size_t{1}, size_t{2}, size_t{7}, size_t{8}, size_t{9}, size_t{33}, most - 1}) {
      for (size_t first = 0; first < most; first += count) {
        const size_t some = std::min(count, most - first);
        std::vector<size_t> indices(some);
        for (size_t i = 0; i < some; ++i) indices[i] = first + i;
        const std::vector<SampleSpec> part(samples.begin() + static_cast<ptrdiff_t>(first),
                                           samples.begin() + static_cast<ptrdiff_t>(first + some));
        ASSERT_EQ(Generate(*generator, part), whole.SelectSamples(indices)) << count << " from " << first;
      }
    }

    // Beside samples of another request, in another order.
    std::vector<SampleSpec> mixed;
    std::vector<size_t> places;
    std::vector<size_t> mine;
    for (size_t i = 0; i < most; ++i) {
      const size_t index = (i * 37 + 5) % most;
      if (i % 3 == 0) {
        mixed.push_back(Sample(99, 1000 + i));
      } else {
        places.push_back(i);
        mine.push_back(index);
        mixed.push_back(samples[index]);
      }
    }
    EXPECT_EQ(Generate(*generator, mixed).SelectSamples(places), whole.SelectSamples(mine));
  }
}

TEST_F(GeneratorTest, BlocksHaveTheBytesOfTheWholeRow) {
  const size_t count = BlockCount(kVariants);
  for (const Model& model : Models()) {
    SCOPED_TRACE(model.name);
    const auto generator = Make(model.manifest, model.precision);
    std::vector<SampleSpec> samples;
    for (uint64_t i = 0; i < 21; ++i) samples.push_back(Sample(7, i));
    const GenotypeMatrix whole = Generate(*generator, samples);
    // Each block alone, and random runs of them.
    std::vector<std::vector<uint32_t>> asked;
    for (uint32_t block = 0; block < count; ++block) asked.push_back({block});
    const PhiloxStream random(1, 0, 0, Purpose::kTraining);
    uint32_t number = 0;
    while (asked.size() < 3 * count) {
      std::vector<uint32_t> blocks;
      bool in = random.Bits(number++) % 2 == 0;
      for (uint32_t block = 0; block < count; ++block) {
        if (random.Bits(number++) % 16 == 0) in = !in;
        if (in) blocks.push_back(block);
      }
      if (!blocks.empty()) asked.push_back(blocks);
    }
    for (const std::vector<uint32_t>& blocks : asked) {
      GenotypeMatrix rows(whole.packing(), whole.rows(), whole.variants());
      ASSERT_TRUE(generator->Generate(samples, blocks, rows).ok());
      for (const uint32_t block : blocks) {
        const size_t first = RowBytes(whole.packing(), block * kBlockVariants);
        const size_t end = RowBytes(whole.packing(), std::min<size_t>(kVariants, (block + 1) * kBlockVariants));
        for (size_t row = 0; row < rows.rows(); ++row) {
          const auto part = rows.Row(row).subspan(first, end - first);
          ASSERT_TRUE(std::equal(part.begin(), part.end(), whole.Row(row).begin() + static_cast<ptrdiff_t>(first)))
              << "block " << block << " of " << blocks.size();
        }
      }
    }
    GenotypeMatrix rows = whole;
    for (const std::vector<uint32_t>& blocks :
         {std::vector<uint32_t>{static_cast<uint32_t>(count)}, {1, 1}, {1, 0}, {0, UINT32_MAX}}) {
      EXPECT_EQ(generator->Generate(samples, blocks, rows).code(), absl::StatusCode::kInvalidArgument);
    }
  }
}

// A change of these bytes is a change of what users get for their seeds: it needs another kKernelRevision.
TEST_F(GeneratorTest, BytesStayWhatTheyWere) {
  const std::vector<std::string> digests = {"64d9cc00fdb3c7964f6095a2f67a81f908d27d2186a8f42a2a550d6c35597152",
                                            "fdaaa86769f356992dff378d1846a958eb1d3d9cd6d909758b7b24bd03c0828e",
                                            "c93aad37342967040d6b889482cd2fafe0488d80a1426e2b24d9513d5f7714ce",
                                            "cfd8ed8995e318c60e388b06700937013498405d4255e96d07190ab2580dadbf",
                                            "5abfec4086968e3e1f673655798313862518979d93408bc49348c2a98e6e565d",
                                            "e9593d010a342969b5289a8026e708e818d08edc6b9ea94a7d8e0cc4bdef76a1",
                                            "26977ac905c16f19aa0d319000f69a28f491575c7f5f208b1542adcf5e5db978",
                                            "c8bd48cf09090a4861226e654c89e017edc2aa296003fd1f91ad6e2df517e910"};
  const std::vector<Model> models = Models();
  ASSERT_EQ(models.size(), digests.size());
  for (size_t i = 0; i < models.size(); ++i) {
    // What other machines give in bf16 is another engine's.
    if (models[i].precision == Precision::kBf16 &&
        InstructionSet(DeviceKind::kCpu, Precision::kBf16) != "avx512-bf16") {
      continue;
    }
    const GenotypeMatrix rows =
        Generate(*Make(models[i].manifest, models[i].precision), {Sample(1, 0), Sample(1, 1), Sample(9, 1234567)});
    EXPECT_EQ(Sha256Hex({reinterpret_cast<const char*>(rows.bytes().data()), rows.bytes().size()}), digests[i])
        << models[i].name;
  }
}

TEST_F(GeneratorTest, ThreadsGiveTheSameBytes) {
  for (const Model& model : Models()) {
    SCOPED_TRACE(model.name);
    const auto generator = Make(model.manifest, model.precision);
    std::vector<SampleSpec> samples;
    for (uint64_t i = 0; i < 40; ++i) samples.push_back(Sample(1, i));
    const GenotypeMatrix alone = Generate(*generator, samples);
    std::vector<int> same(4);
    std::vector<std::thread> threads;
    for (size_t t = 0; t < same.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int round = 0; round < 10; ++round) same[t] += Generate(*generator, samples) == alone ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(same, testing::Each(10));
    EXPECT_EQ(Generate(*Make(model.manifest, model.precision), samples), alone) << "loaded again";
  }
}

TEST_F(GeneratorTest, SeedSampleHaplotypeAndConditionAllMatter) {
  for (const Model& model : Models()) {
    SCOPED_TRACE(model.name);
    const auto generator = Make(model.manifest, model.precision);
    const SampleSpec base = Sample(7, 4);
    SampleSpec other_condition = base;
    other_condition.label = 1;
    other_condition.phenotypes = kPhenotypes[1];
    const GenotypeMatrix rows = Generate(*generator, {base, Sample(8, 4), Sample(7, 8), other_condition});
    const size_t per_sample = RowsPerSample(generator->packing());
    for (size_t row = 0; row < rows.rows(); ++row) {
      for (size_t other = row + 1; other < rows.rows(); ++other) {
        EXPECT_FALSE(std::equal(rows.Row(row).begin(), rows.Row(row).end(), rows.Row(other).begin()))
            << row / per_sample << " and " << other / per_sample;
      }
    }
  }
}

// With all weights 0 but the biases, the probabilities are known.
TEST_F(GeneratorTest, FrequenciesFollowTheOutputs) {
  v1::Manifest acgan = SmallAcgan(3, 2);
  TensorMap weights = RandomWeights(acgan, 1);
  for (auto& [name, tensor] : weights) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  weights["output.bias"].values = {-2, 0, 1};
  weights["label_logits"].values = {0, 0, 0, 1, -3, 0.5F};
  const auto haplotypes = MakeGenerator(acgan, weights, {}).value();
  v1::Manifest wgan_gp = SmallWganGp(2);
  weights = RandomWeights(wgan_gp, 1);
  for (auto& [name, tensor] : weights) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  weights["output.bias"].values = {0, 1, 0.5F, -1, -2, 0};  // states of variant 0: 0, 0.5, -2; of 1: 1, -1, 0
  const auto genotypes = MakeGenerator(wgan_gp, weights, {}).value();

  constexpr size_t kSamples = 12800;
  std::vector<std::vector<double>> alleles(2, std::vector<double>(3));
  std::vector<std::vector<double>> codes(2, std::vector<double>(3));
  for (size_t first = 0; first < kSamples; first += 128) {
    std::vector<SampleSpec> samples;
    for (size_t i = 0; i < 128; ++i) {
      samples.push_back(
          {.seed = 5, .sample = first + i, .label = static_cast<int>(i % 2), .phenotypes = kPhenotypes[0]});
    }
    const GenotypeMatrix phased = Generate(*haplotypes, samples);
    const GenotypeMatrix diploid = Generate(*genotypes, samples);
    for (size_t i = 0; i < 128; ++i) {
      for (size_t v = 0; v < 3; ++v) alleles[i % 2][v] += phased.Get(2 * i, v) + phased.Get(2 * i + 1, v);
      for (size_t v = 0; v < 2; ++v) ++codes[v][static_cast<size_t>(diploid.Get(i, v))];
    }
  }
  const double logits[2][3] = {{-2, 0, 1}, {-1, -3, 1.5}};
  for (size_t label = 0; label < 2; ++label) {
    for (size_t v = 0; v < 3; ++v) {
      const double p = 1 / (1 + std::exp(-logits[label][v]));
      EXPECT_NEAR(alleles[label][v] / kSamples, p, 4.5 * std::sqrt(p * (1 - p) / kSamples));
    }
  }
  const double states[2][3] = {{0, 0.5, -2}, {1, -1, 0}};
  for (size_t v = 0; v < 2; ++v) {
    const double sum = std::exp(states[v][0]) + std::exp(states[v][1]) + std::exp(states[v][2]);
    for (size_t k = 0; k < 3; ++k) {
      const double p = std::exp(states[v][k]) / sum;
      EXPECT_NEAR(codes[v][k] / kSamples, p, 4.5 * std::sqrt(p * (1 - p) / kSamples));
    }
  }
}

// The forward pass against one written out by hand in double precision.
TEST_F(GeneratorTest, ThresholdedHaplotypesAreThoseOfTheFormula) {
  v1::Manifest manifest = SmallAcgan(200, 3);
  auto* spec = manifest.mutable_generator()->mutable_acgan();
  spec->set_output(v1::ALLELE_OUTPUT_TANH_THRESHOLD);
  const TensorMap weights = RandomWeights(manifest, 2);
  const auto generator = MakeGenerator(manifest, weights, {}).value();
  const auto linear = [&](const std::string& name, const std::vector<double>& x) {
    const Tensor& weight = weights.at(name + ".weight");
    std::vector<double> y(static_cast<size_t>(weight.shape[0]));
    for (size_t o = 0; o < y.size(); ++o) {
      y[o] = weights.contains(name + ".bias") ? static_cast<double>(weights.at(name + ".bias").values[o]) : 0.0;
      for (size_t i = 0; i < x.size(); ++i) y[o] += static_cast<double>(weight.values[o * x.size() + i]) * x[i];
    }
    return y;
  };
  const auto leaky = [](std::vector<double> x) {
    for (double& value : x) value = value > 0 ? value : 0.2 * value;
    return x;
  };
  size_t compared = 0;
  for (int label = 0; label < 3; ++label) {
    const GenotypeMatrix rows = Generate(*generator, {{.seed = 3, .sample = 17, .label = label, .phenotypes = {}}});
    for (int haplotype = 0; haplotype < 2; ++haplotype) {
      std::vector<float> z(10);
      FillNormal(PhiloxStream(3, 17, haplotype, Purpose::kLatent), 0, z);
      std::vector<double> one_hot(3);
      one_hot[static_cast<size_t>(label)] = 1;
      std::vector<double> x;
      for (int i = 0; i < 2; ++i) x.insert(x.end(), one_hot.begin(), one_hot.end());
      x.insert(x.end(), z.begin(), z.end());
      for (int i = 0; i < 2; ++i) x.insert(x.end(), one_hot.begin(), one_hot.end());
      x = linear("rank", leaky(linear("hidden.1", leaky(linear("hidden.0", x)))));
      const std::vector<double> skip = linear("skip", {z.begin(), z.end()});
      for (size_t i = 0; i < x.size(); ++i) x[i] += skip[i];
      const std::vector<double> logits = linear("output", x);
      for (size_t v = 0; v < logits.size(); ++v) {
        const double output = std::tanh(
            logits[v] + static_cast<double>(weights.at("label_logits").values[static_cast<size_t>(label) * 200 + v]));
        if (std::fabs(output - 0.5) < 1e-4) continue;
        EXPECT_EQ(rows.Get(static_cast<size_t>(haplotype), v), output > 0.5 ? 1 : 0);
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 1100U);
}

TEST_F(GeneratorTest, RefusesTilesThatDoNotFit) {
  const auto acgan = Make(SmallAcgan(20, 3));
  const auto wgan_gp = Make(SmallWganGp(20));
  const auto code = [](const Generator& generator, const std::vector<SampleSpec>& samples, size_t matrix_samples) {
    GenotypeMatrix rows(generator.packing(), matrix_samples * RowsPerSample(generator.packing()), 20);
    return generator.Generate(samples, {}, rows).code();
  };
  const SampleSpec good = Sample(1, 0);
  EXPECT_EQ(code(*acgan, {good}, 1), absl::StatusCode::kOk);
  EXPECT_EQ(code(*acgan, {good}, 2), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(*acgan, {}, 0), absl::StatusCode::kInvalidArgument);
  const size_t too_many = acgan->max_tile_samples() + 1;
  EXPECT_EQ(code(*acgan, std::vector<SampleSpec>(too_many, good), too_many), absl::StatusCode::kInvalidArgument);
  SampleSpec bad = good;
  bad.label = 3;
  EXPECT_EQ(code(*acgan, {bad}, 1), absl::StatusCode::kInvalidArgument);
  bad.label = -1;
  EXPECT_EQ(code(*acgan, {bad}, 1), absl::StatusCode::kInvalidArgument);
  bad = good;
  bad.sample = uint64_t{1} << 48;
  EXPECT_EQ(code(*acgan, {bad}, 1), absl::StatusCode::kInvalidArgument);
  bad = good;
  bad.phenotypes = {};
  EXPECT_EQ(code(*wgan_gp, {bad}, 1), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace genoserve

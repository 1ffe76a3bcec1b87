// Small models with random weights, for tests of this and other rooms.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/artifact/safetensors.h"
#include "core/base/philox.h"
#include "core/kernels/random.h"
#include "core/model/weights.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// An acgan of `labels` labels L0, L1, ... with every optional layer.
inline v1::Manifest SmallAcgan(int64_t variants, int labels) {
  v1::Manifest manifest;
  manifest.set_ploidy(2);
  manifest.set_phased(true);
  manifest.set_variant_count(variants);
  manifest.set_label_column("population");
  for (int i = 0; i < labels; ++i) {
    auto* label = manifest.add_labels();
    label->set_name(absl::StrCat("L", i));
    label->set_training_samples(100);
  }
  auto* spec = manifest.mutable_generator()->mutable_acgan();
  spec->set_latent_size(10);
  spec->set_label_repeats(2);
  spec->add_hidden_sizes(24);
  spec->add_hidden_sizes(20);
  spec->set_leaky_slope(0.2);
  spec->set_rank(8);
  spec->set_latent_skip(true);
  spec->set_label_logits(true);
  spec->set_output(v1::ALLELE_OUTPUT_BERNOULLI);
  return manifest;
}

/// A wgan-gp with two residual blocks, conditioned on weight (mean 20, standard deviation 4, in g) and coat (a, b, c).
inline v1::Manifest SmallWganGp(int64_t variants) {
  v1::Manifest manifest;
  manifest.set_ploidy(2);
  manifest.set_variant_count(variants);
  auto* weight = manifest.add_phenotypes();
  weight->set_name("weight");
  weight->mutable_continuous()->set_unit("g");
  weight->mutable_continuous()->set_mean(20);
  weight->mutable_continuous()->set_standard_deviation(4);
  weight->mutable_continuous()->set_minimum(10);
  weight->mutable_continuous()->set_maximum(30);
  for (int i = 0; i <= 100; ++i) weight->mutable_continuous()->add_quantiles(10 + 0.2 * i);
  auto* coat = manifest.add_phenotypes();
  coat->set_name("coat");
  for (const char* level : {"a", "b", "c"}) {
    coat->mutable_categorical()->add_levels(level);
    coat->mutable_categorical()->add_frequencies(1.0 / 3);
  }
  auto* spec = manifest.mutable_generator()->mutable_wgan_gp();
  spec->set_latent_size(12);
  spec->set_condition_size(4);
  for (const int size : {16, 24, 32}) spec->add_hidden_sizes(size);
  spec->set_leaky_slope(0.05);
  spec->set_rank(10);
  spec->set_latent_skip(true);
  return manifest;
}

/// Normal weights of variance 2 / inputs (label_logits: of variance 1), the same for the same seed.
inline TensorMap RandomWeights(const v1::Manifest& manifest, uint64_t seed) {
  TensorMap weights;
  const GeneratorShape shape = ShapeOfGenerator(manifest).value();
  for (size_t i = 0; i < shape.weights.size(); ++i) {
    const WeightShape& wanted = shape.weights[i];
    size_t size = 1;
    for (const int64_t extent : wanted.shape) size *= static_cast<size_t>(extent);
    Tensor tensor{wanted.shape, std::vector<float>(size)};
    FillNormal(PhiloxStream(seed, i, 0, Purpose::kTraining), 0, tensor.values);
    if (wanted.shape.size() == 2 && wanted.name != "label_logits") {
      const auto scale = static_cast<float>(std::sqrt(2.0 / static_cast<double>(wanted.shape[1])));
      for (float& value : tensor.values) value *= scale;
    }
    weights[wanted.name] = std::move(tensor);
  }
  return weights;
}

}  // namespace genoserve

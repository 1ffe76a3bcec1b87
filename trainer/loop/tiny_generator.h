// For tests: a generator whose rows are known.
#pragma once

#include <utility>
#include <vector>

#include "core/artifact/safetensors.h"
#include "core/genotype/variant_table.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// An acgan of four variants for the labels "north" and "south" whose output is its label logits.
struct TinyGenerator {
  v1::Manifest manifest;
  TensorMap weights;
  VariantTable variants;

  /// In the north, variants 0 and 1 are ALT with probability sigmoid(logit) and 2 and 3 with sigmoid(-logit); in the
  /// south it is the other way round.
  explicit TinyGenerator(float logit) {
    manifest.set_format_version(1);
    manifest.set_ploidy(2);
    manifest.set_phased(true);
    manifest.set_variant_count(4);
    manifest.set_label_column("pop");
    for (const char* name : {"north", "south"}) {
      v1::LabelSchema& label = *manifest.add_labels();
      label.set_name(name);
      label.set_training_samples(20);
    }
    v1::AcganSpec& spec = *manifest.mutable_generator()->mutable_acgan();
    spec.set_latent_size(2);
    spec.set_label_repeats(1);
    spec.add_hidden_sizes(3);
    spec.set_leaky_slope(0.01);
    spec.set_label_logits(true);
    spec.set_output(v1::ALLELE_OUTPUT_BERNOULLI);
    weights["hidden.0.weight"] = {{3, 6}, std::vector<float>(18)};
    weights["hidden.0.bias"] = {{3}, std::vector<float>(3)};
    weights["output.weight"] = {{4, 3}, std::vector<float>(12)};
    weights["output.bias"] = {{4}, std::vector<float>(4)};
    weights["label_logits"] = {{2, 4}, {logit, logit, -logit, -logit, -logit, -logit, logit, logit}};
    std::vector<VariantRecord> records;
    for (int64_t i = 1; i <= 4; ++i) records.push_back({"1", i, "", "A", "C"});
    variants = VariantTable::Create(std::move(records), {}).value();
  }
};

}  // namespace genoserve

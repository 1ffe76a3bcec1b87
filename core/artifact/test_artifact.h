// A small whole artifact for the tests of this room.
#pragma once

#include <string>
#include <vector>

#include "core/artifact/artifact.h"

namespace genoserve {

/// Three variants on two contigs.
inline VariantTable TestVariants() {
  return VariantTable::Create({{"1", 100, "rs1", "A", "G"}, {"1", 250, "rs2", "C", "T"}, {"2", 7, "rs3", "GA", "G"}},
                              {{"1", 1000}, {"2", 500}})
      .value();
}

/// What stands beside weights and variants.
inline std::vector<ArtifactPart> TestParts() { return {{std::string(kQualityFile), "{\"figures\": []}\n"}}; }

/// A manifest with labels, both kinds of phenotype and figures; what PublishArtifact fills in is not there.
inline v1::Manifest TestManifest() {
  v1::Manifest manifest;
  manifest.mutable_generator()->mutable_acgan()->set_latent_size(8);
  manifest.set_ploidy(2);
  manifest.set_phased(true);
  manifest.set_label_column("pop");
  for (const char* name : {"NOR", "SUR"}) {
    v1::LabelSchema& label = *manifest.add_labels();
    label.set_name(name);
    label.set_training_samples(50);
  }
  v1::PhenotypeSchema& height = *manifest.add_phenotypes();
  height.set_name("height");
  height.mutable_continuous()->set_unit("cm");
  height.mutable_continuous()->set_mean(170.25);
  height.mutable_continuous()->set_standard_deviation(9.1);
  height.mutable_continuous()->set_minimum(150);
  height.mutable_continuous()->set_maximum(200);
  for (int i = 0; i <= 100; ++i) height.mutable_continuous()->add_quantiles(150 + 0.5 * i);
  v1::PhenotypeSchema& affected = *manifest.add_phenotypes();
  affected.set_name("affected");
  for (const char* level : {"no", "yes"}) affected.mutable_categorical()->add_levels(level);
  for (const double frequency : {0.9, 0.1}) affected.mutable_categorical()->add_frequencies(frequency);
  manifest.mutable_training()->set_seed(18446744073709551615u);
  manifest.mutable_training()->mutable_recipe()->set_generator_learning_rate(0.1);
  v1::Figure& figure = *manifest.add_figures();
  figure.set_name("af.pearson");
  figure.set_value(0.991);
  figure.set_n(100);
  figure.set_minimum(0.98);
  manifest.set_licence("CC0-1.0");
  return manifest;
}

/// Weights of no particular network.
inline TensorMap TestWeights() {
  return {{"output.weight", {{2, 3}, {1, 2, 3, 4, 5, 6}}}, {"output.bias", {{3}, {7, 8, 9}}}};
}

}  // namespace genoserve

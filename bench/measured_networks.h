// The networks that benches of serving measure, by name.
#pragma once

#include <string>
#include <vector>

#include "core/model/condition.h"
#include "core/model/test_models.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// A network of the size that its authors gave it.
struct MeasuredNetwork {
  std::string name;
  int variants = 0;
};

inline std::vector<MeasuredNetwork> MeasuredNetworks() {
  return {{"acgan-805", 805}, {"acgan-10k", 10000}, {"wgan-10k", 10346}, {"wgan-50k", 50161}};
}

/// The sizes of Genome-AC-GAN: widths are parts of the number of variants, labels stand four times on each side of z.
inline v1::Manifest PaperAcgan(int variants) {
  v1::Manifest manifest = SmallAcgan(variants, /*labels=*/5);
  v1::AcganSpec& spec = *manifest.mutable_generator()->mutable_acgan();
  spec.Clear();
  spec.set_latent_size(800);
  spec.set_label_repeats(4);
  for (const double divisor : {1.3, 1.2, 1.1}) spec.add_hidden_sizes(static_cast<int>(variants / divisor));
  spec.set_leaky_slope(0.01);
  spec.set_output(v1::ALLELE_OUTPUT_TANH_THRESHOLD);
  return manifest;
}

/// The sizes of DiscreteGenoGen's WGAN_GS for tens of thousands of variants, with two continuous phenotypes, the first
/// and the last, and one of three levels.
inline v1::Manifest PaperWganGp(int variants) {
  v1::Manifest manifest = SmallWganGp(variants);
  v1::PhenotypeSchema height = manifest.phenotypes(0);
  height.set_name("height");
  *manifest.add_phenotypes() = height;
  v1::WganGpSpec& spec = *manifest.mutable_generator()->mutable_wgan_gp();
  spec.Clear();
  spec.set_latent_size(256);
  spec.set_condition_size(static_cast<int>(ConditionSize(manifest)));
  for (const int size : {256, 512, 1024}) spec.add_hidden_sizes(size);
  spec.set_leaky_slope(0.05);
  return manifest;
}

inline v1::Manifest ManifestOf(const MeasuredNetwork& network) {
  return network.name.starts_with("acgan") ? PaperAcgan(network.variants) : PaperWganGp(network.variants);
}

}  // namespace genoserve

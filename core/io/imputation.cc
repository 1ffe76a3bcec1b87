#include "core/io/imputation.h"

#include <algorithm>

#include "core/base/philox.h"

namespace genoserve {

absl::StatusOr<int64_t> ImputeAlleles(uint32_t variant, std::span<uint8_t> alleles) {
  const auto alt = static_cast<uint64_t>(std::count(alleles.begin(), alleles.end(), uint8_t{1}));
  const uint64_t called = alt + static_cast<uint64_t>(std::count(alleles.begin(), alleles.end(), uint8_t{0}));
  if (called == alleles.size()) return 0;
  if (called == 0) {
    return absl::InvalidArgumentError(
        "no sample has a call, so there is nothing to impute from; remove such variants first");
  }
  int64_t imputed = 0;
  for (size_t sample = 0; sample < alleles.size() / 2; ++sample) {
    bool missing = false;
    for (size_t haplotype = 0; haplotype < 2; ++haplotype) {
      uint8_t& allele = alleles[2 * sample + haplotype];
      if (allele != kMissingAllele) continue;
      missing = true;
      const PhiloxStream stream(0, sample, static_cast<int>(haplotype), Purpose::kImputation);
      allele = (static_cast<uint64_t>(stream.Bits(variant)) * called) >> 32 < alt ? 1 : 0;
    }
    if (missing) ++imputed;
  }
  return imputed;
}

}  // namespace genoserve

#include "core/quality/frequency_counts.h"

#include <limits>

#include "core/base/parallel.h"
#include "core/kernels/bits.h"
#include "core/quality/bit_planes.h"

namespace genoserve {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

VariantCounts NoCounts(size_t samples, size_t variants) {
  return {samples, std::vector<uint32_t>(variants), std::vector<uint32_t>(variants)};
}

void SetCounts(uint64_t any_alt, uint64_t two_alt, size_t variant, VariantCounts* counts) {
  counts->het[variant] = static_cast<uint32_t>(any_alt - two_alt);
  counts->hom_alt[variant] = static_cast<uint32_t>(two_alt);
}

CohortCounts CountDiploid(const GenotypeMatrix& genotypes, const std::vector<std::vector<size_t>>& samples_of) {
  const size_t variants = genotypes.variants();
  CohortCounts counts;
  counts.all = NoCounts(genotypes.samples(), variants);
  std::vector<std::vector<uint64_t>> masks;
  for (const std::vector<size_t>& samples : samples_of) {
    counts.labels.push_back(NoCounts(samples.size(), variants));
    std::vector<uint64_t>& mask = masks.emplace_back((genotypes.samples() + 63) / 64);
    for (const size_t sample : samples) mask[sample / 64] |= uint64_t{1} << (sample % 64);
  }
  const BitPlanes columns = BitPlanes::OfVariants(genotypes);
  ParallelFor(variants, [&](size_t v) {
    SetCounts(CountBits(columns.Plane(v, 0)), CountBits(columns.Plane(v, 1)), v, &counts.all);
    for (size_t label = 0; label < masks.size(); ++label) {
      SetCounts(CountAnd(columns.Plane(v, 0), masks[label]), CountAnd(columns.Plane(v, 1), masks[label]), v,
                &counts.labels[label]);
    }
  });
  const BitPlanes rows = BitPlanes::OfRows(genotypes);
  for (size_t i = 0; i < rows.vectors(); ++i) {
    counts.heterozygosity.push_back(static_cast<double>(CountXor(rows.Plane(i, 0), rows.Plane(i, 1))) /
                                    static_cast<double>(variants));
  }
  return counts;
}

}  // namespace

CohortCounts CountGenotypes(const Cohort& cohort, size_t labels) {
  std::vector<std::vector<size_t>> samples_of;
  for (size_t label = 0; label < labels; ++label) samples_of.push_back(cohort.WithLabel(static_cast<int>(label)));
  if (cohort.genotypes.packing() == Packing::kDiploid2Bit) return CountDiploid(cohort.genotypes, samples_of);
  return CountDiploid(cohort.genotypes.ToDiploid(), samples_of);
}

std::vector<double> FrequenciesOf(const VariantCounts& counts) {
  std::vector<double> frequencies(counts.variants(), kNan);
  if (counts.samples == 0) return frequencies;
  for (size_t v = 0; v < frequencies.size(); ++v) frequencies[v] = counts.Frequency(v);
  return frequencies;
}

std::vector<double> GenotypeRatesOf(const VariantCounts& counts) {
  std::vector<double> rates(3 * counts.variants(), kNan);
  if (counts.samples == 0) return rates;
  const auto n = static_cast<double>(counts.samples);
  for (size_t v = 0; v < counts.variants(); ++v) {
    rates[3 * v] = counts.het[v] / n;
    rates[3 * v + 1] = counts.hom_alt[v] / n;
    rates[3 * v + 2] = static_cast<double>(counts.samples - counts.het[v] - counts.hom_alt[v]) / n;
  }
  return rates;
}

std::vector<double> InbreedingOf(const VariantCounts& counts) {
  std::vector<double> inbreeding(counts.variants(), kNan);
  for (size_t v = 0; v < inbreeding.size(); ++v) {
    if (!counts.Varies(v)) continue;
    const double p = counts.Frequency(v);
    inbreeding[v] = 1 - counts.het[v] / static_cast<double>(counts.samples) / (2 * p * (1 - p));
  }
  return inbreeding;
}

}  // namespace genoserve

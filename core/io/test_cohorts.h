// Cohorts that the tests of the writers write.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/io/cohort_files.h"

namespace genoserve {

/// Variants on two contigs, the second after the first, some of them long, one without a name of its own.
inline VariantTable TestVariants(size_t count) {
  std::vector<VariantRecord> variants;
  for (size_t i = 0; i < count; ++i) {
    const bool first = i < count - count / 3;
    VariantRecord v{first ? "1" : "X", static_cast<int64_t>(first ? 10'000 * (i + 1) : 7 * (i + 1)), "", "A", "G"};
    if (i % 3 != 1) v.id = absl::StrCat("rs", i);
    if (i % 5 == 2) v.ref = "ACGTACGTACGTACGTACGT";
    if (i % 7 == 3) v.alt = "AGGGGGGGGGGGGGGG";
    variants.push_back(std::move(v));
  }
  return VariantTable::Create(std::move(variants), {{"1", 100'000'000}, {"2", 5}, {"X", 0}}).value();
}

/// Genotypes that look random: missing ones too in diploid packing.
inline GenotypeMatrix TestGenotypes(Packing packing, size_t samples, size_t variants, bool missing = true) {
  GenotypeMatrix matrix(packing, samples * RowsPerSample(packing), variants);
  const int codes = packing == Packing::kHaplotype1Bit ? 2 : missing ? 4 : 3;
  for (size_t row = 0; row < matrix.rows(); ++row) {
    const PhiloxStream stream(5, row, 0, Purpose::kAllele);
    for (size_t v = 0; v < variants; ++v) {
      matrix.Set(row, v, static_cast<int>(stream.Bits(static_cast<uint32_t>(v)) % static_cast<unsigned>(codes)));
    }
  }
  return matrix;
}

/// The description of a whole cohort of such genotypes.
inline CohortDescription TestDescription(const GenotypeMatrix& genotypes) {
  CohortDescription cohort;
  cohort.variants = TestVariants(genotypes.variants());
  cohort.packing = genotypes.packing();
  cohort.cohort_size = cohort.sample_count = static_cast<int64_t>(genotypes.samples());
  cohort.provenance = {{"Model", "acgan"}, {"ModelVersion", "3"}, {"Seed", "7"}, {"ManifestSha256", "ab12"}};
  return cohort;
}

/// The samples [first, end) of a matrix.
inline GenotypeMatrix SamplesOf(const GenotypeMatrix& genotypes, size_t first, size_t end) {
  std::vector<size_t> samples;
  for (size_t i = first; i < std::min(end, genotypes.samples()); ++i) samples.push_back(i);
  return genotypes.SelectSamples(samples);
}

/// Options with a buffer of so many bytes.
inline CohortWriterOptions WithMemory(size_t memory) {
  CohortWriterOptions options;
  options.memory = memory;
  return options;
}

/// Writes genotypes in batches of `batch` samples.
inline absl::Status WriteCohort(CohortFormat format, const std::string& path, CohortDescription cohort,
                                const GenotypeMatrix& genotypes, size_t batch = 1000,
                                CohortWriterOptions options = {}) {
  auto writer = OpenCohortWriter(format, path, std::move(cohort), std::move(options));
  if (!writer.ok()) return writer.status();
  for (size_t first = 0; first < genotypes.samples(); first += batch) {
    if (absl::Status status = (*writer)->Append(SamplesOf(genotypes, first, first + batch)); !status.ok()) {
      return status;
    }
  }
  return (*writer)->Close();
}

}  // namespace genoserve

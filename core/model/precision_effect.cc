#include "core/model/precision_effect.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/model/blocks.h"

namespace genoserve {
namespace {

constexpr size_t kMostRows = 1024;
constexpr size_t kFewestRows = 64;
// Weights times rows: about a second in fp32 and half a second rounded.
constexpr double kMostProducts = 4e10;

// How many rows and which blocks keep within kMostProducts: at most half of it for the layers that all blocks need.
struct Extent {
  size_t rows = kMostRows;
  std::vector<uint32_t> blocks;
};

Extent ExtentOf(const GeneratorShape& shape) {
  double body = 0;
  double output = 0;
  for (const WeightShape& weight : shape.weights) {
    double size = 1;
    for (const int64_t extent : weight.shape) size *= static_cast<double>(extent);
    if (weight.name == "output.weight") {
      output = size;
    } else if (weight.name != "label_logits") {
      body += size;
    }
  }
  Extent extent;
  const auto few = static_cast<size_t>(kMostProducts / 2 / std::max(body, 1.0));
  extent.rows = std::clamp(few / kFewestRows * kFewestRows, kFewestRows, kMostRows);
  const size_t all = BlockCount(shape.variants);
  const auto rows = static_cast<double>(extent.rows);
  const double left = (kMostProducts - body * rows) / (output / static_cast<double>(all) * rows);
  const auto count = static_cast<size_t>(std::clamp(left, 1.0, static_cast<double>(all)));
  for (size_t i = 0; i < count; ++i) extent.blocks.push_back(static_cast<uint32_t>(i * all / count));
  return extent;
}

// Values of the phenotypes that sample `i` has: quantiles of the training and levels in turn.
std::vector<double> Phenotypes(const v1::Manifest& manifest, size_t i) {
  std::vector<double> values;
  for (const v1::PhenotypeSchema& phenotype : manifest.phenotypes()) {
    size_t place = i * 37 + 11 * values.size();
    if (phenotype.has_categorical()) {
      place %= static_cast<size_t>(std::max(1, phenotype.categorical().levels_size()));
      values.push_back(static_cast<double>(place));
    } else if (phenotype.continuous().quantiles().empty()) {
      values.push_back(std::numeric_limits<double>::quiet_NaN());
    } else {
      place %= static_cast<size_t>(phenotype.continuous().quantiles_size());
      values.push_back(phenotype.continuous().quantiles(static_cast<int>(place)));
    }
  }
  return values;
}

}  // namespace

absl::StatusOr<PrecisionEffect> MeasurePrecision(const v1::Manifest& manifest, const GeneratorShape& shape,
                                                 const Generator& exact, const Generator& rounded) {
  const Extent extent = ExtentOf(shape);
  const size_t per_sample = RowsPerSample(shape.packing);
  const size_t tile = std::min(exact.max_tile_samples(), extent.rows / per_sample);
  PrecisionEffect effect;
  size_t different = 0;
  std::vector<int64_t> shifts(shape.variants);  // alleles
  GenotypeMatrix before(shape.packing, tile * per_sample, shape.variants);
  GenotypeMatrix after = before;
  std::vector<SampleSpec> samples(tile);
  std::vector<std::vector<double>> phenotypes(tile);
  for (; effect.rows < extent.rows; effect.rows += before.rows()) {
    for (size_t i = 0; i < tile; ++i) {
      const size_t index = effect.rows / per_sample + i;
      phenotypes[i] = Phenotypes(manifest, index);
      const int label = manifest.labels().empty() ? -1 : static_cast<int>(index) % manifest.labels_size();
      samples[i] = {.seed = 0, .sample = index, .label = label, .phenotypes = phenotypes[i]};
    }
    GENOSERVE_RETURN_IF_ERROR(exact.Generate(samples, extent.blocks, before));
    GENOSERVE_RETURN_IF_ERROR(rounded.Generate(samples, extent.blocks, after));
    for (const uint32_t block : extent.blocks) {
      const size_t first = block * kBlockVariants;
      const size_t end = std::min(first + kBlockVariants, shape.variants);
      for (size_t row = 0; row < before.rows(); ++row) {
        for (size_t v = first; v < end; ++v) {
          const int shift = after.Get(row, v) - before.Get(row, v);
          shifts[v] += shift;
          different += shift != 0 ? 1 : 0;
        }
      }
    }
  }
  for (const uint32_t block : extent.blocks) {
    effect.variants += std::min(kBlockVariants, shape.variants - block * kBlockVariants);
  }
  effect.differing =
      static_cast<double>(different) / (static_cast<double>(effect.rows) * static_cast<double>(effect.variants));
  const size_t alleles_a_row = 2 / per_sample;
  const auto alleles = static_cast<double>(effect.rows * alleles_a_row);
  for (const int64_t shift : shifts) {
    effect.frequency_shift = std::max(effect.frequency_shift, std::fabs(static_cast<double>(shift)) / alleles);
  }
  return effect;
}

absl::Status CheckPrecision(const PrecisionEffect& effect, Precision precision) {
  if (effect.differing <= kMostDiffering && effect.frequency_shift <= kMostFrequencyShift) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("precision %s changes %.4f %% of the genotypes and shifts an allele frequency by up to %.4f; "
                      "at most %.4f %% and "
                      "%.4f are allowed: serve it with %s",
                      PrecisionName(precision), 100 * effect.differing, effect.frequency_shift, 100 * kMostDiffering,
                      kMostFrequencyShift, precision == Precision::kInt8 ? "bf16 or fp32" : "fp32"));
}

}  // namespace genoserve

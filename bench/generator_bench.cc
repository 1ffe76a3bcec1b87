// How many rows a second one thread generates.
//
//   generator_bench [SHAPE...]
//
// Shapes: acgan-805, acgan-10k, wgan-10k, wgan-50k (random weights of these sizes) and chain; all but acgan-10k where
// none is named. One line a shape, precision and rows of a tile: rows a second of CPU time of whole rows and of a
// region of 1 % of the variants, the median of five runs and their spread, noise, draws and packing included.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "bench/measured_networks.h"
#include "core/base/status.h"
#include "core/model/generator.h"
#include "core/model/test_chains.h"

namespace genoserve {
namespace {

constexpr int kRuns = 5;
constexpr double kRunSeconds = 0.4;

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// The rates of runs of this tile.
absl::StatusOr<std::array<double, kRuns>> Rates(const Generator& generator, size_t rows,
                                                std::span<const uint32_t> blocks) {
  const std::vector<double> phenotypes = {21, 1, 21};
  std::vector<SampleSpec> samples(rows / RowsPerSample(generator.packing()));
  uint64_t next = 0;
  GenotypeMatrix tile(generator.packing(), rows, generator.variant_count());
  std::array<double, kRuns> rates{};
  for (int run = -1; run < kRuns; ++run) {  // the first one warms up
    double done = 0;
    const double begin = ThreadSeconds();
    double seconds = 0;
    do {
      for (SampleSpec& sample : samples) sample = {1, next++, static_cast<int>(next % 4), phenotypes};
      GENOSERVE_RETURN_IF_ERROR(generator.Generate(samples, blocks, tile));
      done += static_cast<double>(rows);
      seconds = ThreadSeconds() - begin;
    } while (seconds < (run < 0 ? 0.1 : kRunSeconds));
    if (run >= 0) rates[static_cast<size_t>(run)] = done / seconds;
  }
  std::sort(rates.begin(), rates.end());
  return rates;
}

absl::Status Measure(const std::string& name, const char* precision, const Generator& generator) {
  const size_t first = generator.variant_count() / 2;
  std::vector<uint32_t> region;
  for (size_t block = first / kBlockVariants; block * kBlockVariants < first + generator.variant_count() / 100;
       ++block) {
    region.push_back(static_cast<uint32_t>(block));
  }
  for (const size_t rows : {16, 64, 256}) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto whole, Rates(generator, rows, {}));
    GENOSERVE_ASSIGN_OR_RETURN(const auto part, Rates(generator, rows, region));
    std::printf("%-10s %s  %3zu rows  whole %9.1f/s [%.1f-%.1f]  %.1f M genotypes/s  1%% %9.1f/s [%.1f-%.1f]\n",
                name.c_str(), precision, rows, whole[kRuns / 2], whole.front(), whole.back(),
                1e-6 * whole[kRuns / 2] * static_cast<double>(generator.variant_count()), part[kRuns / 2], part.front(),
                part.back());
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

absl::Status Run(const std::vector<std::string>& names) {
  const auto wanted = [&](const std::string& name) {
    return names.empty() ? name != "acgan-10k" : std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const MeasuredNetwork& network : MeasuredNetworks()) {
    if (!wanted(network.name)) continue;
    const v1::Manifest manifest = ManifestOf(network);
    const TensorMap weights = RandomWeights(manifest, 1);
    for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
      GENOSERVE_ASSIGN_OR_RETURN(const auto generator, MakeGenerator(manifest, weights, {.precision = precision}));
      GENOSERVE_RETURN_IF_ERROR(Measure(network.name, PrecisionName(precision), *generator));
    }
  }
  if (!wanted("chain")) return absl::OkStatus();
  constexpr size_t kChainVariants = 200000;
  std::vector<size_t> starts;
  for (size_t start = 0; start < kChainVariants; start += 10000) starts.push_back(start);
  TensorMap tensors;
  RandomChain(2, kChainVariants, 4, starts, 1).ToTensors(tensors);
  GENOSERVE_ASSIGN_OR_RETURN(const auto chain, MakeGenerator(ChainManifest(2, kChainVariants, 4), tensors, {}));
  return Measure("chain", "any ", *chain);
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  const absl::Status status = genoserve::Run({argv + 1, argv + argc});
  if (!status.ok()) std::fprintf(stderr, "generator_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

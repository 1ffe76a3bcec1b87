#include "trainer/objective/data_statistics.h"

#include <c10/core/GradMode.h>

#include <algorithm>

#include "trainer/objective/batches.h"
#include "trainer/objective/noise.h"

namespace genoserve {
namespace {

constexpr size_t kBlockRows = 256;

struct Block {
  at::Tensor codes;   // [rows, variants]
  at::Tensor groups;  // [rows]
};

Block ReadBlock(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups, size_t first, at::Device device) {
  std::vector<size_t> rows;
  std::vector<int64_t> some;
  for (size_t row = first; row < std::min(first + kBlockRows, genotypes.rows()); ++row) {
    rows.push_back(row);
    some.push_back(groups[row]);
  }
  return {DecodeRows(genotypes, rows, device), IndexTensor(some, device)};
}

}  // namespace

DataStatistics DescribeData(const GenotypeMatrix& genotypes, const std::vector<int64_t>& groups, int64_t group_count,
                            at::Device device) {
  const c10::NoGradGuard no_grad;
  const at::TensorOptions options(device);
  const auto variants = static_cast<int64_t>(genotypes.variants());
  const int64_t states = genotypes.packing() == Packing::kHaplotype1Bit ? 2 : 3;
  DataStatistics statistics;
  statistics.group_rows = at::zeros({group_count}, options.dtype(at::kFloat));
  statistics.state_counts = at::zeros({group_count, states, variants}, options.dtype(at::kFloat));
  for (size_t first = 0; first < genotypes.rows(); first += kBlockRows) {
    const Block block = ReadBlock(genotypes, groups, first, device);
    statistics.group_rows.index_add_(0, block.groups, at::ones({block.codes.size(0)}, block.codes.options()));
    for (int64_t state = 0; state < states; ++state) {
      statistics.state_counts.select(1, state).index_add_(0, block.groups, at::eq(block.codes, state).to(at::kFloat));
    }
  }
  const at::Tensor rows = statistics.group_rows.clamp_min(1).unsqueeze(1);
  statistics.means = statistics.state_counts.select(1, 1) / rows;
  if (states == 3) statistics.means = statistics.means + 2 * statistics.state_counts.select(1, 2) / rows;

  at::Tensor squares = at::zeros({variants}, options.dtype(at::kDouble));
  at::Tensor products = at::zeros({variants - 1}, options.dtype(at::kDouble));
  for (size_t first = 0; first < genotypes.rows(); first += kBlockRows) {
    const Block block = ReadBlock(genotypes, groups, first, device);
    const at::Tensor centred = block.codes - statistics.means.index_select(0, block.groups);
    squares.add_(at::sum(centred * centred, 0));
    products.add_(at::sum(centred.slice(1, 0, variants - 1) * centred.slice(1, 1, variants), 0));
  }
  const auto count = static_cast<double>(genotypes.rows());
  statistics.deviations = at::sqrt(squares / count).to(at::kFloat);
  if (variants > 1) {
    const at::Tensor scale = squares.slice(0, 0, variants - 1) * squares.slice(0, 1, variants);
    const at::Tensor r2 = at::where(at::gt(scale, 0), products * products / scale, at::zeros_like(scale));
    statistics.neighbour_r2 = std::max(0.0, at::mean(r2).item<double>() - 1.0 / count);
  }
  return statistics;
}

at::Tensor StateFrequencies(const DataStatistics& statistics) {
  const at::Tensor counts = statistics.state_counts + 0.25;
  return counts / at::sum(counts, 1, true);
}

}  // namespace genoserve

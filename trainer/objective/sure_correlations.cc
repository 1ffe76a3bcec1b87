#include "trainer/objective/sure_correlations.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "core/quality/evenly_spaced.h"
#include "trainer/objective/counted_correlations.h"

namespace genoserve {
namespace {

constexpr int64_t kBlockVariants = 1024;
constexpr int kPasses = 12;            // of the subspace iteration
constexpr int64_t kOversampling = 10;  // vectors that it finds besides
constexpr double kSureErrors = 4.0;    // standard errors of a correlation: 6 of 100,000 chance ones are larger
constexpr size_t kSampledVariants = 256;
constexpr int64_t kStructure = 16;  // components that the structure of populations may have

at::Tensor Orthonormal(const at::Tensor& matrix) { return std::get<0>(at::linalg_qr(matrix)); }

// Keeps LibTorch's word that its sparse matrices are in beta from the user.
class Silent : public c10::WarningHandler {
 public:
  void process(const c10::Warning& /*warning*/) override {}
};

// The entries of a matrix that are at least a threshold, row after row. The threshold rises when there are too many.
class SureEntries {
 public:
  SureEntries(double least, size_t most) : least_(static_cast<float>(least)), most_(most) {}

  // Takes the next rows; `block` has the columns from `from` on. Of an `upper` one row i the columns i and up are
  // taken.
  void AddRows(const at::Tensor& block, int64_t from, bool upper) {
    const at::Tensor rows = block.cpu().contiguous();
    const float* const values = rows.data_ptr<float>();
    const int64_t width = rows.size(1);
    for (int64_t i = 0; i < rows.size(0); ++i) {
      for (int64_t j = upper ? static_cast<int64_t>(row_ends_.size()) - from : 0; j < width; ++j) {
        const float value = values[i * width + j];
        if (!(std::abs(value) >= least_)) continue;
        columns_.push_back(static_cast<int32_t>(from + j));
        values_.push_back(value);
      }
      row_ends_.push_back(columns_.size());
      if (columns_.size() > most_) RaiseThreshold();
    }
  }

  // The matrix; with `mirror` the entries are those of its upper half.
  at::Tensor Matrix(bool mirror) const {
    const size_t size = row_ends_.size();
    const auto options = at::TensorOptions(at::kInt);
    at::Tensor starts = at::zeros({static_cast<int64_t>(size) + 1}, options);
    int32_t* const start = starts.data_ptr<int32_t>();
    ForEach([&](size_t i, size_t j, float /*value*/) {
      ++start[i + 1];
      if (mirror && i != j) ++start[j + 1];
    });
    std::partial_sum(start, start + size + 1, start);
    at::Tensor columns = at::empty({start[size]}, options);
    at::Tensor values = at::empty({start[size]});
    std::vector<int32_t> next(start, start + size);
    const auto put = [&, c = columns.data_ptr<int32_t>(), v = values.data_ptr<float>()](size_t i, size_t j,
                                                                                        float value) {
      c[next[i]] = static_cast<int32_t>(j);
      v[next[i]++] = value;
    };
    // Ascending i: what is mirrored into a row comes before its own.
    ForEach([&](size_t i, size_t j, float value) {
      put(i, j, value);
      if (mirror && i != j) put(j, i, value);
    });
    const auto side = static_cast<int64_t>(size);
    return at::sparse_csr_tensor(starts, columns, values, {side, side}, values.options().layout(at::kSparseCsr));
  }

 private:
  template <class Work>
  void ForEach(Work work) const {
    size_t entry = 0;
    for (size_t i = 0; i < row_ends_.size(); ++i) {
      for (; entry < row_ends_[i]; ++entry) work(i, static_cast<size_t>(columns_[entry]), values_[entry]);
    }
  }

  // Drops the smaller half.
  void RaiseThreshold() {
    std::vector<float> sizes(values_.size());
    std::transform(values_.begin(), values_.end(), sizes.begin(), [](float value) { return std::abs(value); });
    const auto middle = sizes.begin() + static_cast<ptrdiff_t>(sizes.size() / 2);
    std::nth_element(sizes.begin(), middle, sizes.end());
    least_ = std::nextafter(*middle, std::numeric_limits<float>::infinity());
    size_t kept = 0;
    size_t entry = 0;
    for (size_t& end : row_ends_) {
      for (; entry < end; ++entry) {
        if (std::abs(values_[entry]) < least_) continue;
        columns_[kept] = columns_[entry];
        values_[kept++] = values_[entry];
      }
      end = kept;
    }
    columns_.resize(kept);
    values_.resize(kept);
  }

  float least_;
  size_t most_;
  std::vector<size_t> row_ends_;
  std::vector<int32_t> columns_;
  std::vector<float> values_;
};

}  // namespace

LeadingVectors FindLeading(absl::FunctionRef<at::Tensor(const at::Tensor&)> times, int64_t variants, int64_t count,
                           TrainingNoise& noise) {
  at::Tensor basis = Orthonormal(noise.Normal({variants, std::min(count + kOversampling, variants)}));
  for (int pass = 0; pass < kPasses; ++pass) basis = Orthonormal(times(basis));
  const auto [values, vectors] = at::linalg_eigh(at::mm(basis.t(), times(basis)));
  return {at::mm(basis, vectors.flip(1).slice(1, 0, count)), values.flip(0).slice(0, 0, count)};
}

SureCorrelations::SureCorrelations(const StandardisedCodes& z, const CorrelationLimits& limits, TrainingNoise& noise) {
  Silent silent;
  const c10::WarningUtils::WarningHandlerGuard guard(&silent);
  const int64_t variants = z.variants();
  const double least = kSureErrors / std::sqrt(static_cast<double>(z.rows()));
  const auto device = z.means().device();
  if (variants <= limits.small_variants) {
    SureEntries entries(least, std::numeric_limits<size_t>::max());
    for (int64_t first = 0; first < variants; first += kBlockVariants) {
      entries.AddRows(z.Correlations(first, std::min(first + kBlockVariants, variants)), 0, false);
    }
    sparse_ = entries.Matrix(false).to(device);
    return;
  }
  const CountedCorrelations counted(z);
  std::vector<int64_t> sample;
  for (const size_t variant : EvenlySpaced(static_cast<size_t>(variants), kSampledVariants)) {
    sample.push_back(static_cast<int64_t>(variant));
  }
  const double share = at::mean(at::ge(at::abs(counted.Of(sample, 0)), least).to(at::kDouble)).item<double>();
  if (share * static_cast<double>(variants) * static_cast<double>(variants) > static_cast<double>(limits.most)) {
    PartStructure(z, noise);
  }
  const at::Tensor directions = components() > 0 ? structure_.cpu() : at::Tensor();
  SureEntries entries(least, static_cast<size_t>(limits.most / 2));
  for (int64_t first = 0; first < variants; first += kBlockVariants) {
    std::vector<int64_t> block(static_cast<size_t>(std::min(kBlockVariants, variants - first)));
    std::iota(block.begin(), block.end(), first);
    at::Tensor correlations = counted.Of(block, first);
    if (components() > 0) {
      const at::Tensor own = directions.slice(0, first, first + correlations.size(0)) * strengths_.cpu();
      correlations.addmm_(own, directions.slice(0, first).t(), 1, -1);
    }
    entries.AddRows(correlations, first, true);
  }
  sparse_ = entries.Matrix(true).to(device);
}

void SureCorrelations::PartStructure(const StandardisedCodes& z, TrainingNoise& noise) {
  const LeadingVectors leading = FindLeading([&](const at::Tensor& x) { return z.CorrelationsTimes(x); }, z.variants(),
                                             std::min(kStructure, z.variants()), noise);
  const double edge = 1 + std::sqrt(static_cast<double>(z.variants()) / static_cast<double>(z.rows()));
  const int64_t count = at::sum(at::gt(leading.values, edge * edge)).item<int64_t>();
  if (count == 0) return;
  structure_ = leading.vectors.slice(1, 0, count).contiguous();
  strengths_ = leading.values.slice(0, 0, count).contiguous();
}

at::Tensor SureCorrelations::Times(const at::Tensor& x) const {
  at::Tensor product = at::mm(sparse_, x);
  if (components() > 0) product.addmm_(structure_ * strengths_, at::mm(structure_.t(), x));
  return product;
}

}  // namespace genoserve

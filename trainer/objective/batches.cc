#include "trainer/objective/batches.h"

#include <algorithm>
#include <utility>

#include "trainer/dataset/balanced_order.h"
#include "trainer/objective/noise.h"

namespace genoserve {
namespace {

// Steps of TrainingNoise from here on are passes over the data.
constexpr int64_t kFirstPass = int64_t{1} << 38;

}  // namespace

BatchOrder::BatchOrder(size_t rows, size_t batch_size, uint64_t seed, std::vector<int> balanced_labels)
    : rows_(rows),
      batch_size_(batch_size),
      seed_(seed),
      batches_(static_cast<int64_t>(std::max<size_t>(1, rows / batch_size))),
      balanced_labels_(std::move(balanced_labels)) {}

std::vector<size_t> BatchOrder::Rows(int64_t index) {
  if (index / batches_ != pass_) {
    pass_ = index / batches_;
    if (balanced_labels_.empty()) {
      TrainingNoise noise(seed_, at::kCPU);
      noise.StartStep(kFirstPass + pass_);
      const std::vector<int64_t> order = noise.Permutation(rows_);
      order_.assign(order.begin(), order.end());
    } else {
      order_ = BalancedOrder(balanced_labels_, seed_, pass_);
    }
  }
  std::vector<size_t> batch(batch_size_);
  const size_t first = static_cast<size_t>(index % batches_) * batch_size_;
  for (size_t i = 0; i < batch_size_; ++i) batch[i] = order_[(first + i) % order_.size()];
  return batch;
}

at::Tensor DecodeRows(const GenotypeMatrix& genotypes, const std::vector<size_t>& rows, at::Device device) {
  const size_t variants = genotypes.variants();
  at::Tensor decoded = at::empty({static_cast<int64_t>(rows.size()), static_cast<int64_t>(variants)}, at::kFloat);
  float* to = decoded.mutable_data_ptr<float>();
  std::vector<uint8_t> codes(variants);
  for (const size_t row : rows) {
    genotypes.UnpackRow(row, codes);
    to = std::copy(codes.begin(), codes.end(), to);
  }
  return decoded.to(device);
}

RealBatches::RealBatches(const GenotypeMatrix& genotypes, const BatchOrder& order, const BatchRows& rows)
    : count_(rows.count()),
      variants_(static_cast<int64_t>(genotypes.variants())),
      decoder_(
          genotypes,
          [own = BatchOrder(order), rows](int64_t index) mutable {
            const std::vector<size_t> batch = own.Rows(index);
            std::vector<size_t> part;
            part.reserve(rows.rows.size());
            for (const int64_t i : rows.rows) part.push_back(batch[static_cast<size_t>(i)]);
            return part;
          },
          1) {}

at::Tensor RealBatches::Batch(int64_t index, at::Device device) {
  // Tensors know no constant memory.
  auto* codes = const_cast<float*>(decoder_.Get(index).codes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  return at::from_blob(codes, {count_, variants_}, at::kFloat).to(device);
}

}  // namespace genoserve

#include "trainer/objective/noise.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/philox.h"

namespace genoserve {
namespace {

int64_t Count(at::IntArrayRef sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, [](int64_t a, int64_t b) { return a * b; });
}

}  // namespace

void TrainingNoise::StartStep(int64_t step) {
  step_ = step;
  call_ = 0;
}

std::vector<uint32_t> TrainingNoise::Bits(size_t count) {
  std::vector<uint32_t> bits(count);
  PhiloxStream(seed_, NextCall(), 0, Purpose::kTraining).FillBits(0, bits);
  return bits;
}

at::Tensor TrainingNoise::Normal(at::IntArrayRef sizes) {
  at::Tensor values = at::empty(sizes, at::kFloat);
  PhiloxStream(seed_, NextCall(), 0, Purpose::kTraining)
      .FillNormal({values.mutable_data_ptr<float>(), static_cast<size_t>(Count(sizes))});
  return values.to(device_);
}

at::Tensor TrainingNoise::Uniform(at::IntArrayRef sizes) {
  at::Tensor values = at::empty(sizes, at::kFloat);
  const std::vector<uint32_t> bits = Bits(static_cast<size_t>(Count(sizes)));
  std::transform(bits.begin(), bits.end(), values.mutable_data_ptr<float>(),
                 [](uint32_t word) { return (static_cast<float>(static_cast<int32_t>(word >> 9)) + 0.5F) * 0x1p-23F; });
  return values.to(device_);
}

at::Tensor TrainingNoise::Gumbel(at::IntArrayRef sizes) { return Uniform(sizes).log_().neg_().log_().neg_(); }

at::Tensor TrainingNoise::Logistic(at::IntArrayRef sizes) { return at::logit(Uniform(sizes)); }

std::vector<int64_t> TrainingNoise::Integers(size_t count, int64_t bound) {
  const std::vector<uint32_t> bits = Bits(count);
  std::vector<int64_t> values(count);
  std::transform(bits.begin(), bits.end(), values.begin(), [bound](uint32_t word) {
    return static_cast<int64_t>((static_cast<uint64_t>(word) * static_cast<uint64_t>(bound)) >> 32);
  });
  return values;
}

std::vector<int64_t> TrainingNoise::Permutation(size_t size) {
  const std::vector<uint32_t> bits = Bits(size);
  std::vector<int64_t> order(size);
  std::iota(order.begin(), order.end(), int64_t{0});
  for (size_t i = size; i > 1; --i) {
    const uint64_t other = (static_cast<uint64_t>(bits[i - 1]) * i) >> 32;
    std::swap(order[i - 1], order[other]);
  }
  return order;
}

at::Tensor IndexTensor(const std::vector<int64_t>& values, at::Device device) {
  at::Tensor indices = at::empty({static_cast<int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), indices.mutable_data_ptr<int64_t>());
  return indices.to(device);
}

}  // namespace genoserve

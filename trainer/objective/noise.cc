#include "trainer/objective/noise.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "core/kernels/random.h"
#include "trainer/objective/torch_threads.h"

namespace genoserve {
namespace {

int64_t Count(at::IntArrayRef sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, [](int64_t a, int64_t b) { return a * b; });
}

// Numbers that a thread draws at once.
constexpr int64_t kBlock = 16384;

// A tensor [rows.count(), row_sizes...] of what `fill` makes of the numbers that the rows have in the draw for all
// rows.
at::Tensor Draw(const PhiloxStream& stream, const BatchRows& rows, at::IntArrayRef row_sizes,
                RowDraw::FillValues fill) {
  std::vector<int64_t> sizes = {rows.count()};
  sizes.insert(sizes.end(), row_sizes.begin(), row_sizes.end());
  const int64_t width = Count(row_sizes);
  TORCH_CHECK(rows.total * width <= int64_t{1} << 32, "a draw of more than 2^32 numbers");
  at::Tensor values = at::empty(sizes, at::kFloat);
  float* to = values.mutable_data_ptr<float>();
  for (size_t i = 0; i < rows.rows.size();) {
    // Rows that follow one another are drawn in one go.
    size_t last = i + 1;
    while (last < rows.rows.size() && rows.rows[last] == rows.rows[last - 1] + 1) ++last;
    const int64_t first = rows.rows[i] * width;
    const auto count = static_cast<int64_t>(last - i) * width;
    OnTorchThreads((count + kBlock - 1) / kBlock, 1, [&](int64_t begin, int64_t end) {
      const int64_t size = std::min(end * kBlock, count) - begin * kBlock;
      fill(stream, static_cast<uint64_t>(first + begin * kBlock), {to + begin * kBlock, static_cast<size_t>(size)});
    });
    to += count;
    i = last;
  }
  return values;
}

// A tensor as one row.
const BatchRows& OneRow() {
  static const BatchRows row = BatchRows::All(1);
  return row;
}

}  // namespace

at::Tensor RowDraw::Whole(int64_t width) const { return Draw(stream_, rows_, {width}, fill_).to(device_); }

void TrainingNoise::StartStep(int64_t step) {
  step_ = step;
  call_ = 0;
}

// Calls from 256 on stand above the step's 40 bits.
PhiloxStream TrainingNoise::NextCall() {
  TORCH_CHECK(call_ < uint64_t{1} << 24, "a training step of more than 2^24 draws");
  const uint64_t sample = (static_cast<uint64_t>(step_) << 8) | (call_ & 0xFF) | ((call_ >> 8) << 48);
  ++call_;
  return {seed_, sample, attempt_, Purpose::kTraining};
}

std::vector<uint32_t> TrainingNoise::Bits(size_t count) {
  std::vector<uint32_t> bits(count);
  FillBits(NextCall(), 0, bits);
  return bits;
}

at::Tensor TrainingNoise::Normal(const BatchRows& rows, at::IntArrayRef row_sizes) {
  return Draw(NextCall(), rows, row_sizes, FillNormal).to(device_);
}

at::Tensor TrainingNoise::Uniform(const BatchRows& rows, at::IntArrayRef row_sizes) {
  return Draw(NextCall(), rows, row_sizes, FillUniform).to(device_);
}

at::Tensor TrainingNoise::Gumbel(const BatchRows& rows, at::IntArrayRef row_sizes) {
  return Draw(NextCall(), rows, row_sizes, FillGumbel).to(device_);
}

at::Tensor TrainingNoise::Logistic(const BatchRows& rows, at::IntArrayRef row_sizes) {
  return Draw(NextCall(), rows, row_sizes, FillLogistic).to(device_);
}

RowDraw TrainingNoise::LogisticRows(const BatchRows& rows) { return {NextCall(), rows, FillLogistic, device_}; }

at::Tensor TrainingNoise::Normal(at::IntArrayRef sizes) { return Normal(OneRow(), sizes).squeeze(0); }

at::Tensor TrainingNoise::Uniform(at::IntArrayRef sizes) { return Uniform(OneRow(), sizes).squeeze(0); }

at::Tensor TrainingNoise::Gumbel(at::IntArrayRef sizes) { return Gumbel(OneRow(), sizes).squeeze(0); }

at::Tensor TrainingNoise::Logistic(at::IntArrayRef sizes) { return Logistic(OneRow(), sizes).squeeze(0); }

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

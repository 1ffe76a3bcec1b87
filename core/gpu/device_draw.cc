#include "core/gpu/device_draw.h"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>

#include <array>

#include "core/base/as241.h"

namespace genoserve {
namespace {

constexpr int64_t kRounds = 10;
constexpr int64_t kMultiplier0 = 0xD2511F53;
constexpr int64_t kMultiplier1 = 0xCD9E8D57;
constexpr int64_t kWeyl0 = 0x9E3779B9;
constexpr int64_t kWeyl1 = 0xBB67AE85;
constexpr int64_t kLow32 = 0xFFFFFFFF;
constexpr double kAtanhHalf = 0.54930614433405489;

// The middle of the interval of [0, 1) that the upper 23 bits stand for; exact in fp32.
at::Tensor Uniform(const at::Tensor& bits) {
  return bits.bitwise_right_shift(9).to(at::kFloat).add_(0.5).mul_(0x1p-23);
}

}  // namespace

DeviceDraw::DeviceDraw(at::Device device) : device_(device) {
  const at::Tensor rounds = at::arange(kRounds, at::kLong).view({kRounds, 1, 1});
  key_steps_[0] = rounds.mul(kWeyl0).to(device);
  key_steps_[1] = rounds.mul(kWeyl1).to(device);
  // The tails beyond r = 5 are left out: the numbers next to 0 and 1 have r = 4.78.
  at::Tensor quantile = at::empty({8, 2, 2, 1, 1}, at::kDouble);
  auto* to = quantile.mutable_data_ptr<double>();
  for (size_t power = 0; power < 8; ++power) {
    for (const auto* of : {&as241::kCentreA, &as241::kCentreB, &as241::kMiddleA, &as241::kMiddleB}) {
      *to++ = (*of)[power];
    }
  }
  quantile_ = quantile.to(device);
  for (int64_t width = 1; width <= 2; ++width) {
    const int64_t codes = 8 / width;
    at::Tensor places = at::empty({codes}, at::kByte);
    for (int64_t i = 0; i < codes; ++i) places.mutable_data_ptr<uint8_t>()[i] = static_cast<uint8_t>(1 << (width * i));
    places_[width - 1] = places.to(device);
  }
}

at::Tensor DeviceDraw::Columns(const std::vector<NumberRun>& runs) const {
  std::vector<at::Tensor> columns;
  for (const NumberRun& run : runs) {
    const at::Tensor blocks = at::arange(run.first_block, run.first_block + run.blocks, at::kLong);
    columns.push_back(at::stack({blocks, at::full_like(blocks, static_cast<int64_t>(run.purpose) << 8)}));
  }
  return at::cat(columns, 1).to(device_);
}

// int64 products wrap, so that their low 64 bits are right; a word's upper half is cleared only before it is multiplied
// or handed out. The first two rounds work mostly on single rows and columns, by broadcasting.
at::Tensor DeviceDraw::Bits(const at::Tensor& keys, const at::Tensor& columns) const {
  const at::Tensor seed = keys[0].unsqueeze(1);
  const at::Tensor sample = keys[1].unsqueeze(1);
  const at::Tensor key0 = key_steps_[0].add(seed.unsqueeze(0));
  const at::Tensor key1 = key_steps_[1].add(seed.bitwise_right_shift(32).unsqueeze(0));
  at::Tensor word0 = columns[0].unsqueeze(0);
  at::Tensor word1 = sample;
  at::Tensor word2 = sample.bitwise_right_shift(32).bitwise_and_(kLow32);
  at::Tensor word3 = columns[1].unsqueeze(0).bitwise_or(keys[2].unsqueeze(1));
  for (int64_t round = 0; round < kRounds; ++round) {
    const at::Tensor product0 = word0.mul(kMultiplier0);
    const at::Tensor product1 = word2.mul(kMultiplier1);
    word0 = product1.bitwise_right_shift(32).bitwise_xor(word1.bitwise_xor(key0[round])).bitwise_and_(kLow32);
    word2 = product0.bitwise_right_shift(32).bitwise_xor(word3.bitwise_xor(key1[round])).bitwise_and_(kLow32);
    word1 = product1;
    word3 = product0;
  }
  return at::stack({word0, word1.bitwise_and(kLow32), word2, word3.bitwise_and(kLow32)}, -1);
}

at::Tensor DeviceDraw::Normal(const at::Tensor& bits) const {
  const at::Tensor p = bits.to(at::kDouble).add_(0.5).mul_(0x1p-32);
  const at::Tensor q = p.sub(0.5);
  const at::Tensor centre = q.square().neg_().add_(0.180625);
  const at::Tensor middle = at::minimum(p, p.neg().add_(1.0)).log_().neg_().sqrt_().sub_(1.6);
  // Both formulas for all, numerator and denominator side by side: [centre or middle, numerator or denominator, ...].
  const at::Tensor r = at::stack({centre.flatten(), middle.flatten()}).view({2, 1, 1, -1});
  at::Tensor sums = quantile_[7];
  for (int64_t power = 6; power >= 0; --power) sums = at::addcmul(quantile_[power], sums, r);
  const at::Tensor ratios = sums.select(1, 0).div(sums.select(1, 1));
  const at::Tensor far = q.abs().gt(0.425);
  return at::where(far, q.sign().mul_(ratios[1].view_as(q)), q.mul(ratios[0].view_as(q))).to(at::kFloat);
}

at::Tensor DeviceDraw::Alleles(const at::Tensor& logits, const at::Tensor& bits) const {
  // u < 1 / (1 + e^-x), without the division.
  return logits.neg().exp_().add_(1.0).mul_(Uniform(bits)).lt(1.0).to(at::kByte);
}

at::Tensor DeviceDraw::ThresholdAlleles(const at::Tensor& logits) const {
  return logits.gt(static_cast<float>(kAtanhHalf)).to(at::kByte);
}

at::Tensor DeviceDraw::Genotypes(const at::Tensor& logits, const at::Tensor& bits) const {
  const at::Tensor highest = at::maximum(at::maximum(logits.select(1, 0), logits.select(1, 1)), logits.select(1, 2));
  const at::Tensor weights = logits.sub(highest.unsqueeze(1)).exp_();
  const at::Tensor weight0 = weights.select(1, 0);
  const at::Tensor up_to_1 = weight0.add(weights.select(1, 1));
  const at::Tensor scaled = Uniform(bits).mul_(up_to_1.add(weights.select(1, 2)));
  return scaled.ge(weight0).to(at::kByte).add_(scaled.ge(up_to_1));
}

at::Tensor DeviceDraw::Pack(const at::Tensor& codes, int64_t width) const {
  const int64_t in_byte = 8 / width;
  const int64_t variants = codes.size(1);
  const int64_t bytes = (variants + in_byte - 1) / in_byte;
  const at::Tensor whole =
      bytes * in_byte == variants ? codes : at::constant_pad_nd(codes, {0, bytes * in_byte - variants});
  return at::sum(whole.reshape({codes.size(0), bytes, in_byte}).mul(places_[width - 1]), {2}, false, at::kByte);
}

}  // namespace genoserve

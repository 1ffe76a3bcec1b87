#include "trainer/objective/calibration.h"

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "trainer/objective/calibration_sums.h"
#include "trainer/objective/noise.h"

namespace genoserve {
namespace {

// Variants that are fitted together: their part of the logits stays in the cache. Fixed, so that the result does not
// depend on the number of threads.
constexpr int64_t kChunk = 128;
constexpr int kNewtonSteps = 20;
// Variants whose liabilities are in memory at once.
constexpr int64_t kBlock = 2048;
constexpr int kSharpnessRounds = 8;
// Pairs of neighbours that the common factor is fitted on.
constexpr int64_t kMostPairs = 400;
// Shares of variance at most, and the sharpness that it takes: beyond it draws would be deterministic.
constexpr double kLargestShare = 0.985;
constexpr float kMostSharpness = 100.0F;

// Variances of codes with these frequencies [1 or 3, variants].
at::Tensor CodeVariance(const at::Tensor& frequencies) {
  if (frequencies.size(0) == 1) return frequencies[0] * (1 - frequencies[0]);
  const at::Tensor mean = frequencies[1] + 2 * frequencies[2];
  return frequencies[1] + 4 * frequencies[2] - mean * mean;
}

// A few variants that are fitted together. Pointers are to their first one.
class Chunk {
 public:
  // `spread` is about the standard deviation of the logits. `frequencies` and `biases` are rows of [1 or 3, variants],
  // `pitch` floats apart.
  Chunk(RelativeLogits logits, const float* spread, const float* frequencies, float* biases, int64_t pitch)
      : logits_(logits), spread_(spread), sums_(6 * logits.variants), moves_(4 * logits.variants) {
    const bool alleles = logits.logits2 == nullptr;
    wanted1_ = alleles ? frequencies : frequencies + pitch;
    bias1_ = alleles ? biases : biases + pitch;
    wanted2_ = alleles ? nullptr : frequencies + 2 * pitch;
    bias2_ = alleles ? nullptr : biases + 2 * pitch;
    logits_.bias1 = bias1_;
    logits_.bias2 = bias2_;
    const size_t n = logits.variants;
    float* at = sums_.data();
    view_ = {{at, n}, {at + n, n}, {at + 2 * n, n}, {at + 3 * n, n}, {at + 4 * n, n}, {at + 5 * n, n}};
  }

  // Newton's method for the biases, `steps` times at most. Where few rows are near a threshold the slope vanishes, so
  // a step is limited, by half of the limit before whenever it turns back.
  void FitBiases(int steps) {
    const auto rows = static_cast<float>(logits_.rows);
    const size_t n = logits_.variants;
    for (size_t v = 0; v < n; ++v) {
      moves_[v] = moves_[n + v] = 0;
      moves_[2 * n + v] = moves_[3 * n + v] = 4.0F + 0.25F * spread_[v];
    }
    float largest = 1.0F;
    for (int step = 0; step < steps && largest > 1e-3F; ++step) {
      SumProbabilities(logits_, view_);
      largest = 0;
      for (size_t v = 0; v < n; ++v) {
        const float miss1 = wanted1_[v] - view_.p1[v] / rows;
        const float slope1 = view_.p11[v] / rows + 1e-6F;
        float move1 = miss1 / slope1;
        if (bias2_ != nullptr) {
          // In terms of the thresholds, u1 = b1 and u2 = b2 - b1, and of the probabilities to pass them.
          const float miss2 = wanted2_[v] - view_.p2[v] / rows;
          const float slope22 = view_.p22[v] / rows + 1e-6F;
          const float slope12 = (view_.p22[v] - view_.p12[v]) / rows;
          const float slope11 = slope1 + slope12 - view_.p12[v] / rows;
          const float determinant = std::max(slope11 * slope22 - slope12 * slope12, 1e-12F);
          const float pass = miss1 + miss2;
          const float second = Limited((slope11 * miss2 - slope12 * pass) / determinant, 1, v);
          move1 = Limited((slope22 * pass - slope12 * miss2) / determinant, 0, v);
          bias2_[v] += move1 + second;
          largest = std::max(largest, std::fabs(second));
        } else {
          move1 = Limited(move1, 0, v);
        }
        bias1_[v] += move1;
        largest = std::max(largest, std::fabs(move1));
      }
    }
  }

  // Moves the sharpness towards these odds of the share of variance; the sums are those of the last step before.
  void FitSharpness(const float* odds, const float* variances, float* sharpness) {
    const auto rows = static_cast<float>(logits_.rows);
    SumProbabilities(logits_, view_);
    for (size_t v = 0; v < logits_.variants; ++v) {
      const float mean = (view_.p1[v] + (bias2_ != nullptr ? 2.0F * view_.p2[v] : 0.0F)) / rows;
      const float share = std::clamp((view_.mean[v] / rows - mean * mean) / variances[v], 1e-4F, 0.997F);
      const float step = std::clamp(std::sqrt(odds[v] * (1 - share) / share), 0.4F, 2.5F);
      const float before = sharpness[v];
      sharpness[v] = std::clamp(before * step, 0.01F, kMostSharpness);
      // Thresholds on the liability stay where they were.
      bias1_[v] *= sharpness[v] / before;
      if (bias2_ != nullptr) bias2_[v] *= sharpness[v] / before;
    }
  }

 private:
  float Limited(float move, size_t which, size_t v) {
    float& before = moves_[which * logits_.variants + v];
    float& limit = moves_[(2 + which) * logits_.variants + v];
    if (move * before < 0) limit *= 0.5F;
    before = std::clamp(move, -limit, limit);
    return before;
  }

  RelativeLogits logits_;
  const float* spread_;
  const float* wanted1_;
  const float* wanted2_;
  float* bias1_;
  float* bias2_;
  std::vector<float> sums_;
  std::vector<float> moves_;  // the last moves of both thresholds, then their limits
  ProbabilitySums view_;
};

// Calls fit(first, count) for all chunks, on LibTorch's threads.
template <typename Fit>
void ForChunks(int64_t variants, const Fit& fit) {
  at::parallel_for(0, (variants + kChunk - 1) / kChunk, 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      fit(chunk * kChunk, std::min(kChunk, variants - chunk * kChunk));
    }
  });
}

struct Fit {
  at::Tensor sharpness;  // [variants]
  at::Tensor biases;     // [1 or 3, variants]
};

// Sharpness and biases for liabilities [rows, variants] of unit variance and the shares of variance wanted.
Fit FitSome(const at::Tensor& liability, const at::Tensor& frequencies, const at::Tensor& shares) {
  const bool alleles = frequencies.size(0) == 1;
  const int64_t variants = liability.size(1);
  const at::Tensor variances = CodeVariance(frequencies).contiguous();
  const at::Tensor odds = (shares / (1 - shares)).contiguous();
  Fit fit;
  // The logistic distribution has variance pi^2 / 3.
  fit.sharpness = at::sqrt(odds * 3.29).clamp_(0.01, 30.0);
  const at::Tensor widening = at::sqrt(1 + fit.sharpness * fit.sharpness / 3.29);
  fit.biases =
      ((alleles ? at::logit(frequencies) : at::log(frequencies / frequencies.slice(0, 0, 1))) * widening).contiguous();
  ForChunks(variants, [&](int64_t first, int64_t count) {
    RelativeLogits logits{.rows = static_cast<size_t>(liability.size(0)),
                          .variants = static_cast<size_t>(count),
                          .stride = static_cast<size_t>(variants),
                          .logits1 = liability.const_data_ptr<float>() + first,
                          .factor2 = 2.0F,
                          .scale = fit.sharpness.const_data_ptr<float>() + first};
    if (!alleles) logits.logits2 = logits.logits1;
    Chunk chunk(logits, logits.scale, frequencies.const_data_ptr<float>() + first,
                fit.biases.mutable_data_ptr<float>() + first, variants);
    chunk.FitBiases(8);
    for (int round = 0; round < kSharpnessRounds; ++round) {
      chunk.FitSharpness(odds.const_data_ptr<float>() + first, variances.const_data_ptr<float>() + first,
                         fit.sharpness.mutable_data_ptr<float>() + first);
      chunk.FitBiases(4);
    }
    chunk.FitBiases(kNewtonSteps);
  });
  return fit;
}

// Means of the codes given the liabilities, [rows, variants].
at::Tensor ConditionalMeans(const at::Tensor& liability, const Fit& fit) {
  const at::Tensor scaled = liability * fit.sharpness;
  if (fit.biases.size(0) == 1) return at::sigmoid(scaled + fit.biases);
  const at::Tensor p =
      at::softmax(at::stack({at::zeros_like(scaled), scaled + fit.biases[1], 2 * scaled + fit.biases[2]}), 0);
  return p[1] + 2 * p[2];
}

at::Tensor Shares(const at::Tensor& explained, double factor) {
  const at::Tensor capped = explained.clamp(1e-4, kLargestShare);
  const at::Tensor odds = capped / (1 - capped) * factor;
  return (odds / (1 + odds)).clamp_max(kLargestShare);
}

// Biases for logits relative to state 0, [rows, variants] each; `second` is undefined for alleles.
at::Tensor Calibrate(const at::Tensor& first_logits, const at::Tensor& second_logits, const at::Tensor& frequencies,
                     const at::Tensor& start) {
  const at::Tensor first_on_cpu = first_logits.cpu().contiguous();
  const at::Tensor second_on_cpu = second_logits.defined() ? second_logits.cpu().contiguous() : second_logits;
  const at::Tensor wanted = frequencies.cpu().contiguous();
  at::Tensor biases = start.detach().cpu().contiguous().clone();
  const int64_t variants = first_on_cpu.size(1);
  const at::Tensor ones = at::ones({variants}, at::kFloat);
  const at::Tensor spread = at::std(first_on_cpu, 0).contiguous();
  ForChunks(variants, [&](int64_t first, int64_t count) {
    RelativeLogits logits{.rows = static_cast<size_t>(first_on_cpu.size(0)),
                          .variants = static_cast<size_t>(count),
                          .stride = static_cast<size_t>(variants),
                          .logits1 = first_on_cpu.const_data_ptr<float>() + first,
                          .scale = ones.const_data_ptr<float>()};
    if (second_on_cpu.defined()) logits.logits2 = second_on_cpu.const_data_ptr<float>() + first;
    Chunk(logits, spread.const_data_ptr<float>() + first, wanted.const_data_ptr<float>() + first,
          biases.mutable_data_ptr<float>() + first, variants)
        .FitBiases(kNewtonSteps);
  });
  return biases.to(first_logits.device());
}

}  // namespace

at::Tensor CalibrateAlleles(const at::Tensor& logits, const at::Tensor& frequencies, const at::Tensor& start) {
  const c10::NoGradGuard no_grad;
  return Calibrate(logits, {}, frequencies.unsqueeze(0), start.unsqueeze(0)).squeeze(0);
}

at::Tensor CalibrateGenotypes(const at::Tensor& logits, const at::Tensor& frequencies, const at::Tensor& start) {
  const c10::NoGradGuard no_grad;
  const at::Tensor zero = logits.select(1, 0);
  return Calibrate(logits.select(1, 1) - zero, logits.select(1, 2) - zero, frequencies, start - start[0]);
}

LiabilityModel FitLiability(const at::Tensor& hidden, const at::Tensor& loadings, const at::Tensor& frequencies,
                            double neighbour_r2) {
  const c10::NoGradGuard no_grad;
  const at::Device device = hidden.device();
  const at::Tensor h = hidden.cpu().contiguous();
  const at::Tensor wanted = frequencies.cpu().contiguous();
  const at::Tensor spread = loadings.cpu();
  const int64_t variants = spread.size(0);
  const at::Tensor explained = at::sum(spread * spread, 1);
  const at::Tensor unit = spread / at::sqrt(explained).clamp_min(1e-6).unsqueeze(1);

  // The common factor, by bisection of its logarithm over pairs of neighbours that are spread over the variants.
  double factor = 1.0;
  if (variants > 1) {
    const int64_t pairs = std::min(kMostPairs, variants - 1);
    std::vector<int64_t> chosen;
    for (int64_t i = 0; i < pairs; ++i) chosen.push_back(i * (variants - 1) / pairs);
    for (int64_t i = 0; i < pairs; ++i) chosen.push_back(chosen[static_cast<size_t>(i)] + 1);
    const at::Tensor indices = IndexTensor(chosen, at::kCPU);
    const at::Tensor liability = at::mm(h, unit.index_select(0, indices).t());
    const at::Tensor some_wanted = wanted.index_select(1, indices);
    const at::Tensor some_explained = explained.index_select(0, indices);
    const at::Tensor deviation = at::sqrt(CodeVariance(some_wanted));
    // Alleles are calibrated per label afterwards, which costs linkage, so that they are never made softer.
    double low = wanted.size(0) == 1 ? 0.0 : std::log(0.1);
    double high = std::log(100.0);
    for (int step = 0; step < 7; ++step) {
      const double middle = step == 0 ? 0.0 : 0.5 * (low + high);
      const at::Tensor means =
          ConditionalMeans(liability, FitSome(liability, some_wanted, Shares(some_explained, std::exp(middle))));
      const at::Tensor z = (means - at::mean(means, 0)) / deviation;
      const at::Tensor r = at::mean(z.slice(1, 0, pairs) * z.slice(1, pairs, 2 * pairs), 0);
      const bool enough = at::mean(r * r).item<double>() >= neighbour_r2;
      (enough ? high : low) = middle;
      if (low == high) break;
    }
    factor = std::exp(0.5 * (low + high));
  }

  const at::Tensor shares = Shares(explained, factor);
  std::vector<at::Tensor> weights;
  std::vector<at::Tensor> biases;
  for (int64_t first = 0; first < variants; first += kBlock) {
    const int64_t last = std::min(first + kBlock, variants);
    const at::Tensor block = unit.slice(0, first, last);
    const Fit fit =
        FitSome(at::mm(h, block.t()), wanted.slice(1, first, last).contiguous(), shares.slice(0, first, last));
    weights.push_back(block * fit.sharpness.unsqueeze(1));
    biases.push_back(fit.biases);
  }
  return {at::cat(weights, 0).to(device), at::cat(biases, 1).to(device)};
}

}  // namespace genoserve

#include "trainer/objective/calibration_sums.h"

#include <algorithm>

#include "core/model/stable_exp.h"

namespace genoserve {
namespace {

GENOSERVE_VECTOR_CLONES
void AddAlleles(const float* __restrict logits, const float* __restrict scale, const float* __restrict bias,
                float* __restrict p1, float* __restrict p11, float* __restrict mean, size_t variants) {
  for (size_t v = 0; v < variants; ++v) {
    const float p = 1.0F / (1.0F + StableExpInline(-(scale[v] * logits[v] + bias[v])));
    p1[v] += p;
    p11[v] += p * (1.0F - p);
    mean[v] += p * p;
  }
}

GENOSERVE_VECTOR_CLONES
void AddGenotypes(const float* __restrict logits1, const float* __restrict logits2, float factor2,
                  const float* __restrict scale, const float* __restrict bias1, const float* __restrict bias2,
                  float* __restrict p1, float* __restrict p2, float* __restrict p11, float* __restrict p22,
                  float* __restrict p12, float* __restrict mean, size_t variants) {
  for (size_t v = 0; v < variants; ++v) {
    const float first = scale[v] * logits1[v] + bias1[v];
    const float second = scale[v] * factor2 * logits2[v] + bias2[v];
    const float higher = first > second ? first : second;
    const float highest = higher > 0.0F ? higher : 0.0F;
    const float weight1 = StableExpInline(first - highest);
    const float weight2 = StableExpInline(second - highest);
    const float share = 1.0F / (StableExpInline(-highest) + weight1 + weight2);
    const float one = weight1 * share;
    const float two = weight2 * share;
    const float code = one + 2.0F * two;
    p1[v] += one;
    p2[v] += two;
    p11[v] += one * (1.0F - one);
    p22[v] += two * (1.0F - two);
    p12[v] += one * two;
    mean[v] += code * code;
  }
}

}  // namespace

void SumProbabilities(const RelativeLogits& logits, const ProbabilitySums& sums) {
  const bool alleles = logits.logits2 == nullptr;
  for (const auto& sum : {sums.p1, sums.p11, sums.mean}) std::fill(sum.begin(), sum.end(), 0.0F);
  if (!alleles) {
    for (const auto& sum : {sums.p2, sums.p22, sums.p12}) std::fill(sum.begin(), sum.end(), 0.0F);
  }
  for (size_t row = 0; row < logits.rows; ++row) {
    const float* first = logits.logits1 + row * logits.stride;
    if (alleles) {
      AddAlleles(first, logits.scale, logits.bias1, sums.p1.data(), sums.p11.data(), sums.mean.data(), logits.variants);
    } else {
      AddGenotypes(first, logits.logits2 + row * logits.stride, logits.factor2, logits.scale, logits.bias1,
                   logits.bias2, sums.p1.data(), sums.p2.data(), sums.p11.data(), sums.p22.data(), sums.p12.data(),
                   sums.mean.data(), logits.variants);
    }
  }
}

}  // namespace genoserve

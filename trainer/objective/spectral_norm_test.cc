#include "trainer/objective/spectral_norm.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "trainer/objective/minibatch_deviation.h"

namespace genoserve {
namespace {

at::Tensor Matrix(const std::vector<float>& values, int64_t rows, int64_t columns) {
  return ToTorch(Tensor{{rows, columns}, values}, at::kCPU);
}

class SpectralNormTest : public ::testing::Test {
 protected:
  SpectralNormTest() {
    // Singular values 5 and 2 in rotated axes.
    weights_.Add("a.weight", Matrix({3.0F, -1.6F, 4.0F, 1.2F}, 2, 2));
    weights_.Add("a.bias", Matrix({7.0F}, 1, 1).flatten());
    noise_.StartStep(0);
  }

  Parameters weights_;
  TrainingNoise noise_{1, at::kCPU};
};

TEST_F(SpectralNormTest, DividesByTheLargestSingularValueOnceItIsFound) {
  SpectralNorm norm(weights_, noise_);
  for (int i = 0; i < 30; ++i) norm.Update(weights_);
  const Parameters normalised = norm.Normalised(weights_);
  EXPECT_TRUE(at::allclose(normalised["a.weight"], weights_["a.weight"] / 5.0, 1e-5, 1e-6));
  EXPECT_TRUE(normalised["a.bias"].is_same(weights_["a.bias"]));
}

// d (W / s) along W itself is 0, since s grows with W.
TEST_F(SpectralNormTest, GradientsPassTheDivisor) {
  SpectralNorm norm(weights_, noise_);
  for (int i = 0; i < 30; ++i) norm.Update(weights_);
  const at::Tensor& weight = weights_["a.weight"];
  const at::Tensor gradient =
      torch::autograd::grad({at::sum(norm.Normalised(weights_)["a.weight"] * Matrix({1, 2, 3, 4}, 2, 2))}, {weight})[0];
  EXPECT_NEAR(at::sum(gradient * weight).item<double>(), 0.0, 1e-5);
  EXPECT_GT(at::sum(at::abs(gradient)).item<double>(), 0.1);
}

TEST_F(SpectralNormTest, StateIsAllThatTheNextStepsNeed) {
  SpectralNorm norm(weights_, noise_);
  norm.Update(weights_);
  SpectralNorm other(weights_, noise_);  // begins from other vectors
  EXPECT_FALSE(at::equal(norm.State()[0].second, other.State()[0].second));
  ASSERT_EQ(norm.State().size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(norm.State()[i].first, other.State()[i].first);
    at::Tensor(other.State()[i].second).copy_(norm.State()[i].second);
  }
  norm.Update(weights_);
  other.Update(weights_);
  EXPECT_TRUE(at::equal(norm.Normalised(weights_)["a.weight"], other.Normalised(weights_)["a.weight"]));
}

TEST_F(SpectralNormTest, AMatrixOfZerosStaysOne) {
  Parameters zeros;
  zeros.Add("w", at::zeros({2, 3}));
  SpectralNorm norm(zeros, noise_);
  norm.Update(zeros);
  norm.Update(zeros);
  EXPECT_TRUE(at::equal(norm.Normalised(zeros)["w"], at::zeros({2, 3})));
}

TEST(MinibatchDeviationTest, IsTheMeanOfTheDeviations) {
  const at::Tensor features = Matrix({1, 0, 3, 4}, 2, 2);  // deviations 1 and 2
  const at::Tensor wider = AppendMinibatchDeviation(features);
  EXPECT_TRUE(at::allclose(wider, Matrix({1, 0, 1.5F, 3, 4, 1.5F}, 2, 3)));
}

TEST(MinibatchDeviationTest, EqualRowsHaveAFiniteGradient) {
  const at::Tensor features = at::ones({4, 3}).set_requires_grad(true);
  const at::Tensor wider = AppendMinibatchDeviation(features);
  EXPECT_NEAR(wider[0][3].item<double>(), 1e-4, 1e-6);
  const at::Tensor gradient = torch::autograd::grad({at::sum(wider)}, {features})[0];
  EXPECT_TRUE(at::allclose(gradient, at::ones({4, 3})));
}

}  // namespace
}  // namespace genoserve

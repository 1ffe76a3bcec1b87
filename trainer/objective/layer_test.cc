// The layers with their own gradients, against the same composed of LibTorch's operators, in both product types.
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <vector>

#include "trainer/objective/allele_layer.h"
#include "trainer/objective/dense_layer.h"
#include "trainer/objective/hidden_penalty.h"
#include "trainer/objective/products.h"
#include "trainer/objective/relaxed_draw.h"

namespace genoserve {
namespace {

constexpr int64_t kRows = 37;
constexpr int64_t kWidth = 19;
// More than a stretch, and no multiple of a vector.
constexpr int64_t kVariants = 2605;
constexpr int64_t kLabels = 3;

double LargestDifference(const at::Tensor& a, const at::Tensor& b) {
  return at::max(at::abs(a.to(at::kFloat) - b.to(at::kFloat))).item<double>();
}

// To the rounding of the type's products, relative to the largest value.
void ExpectSame(const at::Tensor& values, const at::Tensor& wanted, at::ScalarType type, const std::string& what) {
  ASSERT_EQ(values.sizes(), wanted.sizes()) << what;
  const double largest = at::max(at::abs(wanted)).item<double>();
  ASSERT_GT(largest, 0) << what;
  EXPECT_LT(LargestDifference(values, wanted), (type == at::kFloat ? 1e-5 : 0.02) * largest) << what;
}

class LayerTest : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  LayerTest() : noise_(3, at::kCPU) { noise_.StartStep(1); }

  // Values that both types have, so that only products and results are rounded.
  at::Tensor Random(at::IntArrayRef sizes) { return noise_.Normal(sizes).to(at::kBFloat16).to(at::kFloat); }

  TrainingNoise noise_;
};

std::string TypeName(const ::testing::TestParamInfo<at::ScalarType>& info) {
  return info.param == at::kFloat ? "fp32" : "bf16";
}

INSTANTIATE_TEST_SUITE_P(ProductTypes, LayerTest, ::testing::Values(at::kFloat, at::kBFloat16), TypeName);

TEST_P(LayerTest, DenseLayerIsARectifiedProduct) {
  Parameters parameters;
  parameters.Add("a.weight", Random({kVariants, kWidth}));
  parameters.Add("a.bias", Random({kVariants}));
  const at::Tensor x = Random({kRows, kWidth}).set_requires_grad(true);
  const at::Tensor upstream = Random({kRows, kVariants});
  for (const double slope : {0.2, 1.0}) {
    const at::Tensor typed = x.detach().to(GetParam()).set_requires_grad(true);
    const at::Tensor y = DenseLayer(parameters, "a", typed, slope);
    ASSERT_EQ(y.scalar_type(), GetParam());
    // What rounding moved to the other side of 0 has the slope of that side.
    const at::Tensor linear = parameters.Linear("a", x);
    const at::Tensor wanted = at::where(at::gt(y.detach(), 0), linear, slope * linear);
    EXPECT_LT(at::mean(at::ne(at::gt(y.detach(), 0), at::gt(linear.detach(), 0)).to(at::kFloat)).item<double>(), 0.005);
    ExpectSame(y.detach(), wanted.detach(), GetParam(), "values");
    const auto gradients = torch::autograd::grad({at::sum(y * upstream.to(GetParam()), at::kFloat)},
                                                 {parameters["a.weight"], parameters["a.bias"], typed});
    const auto expected =
        torch::autograd::grad({at::sum(wanted * upstream)}, {parameters["a.weight"], parameters["a.bias"], x});
    for (size_t i = 0; i < 3; ++i) ExpectSame(gradients[i], expected[i], GetParam(), "gradient " + std::to_string(i));
    EXPECT_EQ(gradients[0].scalar_type(), at::kFloat);
  }
}

TEST_P(LayerTest, AllelesAreDrawnAsByTheRelaxedBernoulli) {
  Parameters generator;
  generator.Add("output.weight", Random({kVariants, kWidth}) / 8);
  generator.Add("output.bias", Random({kVariants}));
  const at::Tensor labels = IndexTensor(noise_.Integers(kRows, kLabels), at::kCPU);
  const BatchRows rows = BatchRows::All(kRows);
  for (const bool labelled : {false, true}) {
    if (labelled) generator.Add("label_logits", Random({kLabels, kVariants}));
    for (const bool straight_through : {false, true}) {
      const at::Tensor hidden = Random({kRows, kWidth}).set_requires_grad(true);
      const at::Tensor upstream = Random({kRows, kVariants});
      noise_.StartStep(2);
      const RowDraw draw = noise_.LogisticRows(rows);
      noise_.StartStep(2);
      const at::Tensor logistic = noise_.Logistic(rows, {kVariants});
      EXPECT_TRUE(at::equal(draw.Whole(kVariants), logistic));

      at::Tensor logits = generator.Linear("output", hidden);
      if (labelled) logits = logits + generator["label_logits"].index_select(0, labels);
      const at::Tensor wanted = RelaxedBernoulli(logits, logistic, 0.5, straight_through);
      const at::Tensor typed = hidden.detach().to(GetParam()).set_requires_grad(true);
      const AlleleDraw how = {.temperature = 0.5, .straight_through = straight_through};
      const at::Tensor drawn = DrawAlleles(generator, typed, labels, draw, how);
      ASSERT_EQ(drawn.scalar_type(), GetParam());
      if (straight_through) {
        // A logit that is nearly that of one half may be rounded to the other side.
        const double changed =
            at::sum(at::ne(drawn.detach().to(at::kFloat), wanted.detach()), at::kFloat).item<double>();
        EXPECT_LE(changed, GetParam() == at::kFloat ? 2 : 0.003 * kRows * kVariants);
      } else {
        ExpectSame(drawn.detach(), wanted.detach(), GetParam(), "draws");
      }
      std::vector<at::Tensor> leaves = generator.tensors();
      leaves.push_back(hidden);
      const auto expected = torch::autograd::grad({at::sum(wanted * upstream)}, leaves);
      leaves.back() = typed;
      const auto gradients = torch::autograd::grad({at::sum(drawn * upstream.to(GetParam()), at::kFloat)}, leaves);
      for (size_t i = 0; i < leaves.size(); ++i) {
        ExpectSame(gradients[i], expected[i], GetParam(), "gradient " + std::to_string(i));
      }
      const c10::NoGradGuard no_grad;
      EXPECT_TRUE(at::equal(DrawAlleles(generator, typed.detach(), labels, draw, how), drawn.detach()));
    }
  }
}

TEST(AlleleLayerTest, APartOfABatchHasTheRowsOfTheWhole) {
  TrainingNoise noise(3, at::kCPU);
  noise.StartStep(1);
  Parameters generator;
  generator.AddGlorotLinear("output", 50, 8, 1.0, noise);
  const at::Tensor hidden = noise.Normal({6, 8});
  const at::Tensor labels = at::zeros({6}, at::kLong);
  noise.StartStep(2);
  const at::Tensor whole = DrawAlleles(generator, hidden, labels, noise.LogisticRows(BatchRows::All(6)), {});
  noise.StartStep(2);
  const BatchRows part = BatchRows::Part(6, 1, 2);
  const at::Tensor rest = DrawAlleles(generator, part.Of(hidden), part.Of(labels), noise.LogisticRows(part), {});
  EXPECT_LT(LargestDifference(rest, part.Of(whole)), 1e-6);
}

// Values far from every tie, of which bfloat16 keeps 8 bits.
TEST(ProductsTest, Bf16RoundsInputsAndResultOnly) {
  TrainingNoise noise(4, at::kCPU);
  noise.StartStep(1);
  const at::Tensor a = noise.Normal({30, 700}).to(at::kBFloat16);
  const at::Tensor b = noise.Normal({700, 40}).to(at::kBFloat16);
  const at::Tensor exact = at::mm(a.to(at::kDouble), b.to(at::kDouble));
  const at::Tensor product = Multiply(a, b);
  ASSERT_EQ(product.scalar_type(), at::kBFloat16);
  const at::Tensor error = at::abs(product.to(at::kDouble) - exact);
  EXPECT_LE(at::max(error - at::abs(exact) / 256).item<double>(), 1e-3);
}

TEST(HiddenPenaltyTest, AddsTheGradientOfTheSquaresOfHiddenKernels) {
  TrainingNoise noise(5, at::kCPU);
  noise.StartStep(1);
  Parameters parameters;
  parameters.AddGlorotLinear("hidden.0", 70, 90, 1.0, noise);
  parameters.AddGlorotLinear("output", 20, 70, 1.0, noise);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& tensor : parameters.tensors()) gradients.push_back(at::ones_like(tensor.detach()));
  const at::Tensor kernel = parameters["hidden.0.weight"];
  const at::Tensor squares = at::sum(at::square(kernel));
  EXPECT_NEAR(AddHiddenPenalty(parameters, 0.25, gradients), 0.25 * squares.item<double>(),
              1e-5 * squares.item<double>());
  const at::Tensor wanted = 1 + 0.25 * torch::autograd::grad({squares}, {kernel})[0];
  EXPECT_LT(LargestDifference(gradients[0], wanted), 1e-6);
  for (size_t i = 1; i < gradients.size(); ++i) EXPECT_TRUE(at::equal(gradients[i], at::ones_like(gradients[i])));
}

}  // namespace
}  // namespace genoserve

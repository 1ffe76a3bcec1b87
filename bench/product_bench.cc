// How fast the kernels of serving are on one thread, by its CPU time, medians of interleaved rounds.
//
//   product_bench [ROUNDS]
//
// First, products with packed layers in fp32, bf16 and int8 beside LibTorch's own of the same numbers (at::linear) in
// fp32 and bf16, in GFLOP/s: wide layers in blocks of 1,536 outputs here, whole there, as each is used. Then the passes
// over single values: draws, activation and latent noise, in 1e9 values a second.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ATen/Parallel.h"
#include "core/kernels/activation.h"
#include "core/kernels/draw.h"
#include "core/kernels/product.h"
#include "core/kernels/random.h"

namespace genoserve {
namespace {

constexpr size_t kBlockPanels = 48;
// What one measurement computes at least, in floating point operations or values.
constexpr double kWork = 2e9;
constexpr size_t kValues = 1 << 14;

double ThreadSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Work a second of each job, the median of rounds in which the jobs take turns. `work` is that of one call.
std::vector<double> Rates(const std::vector<std::function<void()>>& jobs, double work, int rounds) {
  const int calls = std::max(1, static_cast<int>(kWork / work));
  std::vector<std::vector<double>> rates(jobs.size());
  for (const auto& job : jobs) job();
  for (int round = 0; round < rounds; ++round) {
    for (size_t i = 0; i < jobs.size(); ++i) {
      const double begin = ThreadSeconds();
      for (int call = 0; call < calls; ++call) jobs[i]();
      rates[i].push_back(calls * work / (ThreadSeconds() - begin));
    }
  }
  std::vector<double> medians;
  for (auto& some : rates) {
    std::nth_element(some.begin(), some.begin() + rounds / 2, some.end());
    medians.push_back(some[static_cast<size_t>(rounds / 2)]);
  }
  return medians;
}

std::span<const float> Floats(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

void CompareProducts(int64_t inputs, int64_t outputs, int64_t rows, int rounds) {
  const at::Tensor weight = at::randn({outputs, inputs});
  const at::Tensor bias = at::randn({outputs});
  const at::Tensor values = at::randn({rows, inputs});
  using Form = PackedLayer::Form;
  for (const auto& [name, form] : {std::pair{"fp32", Form::kFp32}, {"bf16", Form::kBf16}, {"int8", Form::kInt8}}) {
    const auto type = form == Form::kFp32 ? at::kFloat : at::kBFloat16;
    const at::Tensor peer_weight = weight.to(type);
    const at::Tensor peer_bias = bias.to(type);
    const at::Tensor peer_values = values.to(type);
    const PackedLayer layer(form, Floats(weight), Floats(bias), static_cast<size_t>(inputs));
    const size_t stride = std::min(kBlockPanels, layer.panels()) * PackedLayer::kPanel;
    std::vector<float> block(static_cast<size_t>(rows) * stride);
    const auto ours = [&] {
      for (size_t panel = 0; panel < layer.panels(); panel += kBlockPanels) {
        Multiply(layer, values.const_data_ptr<float>(), layer.inputs(), static_cast<size_t>(rows), panel,
                 std::min(kBlockPanels, layer.panels() - panel), block.data(), stride);
      }
    };
    const auto theirs = [&] { (void)at::linear(peer_values, peer_weight, peer_bias); };
    const double work = 2.0 * static_cast<double>(inputs * outputs * rows);
    const std::vector<double> rates = Rates({ours, theirs}, work, rounds);
    std::printf("%s %5ld x %-6ld %4ld rows: %6.1f GFLOP/s, at::linear in %s %6.1f, ratio %.3f\n", name, inputs, outputs,
                rows, rates[0] * 1e-9, form == Form::kFp32 ? "fp32" : "bf16", rates[1] * 1e-9, rates[0] / rates[1]);
  }
}

void TimePasses(int rounds) {
  std::vector<float> values(3 * kValues);
  const PhiloxStream stream(1, 2, 0, Purpose::kAllele);
  stream.FillNormal(values);
  const std::span<const float> logits(values);
  const auto first = logits.subspan(0, kValues);
  const auto second = logits.subspan(kValues, kValues);
  const auto third = logits.subspan(2 * kValues, kValues);
  std::vector<uint8_t> packed(kValues / 4);
  std::vector<float> noise(kValues);
  const std::vector<std::string> names = {"genotypes drawn", "alleles drawn", "alleles by threshold", "leaky ReLU",
                                          "latent values"};
  const std::vector<double> rates =
      Rates({[&] { DrawAndPackGenotypes(first, second, third, stream, 0, packed.data()); },
             [&] { DrawAndPackAlleles(first, second, stream, 0, packed.data()); },
             [&] { ThresholdAndPackAlleles(first, second, packed.data()); }, [&] { LeakyRelu(noise, 0.2F); },
             [&] { FillNormal(stream, 0, noise); }},
            static_cast<double>(kValues) * 20, rounds);
  for (size_t i = 0; i < names.size(); ++i) std::printf("%-22s %7.3f G/s\n", names[i].c_str(), rates[i] / 20 * 1e-9);
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::max(1, std::atoi(argv[1])) : 9;
  at::set_num_threads(1);
  const at::NoGradGuard no_gradients;
  genoserve::TimePasses(rounds);
  for (const int64_t rows : {256, 64, 16}) {
    genoserve::CompareProducts(731, 805, rows, rounds);
    genoserve::CompareProducts(512, 1024, rows, rounds);
    genoserve::CompareProducts(1024, 30000, rows, rounds);
  }
}

#include "tests/gpu/random_model.h"

#include <ATen/Context.h>
#include <ATen/ops/randn.h>

#include <cmath>

namespace genoserve {
namespace {

constexpr int64_t kLabels = 26;
constexpr int64_t kPhenotypes = 8;

void AddLinear(RandomModel& model, const std::string& name, int64_t inputs, int64_t outputs) {
  const double scale = std::sqrt(2.0 / static_cast<double>(inputs));
  model.weights[name + ".weight"] = at::randn({outputs, inputs}, at::kFloat).mul_(scale);
  model.weights[name + ".bias"] = at::randn({outputs}, at::kFloat).mul_(0.1);
}

}  // namespace

RandomModel RandomAcgan(const std::string& name, int64_t variants, double width) {
  at::manual_seed(1);
  RandomModel model{name, {}, {}};
  model.spec = {.latent_size = 800, .condition_size = kLabels, .hidden_layers = 3, .slope = 0.01, .variants = variants};
  int64_t inputs = model.spec.latent_size + kLabels;
  int layer = 0;
  for (const double divisor : {1.3, 1.2, 1.1}) {
    const auto size = static_cast<int64_t>(width * static_cast<double>(variants) / divisor);
    AddLinear(model, "hidden." + std::to_string(layer++), inputs, size);
    inputs = size;
  }
  AddLinear(model, "output", inputs, variants);
  return model;
}

RandomModel RandomWganGp(const std::string& name, int64_t variants, const std::vector<int64_t>& hidden) {
  at::manual_seed(2);
  RandomModel model{name, {}, {}};
  model.spec = {.residual = true,
                .latent_size = 256,
                .condition_size = kPhenotypes,
                .hidden_layers = static_cast<int64_t>(hidden.size()),
                .slope = 0.05,
                .variants = variants,
                .states = 3};
  AddLinear(model, "first", model.spec.latent_size + kPhenotypes, hidden[0]);
  for (size_t i = 0; i + 1 < hidden.size(); ++i) {
    const std::string block = "block." + std::to_string(i);
    const int64_t width = hidden[i] + kPhenotypes;
    AddLinear(model, block + ".residual1", width, width);
    AddLinear(model, block + ".residual2", width, width);
    AddLinear(model, block + ".out", width, hidden[i + 1]);
  }
  AddLinear(model, "output", hidden.back(), 3 * variants);
  return model;
}

}  // namespace genoserve

#include "trainer/objective/generator_weights.h"

#include <cmath>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace genoserve {

Parameters InitialGenerator(const v1::Manifest& manifest, const GeneratorShape& shape, bool from_data,
                            TrainingNoise& noise) {
  const bool acgan = manifest.generator().has_acgan();
  Parameters parameters;
  for (const WeightShape& weight : shape.weights) {
    if (absl::EndsWith(weight.name, ".bias")) continue;  // added with its weight
    const std::string layer(absl::StripSuffix(weight.name, ".weight"));
    if (weight.name == "label_logits") {
      parameters.Add(weight.name, at::zeros(weight.shape, noise.Uniform({1}).options()));
    } else if (layer == "skip") {
      const double scale = 1 / std::sqrt(static_cast<double>(weight.shape[1]));
      parameters.Add(weight.name, noise.Normal(weight.shape).mul_(scale));
    } else {
      const double gain = from_data && layer == "rank" ? 0.1 : 1.0;
      if (acgan) {
        parameters.AddGlorotLinear(layer, weight.shape[0], weight.shape[1], gain, noise);
      } else {
        parameters.AddUniformLinear(layer, weight.shape[0], weight.shape[1], gain, noise);
      }
      if (layer == "first" || absl::StrContains(layer, ".residual")) {
        const at::Tensor zeros = at::zeros_like(parameters[layer + ".bias"].detach());
        parameters.Add(layer + ".norm.weight", at::ones_like(zeros));
        parameters.Add(layer + ".norm.bias", zeros);
      }
    }
  }
  return parameters;
}

}  // namespace genoserve

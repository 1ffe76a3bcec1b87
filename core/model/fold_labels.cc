#include "core/model/fold_labels.h"

#include <algorithm>
#include <vector>

namespace genoserve {

Tensor FoldLabels(const Tensor& weight, const GeneratorShape& shape, int repeats) {
  const auto outputs = static_cast<size_t>(weight.shape[0]);
  const auto inputs = static_cast<size_t>(weight.shape[1]);
  const size_t labels = shape.condition_size;
  const size_t side = labels * static_cast<size_t>(repeats);
  const size_t latent = shape.latent_size;
  Tensor folded{{weight.shape[0], static_cast<int64_t>(latent + labels)},
                std::vector<float>(outputs * (latent + labels))};
  for (size_t row = 0; row < outputs; ++row) {
    const float* from = weight.values.data() + row * inputs;
    float* to = folded.values.data() + row * (latent + labels);
    std::copy_n(from + side, latent, to);
    for (size_t label = 0; label < labels; ++label) {
      double sum = 0;
      for (size_t at = label; at < side; at += labels) {
        sum += static_cast<double>(from[at]) + static_cast<double>(from[side + latent + at]);
      }
      to[latent + label] = static_cast<float>(sum);
    }
  }
  return folded;
}

}  // namespace genoserve

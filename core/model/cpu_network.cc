#include "core/model/cpu_network.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kernels/activation.h"
#include "core/kernels/product.h"
#include "core/model/fold_labels.h"
#include "core/model/pool.h"

namespace genoserve {
namespace {

// Floats of outputs that are drawn at once, while they are in the second-level cache, and about so many panels of each
// state.
constexpr size_t kDrawnFloats = size_t{1} << 17;
constexpr size_t kDrawnPanels = 16;

static_assert(kBlockVariants == PackedLayer::kPanel);

constexpr size_t Padded(size_t size) {
  return (size + PackedLayer::kPanel - 1) / PackedLayer::kPanel * PackedLayer::kPanel;
}

// Replaces values that are `stride` apart by orthonormal mixtures of them all: Walsh-Hadamard transforms of sizes that
// are powers of two and add up to theirs. Products of two vectors stay what they are if both are mixed. What a network
// of int8 takes in between linear layers is mixed, so that all of it, and all weights, are of one size: the largest one
// sets the step to which they are rounded. It makes a third fewer genotypes change.
void Mix(float* values, size_t size, size_t stride) {
  while (size > 0) {
    const size_t some = std::bit_floor(size);
    for (size_t half = 1; half < some; half *= 2) {
      for (size_t i = 0; i < some; ++i) {
        if ((i & half) != 0) continue;
        float& left = values[i * stride];
        float& right = values[(i + half) * stride];
        const float sum = left + right;
        right = left - right;
        left = sum;
      }
    }
    for (size_t i = 0; i < some; ++i) values[i * stride] *= 1 / std::sqrt(static_cast<float>(some));
    values += some * stride;
    size -= some;
  }
}

// Rows of activations, side by side.
struct Activations {
  float* values = nullptr;
  size_t stride = 0;

  float* Row(size_t row) const { return values + row * stride; }
};

// The buffers of one forward pass.
struct Workspace {
  std::array<std::vector<float>, 3> activations;
  std::vector<float> logits;
};

class CpuNetwork final : public Network {
 public:
  CpuNetwork(const v1::Manifest& manifest, const GeneratorShape& shape, const TensorMap& weights, Precision precision)
      : shape_(shape), precision_(precision), inputs_(shape.latent_size + shape.condition_size) {
    if (manifest.generator().has_acgan()) {
      const auto& spec = manifest.generator().acgan();
      slope_ = static_cast<float>(spec.leaky_slope());
      const Tensor first = FoldLabels(weights.at("hidden.0.weight"), shape_, spec.label_repeats());
      body_.push_back(Pack(first, weights.at("hidden.0.bias")));
      for (int i = 1; i < spec.hidden_sizes_size(); ++i) body_.push_back(Pack(weights, absl::StrCat("hidden.", i)));
    } else {
      const auto& spec = manifest.generator().wgan_gp();
      slope_ = static_cast<float>(spec.leaky_slope());
      body_.push_back(Pack(weights, "first"));
      for (int i = 0; i + 1 < spec.hidden_sizes_size(); ++i) {
        for (const char* layer : {"residual1", "residual2", "out"}) {
          body_.push_back(Pack(weights, absl::StrCat("block.", i, ".", layer)));
        }
      }
    }
    width_ = body_.back().outputs();
    if (weights.contains("rank.weight")) PackRank(weights);
    PackOutput(weights.at("output.weight"), weights.at("output.bias"));
    size_t widest = 0;
    for (const PackedLayer& layer : body_) widest = std::max({widest, layer.inputs(), Padded(layer.outputs())});
    stride_ = Padded(std::max({widest, rank_.inputs(), Padded(rank_.outputs()), Padded(width_)}));
  }

  absl::Status Forward(size_t rows, std::span<const float> inputs, std::span<const uint32_t> blocks,
                       absl::FunctionRef<void(const LogitBlock&)> consume) const override {
    const auto workspace = workspaces_.Take();
    for (auto& buffer : workspace->activations) buffer.resize(std::max(buffer.size(), rows * stride_));
    const Activations hidden =
        shape_.states == 1 ? AcganBody(rows, inputs.data(), *workspace) : WganGpBody(rows, inputs.data(), *workspace);
    if (blocks.empty()) OutputRun(0, output_.panels(), rows, hidden, workspace->logits, consume);
    for (size_t i = 0; i < blocks.size();) {
      size_t end = i + 1;
      while (end < blocks.size() && blocks[end] - blocks[i] == end - i) ++end;
      OutputRun(blocks[i], end - i, rows, hidden, workspace->logits, consume);
      i = end;
    }
    return absl::OkStatus();
  }

 private:
  PackedLayer::Form FormOf(size_t inputs) const {
    if (precision_ == Precision::kBf16) return PackedLayer::Form::kBf16;
    const bool is_int8 = precision_ == Precision::kInt8 && inputs <= PackedLayer::kMostInt8Inputs;
    return is_int8 ? PackedLayer::Form::kInt8 : PackedLayer::Form::kFp32;
  }
  PackedLayer Pack(const Tensor& weight, const Tensor& bias) const {
    const auto inputs = static_cast<size_t>(weight.shape[1]);
    return {FormOf(inputs), weight.values, bias.values, inputs};
  }
  PackedLayer Pack(const TensorMap& weights, const std::string& name) const {
    return Pack(weights.at(name + ".weight"), weights.at(name + ".bias"));
  }

  // The rank layer and the skip that is added to it are one product, of the body's outputs beside the inputs. It is
  // small and each variant is a sum of its outputs, so that in 8 bits it would cause half of all changes: int8 leaves
  // it fp32.
  void PackRank(const TensorMap& weights) {
    const Tensor& rank = weights.at("rank.weight");
    std::vector<float> bias = weights.at("rank.bias").values;
    const auto skip = weights.find("skip.weight");
    skip_inputs_ = skip == weights.end() ? 0 : static_cast<size_t>(skip->second.shape[1]);
    std::vector<float> both;
    for (size_t row = 0; row < bias.size(); ++row) {
      const auto from = rank.values.begin() + static_cast<ptrdiff_t>(row * width_);
      both.insert(both.end(), from, from + static_cast<ptrdiff_t>(width_));
      if (skip_inputs_ == 0) continue;
      const auto beside = skip->second.values.begin() + static_cast<ptrdiff_t>(row * skip_inputs_);
      both.insert(both.end(), beside, beside + static_cast<ptrdiff_t>(skip_inputs_));
    }
    const size_t inputs = width_ + skip_inputs_;
    if (precision_ == Precision::kInt8) {
      for (size_t input = 0; input < inputs; ++input) Mix(both.data() + input, bias.size(), inputs);
      Mix(bias.data(), bias.size(), 1);
    }
    const auto form = precision_ == Precision::kBf16 ? PackedLayer::Form::kBf16 : PackedLayer::Form::kFp32;
    rank_ = PackedLayer(form, both, bias, inputs);
  }

  // Each state is a plane of the layer.
  void PackOutput(const Tensor& weight, const Tensor& bias) {
    const auto width = static_cast<size_t>(weight.shape[1]);
    std::vector<float> mixed;
    if (precision_ == Precision::kInt8 && rank_.outputs() > 0) {
      mixed = weight.values;
      for (size_t i = 0; i < bias.values.size(); ++i) Mix(mixed.data() + i * width, width, 1);
    }
    output_ = {FormOf(width), mixed.empty() ? weight.values : mixed, bias.values, width, shape_.states};
  }

  Activations Buffer(Workspace& workspace, size_t i) const { return {workspace.activations[i].data(), stride_}; }

  static void Apply(const PackedLayer& layer, size_t rows, const float* from, size_t from_stride, Activations to) {
    Multiply(layer, from, from_stride, rows, 0, layer.panels(), to.values, to.stride);
  }

  void Activate(size_t rows, size_t width, Activations x) const {
    for (size_t row = 0; row < rows; ++row) LeakyRelu({x.Row(row), width}, slope_);
  }

  // Writes `count` of each row's inputs, from `first` on, behind the first `width` values of the row.
  void Beside(size_t rows, size_t width, const float* inputs, size_t first, size_t count, Activations x) const {
    for (size_t row = 0; row < rows; ++row) std::copy_n(inputs + row * inputs_ + first, count, x.Row(row) + width);
  }

  Activations AcganBody(size_t rows, const float* inputs, Workspace& workspace) const {
    const float* from = inputs;
    size_t stride = inputs_;
    Activations x;
    for (size_t i = 0; i < body_.size(); ++i) {
      x = Buffer(workspace, i % 2);
      Apply(body_[i], rows, from, stride, x);
      Activate(rows, body_[i].outputs(), x);
      from = x.values;
      stride = x.stride;
    }
    return Ranked(rows, inputs, x, Buffer(workspace, 2));
  }

  Activations WganGpBody(size_t rows, const float* inputs, Workspace& workspace) const {
    const Activations x = Buffer(workspace, 0);
    const Activations inner = Buffer(workspace, 1);
    const Activations residual = Buffer(workspace, 2);
    size_t width = body_[0].outputs();
    Apply(body_[0], rows, inputs, inputs_, x);
    Activate(rows, width, x);
    for (size_t i = 1; i < body_.size(); i += 3) {
      Beside(rows, width, inputs, shape_.latent_size, shape_.condition_size, x);
      width += shape_.condition_size;
      Apply(body_[i], rows, x.values, stride_, inner);
      Activate(rows, width, inner);
      Apply(body_[i + 1], rows, inner.values, stride_, residual);
      for (size_t row = 0; row < rows; ++row) {
        float* sum = residual.Row(row);
        const float* more = x.Row(row);
        for (size_t k = 0; k < width; ++k) sum[k] += more[k];
      }
      Activate(rows, width, residual);
      Apply(body_[i + 2], rows, residual.values, stride_, x);
      width = body_[i + 2].outputs();
      Activate(rows, width, x);
    }
    return Ranked(rows, inputs, x, inner);
  }

  Activations Ranked(size_t rows, const float* inputs, Activations x, Activations ranked) const {
    if (rank_.outputs() == 0) return x;
    Beside(rows, width_, inputs, 0, skip_inputs_, x);
    Apply(rank_, rows, x.values, x.stride, ranked);
    return ranked;
  }

  // Blocks that lie side by side, in pieces of about kDrawnPanels.
  void OutputRun(size_t first, size_t count, size_t rows, Activations hidden, std::vector<float>& logits,
                 absl::FunctionRef<void(const LogitBlock&)> consume) const {
    const size_t pieces = std::max<size_t>(1, (count + kDrawnPanels / 2) / kDrawnPanels);
    for (size_t i = 0; i < pieces; ++i) {
      const size_t begin = i * count / pieces;
      Output(first + begin, (i + 1) * count / pieces - begin, rows, hidden, logits, consume);
    }
  }

  void Output(size_t panel, size_t panels, size_t rows, Activations hidden, std::vector<float>& logits,
              absl::FunctionRef<void(const LogitBlock&)> consume) const {
    const size_t plane = panels * PackedLayer::kPanel;
    const size_t stride = shape_.states * plane;
    const size_t first_variant = panel * PackedLayer::kPanel;
    const size_t most = std::min(rows, kDrawnFloats / stride);
    logits.resize(std::max(logits.size(), most * stride));
    for (size_t first = 0; first < rows; first += most) {
      const size_t some = std::min(most, rows - first);
      Multiply(output_, hidden.Row(first), hidden.stride, some, panel, panels, logits.data(), stride);
      consume({.first_row = first,
               .rows = some,
               .first_variant = first_variant,
               .variants = std::min(plane, shape_.variants - first_variant),
               .values = logits.data(),
               .row_stride = stride,
               .state_stride = plane});
    }
  }

  const GeneratorShape shape_;
  const Precision precision_;
  const size_t inputs_;  // of a row
  float slope_ = 0;
  std::vector<PackedLayer> body_;
  size_t width_ = 0;        // of the body's outputs
  PackedLayer rank_;        // no outputs: none
  size_t skip_inputs_ = 0;  // that stand beside the body's outputs for the rank layer
  PackedLayer output_;
  size_t stride_ = 0;  // of activations
  mutable Pool<Workspace> workspaces_;
};

}  // namespace

std::unique_ptr<Network> MakeCpuNetwork(const v1::Manifest& manifest, const GeneratorShape& shape,
                                        const TensorMap& weights, Precision precision) {
  return std::make_unique<CpuNetwork>(manifest, shape, weights, precision);
}

}  // namespace genoserve

#include "core/model/network.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/model/torch_guard.h"

namespace genoserve {
namespace {

// Variants of one product with the output layer: small enough that its results stay in the cache until they are drawn.
constexpr size_t kProductVariants = 1024;
// Every part of a layer's inputs and outputs is padded with zeros to whole cache lines. Without that some of MKL's
// kernels round a row differently by where it lies in memory.
constexpr size_t kAlignment = 16;

constexpr size_t Padded(size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

size_t PaddedSum(const std::vector<size_t>& parts) {
  size_t sum = 0;
  for (const size_t part : parts) sum += Padded(part);
  return sum;
}

// One LibTorch thread while it lives, whatever the caller has set.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) {
    if (before_ != 1) at::set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) at::set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

struct Linear {
  at::Tensor transposed_weight;
  at::Tensor bias;  // undefined: none

  at::Tensor operator()(const at::Tensor& x) const { return at::addmm(bias, x, transposed_weight); }
};

struct OutputBlock {
  size_t first_variant = 0;
  size_t variants = 0;
  Linear linear;  // to [states * Padded(variants)]
};

class TorchNetwork final : public Network {
 public:
  TorchNetwork(const v1::Manifest& manifest, const GeneratorShape& shape, const TensorMap& weights, DeviceKind device)
      : shape_(shape), device_(device == DeviceKind::kCuda ? at::kCUDA : at::kCPU) {
    const c10::InferenceMode inference;
    const size_t condition = shape_.condition_size;
    const std::vector<size_t> inputs = {shape_.latent_size, condition};
    size_t width = 0;
    if (manifest.generator().has_acgan()) {
      const auto& spec = manifest.generator().acgan();
      slope_ = spec.leaky_slope();
      for (int i = 0; i < spec.hidden_sizes_size(); ++i) {
        const std::string name = absl::StrCat("hidden.", i);
        const auto size = static_cast<size_t>(spec.hidden_sizes(i));
        body_.push_back(i == 0 ? LoadLinear(FoldRepeats(weights.at("hidden.0.weight"), spec.label_repeats()),
                                            weights.at("hidden.0.bias"), inputs, {size})
                               : LoadLinear(weights, name, {width}, {size}));
        width = size;
      }
    } else {
      const auto& spec = manifest.generator().wgan_gp();
      slope_ = spec.leaky_slope();
      width = static_cast<size_t>(spec.hidden_sizes(0));
      body_.push_back(LoadLinear(weights, "first", inputs, {width}));
      for (int i = 0; i + 1 < spec.hidden_sizes_size(); ++i) {
        const std::string block = absl::StrCat("block.", i);
        const std::vector<size_t> with_c = {width, condition};
        width = static_cast<size_t>(spec.hidden_sizes(i + 1));
        body_.push_back(LoadLinear(weights, block + ".residual1", with_c, with_c));
        body_.push_back(LoadLinear(weights, block + ".residual2", with_c, with_c));
        body_.push_back(LoadLinear(weights, block + ".out", with_c, {width}));
      }
    }
    const auto rank = weights.find("rank.bias");
    if (rank != weights.end()) {
      const size_t size = rank->second.values.size();
      rank_ = LoadLinear(weights, "rank", {width}, {size});
      const auto skip = weights.find("skip.weight");
      if (skip != weights.end()) {
        const std::vector<size_t> from = shape_.states == 1 ? std::vector{shape_.latent_size} : inputs;
        skip_ = Spread(skip->second, from, {size}).t();
      }
      width = size;
    }
    LoadOutput(weights.at("output.weight"), weights.at("output.bias"));
  }

  absl::Status Forward(size_t rows, std::span<const float> latent, std::span<const float> condition,
                       absl::FunctionRef<void(const LogitBlock&)> consume) const override {
    return GuardTorch([&] {
      const c10::InferenceMode inference;
      const OneThread one_thread;
      const at::Tensor z = ToDevice(latent, rows, shape_.latent_size);
      const at::Tensor c = ToDevice(condition, rows, shape_.condition_size);
      const at::Tensor hidden = shape_.states == 1 ? AcganBody(z, c) : WganGpBody(z, c);
      for (const OutputBlock& block : blocks_) {
        const size_t padded = Padded(block.variants);
        const at::Tensor logits = block.linear(hidden).cpu();
        consume({.first_variant = block.first_variant,
                 .variants = block.variants,
                 .values = logits.const_data_ptr<float>(),
                 .row_stride = shape_.states * padded,
                 .state_stride = padded});
      }
      return absl::OkStatus();
    });
  }

 private:
  // A weight [outputs, inputs] or a bias [outputs] with its parts padded.
  at::Tensor Spread(const Tensor& tensor, const std::vector<size_t>& inputs, const std::vector<size_t>& outputs) const {
    const bool is_bias = tensor.shape.size() == 1;
    const size_t columns = is_bias ? 1 : PaddedSum(inputs);
    std::vector<int64_t> sizes = {static_cast<int64_t>(PaddedSum(outputs))};
    if (!is_bias) sizes.push_back(static_cast<int64_t>(columns));
    at::Tensor spread = at::zeros(sizes, at::kFloat);
    float* to = spread.mutable_data_ptr<float>();
    const float* from = tensor.values.data();
    for (const size_t output_part : outputs) {
      for (size_t row = 0; row < output_part; ++row) {
        float* place = to + row * columns;
        for (const size_t part : is_bias ? std::vector<size_t>{1} : inputs) {
          std::copy_n(from, part, place);
          from += part;
          place += Padded(part);
        }
      }
      to += Padded(output_part) * columns;
    }
    return spread.to(device_);
  }

  Linear LoadLinear(const Tensor& weight, const Tensor& bias, const std::vector<size_t>& inputs,
                    const std::vector<size_t>& outputs) const {
    return {Spread(weight, inputs, outputs).t(), Spread(bias, inputs, outputs)};
  }
  Linear LoadLinear(const TensorMap& weights, const std::string& name, const std::vector<size_t>& inputs,
                    const std::vector<size_t>& outputs) const {
    return LoadLinear(weights.at(name + ".weight"), weights.at(name + ".bias"), inputs, outputs);
  }

  // The first weight of acgan, on [label x repeats, z, label x repeats], as one on [z, label]: the columns that see the
  // same one-hot are added.
  Tensor FoldRepeats(const Tensor& weight, int repeats) const {
    const auto outputs = static_cast<size_t>(weight.shape[0]);
    const auto inputs = static_cast<size_t>(weight.shape[1]);
    const size_t labels = shape_.condition_size;
    const size_t side = labels * static_cast<size_t>(repeats);
    const size_t latent = shape_.latent_size;
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

  void LoadOutput(const Tensor& weight, const Tensor& bias) {
    const auto width = static_cast<size_t>(weight.shape[1]);
    for (size_t first = 0; first < shape_.variants; first += kProductVariants) {
      const size_t count = std::min(kProductVariants, shape_.variants - first);
      Tensor block_weight{{static_cast<int64_t>(shape_.states * count), weight.shape[1]}, {}};
      Tensor block_bias{{static_cast<int64_t>(shape_.states * count)}, {}};
      for (size_t state = 0; state < shape_.states; ++state) {
        const size_t row = state * shape_.variants + first;
        const float* from = weight.values.data() + row * width;
        block_weight.values.insert(block_weight.values.end(), from, from + count * width);
        const float* from_bias = bias.values.data() + row;
        block_bias.values.insert(block_bias.values.end(), from_bias, from_bias + count);
      }
      const std::vector<size_t> outputs(shape_.states, count);
      blocks_.push_back({first, count, LoadLinear(block_weight, block_bias, {width}, outputs)});
    }
  }

  // [rows, Padded(columns)].
  at::Tensor ToDevice(std::span<const float> values, size_t rows, size_t columns) const {
    const size_t padded = Padded(columns);
    at::Tensor copy = at::zeros({static_cast<int64_t>(rows), static_cast<int64_t>(padded)}, at::kFloat);
    auto* to = copy.mutable_data_ptr<float>();
    for (size_t row = 0; row < rows; ++row) std::copy_n(values.data() + row * columns, columns, to + row * padded);
    return copy.to(device_);
  }

  at::Tensor Activated(at::Tensor x) const { return at::leaky_relu_(x, slope_); }

  at::Tensor AcganBody(const at::Tensor& z, const at::Tensor& c) const {
    at::Tensor x = at::cat({z, c}, 1);
    for (const Linear& layer : body_) x = Activated(layer(x));
    return Ranked(x, z);
  }

  at::Tensor WganGpBody(const at::Tensor& z, const at::Tensor& c) const {
    const at::Tensor inputs = at::cat({z, c}, 1);
    at::Tensor x = Activated(body_[0](inputs));
    for (size_t i = 1; i < body_.size(); i += 3) {
      const at::Tensor with_c = at::cat({x, c}, 1);
      at::Tensor residual = body_[i + 1](Activated(body_[i](with_c)));
      residual += with_c;
      x = Activated(body_[i + 2](Activated(residual)));
    }
    return Ranked(x, inputs);
  }

  at::Tensor Ranked(const at::Tensor& x, const at::Tensor& skip_inputs) const {
    if (!rank_.bias.defined()) return x;
    const at::Tensor ranked = rank_(x);
    return skip_.defined() ? at::addmm(ranked, skip_inputs, skip_) : ranked;
  }

  GeneratorShape shape_;
  c10::DeviceType device_;
  double slope_ = 0;
  std::vector<Linear> body_;
  Linear rank_;
  at::Tensor skip_;
  std::vector<OutputBlock> blocks_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Network>> Network::Make(const v1::Manifest& manifest, const GeneratorShape& shape,
                                                       const TensorMap& weights, DeviceKind device) {
  std::unique_ptr<Network> network;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    network = std::make_unique<TorchNetwork>(manifest, shape, weights, device);
    return absl::OkStatus();
  }));
  return network;
}

}  // namespace genoserve

#include "core/model/torch_network.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/philox.h"
#include "core/base/status.h"
#include "core/model/fold_labels.h"
#include "core/model/torch_guard.h"

namespace genoserve {
namespace {

// Rows of a tile. A call has the smallest one that holds it.
constexpr std::array<size_t, 3> kTileRows = {16, 64, kMostNetworkRows};
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
  TorchNetwork(const v1::Manifest& manifest, const GeneratorShape& shape, const TensorMap& weights,
               const GeneratorOptions& options)
      : shape_(shape),
        device_(options.device == DeviceKind::kCuda ? at::kCUDA : at::kCPU),
        type_(options.precision == Precision::kBf16 ? at::kBFloat16 : at::kFloat) {
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
        body_.push_back(i == 0 ? LoadLinear(FoldLabels(weights.at("hidden.0.weight"), shape_, spec.label_repeats()),
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

  absl::Status Forward(size_t rows, std::span<const float> inputs, std::span<const uint32_t> blocks,
                       absl::FunctionRef<void(const LogitBlock&)> consume) const override {
    return ForwardTile(*std::lower_bound(tiles_.begin(), tiles_.end(), rows), rows, inputs, blocks, consume);
  }

  // Runs random rows through every tile shape, in two orders, and keeps the shapes that give the largest one's bits.
  absl::Status ProveTiles() {
    const size_t most = kTileRows.back();
    std::vector<size_t> rows(most);
    for (size_t row = 0; row < most; ++row) rows[row] = row;
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<uint64_t> prints, Prints(rows, most));
    for (size_t row = 0; row < most; ++row) rows[row] = (row * 89 + 41) % most;
    for (const size_t tile : kTileRows) {
      bool equal = true;
      for (size_t first = 0; first < most && equal; first += tile) {
        const std::span some = std::span(rows).subspan(first, tile);
        GENOSERVE_ASSIGN_OR_RETURN(const std::vector<uint64_t> again, Prints(some, tile));
        for (size_t i = 0; i < tile; ++i) equal = equal && again[i] == prints[some[i]];
      }
      if (equal) tiles_.push_back(tile);
    }
    if (tiles_.empty() || tiles_.back() != most) {
      return absl::InternalError("the rows of a tile depend on their order on this device");
    }
    return absl::OkStatus();
  }

 private:
  // Computes `rows` rows padded to a tile.
  absl::Status ForwardTile(size_t tile, size_t rows, std::span<const float> inputs, std::span<const uint32_t> blocks,
                           absl::FunctionRef<void(const LogitBlock&)> consume) const {
    return GuardTorch([&] {
      const c10::InferenceMode inference;
      const OneThread one_thread;
      const at::Tensor z = ToDevice(inputs, tile, rows, 0, shape_.latent_size);
      const at::Tensor c = ToDevice(inputs, tile, rows, shape_.latent_size, shape_.condition_size);
      const at::Tensor hidden = shape_.states == 1 ? AcganBody(z, c) : WganGpBody(z, c);
      const size_t count = blocks.empty() ? blocks_.size() : blocks.size();
      for (size_t i = 0; i < count; ++i) {
        const OutputBlock& block = blocks_[blocks.empty() ? i : blocks[i]];
        const size_t padded = Padded(block.variants);
        const at::Tensor logits = block.linear(hidden).to(at::kFloat).cpu();
        consume({.first_row = 0,
                 .rows = rows,
                 .first_variant = block.first_variant,
                 .variants = block.variants,
                 .values = logits.const_data_ptr<float>(),
                 .row_stride = shape_.states * padded,
                 .state_stride = padded});
      }
      return absl::OkStatus();
    });
  }

  // Numbers that tell the outputs of these random rows apart, bit for bit (64-bit FNV-1a over words), computed in one
  // tile.
  absl::StatusOr<std::vector<uint64_t>> Prints(std::span<const size_t> rows, size_t tile) const {
    const size_t size = shape_.latent_size + shape_.condition_size;
    std::vector<float> inputs(rows.size() * size);
    for (size_t i = 0; i < rows.size(); ++i) {
      PhiloxStream(0, rows[i], 0, Purpose::kLatent).FillNormal(std::span(inputs).subspan(i * size, size));
    }
    std::vector<uint64_t> prints(rows.size(), 0xCBF29CE484222325ULL);
    GENOSERVE_RETURN_IF_ERROR(ForwardTile(tile, rows.size(), inputs, {}, [&](const LogitBlock& block) {
      for (size_t i = 0; i < prints.size(); ++i) {
        for (size_t state = 0; state < shape_.states; ++state) {
          for (const float value : block.Row(i, state)) {
            prints[i] = (prints[i] ^ std::bit_cast<uint32_t>(value)) * 0x100000001B3ULL;
          }
        }
      }
    }));
    return prints;
  }

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
    return spread.to(device_, type_);
  }

  Linear LoadLinear(const Tensor& weight, const Tensor& bias, const std::vector<size_t>& inputs,
                    const std::vector<size_t>& outputs) const {
    return {Spread(weight, inputs, outputs).t(), Spread(bias, inputs, outputs)};
  }
  Linear LoadLinear(const TensorMap& weights, const std::string& name, const std::vector<size_t>& inputs,
                    const std::vector<size_t>& outputs) const {
    return LoadLinear(weights.at(name + ".weight"), weights.at(name + ".bias"), inputs, outputs);
  }

  void LoadOutput(const Tensor& weight, const Tensor& bias) {
    const auto width = static_cast<size_t>(weight.shape[1]);
    for (size_t first = 0; first < shape_.variants; first += kBlockVariants) {
      const size_t count = std::min(kBlockVariants, shape_.variants - first);
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

  // [tile, Padded(columns)], of the columns of `inputs` from `first` on.
  at::Tensor ToDevice(std::span<const float> inputs, size_t tile, size_t rows, size_t first, size_t columns) const {
    const size_t stride = shape_.latent_size + shape_.condition_size;
    const size_t padded = Padded(columns);
    at::Tensor copy = at::zeros({static_cast<int64_t>(tile), static_cast<int64_t>(padded)}, at::kFloat);
    auto* to = copy.mutable_data_ptr<float>();
    for (size_t row = 0; row < rows; ++row) {
      std::copy_n(inputs.data() + row * stride + first, columns, to + row * padded);
    }
    return copy.to(device_, type_);
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
  at::ScalarType type_;
  double slope_ = 0;
  std::vector<Linear> body_;
  Linear rank_;
  at::Tensor skip_;
  std::vector<OutputBlock> blocks_;
  std::vector<size_t> tiles_;  // rows, ascending
};

}  // namespace

absl::StatusOr<std::unique_ptr<Network>> MakeTorchNetwork(const v1::Manifest& manifest, const GeneratorShape& shape,
                                                          const TensorMap& weights, const GeneratorOptions& options) {
  std::unique_ptr<TorchNetwork> network;
  GENOSERVE_RETURN_IF_ERROR(GuardTorch([&] {
    network = std::make_unique<TorchNetwork>(manifest, shape, weights, options);
    return absl::OkStatus();
  }));
  GENOSERVE_RETURN_IF_ERROR(network->ProveTiles());
  return network;
}

}  // namespace genoserve

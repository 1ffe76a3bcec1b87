#include "core/gpu/tile_network.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/leaky_relu.h>

#include <algorithm>
#include <utility>

namespace genoserve {
namespace {

// Each part of a dimension filled up with zeros to its PaddedSize.
at::Tensor PadParts(const at::Tensor& tensor, int64_t dimension, const std::vector<int64_t>& parts) {
  std::vector<at::Tensor> padded;
  int64_t first = 0;
  for (const int64_t part : parts) {
    std::vector<int64_t> zeros(static_cast<size_t>(2 * (tensor.dim() - dimension)));
    zeros.back() = PaddedSize(part) - part;
    padded.push_back(at::constant_pad_nd(tensor.narrow(dimension, first, part), zeros));
    first += part;
  }
  return at::cat(padded, dimension);
}

}  // namespace

at::Tensor TileNetwork::Linear::operator()(const at::Tensor& x) const { return at::addmm(bias, x, transposed_weight); }

TileNetwork::TileNetwork(const TileSpec& spec, const std::map<std::string, at::Tensor>& weights, at::Device device,
                         at::ScalarType type)
    : spec_(spec), device_(device), type_(type) {
  const auto place = [&](const at::Tensor& tensor) { return tensor.to(device_, type_).contiguous(); };
  const auto transposed = [&](const at::Tensor& weight, const std::vector<int64_t>& inputs,
                              const std::vector<int64_t>& outputs) {
    return place(PadParts(PadParts(weight, 1, inputs), 0, outputs)).t();
  };
  const auto linear = [&](const std::string& name, const std::vector<int64_t>& inputs,
                          const std::vector<int64_t>& outputs) {
    return Linear{transposed(weights.at(name + ".weight"), inputs, outputs),
                  place(PadParts(weights.at(name + ".bias"), 0, outputs))};
  };
  const auto outputs_of = [&](const std::string& name) { return weights.at(name + ".bias").size(0); };

  const std::vector<int64_t> inputs = {spec_.latent_size, spec_.condition_size};
  int64_t width = 0;
  if (spec_.residual) {
    width = outputs_of("first");
    body_.push_back(linear("first", inputs, {width}));
    for (int64_t i = 0; i + 1 < spec_.hidden_layers; ++i) {
      const std::string block = "block." + std::to_string(i);
      const std::vector<int64_t> with_condition = {width, spec_.condition_size};
      width = outputs_of(block + ".out");
      body_.push_back(linear(block + ".residual1", with_condition, with_condition));
      body_.push_back(linear(block + ".residual2", with_condition, with_condition));
      body_.push_back(linear(block + ".out", with_condition, {width}));
    }
  } else {
    for (int64_t i = 0; i < spec_.hidden_layers; ++i) {
      const std::string name = "hidden." + std::to_string(i);
      const int64_t size = outputs_of(name);
      body_.push_back(linear(name, i == 0 ? inputs : std::vector<int64_t>{width}, {size}));
      width = size;
    }
  }
  if (weights.contains("rank.bias")) {
    const int64_t size = outputs_of("rank");
    rank_ = linear("rank", {width}, {size});
    if (weights.contains("skip.weight")) {
      skip_ = transposed(weights.at("skip.weight"), spec_.residual ? inputs : std::vector<int64_t>{spec_.latent_size},
                         {size});
    }
    width = size;
  }
  const at::Tensor weight = weights.at("output.weight").view({spec_.states, spec_.variants, width});
  const at::Tensor bias = weights.at("output.bias").view({spec_.states, spec_.variants});
  for (int64_t first = 0; first < spec_.variants; first += kPartVariants) {
    const int64_t count = std::min(kPartVariants, spec_.variants - first);
    const std::vector<int64_t> states(static_cast<size_t>(spec_.states), count);
    const at::Tensor part = weight.narrow(1, first, count).reshape({spec_.states * count, width});
    const at::Tensor part_bias = bias.narrow(1, first, count).reshape({spec_.states * count});
    outputs_.push_back({transposed(part, {width}, states), place(PadParts(part_bias, 0, states))});
  }
  if (weights.contains("label_logits")) {
    label_logits_ = weights.at("label_logits").to(device_, at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }
}

int64_t TileNetwork::PartSize(int64_t part) const {
  return std::min(kPartVariants, spec_.variants - part * kPartVariants);
}

at::Tensor TileNetwork::Activated(at::Tensor x) const { return at::leaky_relu_(x, spec_.slope); }

at::Tensor TileNetwork::Hidden(const at::Tensor& latents, const at::Tensor& conditions) const {
  const at::Tensor z = latents.to(type_);
  const at::Tensor c = conditions.to(type_);
  const at::Tensor inputs = at::cat({z, c}, 1);
  at::Tensor x = Activated(body_[0](inputs));
  if (spec_.residual) {
    for (size_t i = 1; i < body_.size(); i += 3) {
      const at::Tensor with_condition = at::cat({x, c}, 1);
      const at::Tensor residual = body_[i + 1](Activated(body_[i](with_condition))).add_(with_condition);
      x = Activated(body_[i + 2](Activated(residual)));
    }
  } else {
    for (size_t i = 1; i < body_.size(); ++i) x = Activated(body_[i](x));
  }
  if (!rank_.bias.defined()) return x;
  const at::Tensor ranked = rank_(x);
  return skip_.defined() ? at::addmm(ranked, spec_.residual ? inputs : z, skip_) : ranked;
}

at::Tensor TileNetwork::Logits(const at::Tensor& hidden, const at::Tensor& labels, int64_t part) const {
  const int64_t count = PartSize(part);
  const at::Tensor logits =
      outputs_[static_cast<size_t>(part)](hidden).to(at::kFloat).view({hidden.size(0), spec_.states, -1});
  at::Tensor used = logits.narrow(2, 0, count);
  if (!label_logits_.defined()) return used;
  return used.add(label_logits_.narrow(1, part * kPartVariants, count).index_select(0, labels).unsqueeze(1));
}

std::vector<at::Tensor> TileNetwork::Products() const {
  std::vector<at::Tensor> products;
  for (const Linear& layer : body_) products.push_back(layer.transposed_weight);
  if (rank_.bias.defined()) products.push_back(rank_.transposed_weight);
  if (skip_.defined()) products.push_back(skip_);
  for (const Linear& layer : outputs_) products.push_back(layer.transposed_weight);
  return products;
}

}  // namespace genoserve

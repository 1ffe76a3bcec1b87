// The layers of a generator on a device, for tiles of rows. No Abseil or protobuf here.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/gpu/tile_spec.h"

namespace genoserve {

/// A size rounded up to whole cache lines of fp32 and to what tensor cores take.
constexpr int64_t PaddedSize(int64_t size) { return (size + 15) / 16 * 16; }

/// Const methods are thread-safe.
class TileNetwork {
 public:
  /// `weights` has fp32 tensors on the CPU by the names of GeneratorShape; acgan's hidden.0.weight is [outputs,
  /// latent_size + condition_size], its labels folded. They are copied to the device, rounded to
  /// `type`.
  TileNetwork(const TileSpec& spec, const std::map<std::string, at::Tensor>& weights, at::Device device,
              at::ScalarType type);

  const TileSpec& spec() const { return spec_; }
  at::Device device() const { return device_; }
  int64_t parts() const { return static_cast<int64_t>(outputs_.size()); }
  int64_t PartSize(int64_t part) const;

  /// What the output layer gets, from latents fp32 [rows, PaddedSize(latent_size)] and conditions fp32 [rows,
  /// PaddedSize(condition_size)]. What stands in the padding of latents does not count.
  at::Tensor Hidden(const at::Tensor& latents, const at::Tensor& conditions) const;

  /// The outputs of one part in fp32, with the label's own where there are any: [rows, states, PartSize(part)].
  /// `labels` is int64 [rows].
  at::Tensor Logits(const at::Tensor& hidden, const at::Tensor& labels, int64_t part) const;

  /// The bare products of a pass, [inputs, outputs] each, for measurements.
  std::vector<at::Tensor> Products() const;

 private:
  struct Linear {
    at::Tensor transposed_weight;
    at::Tensor bias;
    at::Tensor operator()(const at::Tensor& x) const;
  };

  at::Tensor Activated(at::Tensor x) const;

  TileSpec spec_;
  at::Device device_;
  at::ScalarType type_;
  std::vector<Linear> body_;
  Linear rank_;      // undefined: none
  at::Tensor skip_;  // transposed; undefined: none
  std::vector<Linear> outputs_;
  at::Tensor label_logits_;  // fp32 [labels, variants]; undefined: none
};

}  // namespace genoserve

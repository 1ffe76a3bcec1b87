// The whole pass of a tile of a fixed number of rows: what tells the rows apart goes in, packed rows come out. No
// Abseil or protobuf here.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "core/gpu/device_draw.h"
#include "core/gpu/device_stream.h"
#include "core/gpu/tile_network.h"
#include "core/gpu/tile_spec.h"

namespace genoserve {

/// Rows of the largest tile of a model: 1,024 as a GPU likes them, but fewer where the numbers of many variants would
/// fill its memory (128 MiB an operation).
int64_t LargestTileRows(int64_t variants);

/// The steps of a pass on its device. Launches only; const methods are thread-safe.
class TilePass {
 public:
  TilePass(TileNetwork network, at::ScalarType type);

  const TileNetwork& network() const { return network_; }
  at::ScalarType type() const { return type_; }
  /// Bits of a packed code, and bytes of a packed row.
  int64_t code_bits() const { return network_.spec().states == 1 ? 1 : 2; }
  int64_t row_bytes() const { return (network_.spec().variants * code_bits() + 7) / 8; }

  /// Computes, draws and packs the parts (ascending) of the rows of `keys`, int64 [4, rows]: seed, sample, haplotype,
  /// label; `conditions` is fp32 [rows, PaddedSize(condition_size)]. The bytes go to their places in `packed`, uint8
  /// [rows, row_bytes()].
  void Run(const at::Tensor& keys, const at::Tensor& conditions, std::span<const int64_t> parts,
           const at::Tensor& packed) const;

  /// The outputs of all parts before they are drawn, fp32 [rows, states * variants], for checks.
  at::Tensor Logits(const at::Tensor& keys, const at::Tensor& conditions) const;

  /// The columns of numbers that Run makes, which must be on the device before a pass is captured: all parts' are made
  /// once, those of some parts by each call.
  at::Tensor ColumnsOf(std::span<const int64_t> parts) const;

 private:
  at::Tensor Latents(const at::Tensor& bits) const;

  TileNetwork network_;
  at::ScalarType type_;
  DeviceDraw draw_;
  std::vector<int64_t> all_;
  at::Tensor all_columns_;
};

/// Tiles of one number of rows on one stream, two in flight: while one is computed another one's rows are copied out
/// and handed on. Where there is a GPU the pass is captured once for each of the two places and replayed. Thread-safe.
class TileGraph {
 public:
  /// `captured` = false launches each operation by itself, for comparisons.
  TileGraph(std::shared_ptr<const TilePass> pass, std::shared_ptr<DeviceStream> stream, int64_t rows,
            bool captured = true);

  int64_t rows() const { return rows_; }

  /// Generates 1 to rows() rows; `conditions` is [rows.size(), condition_size]. With `parts` only these, ascending;
  /// empty = all. Calls `take` with the packed bytes, which are row_bytes() a row and valid until it returns. Throws
  /// what LibTorch throws.
  void Run(std::span<const TileRow> rows, std::span<const float> conditions, std::span<const int64_t> parts,
           const std::function<void(const uint8_t*)>& take);

 private:
  // The tensors of one tile in flight.
  struct Place {
    at::Tensor host_keys;
    at::Tensor host_conditions;
    at::Tensor host_packed;
    at::Tensor keys;
    at::Tensor conditions;
    at::Tensor packed;
    std::function<void()> replay;
    bool taken = false;
  };

  Place& Take();
  void GiveBack(Place& place);
  void Fill(Place& place, std::span<const TileRow> rows, std::span<const float> conditions) const;

  const std::shared_ptr<const TilePass> pass_;
  const std::shared_ptr<DeviceStream> stream_;
  const int64_t rows_;
  std::array<Place, 2> places_;
  std::mutex mutex_;
  std::condition_variable given_back_;
  std::mutex launches_;  // a tile's copies and launches stand together
};

/// Of some numbers of rows those whose tiles give each row the outputs, to the bit, that it has in tiles of the
/// largest, whatever rows are beside it and in whatever order: ascending. Empty where the largest does not agree with
/// itself.
std::vector<int64_t> ProvedTileRows(const TilePass& pass, std::span<const int64_t> ascending);

/// Whether the outputs of some random rows are finite: weights are, but their products may overflow.
bool OutputsAreFinite(const TilePass& pass, int64_t rows);

}  // namespace genoserve

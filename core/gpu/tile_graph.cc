#include "core/gpu/tile_graph.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

namespace genoserve {
namespace {

constexpr int64_t kMostTileRows = 1024;
constexpr int64_t kFewestTileRows = 64;
constexpr int64_t kMostNumbers = int64_t{1} << 24;
constexpr int kKeys = 4;

// Samples 0, 1, 2, ... of seed 0, their conditions one-hot in turn, on the device of a pass.
struct RandomRows {
  at::Tensor keys;
  at::Tensor conditions;
};

RandomRows MakeRandomRows(const TilePass& pass, int64_t rows) {
  const int64_t conditions = pass.network().spec().condition_size;
  RandomRows made{at::zeros({kKeys, rows}, at::kLong), at::zeros({rows, PaddedSize(conditions)}, at::kFloat)};
  for (int64_t row = 0; row < rows; ++row) {
    made.keys.mutable_data_ptr<int64_t>()[rows + row] = row;
    if (conditions == 0) continue;
    made.conditions.mutable_data_ptr<float>()[row * PaddedSize(conditions) + row % conditions] = 1.0F;
  }
  return {made.keys.to(pass.network().device()), made.conditions.to(pass.network().device())};
}

// The number of blocks of four numbers that `count` numbers take.
constexpr int64_t Blocks(int64_t count) { return (count + 3) / 4; }

}  // namespace

int64_t LargestTileRows(int64_t variants) {
  int64_t rows = kMostTileRows;
  while (rows > kFewestTileRows && rows * variants > kMostNumbers) rows /= 2;
  return rows;
}

TilePass::TilePass(TileNetwork network, at::ScalarType type)
    : network_(std::move(network)), type_(type), draw_(network_.device()) {
  for (int64_t part = 0; part < network_.parts(); ++part) all_.push_back(part);
  all_columns_ = ColumnsOf(all_);
}

at::Tensor TilePass::ColumnsOf(std::span<const int64_t> parts) const {
  std::vector<NumberRun> runs = {{Purpose::kLatent, 0, PaddedSize(network_.spec().latent_size) / 4}};
  for (const int64_t part : parts) {
    runs.push_back({Purpose::kAllele, part * kPartVariants / 4, Blocks(network_.PartSize(part))});
  }
  return draw_.Columns(runs);
}

at::Tensor TilePass::Latents(const at::Tensor& bits) const {
  const int64_t latents = PaddedSize(network_.spec().latent_size);
  return draw_.Normal(bits.narrow(1, 0, latents / 4).flatten(1));
}

void TilePass::Run(const at::Tensor& keys, const at::Tensor& conditions, std::span<const int64_t> parts,
                   const at::Tensor& packed) const {
  const bool all = parts.size() == all_.size();
  const at::Tensor bits = draw_.Bits(keys, all ? all_columns_ : ColumnsOf(parts));
  const at::Tensor hidden = network_.Hidden(Latents(bits), conditions);
  int64_t block = PaddedSize(network_.spec().latent_size) / 4;
  for (const int64_t part : parts) {
    const int64_t count = network_.PartSize(part);
    const at::Tensor numbers = bits.narrow(1, block, Blocks(count)).flatten(1).narrow(1, 0, count);
    block += Blocks(count);
    const at::Tensor logits = network_.Logits(hidden, keys[3], part);
    const at::Tensor codes = code_bits() == 2            ? draw_.Genotypes(logits, numbers)
                             : network_.spec().threshold ? draw_.ThresholdAlleles(logits.squeeze(1))
                                                         : draw_.Alleles(logits.squeeze(1), numbers);
    const at::Tensor bytes = draw_.Pack(codes, code_bits());
    packed.narrow(1, part * kPartVariants * code_bits() / 8, bytes.size(1)).copy_(bytes);
  }
}

at::Tensor TilePass::Logits(const at::Tensor& keys, const at::Tensor& conditions) const {
  const at::Tensor hidden = network_.Hidden(Latents(draw_.Bits(keys, ColumnsOf({}))), conditions);
  std::vector<at::Tensor> logits;
  for (const int64_t part : all_) logits.push_back(network_.Logits(hidden, keys[3], part));
  return at::cat(logits, 2).flatten(1);
}

TileGraph::TileGraph(std::shared_ptr<const TilePass> pass, std::shared_ptr<DeviceStream> stream, int64_t rows,
                     bool captured)
    : pass_(std::move(pass)), stream_(std::move(stream)), rows_(rows) {
  const c10::InferenceMode inference;
  const TileNetwork& network = pass_->network();
  const int64_t condition = PaddedSize(network.spec().condition_size);
  std::vector<int64_t> parts;
  for (int64_t part = 0; part < network.parts(); ++part) parts.push_back(part);
  const at::TensorOptions on_device = at::TensorOptions().device(network.device());
  for (Place& place : places_) {
    place.host_keys = stream_->HostTensor({kKeys, rows_}, at::kLong).zero_();
    place.host_conditions = stream_->HostTensor({rows_, condition}, at::kFloat).zero_();
    place.host_packed = stream_->HostTensor({rows_, pass_->row_bytes()}, at::kByte).zero_();
    const auto run = [this, &place, parts] {
      const c10::InferenceMode while_it_runs;
      pass_->Run(place.keys, place.conditions, parts, place.packed);
    };
    stream_->Enqueue([&] {
      place.keys = at::zeros({kKeys, rows_}, on_device.dtype(at::kLong));
      place.conditions = at::zeros({rows_, condition}, on_device.dtype(at::kFloat));
      place.packed = at::zeros({rows_, pass_->row_bytes()}, on_device.dtype(at::kByte));
      // What libraries set up at their first calls cannot be captured.
      if (captured) run();
    });
    place.replay = captured ? stream_->Capture(run) : run;
  }
  stream_->Mark()();
}

void TileGraph::Run(std::span<const TileRow> rows, std::span<const float> conditions, std::span<const int64_t> parts,
                    const std::function<void(const uint8_t*)>& take) {
  const c10::InferenceMode inference;
  Place& place = Take();
  const std::unique_ptr<Place, std::function<void(Place*)>> giving_back(&place, [this](Place* p) { GiveBack(*p); });
  Fill(place, rows, conditions);
  std::function<void()> wait;
  {
    const std::lock_guard lock(launches_);
    stream_->Enqueue([&] {
      place.keys.copy_(place.host_keys, /*non_blocking=*/true);
      place.conditions.copy_(place.host_conditions, /*non_blocking=*/true);
      if (parts.empty()) {
        place.replay();
      } else {
        pass_->Run(place.keys, place.conditions, parts, place.packed);
      }
      place.host_packed.copy_(place.packed, /*non_blocking=*/true);
    });
    wait = stream_->Mark();
  }
  wait();
  take(place.host_packed.const_data_ptr<uint8_t>());
}

TileGraph::Place& TileGraph::Take() {
  std::unique_lock lock(mutex_);
  const auto free = [this] { return std::ranges::find(places_, false, &Place::taken); };
  given_back_.wait(lock, [&] { return free() != places_.end(); });
  Place& place = *free();
  place.taken = true;
  return place;
}

void TileGraph::GiveBack(Place& place) {
  {
    const std::lock_guard lock(mutex_);
    place.taken = false;
  }
  given_back_.notify_one();
}

// Rows beyond those asked for keep what they had: nobody reads them, and no row depends on another.
void TileGraph::Fill(Place& place, std::span<const TileRow> rows, std::span<const float> conditions) const {
  auto* keys = place.host_keys.mutable_data_ptr<int64_t>();
  auto* to = place.host_conditions.mutable_data_ptr<float>();
  const auto size = static_cast<size_t>(pass_->network().spec().condition_size);
  const auto padded = static_cast<size_t>(PaddedSize(pass_->network().spec().condition_size));
  for (size_t row = 0; row < rows.size(); ++row) {
    const auto place_of = [&](size_t key) { return key * static_cast<size_t>(rows_) + row; };
    keys[place_of(0)] = static_cast<int64_t>(rows[row].seed);
    keys[place_of(1)] = static_cast<int64_t>(rows[row].sample);
    keys[place_of(2)] = rows[row].haplotype;
    keys[place_of(3)] = rows[row].label;
    std::copy_n(conditions.begin() + static_cast<ptrdiff_t>(row * size), size, to + row * padded);
  }
}

std::vector<int64_t> ProvedTileRows(const TilePass& pass, std::span<const int64_t> ascending) {
  const c10::InferenceMode inference;
  const int64_t most = ascending.back();
  const RandomRows rows = MakeRandomRows(pass, most);
  at::Tensor order = at::empty({most}, at::kLong);
  // `most` is a power of two, so that each row stands once.
  for (int64_t row = 0; row < most; ++row) order.mutable_data_ptr<int64_t>()[row] = (row * 89 + 41) % most;
  order = order.to(pass.network().device());
  const at::Tensor wanted = pass.Logits(rows.keys, rows.conditions).index_select(0, order);
  const at::Tensor other_keys = rows.keys.index_select(1, order);
  const at::Tensor other_conditions = rows.conditions.index_select(0, order);
  std::vector<int64_t> proved;
  for (const int64_t tile : ascending) {
    bool equal = true;
    for (int64_t first = 0; first < most && equal; first += tile) {
      const at::Tensor again = pass.Logits(other_keys.narrow(1, first, tile), other_conditions.narrow(0, first, tile));
      equal = at::equal(again, wanted.narrow(0, first, tile));
    }
    if (equal) proved.push_back(tile);
  }
  if (proved.empty() || proved.back() != most) proved.clear();
  return proved;
}

bool OutputsAreFinite(const TilePass& pass, int64_t rows) {
  const c10::InferenceMode inference;
  const RandomRows random = MakeRandomRows(pass, rows);
  return at::isfinite(pass.Logits(random.keys, random.conditions)).all().item<bool>();
}

}  // namespace genoserve

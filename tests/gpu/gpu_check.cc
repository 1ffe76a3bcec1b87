// Proves on a GPU what serving promises there, and prints how fast it is. With --device cpu the same proofs run on the
// CPU, small. Needs LibTorch and the standard library only; docs/gpu.md tells what is proved.
//
// Exit codes: 0 all proofs hold, 1 one does not, 2 wrong arguments, 3 no GPU.
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>
#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/gpu/tile_graph.h"
#include "tests/gpu/random_model.h"
#include "tests/gpu/training_steps.h"

namespace genoserve {
namespace {

// Genotypes that may differ between two ways to compute one row. In fp32 sums have another order; in bf16 each layer
// is rounded.
constexpr double kMostDifferingFp32 = 1e-4;
constexpr double kMostDifferingBf16 = 0.02;
// The part of what training changes that captured and eager steps may differ by.
constexpr double kMostTrainingDifference = 0.02;
constexpr int64_t kReferenceRows = 64;

using Bytes = std::vector<std::vector<uint8_t>>;

int failures = 0;

void Prove(const std::string& what, bool holds, const std::string& figures = "") {
  if (!holds) ++failures;
  std::printf("  %-7s %s%s%s\n", holds ? "ok" : "FAILED", what.c_str(), figures.empty() ? "" : ": ", figures.c_str());
  std::fflush(stdout);
}

template <class... Values>
std::string Text(const char* format, Values... values) {
  char text[256];
  std::snprintf(text, sizeof(text), format, values...);
  return text;
}

// Rows of samples, whose seeds and conditions take turns.
struct Request {
  std::vector<TileRow> rows;
  std::vector<float> conditions;

  Request(const TileSpec& spec, const std::vector<uint64_t>& samples) {
    const auto size = static_cast<uint64_t>(spec.condition_size);
    for (const uint64_t sample : samples) {
      rows.push_back({.seed = 7 + sample % 2,
                      .sample = sample,
                      .haplotype = static_cast<int>(sample % 2),
                      .label = static_cast<int>(sample % size)});
      for (uint64_t i = 0; i < size; ++i) conditions.push_back(i == sample % size ? 1.0F : 0.0F);
    }
  }
};

std::vector<uint64_t> Samples(uint64_t first, int64_t count) {
  std::vector<uint64_t> samples;
  for (int64_t i = 0; i < count; ++i) samples.push_back(first + static_cast<uint64_t>(i));
  return samples;
}

Bytes Generate(TileGraph& tile, const TilePass& pass, const std::vector<uint64_t>& samples,
               const std::vector<int64_t>& parts = {}) {
  const Request request(pass.network().spec(), samples);
  Bytes bytes;
  tile.Run(request.rows, request.conditions, parts, [&](const uint8_t* packed) {
    const auto size = static_cast<size_t>(pass.row_bytes());
    for (size_t row = 0; row < samples.size(); ++row)
      bytes.emplace_back(packed + row * size, packed + (row + 1) * size);
  });
  return bytes;
}

double Differing(const Bytes& a, const Bytes& b, const TilePass& pass) {
  const auto width = static_cast<size_t>(pass.code_bits());
  size_t count = 0;
  for (size_t row = 0; row < a.size(); ++row) {
    for (size_t i = 0; i < a[row].size(); ++i) {
      const int difference = a[row][i] ^ b[row][i];
      for (size_t bit = 0; bit < 8; bit += width) count += (difference >> bit & ((1 << width) - 1)) != 0 ? 1 : 0;
    }
  }
  return static_cast<double>(count) / static_cast<double>(a.size()) /
         static_cast<double>(pass.network().spec().variants);
}

// One model on one device in one precision.
struct Subject {
  std::shared_ptr<DeviceStream> stream;
  std::shared_ptr<const TilePass> pass;

  Subject(const RandomModel& model, at::Device device, at::ScalarType type) : stream(MakeDeviceStream(device)) {
    const c10::InferenceMode inference;
    stream->Enqueue(
        [&] { pass = std::make_shared<TilePass>(TileNetwork(model.spec, model.weights, device, type), type); });
  }
};

void ProveNoise(at::Device device) {
  const std::vector<TileRow> rows = {{.seed = 0xFEDCBA9876543210ULL, .sample = 0xFEDCBA987654ULL, .haplotype = 1},
                                     {.seed = 3, .sample = 4}};
  constexpr int64_t kBlocks = 2500;
  at::Tensor keys = at::zeros({3, 2}, at::kLong);
  for (size_t row = 0; row < 2; ++row) {
    keys.mutable_data_ptr<int64_t>()[row] = static_cast<int64_t>(rows[row].seed);
    keys.mutable_data_ptr<int64_t>()[2 + row] = static_cast<int64_t>(rows[row].sample);
    keys.mutable_data_ptr<int64_t>()[4 + row] = rows[row].haplotype;
  }
  const DeviceDraw draw(device);
  const at::Tensor bits = draw.Bits(keys.to(device), draw.Columns({{Purpose::kAllele, 100, kBlocks}}));
  const at::Tensor normal = draw.Normal(bits).cpu();
  const at::Tensor numbers = bits.cpu();
  bool equal = true;
  double largest = 0;
  for (size_t row = 0; row < 2; ++row) {
    const PhiloxStream stream(rows[row].seed, rows[row].sample, rows[row].haplotype, Purpose::kAllele);
    for (size_t i = 0; i < 4 * kBlocks; ++i) {
      const size_t at = row * 4 * kBlocks + i;
      const uint32_t wanted = stream.Bits(static_cast<uint32_t>(400 + i));
      equal = equal && numbers.const_data_ptr<int64_t>()[at] == wanted;
      const double value = static_cast<double>(normal.const_data_ptr<float>()[at]);
      largest = std::max(largest, std::abs(value - ToNormal(wanted)) / std::max(1.0, std::abs(value)));
    }
  }
  Prove("random numbers are those of the CPU, bit for bit", equal);
  Prove("normal values are those of the CPU", largest < 1.2e-7, Text("largest difference %.1e", largest));
}

void ProveBytes(const Subject& subject, int64_t tile_rows) {
  const TilePass& pass = *subject.pass;
  TileGraph tile(subject.pass, subject.stream, tile_rows);
  TileGraph launched(subject.pass, subject.stream, tile_rows, /*captured=*/false);
  const Bytes whole = Generate(tile, pass, Samples(0, tile_rows));
  Prove("same bytes when repeated", Generate(tile, pass, Samples(0, tile_rows)) == whole);
  Prove("same bytes captured as launched one by one", Generate(launched, pass, Samples(0, tile_rows)) == whole);
  std::vector<uint64_t> order = Samples(0, tile_rows);
  std::ranges::reverse(order);
  Bytes reversed = Generate(tile, pass, order);
  std::ranges::reverse(reversed);
  Prove("same bytes in another order", reversed == whole);
  const auto half = static_cast<size_t>(tile_rows / 2);
  const Bytes others = Generate(tile, pass, Samples(half, tile_rows));
  bool equal = true;
  for (size_t i = 0; i < half; ++i) equal = equal && others[i] == whole[half + i];
  Prove("same bytes beside other rows", equal);
  Prove("same bytes alone in a tile", Generate(tile, pass, {3})[0] == whole[3]);

  const int64_t last = pass.network().parts() - 1;
  const Bytes part = Generate(tile, pass, Samples(0, 7), {last});
  const auto from = static_cast<ptrdiff_t>(last * kPartVariants * pass.code_bits() / 8);
  equal = true;
  for (size_t i = 0; i < part.size(); ++i) {
    equal = equal && std::equal(part[i].begin() + from, part[i].end(), whole[i].begin() + from);
  }
  Prove("same bytes of a part of the variants", equal);

  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  callers.reserve(3);
  for (int caller = 0; caller < 3; ++caller) {
    callers.emplace_back([&, caller] {
      const std::vector<uint64_t> samples = Samples(static_cast<uint64_t>(caller), tile_rows / 2);
      for (int again = 0; again < 10; ++again) {
        const Bytes bytes = Generate(tile, pass, samples);
        for (size_t i = 0; i < bytes.size(); ++i) wrong += bytes[i] == whole[samples[i]] ? 0 : 1;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  Prove("same bytes with tiles in flight side by side", wrong == 0);
}

void ProveTiles(const Subject& subject, int64_t tile_rows) {
  std::vector<int64_t> sizes;
  for (int64_t rows = 16; rows <= tile_rows; rows *= 4) sizes.push_back(rows);
  if (sizes.back() != tile_rows) sizes.push_back(tile_rows);
  std::vector<int64_t> proved;
  subject.stream->Enqueue([&] { proved = ProvedTileRows(*subject.pass, sizes); });
  std::string list;
  for (const int64_t rows : proved) list += " " + std::to_string(rows);
  Prove("outputs of a row are the same wherever it stands", !proved.empty(), "tiles of" + list + " rows are equal");
}

// How fast the pass is: by two callers from noise to packed rows on the host, beside the products of its layers alone.
void MeasureRate(const Subject& subject, int64_t tile_rows, double seconds) {
  const c10::InferenceMode inference;
  const TilePass& pass = *subject.pass;
  const TileNetwork& network = pass.network();
  TileGraph tile(subject.pass, subject.stream, tile_rows);
  std::atomic<int64_t> tiles = 0;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
  std::vector<std::thread> callers;
  callers.reserve(2);
  for (int caller = 0; caller < 2; ++caller) {
    callers.emplace_back([&] {
      const Request request(network.spec(), Samples(0, tile_rows));
      while (elapsed() < seconds) {
        tile.Run(request.rows, request.conditions, {}, [](const uint8_t*) {});
        ++tiles;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  const double rate = static_cast<double>(tiles * tile_rows) / elapsed();
  const double tile_ms = 1e3 * static_cast<double>(tile_rows) / rate;

  std::vector<at::Tensor> inputs;
  std::vector<at::Tensor> outputs;
  const std::vector<at::Tensor> products = network.Products();
  at::Tensor packed;
  subject.stream->Enqueue([&] {
    for (const at::Tensor& weight : products) {
      inputs.push_back(at::randn({tile_rows, weight.size(0)}, at::kFloat).to(network.device(), pass.type()));
      outputs.push_back(at::empty({tile_rows, weight.size(1)}, weight.options()));
    }
    packed = at::zeros({tile_rows, pass.row_bytes()}, at::TensorOptions().dtype(at::kByte).device(network.device()));
  });
  const auto multiply = [&] {
    for (size_t i = 0; i < products.size(); ++i) at::mm_out(outputs[i], inputs[i], products[i]);
  };
  subject.stream->Enqueue(multiply);
  const auto replay = subject.stream->Capture(multiply);
  const int times = std::max(3, static_cast<int>(seconds * 1e3 / tile_ms));
  const double product_ms = subject.stream->Milliseconds([&] {
    for (int i = 0; i < times; ++i) replay();
  }) / times;
  at::Tensor host = subject.stream->HostTensor({tile_rows, pass.row_bytes()}, at::kByte);
  const double copy_ms = subject.stream->Milliseconds([&] {
    for (int i = 0; i < times; ++i) host.copy_(packed, /*non_blocking=*/true);
  }) / times;
  std::printf("  figure  %.0f rows/s in tiles of %lld (%.3f ms); bare products %.0f rows/s; ratio %.3f\n", rate,
              static_cast<long long>(tile_rows), tile_ms, 1e3 * static_cast<double>(tile_rows) / product_ms,
              product_ms / tile_ms);
  std::printf("  figure  copy-out %.1f kB a tile, %.2f %% of its time\n", static_cast<double>(packed.numel()) / 1e3,
              100 * copy_ms / tile_ms);
}

void CheckModel(const RandomModel& model, at::Device device, int64_t most_rows, double seconds) {
  const int64_t tile_rows = std::min(most_rows, LargestTileRows(model.spec.variants));
  Bytes reference;
  {
    const Subject on_cpu(model, at::kCPU, at::kFloat);
    TileGraph tile(on_cpu.pass, on_cpu.stream, kReferenceRows);
    reference = Generate(tile, *on_cpu.pass, Samples(0, kReferenceRows));
  }
  for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
    const bool rounded = type == at::kBFloat16;
    std::printf("%s, %s\n", model.name.c_str(), rounded ? "bf16" : "fp32");
    const Subject subject(model, device, type);
    {
      TileGraph tile(subject.pass, subject.stream, tile_rows);
      const double share =
          Differing(Generate(tile, *subject.pass, Samples(0, kReferenceRows)), reference, *subject.pass);
      Prove("genotypes are those of fp32 on the CPU", share <= (rounded ? kMostDifferingBf16 : kMostDifferingFp32),
            Text("%.5f %% differ", 100 * share));
    }
    ProveBytes(subject, tile_rows);
    ProveTiles(subject, tile_rows);
    MeasureRate(subject, tile_rows, seconds);
  }
}

void CheckTraining(at::Device device, int64_t variants, int steps) {
  std::printf("training of acgan, %lld variants\n", static_cast<long long>(variants));
  const TrainingFigures figures = MeasureTraining(device, variants, steps);
  Prove("captured steps train as eager ones",
        figures.largest_change > 0 && figures.largest_difference <= kMostTrainingDifference * figures.largest_change,
        Text("weights differ by %.1e of a change of %.1e", figures.largest_difference, figures.largest_change));
  std::printf("  figure  %.1f steps/s eager, %.1f captured\n", figures.eager_steps_per_second,
              figures.captured_steps_per_second);
}

// Loads LibTorch's CUDA library and counts the GPUs; `why` where there is none.
bool FindGpu(std::string& why) {
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    why = reason != nullptr ? reason : "libtorch_cuda.so cannot be loaded";
    return false;
  }
  why = "the driver shows none";
  return at::getNumGPUs() > 0;
}

int Main(const std::string& device_name) {
  const bool on_gpu = device_name == "cuda";
  std::string why;
  if (on_gpu && !FindGpu(why)) {
    std::fprintf(stderr, "gpu-check: no GPU here (%s); --device cpu runs the proofs on the CPU\n", why.c_str());
    return 3;
  }
  const at::Device device = on_gpu ? at::kCUDA : at::kCPU;
  // As in serving: fp32 means fp32.
  at::globalContext().setAllowTF32CuBLAS(false);
  std::printf("device: %s\n", MakeDeviceStream(device)->DeviceName().c_str());
  ProveNoise(device);
  if (on_gpu) {
    CheckModel(RandomAcgan("acgan, 805 variants", 805, 1), device, 1024, 2);
    CheckModel(RandomWganGp("wgan-gp, 10,346 variants", 10346, {256, 512, 1024}), device, 1024, 2);
    CheckModel(RandomAcgan("acgan, 10,000 variants", 10000, 1), device, 1024, 2);
    CheckTraining(device, 805, 1000);
  } else {
    at::set_num_threads(1);
    CheckModel(RandomAcgan("acgan, 805 variants, narrow", 805, 0.2), device, 64, 0.1);
    CheckModel(RandomWganGp("wgan-gp, 8,501 variants, narrow", 8501, {32, 48, 64}), device, 64, 0.1);
    CheckTraining(device, 805, 5);
  }
  std::printf(failures == 0 ? "all proofs hold\n" : "%d proofs FAILED\n", failures);
  return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  std::string device = "cuda";
  const bool known = argc == 1 || (argc == 3 && std::strcmp(argv[1], "--device") == 0);
  if (argc == 3) device = argv[2];
  if (!known || (device != "cuda" && device != "cpu")) {
    std::fprintf(stderr, "usage: gpu-check [--device cuda|cpu]\n");
    return 2;
  }
  try {
    return genoserve::Main(device);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu-check: %s\n", error.what());
    return 1;
  }
}

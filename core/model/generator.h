// A trained generator as the server sees it: tiles of samples in, packed genotypes out. No LibTorch in this header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "core/artifact/artifact.h"
#include "core/genotype/genotype_matrix.h"

namespace genoserve {

/// Where a generator runs.
enum class DeviceKind { kCpu, kCuda };

/// What a user asks for; kAuto is CUDA where there is a usable GPU, else the CPU.
enum class DeviceChoice { kAuto, kCpu, kCuda };

/// Reads "auto", "cpu" or "cuda"; INVALID_ARGUMENT otherwise.
absl::StatusOr<DeviceChoice> ParseDeviceChoice(absl::string_view text);

/// Finds the device. LibTorch is loaded only where the driver shows a GPU and it may be used. FAILED_PRECONDITION, with
/// what is missing, where "cuda" is chosen and cannot be used.
absl::StatusOr<DeviceKind> ResolveDevice(DeviceChoice choice);

/// Raised whenever output bytes change for the same artifact, engine and request.
inline constexpr int kKernelRevision = 3;

/// In what form a network's weights and activations are held. Output bytes depend on it; a chain has no such form and
/// gives the same bytes with each.
enum class Precision { kFp32, kBf16, kInt8 };

/// "fp32", "bf16" or "int8".
const char* PrecisionName(Precision precision);

/// Reads a name; INVALID_ARGUMENT otherwise.
absl::StatusOr<Precision> ParsePrecision(absl::string_view text);

/// What bytes depend on besides the artifact and the request.
struct GeneratorOptions {
  DeviceKind device = DeviceKind::kCpu;
  Precision precision = Precision::kFp32;
};

/// Variants of a block, the unit by which a part of a row is generated: a panel of a network's last layer. The last
/// block of a row may be shorter.
inline constexpr size_t kBlockVariants = 32;

/// What a network's bytes depend on beside device and precision. On a CPU "x86-64-v3" for fp32, whose products are
/// fused multiply-adds in one order on every machine that has them, and for int8, whose sums are exact; "avx512-bf16"
/// or "emulated" for bf16. "sm_90" and the like on a GPU.
std::string InstructionSet(DeviceKind device, Precision precision);

/// One sample to generate. Samples of different requests may share a tile: no sample's bytes depend on the others.
struct SampleSpec {
  uint64_t seed = 0;
  uint64_t sample = 0;                 ///< index in its cohort, < 2^48
  int label = -1;                      ///< index into the manifest's labels; -1 where the model has none
  std::span<const double> phenotypes;  ///< one a phenotype of the manifest, in its unit or as the index of a level
};

/// What a rounded form changes in the rows, measured on a fixed set of samples: the same seeds in fp32 and rounded.
struct PrecisionEffect {
  double differing = 0;        ///< share of genotypes that differ
  double frequency_shift = 0;  ///< largest shift of an allele frequency
  size_t rows = 0;             ///< compared
  size_t variants = 0;         ///< compared
};

/// Bounds of PrecisionEffect, above which LoadGenerator refuses.
inline constexpr double kMostDiffering = 0.002;
inline constexpr double kMostFrequencyShift = 0.04;

/// A loaded generator. Thread-safe: several workers may generate at once.
class Generator {
 public:
  virtual ~Generator() = default;

  /// Form of the rows: haplotypes or diploid genotypes.
  virtual Packing packing() const = 0;
  /// Variants of a full row.
  virtual size_t variant_count() const = 0;
  /// Most samples of one call.
  virtual size_t max_tile_samples() const = 0;

  /// Generates the samples in their order into `rows`, which must have this packing, samples.size() samples and
  /// variant_count() variants. `blocks` has the ascending indices of the blocks to generate, the bytes of which are
  /// those of the whole row; empty = all. What the other blocks hold afterwards is not told. `samples` holds 1 to
  /// max_tile_samples(). Errors of a GPU come back classified: RESOURCE_EXHAUSTED (out of memory), UNAVAILABLE
  /// (device broken for good), INTERNAL (a bug).
  virtual absl::Status Generate(std::span<const SampleSpec> samples, std::span<const uint32_t> blocks,
                                GenotypeMatrix& rows) const = 0;

  /// What LoadGenerator found; absent where nothing is rounded.
  virtual std::optional<PrecisionEffect> precision_effect() const { return std::nullopt; }
};

/// Makes the generator of an artifact and verifies that its weights fit its spec (INVALID_ARGUMENT names the tensor)
/// and that they and the outputs are finite. FAILED_PRECONDITION on a CPU without AVX2 and FMA3, for a network, in int8
/// on a GPU, and, with the figures, where a rounded form changes more than the bounds allow, which is measured in about
/// a second.
absl::StatusOr<std::unique_ptr<Generator>> LoadGenerator(const Artifact& artifact, const GeneratorOptions& options);

/// The same from parts and without the measurement, for the trainer, which has no published artifact yet.
absl::StatusOr<std::unique_ptr<Generator>> MakeGenerator(const v1::Manifest& manifest, const TensorMap& weights,
                                                         const GeneratorOptions& options);

}  // namespace genoserve

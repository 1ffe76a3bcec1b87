// Counter-based random numbers: Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3",
// section 3.3 and table 2). A number is a function of (seed, sample, haplotype, purpose, index), so that any part of
// a cohort can be drawn alone. All transforms from bits to values are here: no library distribution, no libm, so that
// results do not change with the machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace genoserve {

/// What a random number is for. Streams of different purposes are independent. Never renumber.
enum class Purpose : uint8_t {
  kLatent = 0,      ///< input noise of a generator; index = position in z
  kAllele = 1,      ///< draw of a genotype or allele; index = variant of the whole model
  kLabel = 2,       ///< draw of a population label; index 0
  kPhenotype = 3,   ///< draw of a phenotype; index = 64 * position in the schema + draw
  kTraining = 4,    ///< everything the trainer draws; "sample" is its step
  kImputation = 5,  ///< a missing allele of real data; index = variant
  kQuality = 6,     ///< subsets, naive draws and bootstraps of the measures of quality
  kTrait = 7,       ///< a simulated trait; haplotype 0: of variant "sample" of a cohort, 1: of the sample itself
};

/// One block of four 32-bit numbers of Philox 4x32-10.
std::array<uint32_t, 4> Philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// The random numbers of one row. Cheap to make and to copy; const methods are thread-safe.
class PhiloxStream {
 public:
  /// `sample` < 2^48 is the index in the cohort, `haplotype` is 0 or 1 (0 for diploid rows).
  PhiloxStream(uint64_t seed, uint64_t sample, int haplotype, Purpose purpose);

  /// The four numbers with indices 4 * block to 4 * block + 3.
  std::array<uint32_t, 4> Block(uint32_t block) const;

  /// Number `index` of the stream, uniform over all 32-bit values.
  uint32_t Bits(uint32_t index) const { return Block(index / 4)[index % 4]; }

  /// Fills `out` with the numbers from `first` on. `first` must be a multiple of 4.
  void FillBits(uint32_t first, std::span<uint32_t> out) const;

  /// Fills `out` with standard normal values, one a number, from index 0 on.
  void FillNormal(std::span<float> out) const;

  /// What makes the numbers, for those who make many at once: the key, and words 1 to 3 of the counter.
  const std::array<uint32_t, 2>& key() const { return key_; }
  const std::array<uint32_t, 3>& counter() const { return counter_; }

 private:
  std::array<uint32_t, 2> key_;
  std::array<uint32_t, 3> counter_;  // words 1 to 3; word 0 is the block
};

/// The middle of the interval of [0, 1) that `bits` stands for: (bits + 0.5) / 2^32. Never 0 or 1.
inline double ToUniform(uint32_t bits) { return (static_cast<double>(bits) + 0.5) * 0x1p-32; }

/// The standard normal quantile of (bits + 0.5) / 2^32, by Wichura's AS 241 (1988), PPND16; relative error about 1e-15.
double ToNormal(uint32_t bits);

/// The standard normal quantile of `p`, 0 < p < 1, by the same formula.
double NormalQuantile(double p);

}  // namespace genoserve

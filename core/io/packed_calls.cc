#include "core/io/packed_calls.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/base/status.h"
#include "core/genotype/genotype_matrix.h"
#include "core/io/imputation.h"

namespace genoserve {
namespace {

constexpr uint64_t kLowBits = 0x5555555555555555U;

/// Calls `take` with the codes eight bytes at a time; bytes beyond the last are 0.
template <typename Take>
void ForEachWord(std::span<const uint8_t> codes, Take take) {
  for (size_t i = 0; i < codes.size(); i += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, codes.data() + i, std::min(sizeof(word), codes.size() - i));
    take(word);
  }
}

/// Four bits, each as the lower one of a pair of bits.
constexpr std::array<uint8_t, 16> kSpread = [] {
  std::array<uint8_t, 16> table{};
  for (unsigned bits = 0; bits < 16; ++bits) {
    for (unsigned i = 0; i < 4; ++i) table[bits] = static_cast<uint8_t>(table[bits] | ((bits >> i) & 1U) << (2 * i));
  }
  return table;
}();

}  // namespace

void ClearPadding(std::span<uint8_t> codes, size_t samples) {
  if (samples % 4 != 0) codes.back() = static_cast<uint8_t>(codes.back() & ((1U << (2 * (samples % 4))) - 1));
}

void ResetCalls(size_t samples, VariantCalls* calls) {
  calls->codes.assign(CodeBytes(samples), 0);
  calls->alt_first.clear();
  calls->haploid.clear();
  calls->phased = false;
  calls->unphased = false;
  calls->half_calls.clear();
}

void PutLazyBit(std::vector<uint8_t>* bits, size_t samples, size_t i) {
  if (bits->empty()) bits->assign(BitBytes(samples), 0);
  PutBit(*bits, i);
}

CodeCounts CountCodes(std::span<const uint8_t> codes, size_t samples) {
  CodeCounts counts;
  ForEachWord(codes, [&counts](uint64_t word) {
    const uint64_t low = word & kLowBits;
    const uint64_t high = (word >> 1) & kLowBits;
    counts.of[1] += static_cast<size_t>(std::popcount(low & ~high));
    counts.of[2] += static_cast<size_t>(std::popcount(high & ~low));
    counts.of[3] += static_cast<size_t>(std::popcount(low & high));
  });
  counts.of[0] = samples - counts.of[1] - counts.of[2] - counts.of[3];
  return counts;
}

bool AnyMissing(std::span<const uint8_t> codes) {
  uint64_t found = 0;
  ForEachWord(codes, [&found](uint64_t word) { found |= word & (word >> 1) & kLowBits; });
  return found != 0;
}

void ToAllelePairs(std::span<const uint8_t> alt_first, std::span<uint8_t> codes) {
  for (size_t i = 0; i < codes.size(); ++i) {
    const unsigned low = codes[i] & 0x55U;
    const unsigned high = (codes[i] >> 1) & 0x55U;
    const unsigned both = high & ~low;
    const unsigned one = low & ~high;
    const unsigned first = alt_first.empty() ? 0 : kSpread[(alt_first[i / 2] >> (4 * (i % 2))) & 15U];
    codes[i] = static_cast<uint8_t>(both | (one & first) | (both | (one & ~first)) << 1);
  }
}

void SpreadBits(std::span<const uint8_t> bits, unsigned low, unsigned high, std::span<uint8_t> codes) {
  for (size_t i = 0; i < codes.size(); ++i) {
    const unsigned set = kSpread[(bits[i / 2] >> (4 * (i % 2))) & 15U];
    codes[i] = static_cast<uint8_t>(set * high | (set ^ 0x55U) * low);
  }
}

void ToCodes(std::span<uint8_t> pairs) {
  // 00, 01, 10 and 11 become 0, 1, 1 and 2.
  for (uint8_t& pair : pairs) {
    const unsigned both = pair & (pair >> 1) & 0x55U;
    const unsigned one = (pair ^ (pair >> 1)) & 0x55U;
    pair = static_cast<uint8_t>(both << 1 | one);
  }
}

absl::StatusOr<int64_t> ImputeCalls(uint32_t variant, size_t samples, VariantCalls* calls) {
  if (!AnyMissing(calls->codes)) return 0;
  std::vector<uint8_t> alleles(2 * samples);
  for (size_t i = 0; i < samples; ++i) {
    constexpr uint8_t kAlleles[4][2] = {{0, 0}, {0, 1}, {1, 1}, {kMissingAllele, kMissingAllele}};
    const unsigned code = CodeOf(calls->codes, i);
    std::copy_n(kAlleles[code], 2, &alleles[2 * i]);
    if (code == 1 && BitOf(calls->alt_first, i)) std::swap(alleles[2 * i], alleles[2 * i + 1]);
  }
  for (const HalfCall& half : calls->half_calls) {
    alleles[2 * half.sample + static_cast<size_t>(1 - half.missing_haplotype)] = half.allele;
  }
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t imputed, ImputeAlleles(variant, alleles));
  calls->codes.assign(calls->codes.size(), 0);
  calls->alt_first.clear();
  calls->half_calls.clear();
  for (size_t i = 0; i < samples; ++i) {
    PutCode(calls->codes, i, static_cast<unsigned>(alleles[2 * i] + alleles[2 * i + 1]));
    if (alleles[2 * i] > alleles[2 * i + 1]) PutLazyBit(&calls->alt_first, samples, i);
  }
  return imputed;
}

void SelectCalls(const VariantCalls& from, std::span<const size_t> samples, VariantCalls* to) {
  ResetCalls(samples.size(), to);
  // Whether the calls that are left have a phase can only be told of the heterozygous ones; the rest goes by the whole.
  to->phased = from.phased;
  to->unphased = from.unphased;
  for (size_t i = 0; i < samples.size(); ++i) {
    PutCode(to->codes, i, CodeOf(from.codes, samples[i]));
    if (BitOf(from.alt_first, samples[i])) PutLazyBit(&to->alt_first, samples.size(), i);
    if (BitOf(from.haploid, samples[i])) PutLazyBit(&to->haploid, samples.size(), i);
  }
  for (const HalfCall& half : from.half_calls) {
    const auto found = std::find(samples.begin(), samples.end(), half.sample);
    if (found == samples.end()) continue;
    to->half_calls.push_back({static_cast<size_t>(found - samples.begin()), half.missing_haplotype, half.allele});
  }
}

}  // namespace genoserve

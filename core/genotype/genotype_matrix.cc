#include "core/genotype/genotype_matrix.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace genoserve {
namespace {

// The bits of a byte, each at twice its place.
constexpr std::array<uint16_t, 256> kSpread = [] {
  std::array<uint16_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    unsigned spread = 0;
    for (unsigned bit = 0; bit < 8; ++bit) spread |= ((byte >> bit) & 1U) << (2 * bit);
    table[byte] = static_cast<uint16_t>(spread);
  }
  return table;
}();

// The codes of every byte as floats.
template <size_t kBits>
struct FloatTable {
  static constexpr size_t kCodes = 8 / kBits;
  std::array<std::array<float, kCodes>, 256> codes{};
  constexpr FloatTable() {
    for (unsigned byte = 0; byte < 256; ++byte) {
      for (size_t i = 0; i < kCodes; ++i)
        codes[byte][i] = static_cast<float>((byte >> (i * kBits)) & ((1U << kBits) - 1));
    }
  }
};

template <size_t kBits>
void UnpackByTable(std::span<const uint8_t> row, std::span<float> codes) {
  static constexpr FloatTable<kBits> kTable;
  const size_t whole = codes.size() / kTable.kCodes;
  float* to = codes.data();
  for (size_t byte = 0; byte < whole; ++byte, to += kTable.kCodes) {
    std::memcpy(to, kTable.codes[row[byte]].data(), sizeof(kTable.codes[0]));
  }
  const size_t rest = codes.size() % kTable.kCodes;
  if (rest > 0) std::copy_n(kTable.codes[row[whole]].begin(), rest, to);
}

}  // namespace

GenotypeMatrix::GenotypeMatrix(Packing packing, size_t rows, size_t variants)
    : packing_(packing),
      rows_(rows),
      variants_(variants),
      row_bytes_(RowBytes(packing, variants)),
      bytes_(rows * row_bytes_, 0) {}

void GenotypeMatrix::Resize(Packing packing, size_t rows, size_t variants) {
  if (packing != packing_ || variants != variants_) bytes_.clear();
  packing_ = packing;
  rows_ = rows;
  variants_ = variants;
  row_bytes_ = RowBytes(packing, variants);
  bytes_.resize(rows * row_bytes_);
}

void UnpackCodes(Packing packing, std::span<const uint8_t> row, std::span<uint8_t> codes) {
  const size_t bits = BitsPerGenotype(packing);
  const size_t per_byte = 8 / bits;
  const auto mask = static_cast<uint8_t>((1U << bits) - 1);
  for (size_t i = 0, byte = 0; i < codes.size(); ++byte) {
    uint8_t packed = row[byte];
    for (size_t k = std::min(per_byte, codes.size() - i); k > 0; --k) {
      codes[i++] = packed & mask;
      packed = static_cast<uint8_t>(packed >> bits);
    }
  }
}

void UnpackFloats(Packing packing, std::span<const uint8_t> row, std::span<float> codes) {
  if (packing == Packing::kHaplotype1Bit) {
    UnpackByTable<1>(row, codes);
  } else {
    UnpackByTable<2>(row, codes);
  }
}

void PackCodes(Packing packing, std::span<const uint8_t> codes, std::span<uint8_t> row) {
  const size_t bits = BitsPerGenotype(packing);
  const size_t per_byte = 8 / bits;
  const unsigned mask = (1U << bits) - 1;
  for (size_t i = 0, byte = 0; byte < row.size(); ++byte) {
    unsigned packed = 0;
    for (size_t k = 0; k < per_byte && i < codes.size(); ++k) packed |= (codes[i++] & mask) << (k * bits);
    row[byte] = static_cast<uint8_t>(packed);
  }
}

void GenotypeMatrix::UnpackRow(size_t row, std::span<uint8_t> codes) const { UnpackCodes(packing_, Row(row), codes); }

void GenotypeMatrix::PackRow(size_t row, std::span<const uint8_t> codes) {
  PackCodes(packing_, codes, MutableRow(row));
}

bool GenotypeMatrix::PaddingIsZero() const {
  const size_t used = variants_ * BitsPerGenotype(packing_) % 8;
  if (used == 0) return true;
  for (size_t row = 0; row < rows_; ++row) {
    if ((Row(row).back() >> used) != 0) return false;
  }
  return true;
}

GenotypeMatrix GenotypeMatrix::SelectSamples(std::span<const size_t> samples) const {
  const size_t per_sample = RowsPerSample(packing_);
  GenotypeMatrix selected(packing_, samples.size() * per_sample, variants_);
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto from = bytes().subspan(samples[i] * per_sample * row_bytes_, per_sample * row_bytes_);
    std::copy(from.begin(), from.end(), selected.bytes_.begin() + static_cast<ptrdiff_t>(i * from.size()));
  }
  return selected;
}

void GenotypeMatrix::KeepSamples(std::span<const size_t> samples) {
  const size_t per_sample = RowsPerSample(packing_);
  const size_t sample_bytes = per_sample * row_bytes_;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (samples[i] == i) continue;
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(samples[i] * sample_bytes), sample_bytes,
                bytes_.begin() + static_cast<ptrdiff_t>(i * sample_bytes));
  }
  rows_ = samples.size() * per_sample;
  bytes_.resize(rows_ * row_bytes_);
}

GenotypeMatrix GenotypeMatrix::SelectVariants(std::span<const size_t> variants) const {
  GenotypeMatrix selected(packing_, rows_, variants.size());
  std::vector<uint8_t> from(variants_);
  std::vector<uint8_t> to(variants.size());
  for (size_t row = 0; row < rows_; ++row) {
    UnpackRow(row, from);
    for (size_t i = 0; i < variants.size(); ++i) to[i] = from[variants[i]];
    selected.PackRow(row, to);
  }
  return selected;
}

GenotypeMatrix GenotypeMatrix::ToDiploid() const& { return GenotypeMatrix(*this).ToDiploid(); }

GenotypeMatrix GenotypeMatrix::ToDiploid() && {
  if (packing_ == Packing::kDiploid2Bit) return std::move(*this);
  const size_t diploid_bytes = RowBytes(Packing::kDiploid2Bit, variants_);
  std::vector<uint8_t> pair(2 * row_bytes_);
  std::vector<uint8_t> sums(2 * row_bytes_);
  for (size_t sample = 0; sample < samples(); ++sample) {
    // A diploid row is no longer than two haplotypes, so that it is written to bytes that were read already.
    std::copy_n(bytes_.begin() + static_cast<ptrdiff_t>(sample * pair.size()), pair.size(), pair.begin());
    for (size_t i = 0; i < row_bytes_; ++i) {
      const unsigned first = pair[i];
      const unsigned second = pair[row_bytes_ + i];
      const unsigned sum = kSpread[first ^ second] | (kSpread[first & second] << 1U);
      sums[2 * i] = static_cast<uint8_t>(sum);
      sums[2 * i + 1] = static_cast<uint8_t>(sum >> 8U);
    }
    std::copy_n(sums.begin(), diploid_bytes, bytes_.begin() + static_cast<ptrdiff_t>(sample * diploid_bytes));
  }
  rows_ = samples();
  packing_ = Packing::kDiploid2Bit;
  row_bytes_ = diploid_bytes;
  bytes_.resize(rows_ * row_bytes_);
  return std::move(*this);
}

}  // namespace genoserve

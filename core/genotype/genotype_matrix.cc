#include "core/genotype/genotype_matrix.h"

#include <algorithm>

namespace genoserve {

GenotypeMatrix::GenotypeMatrix(Packing packing, size_t rows, size_t variants)
    : packing_(packing),
      rows_(rows),
      variants_(variants),
      row_bytes_(RowBytes(packing, variants)),
      bytes_(rows * row_bytes_, 0) {}

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

GenotypeMatrix GenotypeMatrix::ToDiploid() const {
  if (packing_ == Packing::kDiploid2Bit) return *this;
  GenotypeMatrix diploid(Packing::kDiploid2Bit, samples(), variants_);
  std::vector<uint8_t> first(variants_);
  std::vector<uint8_t> second(variants_);
  for (size_t sample = 0; sample < samples(); ++sample) {
    UnpackRow(2 * sample, first);
    UnpackRow(2 * sample + 1, second);
    for (size_t i = 0; i < variants_; ++i) first[i] = static_cast<uint8_t>(first[i] + second[i]);
    diploid.PackRow(sample, first);
  }
  return diploid;
}

}  // namespace genoserve

#include "server/cohort/row_encoder.h"

#include <algorithm>

#include "core/model/generator.h"
#include "server/rpc_error.h"

namespace genoserve {

absl::StatusOr<RowEncoder> RowEncoder::Make(Packing packing, size_t variants, std::vector<size_t> selection,
                                            v1::GenotypeEncoding encoding) {
  const bool haplotypes = packing == Packing::kHaplotype1Bit;
  const v1::GenotypeEncoding native =
      haplotypes ? v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT : v1::GENOTYPE_ENCODING_DIPLOID_2BIT;
  RowEncoder encoder;
  encoder.packing_ = packing;
  encoder.variants_ = variants;
  if (selection.size() < variants) encoder.selection_ = std::move(selection);
  for (const size_t variant : encoder.selection_) {
    const auto block = static_cast<uint32_t>(variant / kBlockVariants);
    if (encoder.blocks_.empty() || encoder.blocks_.back() != block) encoder.blocks_.push_back(block);
  }
  encoder.encoding_ = encoding == v1::GENOTYPE_ENCODING_UNSPECIFIED ? native : encoding;
  const size_t sent = encoder.variant_count();
  switch (encoder.encoding_) {
    case v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT:
      if (!haplotypes) {
        return FieldError(
            "encoding",
            "HAPLOTYPE_1BIT needs a haplotype model; this one makes diploid genotypes, which DIPLOID_2BIT "
            "and INT8 hold");
      }
      encoder.sample_bytes_ = 2 * RowBytes(Packing::kHaplotype1Bit, sent);
      return encoder;
    case v1::GENOTYPE_ENCODING_DIPLOID_2BIT:
      encoder.sample_bytes_ = RowBytes(Packing::kDiploid2Bit, sent);
      return encoder;
    case v1::GENOTYPE_ENCODING_INT8:
      encoder.sample_bytes_ = RowsPerSample(packing) * sent;
      return encoder;
    default:
      return FieldError("encoding", "is unknown; DIPLOID_2BIT, HAPLOTYPE_1BIT and INT8 are known");
  }
}

void RowEncoder::Select(const GenotypeMatrix& tile, size_t row, std::vector<uint8_t>& codes) const {
  codes.resize(variant_count());
  if (selection_.empty()) {
    tile.UnpackRow(row, codes);
    return;
  }
  for (size_t i = 0; i < selection_.size(); ++i) codes[i] = static_cast<uint8_t>(tile.Get(row, selection_[i]));
}

void RowEncoder::Encode(const GenotypeMatrix& tile, size_t sample, std::span<uint8_t> out, Scratch& scratch) const {
  const size_t rows = RowsPerSample(packing_);
  const bool packed = encoding_ != v1::GENOTYPE_ENCODING_INT8;
  const bool add_haplotypes = encoding_ == v1::GENOTYPE_ENCODING_DIPLOID_2BIT && rows == 2;
  if (packed && !add_haplotypes && selection_.empty()) {
    const auto bytes = tile.bytes().subspan(sample * rows * tile.row_bytes(), rows * tile.row_bytes());
    std::copy(bytes.begin(), bytes.end(), out.begin());
    return;
  }
  if (add_haplotypes) {
    Select(tile, 2 * sample, scratch.first);
    Select(tile, 2 * sample + 1, scratch.second);
    for (size_t i = 0; i < scratch.first.size(); ++i) {
      scratch.first[i] = static_cast<uint8_t>(scratch.first[i] + scratch.second[i]);
    }
    PackCodes(Packing::kDiploid2Bit, scratch.first, out);
    return;
  }
  const size_t row_bytes = out.size() / rows;
  for (size_t row = 0; row < rows; ++row) {
    Select(tile, rows * sample + row, scratch.first);
    const auto place = out.subspan(row * row_bytes, row_bytes);
    if (packed) {
      PackCodes(packing_, scratch.first, place);
      continue;
    }
    // A missing genotype is -1 as a signed byte.
    std::transform(scratch.first.begin(), scratch.first.end(), place.begin(), [this](uint8_t code) {
      return packing_ == Packing::kDiploid2Bit && code == kMissingGenotype ? uint8_t{0xFF} : code;
    });
  }
}

}  // namespace genoserve

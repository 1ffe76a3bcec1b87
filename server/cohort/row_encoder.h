// From the rows of a tile to the bytes of a batch: the variants asked for, in the encoding asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/genotype_matrix.h"
#include "genoserve/v1/types.pb.h"

namespace genoserve {

/// Encodes samples one by one. Const methods are thread-safe.
class RowEncoder {
 public:
  /// Buffers of one thread, kept from call to call.
  struct Scratch {
    std::vector<uint8_t> first;   // codes of the variants asked for
    std::vector<uint8_t> second;  // those of the second haplotype
  };

  /// For rows of `variants` variants in this packing. `selection` has the ascending indices of the variants to send.
  /// INVALID_ARGUMENT, with google.rpc.BadRequest, for an encoding that the packing does not have.
  static absl::StatusOr<RowEncoder> Make(Packing packing, size_t variants, std::vector<size_t> selection,
                                         v1::GenotypeEncoding encoding);

  /// The encoding; the native form's own name where the request named none.
  v1::GenotypeEncoding encoding() const { return encoding_; }
  /// Variants that are sent.
  size_t variant_count() const { return selection_.empty() ? variants_ : selection_.size(); }
  /// Bytes of one sample, all of its rows.
  size_t sample_bytes() const { return sample_bytes_; }
  /// The blocks of a tile that Encode reads, for Generator::Generate: ascending, and empty where all variants are sent.
  const std::vector<uint32_t>& blocks() const { return blocks_; }

  /// Encodes a sample of a tile into `out`, which has sample_bytes() bytes.
  void Encode(const GenotypeMatrix& tile, size_t sample, std::span<uint8_t> out, Scratch& scratch) const;

 private:
  RowEncoder() = default;
  // The codes of one row for the variants asked for.
  void Select(const GenotypeMatrix& tile, size_t row, std::vector<uint8_t>& codes) const;

  Packing packing_ = Packing::kDiploid2Bit;
  size_t variants_ = 0;
  std::vector<size_t> selection_;  // empty = all
  std::vector<uint32_t> blocks_;
  v1::GenotypeEncoding encoding_ = v1::GENOTYPE_ENCODING_UNSPECIFIED;
  size_t sample_bytes_ = 0;
};

}  // namespace genoserve

#include "core/io/genotype_reader.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/io/format_readers.h"
#include "core/io/packed_calls.h"
#include "core/io/variant_filter.h"

namespace genoserve {
namespace {

/// The calls of a file, variant-major while it is read: whether it is phased throughout is known at its end. They are
/// held in blocks, so that none is copied as more come and each is freed once it stands in the matrix.
class CallColumns {
 public:
  /// `variants` is their number where it is known: unphased calls then go to the matrix at once.
  CallColumns(size_t samples, std::optional<size_t> variants) : samples_(samples), expected_(variants) {}

  /// Takes the calls of one variant; changes them.
  void Append(VariantCalls* calls, bool any_missing) {
    any_phased_ |= calls->phased;
    if (calls->unphased && pairs_) ForgetPhase();
    if (blocks_.empty() || blocks_.back().size() == kBlockVariants * ColumnBytes()) {
      if (!blocks_.empty()) Flush();
      blocks_.emplace_back().reserve(kBlockVariants * ColumnBytes());
    }
    if (pairs_) {
      for (size_t i = 0; any_missing && i < samples_; ++i) {
        if (CodeOf(calls->codes, i) == 3) missing_.emplace_back(variants_, i);
      }
      ToAllelePairs(calls->alt_first, calls->codes);
    }
    blocks_.back().insert(blocks_.back().end(), calls->codes.begin(), calls->codes.end());
    ++variants_;
  }

  size_t variants() const { return variants_; }
  /// Whether the file so far is phased throughout.
  bool phased() const { return any_phased_ && pairs_; }

  /// Haplotypes where the file is phased throughout, which then must miss no call; else diploid genotypes. Call once.
  GenotypeMatrix Finish() {
    const bool haplotypes = phased();
    if (!haplotypes && pairs_) ForgetPhase();
    const Packing packing = haplotypes ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
    if (!matrix_.has_value()) matrix_.emplace(packing, samples_ * RowsPerSample(packing), variants_);
    while (flushed_ < blocks_.size()) MoveBlock();
    return *std::move(matrix_);
  }

 private:
  static constexpr size_t kBlockVariants = 1024;  // whole bytes of a row in either packing

  size_t ColumnBytes() const { return CodeBytes(samples_); }

  /// Turns the pairs of alleles so far into codes.
  void ForgetPhase() {
    for (std::vector<uint8_t>& block : blocks_) ToCodes(block);
    for (const auto& [variant, sample] : missing_) {
      PutCode(std::span<uint8_t>(blocks_[variant / kBlockVariants]).subspan(variant % kBlockVariants * ColumnBytes()),
              sample, 3);
    }
    std::vector<std::pair<size_t, size_t>>().swap(missing_);
    pairs_ = false;
  }

  /// Moves all blocks to the matrix where the packing and the size of it are known.
  void Flush() {
    if (pairs_ || !expected_.has_value()) return;
    if (!matrix_.has_value()) matrix_.emplace(Packing::kDiploid2Bit, samples_, *expected_);
    while (flushed_ < blocks_.size()) MoveBlock();
  }

  /// Moves the first block that is not in the matrix there.
  void MoveBlock() {
    const std::vector<uint8_t> block = std::move(blocks_[flushed_]);
    const Packing packing = matrix_->packing();
    TransposeCodes(BitsPerGenotype(packing), block, block.size() / ColumnBytes(), matrix_->rows(), ColumnBytes(),
                   matrix_->mutable_bytes().subspan(RowBytes(packing, flushed_ * kBlockVariants)),
                   matrix_->row_bytes());
    ++flushed_;
  }

  const size_t samples_;
  const std::optional<size_t> expected_;
  size_t variants_ = 0;
  bool pairs_ = true;  // blocks hold pairs of alleles; no call without a phase came so far
  bool any_phased_ = false;
  std::vector<std::vector<uint8_t>> blocks_;        // kBlockVariants columns of ColumnBytes() each, the last has fewer
  size_t flushed_ = 0;                              // blocks that stand in the matrix, and are empty
  std::vector<std::pair<size_t, size_t>> missing_;  // variant and sample, which pairs cannot hold
  std::optional<GenotypeMatrix> matrix_;
};

/// The name of the first sample without a call.
const std::string& FirstMissing(const VariantReader& reader, const VariantCalls& calls) {
  size_t i = 0;
  while (CodeOf(calls.codes, i) != 3) ++i;
  return reader.samples()[i];
}

absl::StatusOr<GenotypeData> ReadAll(absl::StatusOr<std::unique_ptr<VariantReader>> opened,
                                     const ReadOptions& options) {
  GENOSERVE_RETURN_IF_ERROR(opened.status());
  VariantReader& reader = **opened;
  const size_t samples = reader.samples().size();
  GenotypeData data;
  CallColumns columns(samples, reader.variant_count());
  std::vector<VariantRecord> variants;
  VariantCalls calls;
  std::string first_missing;
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, reader.Next());
    if (!more) break;
    GENOSERVE_RETURN_IF_ERROR(reader.ReadCalls(&calls));
    variants.push_back(reader.variant());
    bool missing = AnyMissing(calls.codes);
    if (missing && options.missing == MissingCalls::kImpute) {
      const auto imputed = ImputeCalls(static_cast<uint32_t>(columns.variants()), samples, &calls);
      if (!imputed.ok()) return Annotate(imputed.status(), reader.Place());
      data.imputed_calls += *imputed;
      missing = false;
    }
    if (missing && first_missing.empty()) {
      first_missing = absl::StrCat(reader.Place(), ", sample ", FirstMissing(reader, calls));
    }
    columns.Append(&calls, missing);
  }
  if (columns.phased() && !first_missing.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(first_missing, ": the call is missing, which haplotypes cannot hold; impute missing calls"));
  }
  data.samples = reader.samples();
  if (absl::Status names = CheckContigNames(variants); !names.ok()) return Annotate(names, reader.variants_file());
  absl::StatusOr<VariantTable> table = VariantTable::Create(std::move(variants), reader.contigs());
  if (!table.ok()) return Annotate(table.status(), reader.variants_file());
  data.variants = *std::move(table);
  data.genotypes = columns.Finish();
  return data;
}

}  // namespace

absl::StatusOr<GenotypeData> ReadGenotypes(const GenotypeSource& source, const ReadOptions& options) {
  return ReadAll(OpenVariantReader(source, {}), options);
}

absl::StatusOr<GenotypeData> ReadVcf(const std::string& path, const ReadOptions& options) {
  return ReadAll(OpenVcfReader(path, {}), options);
}

absl::StatusOr<GenotypeData> ReadBed(const std::string& prefix, const ReadOptions& options) {
  return ReadAll(OpenBedReader(prefix), options);
}

absl::StatusOr<GenotypeData> ReadHapt(const std::string& path, const std::string& legend_path,
                                      const ReadOptions& options) {
  return ReadAll(OpenHaptReader(path, legend_path), options);
}

}  // namespace genoserve

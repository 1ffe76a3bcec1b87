#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/format_readers.h"
#include "core/io/genotype_source.h"
#include "core/io/packed_calls.h"
#include "core/io/pgen_record.h"
#include "core/io/sample_list.h"
#include "core/io/site_file.h"
#include "core/io/window_file.h"

namespace genoserve {
namespace {

constexpr size_t kFixedHeader = 12;
constexpr uint64_t kBlockVariants = 65536;
constexpr uint8_t kFixedWidth = 0x02;
constexpr uint8_t kVariableWidth = 0x10;

/// A little-endian number of at most 8 bytes.
uint64_t Number(std::span<const uint8_t> bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i) number |= uint64_t{bytes[i]} << (8 * i);
  return number;
}

/// Where the records of a .pgen stand, and of what type they are, one after another.
class PgenFile {
 public:
  /// A record: its place in the file, and its type.
  struct Record {
    uint64_t offset = 0;
    size_t bytes = 0;
    uint8_t type = 0;
  };

  absl::Status Open(const std::string& path, size_t samples) {
    GENOSERVE_ASSIGN_OR_RETURN(records_, WindowFile::Open(path));
    GENOSERVE_ASSIGN_OR_RETURN(header_, WindowFile::Open(path));
    constexpr char kNotPgen[] = "is not a PLINK 2 .pgen (it does not begin with the bytes 6c 1b and a known mode)";
    if (records_->size() < kFixedHeader) return Broken(kNotPgen);
    GENOSERVE_ASSIGN_OR_RETURN(const auto start, records_->Read(0, kFixedHeader));
    if (start[0] != 0x6c || start[1] != 0x1b) return Broken(kNotPgen);
    mode_ = start[2];
    variants_ = Number(start.subspan(3, 4));
    samples_ = Number(start.subspan(7, 4));
    const unsigned format = start[11];
    if (mode_ != kFixedWidth && mode_ != kVariableWidth) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: has the storage mode %02x; 02 and 10 are read. Rewrite it with \"plink2 --make-pgen\"", path, mode_));
    }
    if (samples_ != samples) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: has %d samples, its .psam names %d", path, samples_, samples));
    }
    if (variants_ == 0) return Broken("has no variants");
    reference_flags_ = format >> 6 == 3;
    return mode_ == kFixedWidth ? CheckFixedWidth() : OpenBlocks(format);
  }

  size_t variants() const { return variants_; }
  const std::string& path() const { return records_->path(); }
  /// Whether any record has phased calls.
  bool any_phase() const { return any_phase_; }

  /// The record after the last one that was asked for. There must be one.
  absl::StatusOr<Record> Next() {
    if (mode_ == kFixedWidth) {
      const size_t bytes = CodeBytes(samples_);
      return Record{kFixedHeader + FlagBytes(variants_) + next_++ * bytes, bytes, 0};
    }
    const uint64_t in_block = next_ % kBlockVariants;
    if (in_block == 0) GENOSERVE_RETURN_IF_ERROR(ReadBlock(next_ / kBlockVariants, &offset_));
    ++next_;
    const Record record{offset_, lengths_[in_block], types_[in_block]};
    offset_ += record.bytes;
    if (record.offset > records_->size() || record.bytes > records_->size() - record.offset) {
      return Broken("ends before its data do");
    }
    return record;
  }

  absl::StatusOr<std::span<const uint8_t>> Read(const Record& record) {
    return records_->Read(record.offset, record.bytes);
  }

  absl::Status Broken(absl::string_view what) const { return absl::DataLossError(absl::StrCat(path(), ": ", what)); }

 private:
  /// Bytes of the flags of provisional REF alleles, which are passed over.
  uint64_t FlagBytes(uint64_t variants) const { return reference_flags_ ? (variants + 7) / 8 : 0; }

  absl::Status CheckFixedWidth() const {
    const uint64_t bytes = CodeBytes(samples_);
    const uint64_t expected = kFixedHeader + FlagBytes(variants_) + variants_ * bytes;
    if (records_->size() == expected) return absl::OkStatus();
    return Broken(absl::StrFormat("has %d bytes, expected %d for %d variants and %d samples", records_->size(),
                                  expected, variants_, samples_));
  }

  absl::Status OpenBlocks(unsigned format) {
    if ((format & 15U) > 7) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: stores record types in the form %d; 0 to 7 are read. Rewrite it with \"plink2 --make-pgen\"", path(),
          format & 15U));
    }
    type_bits_ = (format & 4U) == 0 ? 4 : 8;
    length_bytes_ = 1 + (format & 3U);
    allele_bytes_ = (format >> 4) & 3U;
    // Every block of the header is there, so that what is allocated for one is in proportion to the file.
    uint64_t end = kFixedHeader + 8 * Blocks();
    for (uint64_t block = 0; block < Blocks(); ++block) end += BlockBytes(VariantsOf(block));
    if (end > records_->size()) {
      return Broken(
          absl::StrFormat("has %d bytes, its header alone has %d for %d variants", records_->size(), end, variants_));
    }
    for (uint64_t block = 0; block < Blocks() && !any_phase_; ++block) {
      uint64_t offset = 0;
      GENOSERVE_RETURN_IF_ERROR(ReadBlock(block, &offset));
      any_phase_ = std::any_of(types_.begin(), types_.end(), [](uint8_t type) { return (type & kPgenPhase) != 0; });
    }
    return absl::OkStatus();
  }

  uint64_t Blocks() const { return (variants_ + kBlockVariants - 1) / kBlockVariants; }
  uint64_t VariantsOf(uint64_t block) const { return std::min(kBlockVariants, variants_ - block * kBlockVariants); }
  uint64_t TypeBytes(uint64_t variants) const { return (variants * type_bits_ + 7) / 8; }
  uint64_t BlockBytes(uint64_t variants) const {
    return TypeBytes(variants) + variants * (length_bytes_ + allele_bytes_) + FlagBytes(variants);
  }

  /// Reads the types and lengths of a block's records, and where the first one stands.
  absl::Status ReadBlock(uint64_t block, uint64_t* offset) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto place, header_->Read(kFixedHeader + 8 * block, 8));
    *offset = Number(place);
    const uint64_t variants = VariantsOf(block);
    const uint64_t begin = kFixedHeader + 8 * Blocks() + block * BlockBytes(kBlockVariants);
    const uint64_t type_bytes = TypeBytes(variants);
    GENOSERVE_ASSIGN_OR_RETURN(const auto bytes, header_->Read(begin, type_bytes + variants * length_bytes_));
    types_.resize(variants);
    lengths_.resize(variants);
    for (size_t i = 0; i < variants; ++i) {
      types_[i] = type_bits_ == 8 ? bytes[i] : static_cast<uint8_t>((bytes[i / 2] >> (4 * (i % 2))) & 15U);
      lengths_[i] = static_cast<uint32_t>(Number(bytes.subspan(type_bytes + i * length_bytes_, length_bytes_)));
    }
    return absl::OkStatus();
  }

  std::unique_ptr<WindowFile> records_;
  std::unique_ptr<WindowFile> header_;  // the same file, so that its window stays where the header is
  uint8_t mode_ = 0;
  uint64_t variants_ = 0;
  uint64_t samples_ = 0;
  bool reference_flags_ = false;
  bool any_phase_ = false;
  unsigned type_bits_ = 0;
  size_t length_bytes_ = 0;
  size_t allele_bytes_ = 0;
  uint64_t next_ = 0;              // records that Next has given
  uint64_t offset_ = 0;            // of the next one
  std::vector<uint8_t> types_;     // of the block of the next record
  std::vector<uint32_t> lengths_;  // of the same
};

class PgenReader final : public OpenedReader {
 public:
  explicit PgenReader(const VariantReaderOptions& options) : options_(options) {}

  absl::Status Open(const std::string& prefix) {
    GENOSERVE_ASSIGN_OR_RETURN(SampleList list, ReadPsam(absl::StrCat(prefix, ".psam")));
    samples_ = std::move(list.names);
    sexes_ = std::move(list.sexes);
    GENOSERVE_RETURN_IF_ERROR(pgen_.Open(absl::StrCat(prefix, ".pgen"), samples_.size()));
    variants_file_ = PvarOf(prefix);
    GENOSERVE_ASSIGN_OR_RETURN(sites_, SiteFile::OpenPvar(variants_file_));
    contigs_ = sites_->contigs();
    if (options_.multi_allelic == MultiAllelic::kRefuse) variant_count_ = pgen_.variants();
    return absl::OkStatus();
  }

  const VariantRecord& variant() const override { return variant_; }

  std::string Place() const override { return absl::StrCat(pgen_.path(), ": variant ", read_, " (", variant_.id, ")"); }

  absl::Status ReadCalls(VariantCalls* calls) override {
    if (!decoded_) {
      if (absl::Status status = Decode(); !status.ok()) return Annotate(status, Place());
      decoded_ = true;
    }
    const size_t samples = samples_.size();
    ResetCalls(samples, calls);
    if (record_calls_.alleles.empty()) {
      // Without other alleles all calls are of REF and the first ALT.
      if (alt_ == 0) {
        calls->codes = record_calls_.codes;
        calls->alt_first = record_calls_.swapped;
      } else {
        TakeMissing(calls);
      }
    } else {
      TakeAlt(calls);
    }
    // Homozygous calls of a .pgen have any phase; a file that tells of none is unphased altogether.
    calls->phased = record_calls_.any_phased;
    calls->unphased = record_calls_.any_unphased || !pgen_.any_phase();
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<bool> Advance() override {
    if (read_ > 0 && alt_ + 1 < sites_->alts().size()) {
      variant_.alt = sites_->alts()[++alt_];
      return true;
    }
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, sites_->Next());
    if (more != (read_ < pgen_.variants())) {
      return absl::InvalidArgumentError(absl::StrFormat("%s: has %s than the %d variants of %s", variants_file_,
                                                        more ? "more" : "fewer", pgen_.variants(), pgen_.path()));
    }
    if (!more) return false;
    variant_ = sites_->variant();
    alt_ = 0;
    if (sites_->alts().size() > 1 && options_.multi_allelic == MultiAllelic::kRefuse) {
      return sites_->Error(absl::StrFormat("has %d ALT alleles, which only convert takes apart (--multiallelic split)",
                                           sites_->alts().size()));
    }
    GENOSERVE_ASSIGN_OR_RETURN(record_, pgen_.Next());
    ++read_;
    decoded_ = false;
    if (!IsPgenDifference(record_.type)) {
      base_record_ = record_;
      base_.clear();
    } else if ((read_ - 1) % kBlockVariants == 0) {
      return pgen_.Broken(absl::StrCat("variant ", read_, " differs from one of another block"));
    }
    return true;
  }

  /// Decodes the record; the one that it may differ from only where that is needed.
  absl::Status Decode() {
    const bool difference = IsPgenDifference(record_.type);
    size_t used = 0;
    if (difference && base_.empty()) {
      GENOSERVE_ASSIGN_OR_RETURN(const auto bytes, pgen_.Read(base_record_));
      GENOSERVE_RETURN_IF_ERROR(DecodePgenTrack(bytes, base_record_.type, samples_.size(), {}, &base_, &used));
    }
    GENOSERVE_ASSIGN_OR_RETURN(const auto bytes, pgen_.Read(record_));
    GENOSERVE_RETURN_IF_ERROR(
        DecodePgenRecord(bytes, record_.type, samples_.size(), sites_->alts().size(), base_, &record_calls_));
    if (!difference) base_ = record_calls_.codes;
    return absl::OkStatus();
  }

  void TakeMissing(VariantCalls* calls) const {
    for (size_t i = 0; i < samples_.size(); ++i) {
      if (CodeOf(record_calls_.codes, i) == 3) PutCode(calls->codes, i, 3);
    }
  }

  /// The calls of one ALT among several; all other alleles count as REF.
  void TakeAlt(VariantCalls* calls) const {
    TakeMissing(calls);
    const uint32_t alt = static_cast<uint32_t>(alt_ + 1);
    for (size_t i = 0; i < samples_.size(); ++i) {
      const bool swapped = BitOf(record_calls_.swapped, i);
      const bool first = record_calls_.alleles[2 * i + (swapped ? 1 : 0)] == alt;
      const bool second = record_calls_.alleles[2 * i + (swapped ? 0 : 1)] == alt;
      PutCode(calls->codes, i, static_cast<unsigned>(first) + static_cast<unsigned>(second));
      if (first && !second && BitOf(record_calls_.phased, i)) PutLazyBit(&calls->alt_first, samples_.size(), i);
    }
  }

  const VariantReaderOptions options_;
  PgenFile pgen_;
  std::unique_ptr<SiteFile> sites_;
  VariantRecord variant_;
  size_t alt_ = 0;   // of the site's ALT alleles, that of variant_
  size_t read_ = 0;  // sites that Next has gone to
  PgenFile::Record record_;
  bool decoded_ = false;  // record_calls_ are those of record_
  PgenCalls record_calls_;
  PgenFile::Record base_record_;  // the last one that is no difference
  std::vector<uint8_t> base_;     // its codes; empty = not decoded
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenPgenReader(const std::string& prefix,
                                                              const VariantReaderOptions& options) {
  auto reader = std::make_unique<PgenReader>(options);
  GENOSERVE_RETURN_IF_ERROR(reader->Open(prefix));
  return reader;
}

}  // namespace genoserve

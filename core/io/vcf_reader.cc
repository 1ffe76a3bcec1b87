#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/genotype/bit_transpose.h"
#include "core/io/genotype_reader.h"
#include "core/io/htslib_support.h"
#include "core/io/imputation.h"

namespace genoserve {
namespace {

/// The genotype calls of a file, variant-major while it is read: whether it is phased throughout is known at its end.
/// They are held in blocks, so that none is copied as more come and each is freed once it stands in the matrix.
class CallColumns {
 public:
  explicit CallColumns(size_t samples) : samples_(samples) {}

  /// Takes one variant: two alleles a sample, one a byte, both missing or none.
  void Append(std::span<const uint8_t> alleles, bool any_missing) {
    if (variants_ % kBlockVariants == 0) blocks_.emplace_back().reserve(kBlockVariants * ColumnBytes());
    std::vector<uint8_t>& block = blocks_.back();
    const size_t begin = block.size();
    block.resize(begin + ColumnBytes());
    for (size_t i = 0; i < alleles.size(); ++i) {
      if (alleles[i] == 1) block[begin + i / 8] |= static_cast<uint8_t>(1 << (i % 8));
    }
    if (any_missing) {
      for (size_t i = 0; i < samples_; ++i) {
        if (alleles[2 * i] == kMissingAllele) missing_.emplace_back(variants_, i);
      }
    }
    ++variants_;
  }

  size_t variants() const { return variants_; }

  /// Haplotypes; no call may be missing. The calls are gone then.
  GenotypeMatrix ToHaplotypes() { return ToMatrix(Packing::kHaplotype1Bit); }

  /// Diploid genotypes. The calls are gone then.
  GenotypeMatrix ToGenotypes() {
    // A pair of alleles and the code that counts them both take 2 bits: 00, 01, 10 and 11 become 0, 1, 1 and 2.
    for (std::vector<uint8_t>& block : blocks_) {
      for (uint8_t& pairs : block) {
        const unsigned both = pairs & (pairs >> 1) & 0x55;
        const unsigned one = (pairs ^ (pairs >> 1)) & 0x55;
        pairs = static_cast<uint8_t>(both << 1 | one);
      }
    }
    GenotypeMatrix matrix = ToMatrix(Packing::kDiploid2Bit);
    for (const auto& [variant, sample] : missing_) matrix.Set(sample, variant, kMissingGenotype);
    return matrix;
  }

 private:
  static constexpr size_t kBlockVariants = 1024;  // whole bytes of a row in either packing

  size_t ColumnBytes() const { return (2 * samples_ + 7) / 8; }

  GenotypeMatrix ToMatrix(Packing packing) {
    const size_t rows = samples_ * RowsPerSample(packing);
    GenotypeMatrix matrix(packing, rows, variants_);
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const std::vector<uint8_t> block = std::move(blocks_[i]);
      const size_t first = i * kBlockVariants;
      TransposeCodes(BitsPerGenotype(packing), block, std::min(kBlockVariants, variants_ - first), rows, ColumnBytes(),
                     matrix.mutable_bytes().subspan(RowBytes(packing, first)), matrix.row_bytes());
    }
    return matrix;
  }

  size_t samples_;
  size_t variants_ = 0;
  std::vector<std::vector<uint8_t>> blocks_;        // kBlockVariants columns of ColumnBytes() each, the last has fewer
  std::vector<std::pair<size_t, size_t>> missing_;  // variant and sample
};

/// Reads one file record by record.
class VcfReader {
 public:
  VcfReader(std::string path, const ReadOptions& options)
      : path_(std::move(path)), options_(options), record_(bcf_init()) {}
  ~VcfReader() { std::free(calls_); }
  VcfReader(const VcfReader&) = delete;
  VcfReader& operator=(const VcfReader&) = delete;

  absl::StatusOr<GenotypeData> Read() {
    GENOSERVE_RETURN_IF_ERROR(Open());
    const auto samples = static_cast<size_t>(bcf_hdr_nsamples(header_));
    CallColumns columns(samples);
    std::vector<VariantRecord> variants;
    GenotypeData data;
    while (true) {
      GENOSERVE_ASSIGN_OR_RETURN(const bool more, Next());
      if (!more) break;
      GENOSERVE_ASSIGN_OR_RETURN(VariantRecord variant, ReadSite());
      place_ = absl::StrCat("record ", variant.contig, ":", variant.position);
      variants.push_back(std::move(variant));
      GENOSERVE_RETURN_IF_ERROR(ReadCalls());
      bool missing = any_missing_;
      if (missing && options_.missing == MissingCalls::kImpute) {
        const auto imputed = ImputeAlleles(static_cast<uint32_t>(columns.variants()), std::span<uint8_t>(alleles_));
        if (!imputed.ok()) return Annotate(imputed.status(), absl::StrCat(path_, ": ", place_));
        data.imputed_calls += *imputed;
        missing = false;
      }
      if (missing && first_missing_.empty()) {
        first_missing_ = absl::StrCat(place_, ", sample ", header_->samples[missing_sample_]);
      }
      columns.Append(alleles_, missing);
    }
    if (variants.empty()) return absl::InvalidArgumentError(absl::StrCat(path_, ": has no records"));
    const bool haplotypes = any_phased_ && !any_unphased_;
    if (haplotypes && !first_missing_.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          path_, ": ", first_missing_, ": the call is missing, which haplotypes cannot hold; impute missing calls"));
    }
    data.samples.assign(header_->samples, header_->samples + samples);
    GENOSERVE_ASSIGN_OR_RETURN(data.variants, MakeVariantTable(std::move(variants)));
    data.genotypes = haplotypes ? columns.ToHaplotypes() : columns.ToGenotypes();
    return data;
  }

 private:
  absl::Status Open() {
    SilenceHtslib();
    if (!FileSystem::Posix().Exists(path_)) return absl::NotFoundError(absl::StrCat(path_, ": there is no such file"));
    errno = 0;
    file_.reset(hts_open(path_.c_str(), "r"));
    if (file_ == nullptr) {
      if (errno == ENOEXEC || errno == 0) return NotVcf();
      return ErrnoStatus(absl::StrCat(path_, ": cannot open"));
    }
    const htsFormat* format = hts_get_format(file_.get());
    if (format->format != vcf && format->format != bcf) return NotVcf();
    if (format->compression == bgzf && bgzf_check_EOF(file_->fp.bgzf) == 0) {
      return absl::DataLossError(
          absl::StrCat(path_, ": is truncated: the empty BGZF block that ends a whole file is missing"));
    }
    header_.reset(bcf_hdr_read(file_.get()));
    if (header_ == nullptr) {
      return absl::DataLossError(
          absl::StrCat(path_, ": the header is malformed or truncated, has no #CHROM line, or names a sample twice"));
    }
    if (bcf_hdr_nsamples(header_) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(path_, ": has no samples; expected a FORMAT column and samples"));
    }
    alleles_.resize(2 * static_cast<size_t>(bcf_hdr_nsamples(header_)));
    return absl::OkStatus();
  }

  absl::Status NotVcf() const { return absl::InvalidArgumentError(absl::StrCat(path_, ": is not a VCF or BCF file")); }

  absl::Status RecordError(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": ", place_, ": ", what));
  }

  absl::Status CallError(size_t sample, absl::string_view what) const {
    return RecordError(absl::StrCat("sample ", header_->samples[sample], ": ", what));
  }

  /// Where the file is broken, by the last record that was whole.
  absl::Status Malformed() const {
    return absl::DataLossError(absl::StrCat(path_, ": is malformed or truncated ",
                                            place_.empty() ? "at its first record" : absl::StrCat("after ", place_)));
  }

  /// Reads the next record into record_; false at the end of the file.
  absl::StatusOr<bool> Next() {
    if (hts_get_format(file_.get())->format == bcf) {
      const int result = bcf_read(file_.get(), header_.get(), record_.get());
      if (result < -1) return Malformed();
      return result == 0;
    }
    kstring_t& line = file_->line;
    const int result = hts_getline(file_.get(), '\n', &line);
    if (result == -1) return false;
    if (result < -1) return Malformed();
    // htslib passes over columns beyond the last sample.
    const auto columns = 1 + std::count(line.s, line.s + line.l, '\t');
    const int expected = 9 + bcf_hdr_nsamples(header_);
    if (columns != expected) {
      return absl::DataLossError(absl::StrFormat("%s: line %d: has %d columns, expected %d as in the header", path_,
                                                 file_->lineno, columns, expected));
    }
    if (vcf_parse(&line, header_.get(), record_.get()) != 0) return Malformed();
    return true;
  }

  absl::StatusOr<VariantRecord> ReadSite() {
    // Undefined contigs and tags are taken as they come; a record of which the text itself is broken is not.
    constexpr int kHarmless = BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF;
    if ((record_->errcode & ~kHarmless) != 0 || bcf_unpack(record_.get(), BCF_UN_STR | BCF_UN_FMT) != 0) {
      return Malformed();
    }
    // htslib would read calls of samples that a record does not have.
    if (static_cast<int>(record_->n_sample) != bcf_hdr_nsamples(header_)) return Malformed();
    VariantRecord variant;
    variant.contig = bcf_seqname_safe(header_.get(), record_.get());
    variant.position = record_->pos + 1;
    place_ = absl::StrCat("record ", variant.contig, ":", variant.position);
    if (variant.position < 1) return RecordError("the position is not a number from 1 on");
    if (record_->n_allele > 2) {
      return RecordError(
          absl::StrFormat("has %d ALT alleles; split such sites with \"bcftools norm -m-\"", record_->n_allele - 1));
    }
    if (record_->n_allele < 2) return RecordError("has no ALT allele; remove such sites with \"bcftools view -m2\"");
    variant.id = record_->d.id;
    variant.ref = record_->d.allele[0];
    variant.alt = record_->d.allele[1];
    for (const std::string& allele : {variant.ref, variant.alt}) {
      for (const char base : allele) {
        if (std::isalpha(static_cast<unsigned char>(base)) == 0) {
          return RecordError(absl::StrCat("the allele \"", allele, "\" is not a sequence of bases"));
        }
      }
    }
    return variant;
  }

  /// Fills alleles_ and the flags from the GT fields.
  absl::Status ReadCalls() {
    const auto samples = static_cast<size_t>(bcf_hdr_nsamples(header_));
    if (bcf_get_fmt(header_.get(), record_.get(), "GT") == nullptr) return RecordError("has no GT field");
    const int values = bcf_get_genotypes(header_.get(), record_.get(), &calls_, &calls_size_);
    if (values < 0) return RecordError("the GT field is malformed");
    const size_t ploidy = static_cast<size_t>(values) / samples;
    any_missing_ = false;
    for (size_t i = 0; i < samples; ++i) {
      const int32_t* const call = calls_ + i * ploidy;
      size_t alleles = 0;
      while (alleles < ploidy && call[alleles] != bcf_int32_vector_end) ++alleles;
      if (alleles == 1 && bcf_gt_is_missing(call[0])) {
        // "." alone stands for a missing call of any ploidy.
        alleles_[2 * i] = alleles_[2 * i + 1] = kMissingAllele;
        NoteMissing(i);
        continue;
      }
      if (alleles != 2) {
        return CallError(i, absl::StrFormat("the call has %d alleles; only diploid calls are read", alleles));
      }
      if (bcf_gt_is_missing(call[0]) != bcf_gt_is_missing(call[1])) {
        return CallError(i, "the call is half missing; set such calls to \"./.\" first");
      }
      if (bcf_gt_is_missing(call[0])) {
        alleles_[2 * i] = alleles_[2 * i + 1] = kMissingAllele;
        NoteMissing(i);
        continue;
      }
      for (size_t haplotype = 0; haplotype < 2; ++haplotype) {
        const int allele = bcf_gt_allele(call[haplotype]);
        if (allele < 0 || allele > 1) {
          return CallError(i, absl::StrFormat("the call names allele %d, which the site lacks", allele));
        }
        alleles_[2 * i + haplotype] = static_cast<uint8_t>(allele);
      }
      (bcf_gt_is_phased(call[1]) ? any_phased_ : any_unphased_) = true;
    }
    return absl::OkStatus();
  }

  void NoteMissing(size_t sample) {
    if (!any_missing_) missing_sample_ = sample;
    any_missing_ = true;
  }

  absl::StatusOr<VariantTable> MakeVariantTable(std::vector<VariantRecord> variants) const {
    std::vector<ContigRecord> contigs;
    for (int i = 0; i < header_->n[BCF_DT_CTG]; ++i) {
      if (header_->id[BCF_DT_CTG][i].key == nullptr) continue;
      contigs.push_back(
          {header_->id[BCF_DT_CTG][i].key, static_cast<int64_t>(header_->id[BCF_DT_CTG][i].val->info[0])});
    }
    absl::StatusOr<VariantTable> table = VariantTable::Create(std::move(variants), std::move(contigs));
    if (!table.ok()) return Annotate(table.status(), path_);
    return table;
  }

  const std::string path_;
  const ReadOptions options_;
  HtslibPtr<htsFile> file_;
  HtslibPtr<bcf_hdr_t> header_;
  HtslibPtr<bcf1_t> record_;
  int32_t* calls_ = nullptr;  // allocated by bcf_get_genotypes
  int calls_size_ = 0;
  std::string place_;             // the last record whose site was read
  std::vector<uint8_t> alleles_;  // of that record: two a sample, 0, 1 or kMissingAllele
  bool any_missing_ = false;      // in that record
  size_t missing_sample_ = 0;     // the first sample without a call in that record
  std::string first_missing_;     // the first missing call that was kept
  bool any_phased_ = false;
  bool any_unphased_ = false;
};

}  // namespace

absl::StatusOr<GenotypeData> ReadVcf(const std::string& path, const ReadOptions& options) {
  return VcfReader(path, options).Read();
}

}  // namespace genoserve

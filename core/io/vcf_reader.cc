#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/format_readers.h"
#include "core/io/htslib_support.h"
#include "core/io/line_reader.h"
#include "core/io/packed_calls.h"
#include "htslib/hfile.h"

namespace genoserve {
namespace {

class VcfReader final : public OpenedReader {
 public:
  VcfReader(std::string path, const VariantReaderOptions& options)
      : path_(std::move(path)), options_(options), record_(bcf_init()) {}
  ~VcfReader() override { std::free(calls_); }
  VcfReader(const VcfReader&) = delete;
  VcfReader& operator=(const VcfReader&) = delete;

  absl::Status Open() {
    SilenceHtslib();
    variants_file_ = path_;
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
    if (format->format == vcf) OpenLines();
    samples_.assign(header_->samples, header_->samples + bcf_hdr_nsamples(header_));
    for (int i = 0; i < header_->n[BCF_DT_CTG]; ++i) {
      if (header_->id[BCF_DT_CTG][i].key == nullptr) continue;
      contigs_.push_back(
          {header_->id[BCF_DT_CTG][i].key, static_cast<int64_t>(header_->id[BCF_DT_CTG][i].val->info[0])});
    }
    return absl::OkStatus();
  }

  const VariantRecord& variant() const override { return variant_; }

  std::string Place() const override { return absl::StrCat(path_, ": ", place_); }

  absl::Status ReadCalls(VariantCalls* calls) override {
    if (bcf_unpack(record_.get(), BCF_UN_FMT) != 0) return Malformed();
    if (bcf_get_fmt(header_.get(), record_.get(), "GT") == nullptr) return RecordError("has no GT field");
    ResetCalls(samples_.size(), calls);
    if (ReadPlainCalls(calls)) return absl::OkStatus();
    const int values = bcf_get_genotypes(header_.get(), record_.get(), &calls_, &calls_size_);
    if (values < 0) return RecordError("the GT field is malformed");
    ResetCalls(samples_.size(), calls);
    const size_t ploidy = static_cast<size_t>(values) / samples_.size();
    for (size_t i = 0; i < samples_.size(); ++i) {
      GENOSERVE_RETURN_IF_ERROR(ReadCall(i, calls_ + i * ploidy, ploidy, calls));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status NotVcf() const { return absl::InvalidArgumentError(absl::StrCat(path_, ": is not a VCF or BCF file")); }

  absl::Status RecordError(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": ", place_, ": ", what));
  }

  absl::Status CallError(size_t sample, absl::string_view what) const {
    return RecordError(absl::StrCat("sample ", samples_[sample], ": ", what));
  }

  /// Where the file is broken, by the last record that was whole.
  absl::Status Malformed() const {
    return absl::DataLossError(absl::StrCat(path_, ": is malformed or truncated ",
                                            place_.empty() ? "at its first record" : absl::StrCat("after ", place_)));
  }

  /// Goes to the next ALT of the record, or to the first one of the next record.
  absl::StatusOr<bool> Advance() override {
    if (alt_ + 1 < static_cast<int>(record_->n_allele)) {
      ++alt_;
      variant_.alt = record_->d.allele[alt_];
      return true;
    }
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, ReadRecord());
    if (!more) {
      if (place_.empty()) return absl::InvalidArgumentError(absl::StrCat(path_, ": has no records"));
      return false;
    }
    GENOSERVE_RETURN_IF_ERROR(ReadSite());
    return true;
  }

  /// Reads the lines below the header of a text by ourselves: htslib does not tell whether the last one ends.
  void OpenLines() {
    const bool plain = hts_get_format(file_.get())->compression == no_compression;
    LineReader::Source source = [file = file_.get(), plain](char* to, size_t bytes) {
      return plain ? hread(file->fp.hfile, to, bytes) : bgzf_read(file->fp.bgzf, to, bytes);
    };
    lines_.emplace(path_, std::move(source), static_cast<size_t>(file_->lineno));
  }

  /// Reads the next record into record_; false at the end of the file.
  absl::StatusOr<bool> ReadRecord() {
    if (!lines_.has_value()) {
      const int result = bcf_read(file_.get(), header_.get(), record_.get());
      if (result < -1) return Malformed();
      return result == 0;
    }
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, lines_->Next());
    if (!more) return false;
    const absl::string_view text = lines_->line();
    // htslib passes over columns beyond the last sample.
    const auto columns = 1 + std::count(text.begin(), text.end(), '\t');
    const int expected = 9 + bcf_hdr_nsamples(header_);
    if (columns != expected) {
      return absl::DataLossError(absl::StrFormat("%s: line %d: has %d columns, expected %d as in the header", path_,
                                                 lines_->number(), columns, expected));
    }
    kstring_t& line = file_->line;
    line.l = 0;
    if (kputsn(text.data(), text.size(), &line) < 0) return absl::ResourceExhaustedError("not enough memory");
    if (vcf_parse(&line, header_.get(), record_.get()) != 0) return Malformed();
    return true;
  }

  absl::Status ReadSite() {
    // Undefined contigs and tags are taken as they come; a record of which the text itself is broken is not.
    constexpr int kHarmless = BCF_ERR_CTG_UNDEF | BCF_ERR_TAG_UNDEF;
    if ((record_->errcode & ~kHarmless) != 0 || bcf_unpack(record_.get(), BCF_UN_STR) != 0) return Malformed();
    // htslib would read calls of samples that a record does not have.
    if (static_cast<int>(record_->n_sample) != bcf_hdr_nsamples(header_)) return Malformed();
    variant_.contig = bcf_seqname_safe(header_.get(), record_.get());
    variant_.position = record_->pos + 1;
    place_ = absl::StrCat("record ", variant_.contig, ":", variant_.position);
    if (variant_.position < 1) return RecordError("the position is not a number from 1 on");
    if (record_->n_allele > 2 && options_.multi_allelic == MultiAllelic::kRefuse) {
      return RecordError(
          absl::StrFormat("has %d ALT alleles; split such sites with \"bcftools norm -m-\"", record_->n_allele - 1));
    }
    if (record_->n_allele < 2) return RecordError("has no ALT allele; remove such sites with \"bcftools view -m2\"");
    for (int i = 0; i < static_cast<int>(record_->n_allele); ++i) {
      for (const char* base = record_->d.allele[i]; *base != '\0'; ++base) {
        if (std::isalpha(static_cast<unsigned char>(*base)) != 0) continue;
        return RecordError(absl::StrCat("the allele \"", record_->d.allele[i], "\" is not a sequence of bases"));
      }
    }
    variant_.id = record_->d.id;
    variant_.ref = record_->d.allele[0];
    variant_.alt = record_->d.allele[1];
    alt_ = 1;
    return absl::OkStatus();
  }

  /// Reads calls that are all diploid, of REF and the one ALT or wholly missing, as nearly all files have them; false
  /// at any other, with `calls` in part filled.
  bool ReadPlainCalls(VariantCalls* calls) const {
    const bcf_fmt_t* const format = bcf_get_fmt(header_.get(), record_.get(), "GT");
    if (format->type != BCF_BT_INT8 || format->n != 2 || record_->n_allele != 2) return false;
    if (format->p_len < 2 * samples_.size()) return false;
    unsigned phases = 0;  // bit 0: a call without a phase, bit 1: one with
    for (size_t i = 0; i < samples_.size(); ++i) {
      // Each allele is (number + 1) << 1, of the second with 1 where the call has a phase; 0 or 1 is a missing one.
      const unsigned first = format->p[2 * i] >> 1;
      const unsigned second = format->p[2 * i + 1] >> 1;
      if (first > 2 || second > 2 || (first == 0) != (second == 0)) return false;
      if (first == 0) {
        PutCode(calls->codes, i, 3);
        continue;
      }
      PutCode(calls->codes, i, first + second - 2);
      const unsigned phased = format->p[2 * i + 1] & 1U;
      phases |= 1U << phased;
      if (phased != 0 && first > second) PutLazyBit(&calls->alt_first, samples_.size(), i);
    }
    calls->unphased = (phases & 1U) != 0;
    calls->phased = (phases & 2U) != 0;
    return true;
  }

  absl::Status ReadCall(size_t sample, const int32_t* call, size_t ploidy, VariantCalls* calls) {
    size_t alleles = 0;
    while (alleles < ploidy && call[alleles] != bcf_int32_vector_end) ++alleles;
    // "." alone stands for a missing call of any ploidy.
    if (alleles == 1 && bcf_gt_is_missing(call[0])) {
      PutCode(calls->codes, sample, 3);
      return absl::OkStatus();
    }
    const bool haploid = alleles == 1 && options_.haploid == HaploidCalls::kDouble;
    if (alleles != 2 && !haploid) {
      return CallError(sample, absl::StrFormat("the call has %d alleles; only diploid calls are read", alleles));
    }
    if (!haploid && bcf_gt_is_missing(call[0]) != bcf_gt_is_missing(call[1])) {
      return CallError(sample, "the call is half missing; set such calls to \"./.\" first");
    }
    if (bcf_gt_is_missing(call[0])) {
      PutCode(calls->codes, sample, 3);
      return absl::OkStatus();
    }
    bool alt[2] = {false, false};
    for (size_t haplotype = 0; haplotype < 2; ++haplotype) {
      const int allele = bcf_gt_allele(call[haploid ? 0 : haplotype]);
      if (allele < 0 || allele >= static_cast<int>(record_->n_allele)) {
        return CallError(sample, absl::StrFormat("the call names allele %d, which the site lacks", allele));
      }
      alt[haplotype] = allele == alt_;
    }
    PutCode(calls->codes, sample, static_cast<unsigned>(alt[0]) + static_cast<unsigned>(alt[1]));
    if (haploid) {
      PutLazyBit(&calls->haploid, samples_.size(), sample);
    } else if (bcf_gt_is_phased(call[1])) {
      calls->phased = true;
      if (alt[0] && !alt[1]) PutLazyBit(&calls->alt_first, samples_.size(), sample);
    } else {
      calls->unphased = true;
    }
    return absl::OkStatus();
  }

  const std::string path_;
  const VariantReaderOptions options_;
  HtslibPtr<htsFile> file_;
  std::optional<LineReader> lines_;  // of file_, where it is text
  HtslibPtr<bcf_hdr_t> header_;
  HtslibPtr<bcf1_t> record_;
  int alt_ = 1;               // of the record's alleles, the ALT of variant_
  int32_t* calls_ = nullptr;  // allocated by bcf_get_genotypes
  int calls_size_ = 0;
  std::string place_;  // the last record whose site was read
  VariantRecord variant_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenVcfReader(const std::string& path,
                                                             const VariantReaderOptions& options) {
  auto reader = std::make_unique<VcfReader>(path, options);
  GENOSERVE_RETURN_IF_ERROR(reader->Open());
  return reader;
}

}  // namespace genoserve

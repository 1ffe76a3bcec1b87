#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/format_readers.h"
#include "core/io/packed_calls.h"
#include "core/io/zarr_array.h"

namespace genoserve {
namespace {

/// The most bytes of calls that are held: those of a chunk of variants.
constexpr size_t kMostHeld = size_t{1} << 31;

/// The variants of a chunk, and what is held of their calls.
class ZarrReader final : public OpenedReader {
 public:
  explicit ZarrReader(std::string folder) : folder_(std::move(folder)) {}

  absl::Status Open() {
    variants_file_ = folder_;
    GENOSERVE_ASSIGN_OR_RETURN(calls_, OpenArray("call_genotype"));
    const std::vector<size_t>& shape = calls_->shape();
    if (shape.size() != 3 || shape[2] != 2 || calls_->chunks()[2] < 2) {
      return Refuse("call_genotype has not the dimensions variants, samples and a ploidy of 2");
    }
    variant_count_ = shape[0];
    GENOSERVE_ASSIGN_OR_RETURN(const auto sample_ids, OpenArray("sample_id"));
    GENOSERVE_ASSIGN_OR_RETURN(samples_, sample_ids->ReadAllTexts());
    absl::flat_hash_set<std::string> names(samples_.begin(), samples_.end());
    if (samples_.size() != shape[1] || names.size() != samples_.size()) {
      return Refuse("sample_id has not a name of its own for each sample of call_genotype");
    }
    GENOSERVE_RETURN_IF_ERROR(ReadContigs());
    GENOSERVE_ASSIGN_OR_RETURN(phased_, OpenArray("call_genotype_phased"));
    if (phased_->shape() != std::vector<size_t>{shape[0], shape[1]} || phased_->chunks()[0] != calls_->chunks()[0] ||
        phased_->chunks()[1] != calls_->chunks()[1]) {
      return Refuse("call_genotype_phased has not the shape and the chunks of call_genotype");
    }
    return ReadSites();
  }

  const VariantRecord& variant() const override { return variant_; }

  std::string Place() const override { return absl::StrCat(folder_, ": variant ", next_, " (", variant_.id, ")"); }

  absl::Status ReadCalls(VariantCalls* calls) override {
    const size_t v = next_ - 1;
    const size_t chunk_variants = calls_->chunks()[0];
    if (held_.empty() || v / chunk_variants != held_chunk_) GENOSERVE_RETURN_IF_ERROR(Hold(v / chunk_variants));
    if (const absl::Status& bad = held_status_[v % chunk_variants]; !bad.ok()) return Annotate(bad, Place());
    *calls = held_[v % chunk_variants];
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<bool> Advance() override {
    if (next_ == *variant_count_) return false;
    const int64_t contig = contig_numbers_[next_];
    if (contig < 0 || contig >= static_cast<int64_t>(contigs_.size())) return Refuse("variant_contig names no contig");
    variant_.contig = contigs_[static_cast<size_t>(contig)].name;
    variant_.position = positions_[next_];
    variant_.id = ids_.empty() ? "." : ids_[next_];
    const size_t chunk = next_ / alleles_->chunks()[0];
    if (allele_chunk_ != chunk) {
      GENOSERVE_ASSIGN_OR_RETURN(allele_texts_, alleles_->ReadTexts({chunk, 0}));
      allele_chunk_ = chunk;
    }
    const size_t width = alleles_->chunks()[1];
    const size_t at = next_ % alleles_->chunks()[0] * width;
    if (at + width > allele_texts_.size()) return Refuse("variant_allele lacks a chunk");
    ++next_;
    for (size_t i = 2; i < width; ++i) {
      if (!allele_texts_[at + i].empty()) {
        return absl::InvalidArgumentError(absl::StrCat(Place(), ": has several ALT alleles"));
      }
    }
    variant_.ref = allele_texts_[at];
    variant_.alt = allele_texts_[at + 1];
    if (variant_.position < 1 || variant_.ref.empty() || variant_.alt.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(Place(), ": has a position below 1, or no ALT allele"));
    }
    return true;
  }

  absl::Status Refuse(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat(folder_, ": ", what));
  }

  absl::StatusOr<std::optional<ZarrArrayFile>> OpenArray(const std::string& name) const {
    GENOSERVE_ASSIGN_OR_RETURN(ZarrArrayFile array, ZarrArrayFile::Open(folder_, name));
    return std::optional<ZarrArrayFile>(std::move(array));
  }

  absl::Status ReadContigs() {
    GENOSERVE_ASSIGN_OR_RETURN(const auto names, OpenArray("contig_id"));
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> texts, names->ReadAllTexts());
    for (const std::string& name : texts) contigs_.push_back({name, 0});
    const absl::StatusOr<std::optional<ZarrArrayFile>> lengths = OpenArray("contig_length");
    if (absl::IsNotFound(lengths.status())) return absl::OkStatus();
    GENOSERVE_RETURN_IF_ERROR(lengths.status());
    GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> numbers, (*lengths)->ReadAllNumbers());
    if (numbers.size() != contigs_.size()) return Refuse("contig_length has not a length for each contig");
    for (size_t i = 0; i < numbers.size(); ++i) contigs_[i].length = std::max<int64_t>(0, numbers[i]);
    return absl::OkStatus();
  }

  absl::Status ReadSites() {
    GENOSERVE_ASSIGN_OR_RETURN(const auto contigs, OpenArray("variant_contig"));
    GENOSERVE_ASSIGN_OR_RETURN(contig_numbers_, contigs->ReadAllNumbers());
    GENOSERVE_ASSIGN_OR_RETURN(const auto positions, OpenArray("variant_position"));
    GENOSERVE_ASSIGN_OR_RETURN(positions_, positions->ReadAllNumbers());
    const absl::StatusOr<std::optional<ZarrArrayFile>> ids = OpenArray("variant_id");
    if (!absl::IsNotFound(ids.status())) {
      GENOSERVE_RETURN_IF_ERROR(ids.status());
      GENOSERVE_ASSIGN_OR_RETURN(ids_, (*ids)->ReadAllTexts());
    }
    GENOSERVE_ASSIGN_OR_RETURN(alleles_, OpenArray("variant_allele"));
    const size_t variants = *variant_count_;
    if (contig_numbers_.size() != variants || positions_.size() != variants ||
        (!ids_.empty() && ids_.size() != variants) || alleles_->shape().size() != 2 ||
        alleles_->shape()[0] != variants || alleles_->shape()[1] < 2 || alleles_->chunks()[1] < alleles_->shape()[1]) {
      return Refuse("the arrays of variants have not one entry for each variant of call_genotype");
    }
    return absl::OkStatus();
  }

  /// Reads the calls of a chunk of variants, all samples.
  absl::Status Hold(size_t chunk) {
    const size_t chunk_variants = calls_->chunks()[0];
    const size_t chunk_samples = calls_->chunks()[1];
    const size_t ploidy = calls_->chunks()[2];
    const size_t samples = samples_.size();
    const size_t variants = std::min(chunk_variants, *variant_count_ - chunk * chunk_variants);
    const size_t variant_bytes =
        sizeof(VariantCalls) + sizeof(absl::Status) + CodeBytes(samples) + 2 * BitBytes(samples);
    if (variants > kMostHeld / variant_bytes) {
      return Refuse(absl::StrFormat("a chunk of %d variants of %d samples has more than 2 GiB", variants, samples));
    }
    held_.resize(variants);
    held_status_.assign(variants, absl::OkStatus());
    for (VariantCalls& calls : held_) ResetCalls(samples, &calls);
    for (size_t first = 0; first < samples; first += chunk_samples) {
      GENOSERVE_ASSIGN_OR_RETURN(const auto alleles, calls_->ReadNumbers<int8_t>({chunk, first / chunk_samples, 0}));
      GENOSERVE_ASSIGN_OR_RETURN(const auto phases, phased_->ReadNumbers<int8_t>({chunk, first / chunk_samples}));
      const size_t count = std::min(chunk_samples, samples - first);
      for (size_t v = 0; v < variants; ++v) {
        for (size_t i = 0; i < count && held_status_[v].ok(); ++i) {
          const size_t at = v * chunk_samples + i;
          held_status_[v] =
              PutCall(first + i, alleles[at * ploidy], alleles[at * ploidy + 1], phases[at] != 0, &held_[v]);
        }
      }
    }
    held_chunk_ = chunk;
    return absl::OkStatus();
  }

  /// Alleles are -1 where they are missing; the second is -2 in a haploid call.
  absl::Status PutCall(size_t i, int a, int b, bool phased, VariantCalls* calls) const {
    const bool haploid = b == -2;
    if (a == -1 && (b == -1 || haploid)) {
      PutCode(calls->codes, i, 3);
      return absl::OkStatus();
    }
    if (a < 0 || a > 1 || (!haploid && (b < 0 || b > 1))) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "sample %s: the call is (%d, %d), expected two of 0 and 1, or two missing", samples_[i], a, b));
    }
    if (haploid) b = a;
    PutCode(calls->codes, i, static_cast<unsigned>(a + b));
    if (haploid) {
      PutLazyBit(&calls->haploid, samples_.size(), i);
      return absl::OkStatus();
    }
    (phased ? calls->phased : calls->unphased) = true;
    if (phased && a == 1 && b == 0) PutLazyBit(&calls->alt_first, samples_.size(), i);
    return absl::OkStatus();
  }

  const std::string folder_;
  std::optional<ZarrArrayFile> calls_;
  std::optional<ZarrArrayFile> phased_;
  std::optional<ZarrArrayFile> alleles_;
  std::vector<int64_t> contig_numbers_;
  std::vector<int64_t> positions_;
  std::vector<std::string> ids_;
  std::vector<std::string> allele_texts_;  // of the chunk allele_chunk_
  size_t allele_chunk_ = static_cast<size_t>(-1);
  VariantRecord variant_;
  size_t next_ = 0;                 // variants that Next has given
  std::vector<VariantCalls> held_;  // of the variants of the chunk held_chunk_
  std::vector<absl::Status> held_status_;
  size_t held_chunk_ = 0;
};

}  // namespace

absl::StatusOr<std::unique_ptr<VariantReader>> OpenZarrReader(const std::string& folder) {
  auto reader = std::make_unique<ZarrReader>(folder);
  GENOSERVE_RETURN_IF_ERROR(reader->Open());
  return reader;
}

}  // namespace genoserve

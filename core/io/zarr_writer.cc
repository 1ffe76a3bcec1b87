// VCF Zarr 0.4, after its published specification.
#include <algorithm>
#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/call_table.h"
#include "core/io/cohort_files.h"
#include "core/io/ploidy.h"
#include "core/io/zarr_store.h"

namespace genoserve {
namespace {

// Of call_genotype: a missing allele, and the second of a haploid call.
constexpr char kMissingAllele = -1;
constexpr char kNoAllele = -2;

constexpr size_t kMostChunkVariants = 1000;
constexpr size_t kMostChunkSamples = 10'000;  // a multiple of 4
/// Bytes of packed calls, of a chunk's variants and all samples, that are held in memory.
constexpr size_t kHeldBytes = size_t{16} << 20;

/// Calls of some variants, made into chunks.
class CallChunks {
 public:
  CallChunks(const CohortDescription& cohort, ZarrStore* store)
      : cohort_(cohort),
        store_(store),
        ploidy_(cohort),
        table_([&cohort](unsigned code) {
          const std::array<int, 2> alleles = AllelesOf(cohort.packing, code);
          return std::array<char, 2>{static_cast<char>(alleles[0]), static_cast<char>(alleles[1])};
        }),
        samples_(static_cast<size_t>(cohort.sample_count)),
        column_bytes_((samples_ + 3) / 4) {
    const size_t variants = std::min(cohort.variants.size(), kMostChunkVariants);
    chunk_variants_ = std::clamp<size_t>(kHeldBytes / column_bytes_, 1, variants);
    chunk_samples_ = std::min(samples_, kMostChunkSamples);
    array_ = {"call_genotype",
              "|i1",
              {"variants", "samples", "ploidy"},
              {cohort.variants.size(), samples_, 2},
              {chunk_variants_, chunk_samples_, 2}};
    codes_.resize(chunk_variants_ * column_bytes_);
  }

  const ZarrArray& array() const { return array_; }
  size_t chunk_variants() const { return chunk_variants_; }
  size_t chunk_samples() const { return chunk_samples_; }

  absl::Status Add(const VariantSegment& segment) {
    const size_t row = segment.variant % chunk_variants_;
    std::copy(
        segment.codes.begin(), segment.codes.end(),
        codes_.begin() + static_cast<ptrdiff_t>(row * column_bytes_ + static_cast<size_t>(segment.first_sample) / 4));
    if (segment.first_sample + segment.samples < cohort_.sample_count) return absl::OkStatus();
    if (row + 1 < chunk_variants_ && segment.variant + 1 < cohort_.variants.size()) return absl::OkStatus();
    const size_t first = segment.variant - row;
    for (size_t sample = 0; sample < samples_; sample += chunk_samples_) {
      GENOSERVE_RETURN_IF_ERROR(WriteChunk(first, row + 1, sample));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status WriteChunk(size_t first_variant, size_t variants, size_t first_sample) {
    // What a last chunk has beyond the array is never read.
    chunk_.assign(chunk_variants_ * chunk_samples_ * 2, kMissingAllele);
    const size_t samples = std::min(chunk_samples_, samples_ - first_sample);
    for (size_t i = 0; i < variants; ++i) {
      const VariantSegment part{
          first_variant + i, static_cast<int64_t>(first_sample), static_cast<int64_t>(samples),
          std::span<const uint8_t>(codes_).subspan(i * column_bytes_ + first_sample / 4, (samples + 3) / 4)};
      char* to = chunk_.data() + i * chunk_samples_ * 2;
      GENOSERVE_RETURN_IF_ERROR(table_.ForEach(part, [&to](absl::string_view calls) {
        to = std::copy(calls.begin(), calls.end(), to);
        return absl::OkStatus();
      }));
      if (ploidy_.MayBeHaploid(part.variant)) MarkHaploid(part, chunk_.data() + i * chunk_samples_ * 2);
    }
    return store_->WriteChunk(array_, {first_variant / chunk_variants_, first_sample / chunk_samples_, 0}, chunk_);
  }

  void MarkHaploid(const VariantSegment& part, char* calls) const {
    for (int64_t i = 0; i < part.samples; ++i) {
      char* const call = calls + 2 * i;
      if (call[0] == call[1] && ploidy_.IsHaploid(part.variant, part.first_sample + i)) call[1] = kNoAllele;
    }
  }

  const CohortDescription& cohort_;
  ZarrStore* const store_;
  const Ploidy ploidy_;
  const CallTable<8> table_;
  const size_t samples_;
  const size_t column_bytes_;
  size_t chunk_variants_ = 0;
  size_t chunk_samples_ = 0;
  ZarrArray array_;
  std::vector<uint8_t> codes_;  // chunk_variants_ columns of packed calls
  std::string chunk_;
};

/// What is known of variants, contigs, filters and samples.
absl::Status WriteFields(const CohortDescription& cohort, size_t chunk_variants, size_t chunk_samples,
                         ZarrStore& store) {
  const VariantTable& table = cohort.variants;
  const size_t variants = table.size();
  const size_t contigs = table.contigs().size();
  const auto samples = static_cast<size_t>(cohort.sample_count);
  const auto of_variants = [=](const char* name, const char* type) {
    return ZarrArray{name, type, {"variants"}, {variants}, {chunk_variants}};
  };
  std::map<std::string, size_t> numbers;
  for (const ContigRecord& contig : table.contigs()) numbers.emplace(contig.name, numbers.size());
  GENOSERVE_RETURN_IF_ERROR(store.WriteArray(of_variants("variant_contig", "<i4"), [&](size_t i, std::string* bytes) {
    AppendInt<4>(*bytes, numbers.at(table[i].contig));
  }));
  GENOSERVE_RETURN_IF_ERROR(store.WriteArray(of_variants("variant_position", "<i4"), [&](size_t i, std::string* bytes) {
    AppendInt<4>(*bytes, static_cast<uint64_t>(table[i].position));
  }));
  GENOSERVE_RETURN_IF_ERROR(store.WriteArray(of_variants("variant_id", "|O"),
                                             [&](size_t i, std::string* bytes) { AppendText(table[i].id, bytes); }));
  GENOSERVE_RETURN_IF_ERROR(
      store.WriteArray({"variant_allele", "|O", {"variants", "alleles"}, {variants, 2}, {chunk_variants, 2}},
                       [&](size_t i, std::string* bytes) {
                         AppendText(table[i].ref, bytes);
                         AppendText(table[i].alt, bytes);
                       }));
  // VCF's missing float, a NaN of its own.
  GENOSERVE_RETURN_IF_ERROR(store.WriteArray(of_variants("variant_quality", "<f4"),
                                             [](size_t, std::string* bytes) { AppendInt<4>(*bytes, 0x7F800001); }));
  GENOSERVE_RETURN_IF_ERROR(
      store.WriteConstant({"variant_filter", "|b1", {"variants", "filters"}, {variants, 1}, {chunk_variants, 1}}, 1));
  GENOSERVE_RETURN_IF_ERROR(store.WriteConstant(
      {"call_genotype_phased", "|b1", {"variants", "samples"}, {variants, samples}, {chunk_variants, chunk_samples}},
      cohort.packing == Packing::kHaplotype1Bit ? 1 : 0));
  GENOSERVE_RETURN_IF_ERROR(store.WriteArray({"filter_id", "|O", {"filters"}, {1}, {1}},
                                             [](size_t, std::string* bytes) { AppendText("PASS", bytes); }));
  GENOSERVE_RETURN_IF_ERROR(
      store.WriteArray({"contig_id", "|O", {"contigs"}, {contigs}, {contigs}},
                       [&](size_t i, std::string* bytes) { AppendText(table.contigs()[i].name, bytes); }));
  const auto known = [](const ContigRecord& contig) { return contig.length > 0; };
  if (std::all_of(table.contigs().begin(), table.contigs().end(), known)) {
    GENOSERVE_RETURN_IF_ERROR(store.WriteArray(
        {"contig_length", "<i8", {"contigs"}, {contigs}, {contigs}},
        [&](size_t i, std::string* bytes) { AppendInt<8>(*bytes, static_cast<uint64_t>(table.contigs()[i].length)); }));
  }
  return store.WriteArray(
      {"sample_id", "|O", {"samples"}, {samples}, {chunk_samples}},
      [&](size_t i, std::string* bytes) { AppendText(SampleName(cohort, static_cast<int64_t>(i)), bytes); });
}

}  // namespace

absl::Status WriteZarr(const CohortDescription& cohort, const SegmentSource& genotypes, const std::string& folder) {
  ZarrStore store(folder);
  CallChunks calls(cohort, &store);
  GENOSERVE_RETURN_IF_ERROR(WriteFields(cohort, calls.chunk_variants(), calls.chunk_samples(), store));
  GENOSERVE_RETURN_IF_ERROR(store.AddArray(calls.array()));
  GENOSERVE_RETURN_IF_ERROR(genotypes([&calls](const VariantSegment& segment) { return calls.Add(segment); }));
  GENOSERVE_ASSIGN_OR_RETURN(const std::string header, VcfHeader(cohort));
  nlohmann::json attributes = {{"vcf_zarr_version", "0.4"},
                               {"source", absl::StrCat("genoserve/", GENOSERVE_VERSION)},
                               {"vcf_header", header + "\n"}};
  return store.Finish(attributes);
}

}  // namespace genoserve

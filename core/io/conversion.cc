#include "core/io/conversion.h"

#include <algorithm>
#include <bit>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/io/packed_calls.h"
#include "core/io/ploidy.h"

namespace genoserve {
namespace {

/// The calls of samples that are haploid.
size_t CountHaploid(const VariantCalls& calls) {
  size_t count = 0;
  for (const uint8_t byte : calls.haploid) count += static_cast<size_t>(std::popcount(byte));
  return count;
}

using Progress = absl::FunctionRef<absl::Status(int64_t, int64_t)>;

class Converter {
 public:
  Converter(const Conversion& conversion, Progress progress)
      : conversion_(conversion), progress_(progress), filters_(conversion.filters) {}

  absl::StatusOr<ConversionSummary> Run() {
    CohortDescription cohort;
    GENOSERVE_RETURN_IF_ERROR(Survey(&cohort));
    cohort.packing = summary_.haplotypes ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
    cohort.sample_count = cohort.cohort_size = static_cast<int64_t>(cohort.sample_names.size());
    sexes_ = cohort.sexes;
    const SegmentSource genotypes = [this](TakeSegment take) { return GiveSegments(take); };
    GENOSERVE_RETURN_IF_ERROR(
        WriteCohortByVariants(conversion_.format, conversion_.path, std::move(cohort), genotypes, conversion_.writer));
    return summary_;
  }

 private:
  /// The first pass.
  absl::Status Survey(CohortDescription* cohort) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto reader, FilteredReader::Open(conversion_.from, conversion_.reader, filters_));
    filters_ = reader->resolved();
    cohort->sample_names = reader->samples();
    cohort->sexes = reader->sexes();
    std::vector<bool> haploid_on_x(cohort->sample_names.size());
    bool phased = false;
    bool unphased = false;
    std::string first_missing;
    std::vector<VariantRecord> variants;
    while (true) {
      GENOSERVE_RETURN_IF_ERROR(progress_(reader->counts().variants_read, 0));
      GENOSERVE_ASSIGN_OR_RETURN(const bool more, reader->Next());
      if (!more) break;
      const VariantCalls& calls = reader->calls();
      variants.push_back(reader->variant());
      phased |= calls.phased;
      unphased |= calls.unphased;
      if (!calls.haploid.empty()) NoteHaploid(calls, reader->variant(), &haploid_on_x);
      if (first_missing.empty() && AnyMissing(calls.codes)) first_missing = FirstMissing(*reader);
    }
    summary_.counts = reader->counts();
    if (variants.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(reader->reader().variants_file(), ": no variant is left of ", summary_.counts.variants_read));
    }
    if (absl::Status names = CheckContigNames(variants); !names.ok()) {
      return Annotate(names, reader->reader().variants_file());
    }
    InferSexes(haploid_on_x, &cohort->sexes);
    GENOSERVE_RETURN_IF_ERROR(ChoosePacking(phased, unphased, first_missing));
    std::vector<std::string> ids;
    ids.reserve(variants.size());
    for (const VariantRecord& v : variants) ids.push_back(v.id);
    absl::StatusOr<VariantTable> table = VariantTable::Create(std::move(variants), reader->reader().contigs());
    if (!table.ok()) return Annotate(table.status(), reader->reader().variants_file());
    for (size_t i = 0; i < ids.size(); ++i) summary_.renamed_variants += (*table)[i].id != ids[i] ? 1 : 0;
    cohort->variants = *std::move(table);
    return absl::OkStatus();
  }

  void NoteHaploid(const VariantCalls& calls, const VariantRecord& variant, std::vector<bool>* haploid_on_x) {
    switch (ChromosomeOf(variant.contig)) {
      case Chromosome::kAutosome:
        summary_.doubled_calls += static_cast<int64_t>(CountHaploid(calls));
        break;
      case Chromosome::kX:
        for (size_t i = 0; i < haploid_on_x->size(); ++i) {
          if (BitOf(calls.haploid, i)) (*haploid_on_x)[i] = true;
        }
        break;
      case Chromosome::kHaploid:
        break;
    }
  }

  /// Who has haploid calls on X is male. Where the files tell no sexes at all, the others then are female.
  void InferSexes(const std::vector<bool>& haploid_on_x, std::vector<uint8_t>* sexes) {
    if (std::find(haploid_on_x.begin(), haploid_on_x.end(), true) == haploid_on_x.end()) return;
    if (sexes->empty()) sexes->assign(haploid_on_x.size(), kFemale);
    for (size_t i = 0; i < haploid_on_x.size(); ++i) {
      if (!haploid_on_x[i] || (*sexes)[i] == kMale) continue;
      (*sexes)[i] = kMale;
      ++summary_.inferred_males;
    }
  }

  static std::string FirstMissing(FilteredReader& reader) {
    size_t i = 0;
    while (CodeOf(reader.calls().codes, i) != 3) ++i;
    return absl::StrCat(reader.reader().Place(), ", sample ", reader.samples()[i]);
  }

  absl::Status ChoosePacking(bool phased, bool unphased, const std::string& first_missing) {
    if (!first_missing.empty() && conversion_.missing == MissingPolicy::kRefuse) {
      return absl::InvalidArgumentError(absl::StrCat(first_missing, ": the call is missing"));
    }
    const bool keep_phase = !conversion_.unphased && conversion_.format != CohortFormat::kBed;
    summary_.phase_dropped = phased && !keep_phase;
    if (!phased || !keep_phase) return absl::OkStatus();
    if (unphased) {
      return absl::InvalidArgumentError(
          absl::StrCat(conversion_.from.path, ": some calls have a phase and some have none; --unphased drops it"));
    }
    if (!first_missing.empty() && conversion_.missing == MissingPolicy::kKeep) {
      return absl::InvalidArgumentError(
          absl::StrCat(first_missing,
                       ": the call is missing, which haplotypes cannot hold; --missing impute fills "
                       "such calls in, --unphased drops the phase"));
    }
    summary_.haplotypes = true;
    return absl::OkStatus();
  }

  /// A pass that gives the genotypes to a writer.
  absl::Status GiveSegments(TakeSegment take) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto reader, FilteredReader::Open(conversion_.from, conversion_.reader, filters_));
    summary_.missing_calls = 0;
    summary_.imputed_calls = 0;
    size_t next = 0;
    while (true) {
      GENOSERVE_RETURN_IF_ERROR(progress_(static_cast<int64_t>(next), summary_.counts.variants_kept));
      GENOSERVE_ASSIGN_OR_RETURN(const bool more, reader->Next());
      if (!more) break;
      VariantCalls& calls = reader->calls();
      const size_t samples = reader->samples().size();
      if (AnyMissing(calls.codes)) GENOSERVE_RETURN_IF_ERROR(TakeMissing(next, *reader));
      if (summary_.haplotypes) ToAllelePairs(calls.alt_first, calls.codes);
      GENOSERVE_RETURN_IF_ERROR(take({next, 0, static_cast<int64_t>(samples), calls.codes}));
      ++next;
    }
    if (static_cast<int64_t>(next) == summary_.counts.variants_kept) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(reader->reader().variants_file(), ": changed while it was read: ", next,
                                            " variants, ", summary_.counts.variants_kept, " before"));
  }

  absl::Status TakeMissing(size_t variant, FilteredReader& reader) {
    VariantCalls& calls = reader.calls();
    const size_t samples = reader.samples().size();
    if (conversion_.missing != MissingPolicy::kImpute) {
      summary_.missing_calls += static_cast<int64_t>(CountCodes(calls.codes, samples).of[3]);
      return absl::OkStatus();
    }
    const bool on_x = ChromosomeOf(reader.variant().contig) == Chromosome::kX && !sexes_.empty();
    bool male_het = false;
    for (size_t i = 0; on_x && i < samples; ++i) male_het |= sexes_[i] == kMale && CodeOf(calls.codes, i) == 1;
    const absl::StatusOr<int64_t> imputed = ImputeCalls(static_cast<uint32_t>(variant), samples, &calls);
    if (!imputed.ok()) return Annotate(imputed.status(), reader.reader().Place());
    summary_.imputed_calls += *imputed;
    for (size_t i = 0; on_x && !male_het && i < samples; ++i) {
      if (sexes_[i] != kMale || CodeOf(calls.codes, i) != 1) continue;
      // Both alleles become the first one.
      uint8_t& byte = calls.codes[i / 4];
      byte = static_cast<uint8_t>(byte & ~(3U << (2 * (i % 4))));
      if (BitOf(calls.alt_first, i)) PutCode(calls.codes, i, 2);
    }
    return absl::OkStatus();
  }

  const Conversion& conversion_;
  const Progress progress_;
  VariantFilters filters_;  // after the first pass those that keep its samples
  std::vector<uint8_t> sexes_;
  ConversionSummary summary_;
};

}  // namespace

absl::StatusOr<ConversionSummary> Convert(const Conversion& conversion, Progress progress) {
  return Converter(conversion, progress).Run();
}

}  // namespace genoserve

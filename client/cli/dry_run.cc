#include "client/cli/dry_run.h"

#include <cmath>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/fetch_request.h"
#include "client/cli/models.h"
#include "core/base/count_text.h"
#include "core/genotype/genotype_matrix.h"

namespace genoserve {
namespace {

// Bytes of the columns CHROM, POS, ID, REF and ALT of all variants, separators included.
double SiteBytes(const VariantTable& variants) {
  double bytes = 0;
  for (const VariantRecord& variant : variants.variants()) {
    bytes += static_cast<double>(variant.contig.size() + variant.id.size() + variant.ref.size() + variant.alt.size() +
                                 absl::StrCat(variant.position).size() + 5);
  }
  return bytes;
}

bool HoldsUnphased(CohortFormat format) {
  return format != CohortFormat::kHap && format != CohortFormat::kHaps && format != CohortFormat::kHapt;
}

}  // namespace

std::vector<SizeEstimate> EstimateSizes(const VariantTable& variants, int64_t samples, int64_t cohort_size,
                                        bool phased) {
  const auto m = static_cast<double>(variants.size());
  const auto n = static_cast<double>(samples);
  const double sites = SiteBytes(variants);
  const double names = n * static_cast<double>(SyntheticSampleName(0, cohort_size).size() + 1);
  const double codes = m * std::ceil(n / 4);
  std::vector<SizeEstimate> sizes;
  for (const CohortFormat format : AllCohortFormats()) {
    if (!phased && !HoldsUnphased(format)) continue;
    SizeEstimate size{format};
    switch (format) {
      case CohortFormat::kVcf:
      case CohortFormat::kVcfGz:
        size.bytes = names + sites + m * (4 * n + 12);
        size.compressed = format == CohortFormat::kVcfGz;
        break;
      case CohortFormat::kBcf:
        size.bytes = names + sites + m * (2 * n + 40);
        size.compressed = true;
        break;
      case CohortFormat::kBed:
        size.bytes = codes + sites + 2 * m + names + 12 * n;
        break;
      case CohortFormat::kPgen:
        // A bit of phase for each heterozygous call, of which there are half at most where alleles are as frequent.
        size.bytes = codes + (phased ? m * n / 16 : 0) + sites + names;
        break;
      case CohortFormat::kHap:
      case CohortFormat::kHaps:
        size.bytes = m * 4 * n + sites + names + 6 * n;
        break;
      case CohortFormat::kHapt:
        size.bytes = 2 * n * 2 * m + 2 * names + sites;
        break;
      case CohortFormat::kNpy:
        size.bytes = m * n * (phased ? 2 : 1) + sites + names;
        break;
      case CohortFormat::kZarr:
        size.bytes = m * n * 3 + sites + names;
        size.compressed = true;
        break;
    }
    sizes.push_back(size);
  }
  return sizes;
}

absl::Status PrintDryRun(const v1::Model& model, const v1::StreamCohortRequest& request, const VariantTable& variants) {
  const int64_t samples = SamplesOf(request);
  const bool phased = model.manifest().phased();
  const Packing packing = phased ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
  const double wire =
      static_cast<double>(samples) * static_cast<double>(RowBytes(packing, variants.size()) * RowsPerSample(packing));
  std::string text;
  const auto line = [&text](const char* name, const std::string& value) {
    if (!value.empty()) absl::StrAppendFormat(&text, "%-11s %s\n", name, value);
  };
  line("model", absl::StrCat(model.name(), " version ", model.version()));
  line("artifact", model.artifact_digest());
  line("samples", samples == request.cohort_size()
                      ? FormatCount(samples)
                      : absl::StrFormat("%s: %d to %d of %d", FormatCount(samples), request.first_sample(),
                                        request.first_sample() + samples - 1, request.cohort_size()));
  line("variants", FormatCount(static_cast<int64_t>(variants.size())));
  line("genotypes", phased ? "phased" : "unphased");
  line("seed", absl::StrCat(request.seed()));
  line("licence", model.manifest().licence().empty() ? "not told" : model.manifest().licence());
  line("data terms", model.manifest().data_terms());
  line("transfer", FormatBytes(static_cast<uint64_t>(wire)));
  absl::StrAppend(&text, "\n");
  std::vector<std::vector<std::string>> rows = {{"FORMAT", "SIZE"}};
  for (const SizeEstimate& size : EstimateSizes(variants, samples, request.cohort_size(), phased)) {
    rows.push_back({CohortFormatName(size.format),
                    absl::StrCat(size.compressed ? "less than " : "", FormatBytes(static_cast<uint64_t>(size.bytes)))});
  }
  return Print(absl::StrCat(text, FormatTable(rows)));
}

}  // namespace genoserve

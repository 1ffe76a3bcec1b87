#include "client/cli/other_format.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/packed_calls.h"
#include "core/io/variant_reader.h"

namespace genoserve {
namespace {

absl::Status GiveSegments(const std::string& pgen, const CohortDescription& description, TakeSegment take) {
  GenotypeSource source;
  source.format = GenotypeSource::Format::kPgen;
  source.path = pgen;
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<VariantReader> reader, OpenVariantReader(source, {}));
  absl::Status other = absl::DataLossError(absl::StrCat(reader->variants_file(), ": is not of this cohort"));
  if (std::cmp_not_equal(reader->samples().size(), description.sample_count)) return other;
  VariantCalls calls;
  for (size_t i = 0; i < description.variants.size(); ++i) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, reader->Next());
    if (!more || !(reader->variant() == description.variants[i])) return other;
    GENOSERVE_RETURN_IF_ERROR(reader->ReadCalls(&calls));
    if (description.packing == Packing::kHaplotype1Bit) ToAllelePairs(calls.alt_first, calls.codes);
    GENOSERVE_RETURN_IF_ERROR(take({i, 0, description.sample_count, calls.codes}));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WriteOtherFormat(const std::string& pgen, CohortFormat format, const std::string& path,
                              const CohortDescription& description, const CohortWriterOptions& options) {
  const SegmentSource genotypes = [&](TakeSegment take) { return GiveSegments(pgen, description, take); };
  return WriteCohortByVariants(format, path, description, genotypes, options);
}

}  // namespace genoserve

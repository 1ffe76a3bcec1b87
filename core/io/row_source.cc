// Genotypes that come variant by variant, as rows of samples.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "core/base/status.h"
#include "core/io/cohort_files.h"
#include "core/io/transposed_part.h"

namespace genoserve {
namespace {

/// One row of two-bit codes that comes in segments.
class CodeRow {
 public:
  explicit CodeRow(size_t codes) : matrix_(Packing::kDiploid2Bit, 1, codes) {}

  /// Takes a segment; true when it was the last.
  bool Add(const VariantSegment& segment) {
    std::copy(segment.codes.begin(), segment.codes.end(),
              matrix_.MutableRow(0).begin() + static_cast<ptrdiff_t>(segment.first_sample / 4));
    return static_cast<size_t>(segment.first_sample + segment.samples) == matrix_.variants();
  }

  const GenotypeMatrix& matrix() const { return matrix_; }

 private:
  GenotypeMatrix matrix_;
};

/// Makes two rows of alleles of one of codes that have two alleles each.
void SplitHaplotypes(const GenotypeMatrix& codes, GenotypeMatrix& haplotypes) {
  for (size_t v = 0; v < codes.variants(); ++v) {
    const int code = codes.Get(0, v);
    haplotypes.Set(0, v, code & 1);
    haplotypes.Set(1, v, code >> 1);
  }
}

}  // namespace

bool IsByRows(CohortFormat format) { return format == CohortFormat::kHapt || format == CohortFormat::kNpy; }

std::string SpillFolder(const std::string& path) {
  if (path != kStandardOutput) return FolderOf(path);
  const char* const temporary = std::getenv("TMPDIR");
  return temporary == nullptr || *temporary == '\0' ? "/tmp" : temporary;
}

RowSource RowsOfVariants(const CohortTarget& target, const SegmentSource& genotypes) {
  return [&target, &genotypes](TakeRows take) -> absl::Status {
    const CohortDescription& cohort = target.cohort;
    // Here a "sample" of the part is a variant, and a "variant" a sample.
    const PartShape shape{Packing::kDiploid2Bit,
                          static_cast<size_t>(cohort.sample_count),
                          {static_cast<int64_t>(cohort.variants.size())},
                          target.options.memory,
                          ""};
    GENOSERVE_ASSIGN_OR_RETURN(const auto part,
                               TransposedPart::Open({PartPlace::Kind::kNameless, SpillFolder(target.path)}, shape, {}));
    CodeRow column(shape.variants);
    GENOSERVE_RETURN_IF_ERROR(genotypes([&](const VariantSegment& segment) {
      return column.Add(segment) ? part->Append(0, column.matrix()) : absl::OkStatus();
    }));
    CodeRow row(cohort.variants.size());
    GenotypeMatrix haplotypes(cohort.packing, RowsPerSample(cohort.packing), cohort.variants.size());
    return part->ForEachSegment([&](const VariantSegment& segment) {
      if (!row.Add(segment)) return absl::OkStatus();
      if (cohort.packing == Packing::kHaplotype1Bit) SplitHaplotypes(row.matrix(), haplotypes);
      return take(static_cast<int64_t>(segment.variant),
                  cohort.packing == Packing::kHaplotype1Bit ? haplotypes.bytes() : row.matrix().bytes());
    });
  };
}

}  // namespace genoserve

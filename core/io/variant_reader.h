// Readers of genotypes of any format, variant by variant, with bounded memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/genotype/variant_table.h"
#include "core/io/genotype_source.h"

namespace genoserve {

/// What a reader does with a site that has several ALT alleles.
enum class MultiAllelic {
  kRefuse,  ///< INVALID_ARGUMENT with the site
  kSplit,   ///< one variant for each ALT in its order, in which all other alleles count as REF, as "bcftools norm -m-"
            ///< has it
};

/// What a reader does with a call of one allele, as males have on X.
enum class HaploidCalls {
  kRefuse,  ///< INVALID_ARGUMENT with the record and the sample
  kDouble,  ///< the allele is counted twice, and the call noted in VariantCalls::haploid
};

struct VariantReaderOptions {
  MultiAllelic multi_allelic = MultiAllelic::kRefuse;
  HaploidCalls haploid = HaploidCalls::kRefuse;
};

/// A call of which one allele of two is there, as a .hapt may have. Its code is that of a missing one.
struct HalfCall {
  size_t sample = 0;
  int missing_haplotype = 0;  ///< 0 or 1
  uint8_t allele = 0;         ///< of the other haplotype: 0 or 1
};

/// The calls of one variant, those of all samples of a reader. Bits that pad a last byte are 0.
struct VariantCalls {
  /// Two bits a sample, the first in the lowest: ALT alleles 0, 1 or 2, 3 = missing; one haploid ALT is 2.
  std::vector<uint8_t> codes;
  /// One bit a sample, the first in the lowest: 1 = a heterozygous call with a phase that is ALT|REF. Empty = none.
  std::vector<uint8_t> alt_first;
  /// One bit a sample: 1 = the call has one allele. Empty = none.
  std::vector<uint8_t> haploid;
  bool phased = false;    ///< a call is there that has a phase; missing and haploid calls have none
  bool unphased = false;  ///< a diploid call is there that has none
  std::vector<HalfCall> half_calls;
};

/// Reads one set of files in file order. Errors, once told, are told again. Not thread-safe.
class VariantReader {
 public:
  virtual ~VariantReader() = default;

  /// Unique names in file order, at least one.
  virtual const std::vector<std::string>& samples() const = 0;
  /// One a sample: 1 male, 2 female, 0 unknown; empty where the files tell none.
  virtual const std::vector<uint8_t>& sexes() const = 0;
  /// The contigs that the files declare, in their order; those of the variants may be others.
  virtual const std::vector<ContigRecord>& contigs() const = 0;
  /// How many variants there are, where that is known beforehand.
  virtual std::optional<size_t> variant_count() const = 0;
  /// The file that the variants stand in, for messages.
  virtual const std::string& variants_file() const = 0;

  /// Goes to the next variant; false after the last. INVALID_ARGUMENT for what this project cannot hold, such as a
  /// symbolic allele, DATA_LOSS for truncated or malformed files.
  virtual absl::StatusOr<bool> Next() = 0;
  /// The variant that Next went to, as the files have it: its id may be "." or not unique.
  virtual const VariantRecord& variant() const = 0;
  /// The file and the place in it that Next went to, for messages, such as "x.vcf: record 1:10".
  virtual std::string Place() const = 0;
  /// Reads the calls of that variant; only needed for variants whose calls matter. Reuses the memory of `calls`.
  virtual absl::Status ReadCalls(VariantCalls* calls) = 0;
};

/// Opens the files of any format that GenotypeSource knows. NOT_FOUND, PERMISSION_DENIED, INVALID_ARGUMENT or DATA_LOSS
/// with the file where it cannot be read.
absl::StatusOr<std::unique_ptr<VariantReader>> OpenVariantReader(const GenotypeSource& source,
                                                                 const VariantReaderOptions& options);

}  // namespace genoserve

// Readers of whole real genotypes into memory.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/genotype/genotype_data.h"
#include "core/io/genotype_source.h"

namespace genoserve {

/// What a reader does with a missing call.
enum class MissingCalls {
  kKeep,    ///< code 3 in diploid genotypes; refused in haplotypes, which cannot hold it
  kImpute,  ///< filled in by a draw at the variant's allele frequency among the calls that are there, by Philox with
            ///< the seed 0 and the sample's index, so that the result is always the same; counted in imputed_calls.
            ///< INVALID_ARGUMENT where no sample has a call
};

struct ReadOptions {
  MissingCalls missing = MissingCalls::kImpute;
};

/// Reads the whole of any source. Haplotypes where every call has a phase, else diploid genotypes. Errors are those of
/// OpenVariantReader, CheckContigNames and VariantTable::Create, with the file.
absl::StatusOr<GenotypeData> ReadGenotypes(const GenotypeSource& source, const ReadOptions& options);

/// Reads a VCF, VCF.gz or BCF by htslib. Diploid calls; phased throughout gives haplotypes, else diploid genotypes.
/// INVALID_ARGUMENT with the file and the record (contig:position) for: a multi-allelic site (split it with
/// "bcftools norm -m-"), a call that is not diploid, a half-missing call, an ALT that is symbolic or missing, a record
/// without GT, no samples or no records. NOT_FOUND, DATA_LOSS (truncated or malformed) and the like for the file. A
/// missing call, "./.", ".|." or ".", has no phase. Of text that was cut short just after the end of a line no cut can
/// be told.
absl::StatusOr<GenotypeData> ReadVcf(const std::string& path, const ReadOptions& options);

/// Reads `prefix`.bed, .bim and .fam (PLINK 1, SNP-major). A1 (column 5) is ALT, A2 (column 6) REF; sample names are
/// the IIDs. Diploid genotypes. INVALID_ARGUMENT or DATA_LOSS with file and line, or byte sizes, where it is malformed.
absl::StatusOr<GenotypeData> ReadBed(const std::string& prefix, const ReadOptions& options);

/// Reads `path` (.hapt: one line a haplotype, "label id 0 1 ...", ids ending in _A and _B in turn) and the .legend
/// beside it (header "id position a0 a1"; the contig is what stands before ':' in the id, else "1"; a0 is REF).
/// Haplotypes; sample names are the ids without _A or _B; an allele "." is missing. INVALID_ARGUMENT with file and
/// line.
absl::StatusOr<GenotypeData> ReadHapt(const std::string& path, const std::string& legend_path,
                                      const ReadOptions& options);

}  // namespace genoserve

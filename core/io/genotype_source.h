// Where genotypes come from: a format and the files that belong to it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// One set of genotype files.
struct GenotypeSource {
  enum class Format {
    kVcf,   ///< VCF, VCF.gz or BCF
    kBed,   ///< .bed, .bim and .fam with one prefix
    kPgen,  ///< .pgen, .pvar and .psam with one prefix
    kHap,   ///< .hap, .legend and .sample
    kHaps,  ///< .haps and .sample
    kHapt,  ///< .hapt and .legend
    kNpy,   ///< .npy, .variants.tsv and .samples.tsv with one prefix
    kZarr,  ///< a folder of VCF Zarr
  };
  Format format = Format::kVcf;
  std::string path;     ///< file, folder, or prefix for kBed, kPgen and kNpy
  std::string legend;   ///< for kHap and kHapt only
  std::string samples;  ///< for kHap and kHaps only
};

/// The .pvar of a fileset, or its .pvar.zst (of plink2's "--make-pgen vzs") where only that is there.
std::string PvarOf(const std::string& prefix);

/// The source of a path by its suffix: .vcf, .vcf.gz, .vcf.bgz and .bcf are kVcf; .pgen is kPgen, .npy kNpy, .zarr and
/// .vcz kZarr; .hap, .haps and .hapt, of which the first two may be gzipped, go with the .legend and .sample (or
/// .samples) of the same name, a .haps beside which a .legend lies is a kHap. All others are a prefix: kPgen where
/// there is a .pgen but no .bed, else kBed; ".bed" at the end is dropped.
GenotypeSource SourceOfPath(absl::string_view path);

/// The files that are read.
std::vector<std::string> FilesOf(const GenotypeSource& source);

/// What input a training saw: SHA-256 over the lines "SHA-256 of the file NEWLINE" of the files in their order; 64
/// hexadecimal digits. Names do not matter, contents and their order do. Errors name the file that cannot be read.
absl::StatusOr<std::string> DigestFiles(const std::vector<std::string>& files);

}  // namespace genoserve

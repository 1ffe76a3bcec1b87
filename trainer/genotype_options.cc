#include "trainer/genotype_options.h"

#include "absl/strings/strip.h"

namespace genoserve {

void AddGenotypeOptions(CLI::App& command, GenotypeArguments& arguments) {
  command.add_option("--vcf", arguments.vcf, "VCF, VCF.gz or BCF")->type_name("FILE")->group("Input");
  command.add_option("--bfile", arguments.bfile, "PLINK 1 .bed, .bim and .fam")->type_name("PREFIX")->group("Input");
  command.add_option("--hapt", arguments.hapt, "haplotypes, one a line; needs --legend")
      ->type_name("FILE")
      ->group("Input");
  command.add_option("--legend", arguments.legend, "variants of --hapt")->type_name("FILE")->group("Input");
}

absl::StatusOr<GenotypeSource> SourceOf(const GenotypeArguments& arguments) {
  const int given = static_cast<int>(!arguments.vcf.empty()) + static_cast<int>(!arguments.bfile.empty()) +
                    static_cast<int>(!arguments.hapt.empty());
  if (given != 1) return absl::InvalidArgumentError("give genotypes by one of --vcf, --bfile and --hapt");
  if (arguments.hapt.empty() != arguments.legend.empty()) {
    return absl::InvalidArgumentError("--hapt and --legend belong together");
  }
  if (!arguments.vcf.empty()) return GenotypeSource{GenotypeSource::Format::kVcf, arguments.vcf, ""};
  if (!arguments.hapt.empty()) return GenotypeSource{GenotypeSource::Format::kHapt, arguments.hapt, arguments.legend};
  return GenotypeSource{GenotypeSource::Format::kBed, std::string(absl::StripSuffix(arguments.bfile, ".bed")), ""};
}

}  // namespace genoserve

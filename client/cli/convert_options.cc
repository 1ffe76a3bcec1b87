// The command line of `genoserve convert`.
#include <string>

#include "absl/strings/str_cat.h"
#include "client/cli/convert.h"
#include "client/cli/exit_code.h"

namespace genoserve {
namespace {

constexpr char kConvertExamples[] =
    "Examples:\n"
    "  genoserve convert cohort.vcf.gz cohort.pgen\n"
    "  genoserve convert cohort.pgen chr1.bcf -r 1:1-5000000 --maf 0.01 --max-missing 0.05\n"
    "  genoserve convert panel.vcf.gz panel.hap --keep eur.txt --multiallelic split --missing impute\n"
    "  genoserve convert plink_prefix - -O vcf | bcftools stats -\n\n"
    "IN is FILE.vcf, .vcf.gz, .vcf.bgz, .bcf, .pgen, .hap, .haps, .hapt, .npy, .zarr or .vcz, with the files that\n"
    "belong to it beside it, else the prefix of .bed/.bim/.fam or of .pgen/.pvar/.psam (or .pvar.zst). It is read\n"
    "twice, so it cannot be a pipe. A phase is kept where every call has one and the format holds it. In .bim, A1 is\n"
    "ALT; in .hap and .haps, a0 is REF (for plink2: ref-first).\n\n";

}  // namespace

void AddConvertCommand(CLI::App* app, ConvertArguments* arguments) {
  CLI::App* command = app->add_subcommand("convert", "Genotype files of one format to another, filtered on the way");
  const auto text = [command](const std::string& names, std::string* target, const char* type, const char* group,
                              const char* help) {
    return command->add_option(names, *target, help)->type_name(type)->group(group);
  };
  text("in", &arguments->input, "PATH", "Input", "files to read")->required();
  text("out", &arguments->output.path, "PATH", "Output",
       "files to write; the suffix tells the format, without one a .bed/.bim/.fam prefix; - = stdout")
      ->required();
  text("--multiallelic", &arguments->multiallelic, "split|refuse", "Input",
       "what becomes of sites with several ALT alleles; default refuse");
  text("-r,--regions", &arguments->regions, "CONTIG[:FROM-TO],...", "Selection", "variants in these regions only");
  text("-R,--regions-file", &arguments->regions_file, "FILE", "Selection",
       "the same from a file: tab-separated, or .bed");
  text("-s,--samples", &arguments->samples, "NAME,...", "Selection", "these samples only, in this order");
  text("-S,--samples-file", &arguments->samples_file, "FILE", "Selection", "the same from a file, one a line");
  text("--keep", &arguments->keep, "FILE", "Selection", "samples of a file as plink has it, in the order of IN");
  text("--extract", &arguments->extract, "FILE", "Selection", "variants with the ids of a file, one a line");
  const auto share = [command](const char* names, double* target, const char* help) {
    command->add_option(names, *target, help)->type_name("SHARE")->check(CLI::Range(0.0, 1.0))->group("Selection");
  };
  share("--maf", &arguments->maf, "variants whose rarer allele is at least so frequent");
  share("--max-missing,--geno", &arguments->max_missing,
        "variants of which at most this share of samples lacks a call");
  share("--mind", &arguments->mind, "samples that lack at most this share of their calls");
  text("--missing", &arguments->missing, "keep|impute|refuse", "Output",
       "what becomes of missing calls: kept, drawn by allele frequency, or an error; default keep");
  command->add_flag("--unphased", arguments->unphased, "drop the phase")->group("Output");
  text("-O,--output-type", &arguments->output.format, "TYPE", "Output", "of the files, whatever the suffix");
  text("--index", &arguments->output.index, "csi|tbi", "Output", "of a vcf.gz; default csi");
  text("--oxford", &arguments->output.oxford, "plink2|bcftools", "Output", "whose .sample; default plink2");
  command->add_flag("--force", arguments->force, "replace files that are there")->group("Output");
  command->add_flag("-q,--quiet", arguments->quiet, "errors only")->group("Output");
  command->footer(absl::StrCat(kConvertExamples, kExitCodeHelp));
}

}  // namespace genoserve

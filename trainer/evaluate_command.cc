#include "trainer/evaluate_command.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/sample_tables.h"
#include "core/quality/cohort_comparison.h"
#include "trainer/comparison_report.h"
#include "core/io/genotype_source.h"
#include "trainer/exit_code.h"

namespace genoserve {
namespace {

constexpr char kExamples[] =
    "Examples:\n"
    "  genoserve-trainer evaluate --vcf real.vcf.gz --panel panel.tsv --label-column pop \\\n"
    "    --synthetic cohort.vcf.gz --synthetic-panel cohort.panel.tsv\n"
    "  genoserve-trainer evaluate --bfile mice --synthetic cohort --json\n\n";

std::string Key(const VariantRecord& v) { return absl::StrCat(v.contig, ":", v.position, ":", v.ref, ":", v.alt); }

// Indices of the variants that both sets have, in the order of the real ones.
struct SharedVariants {
  std::vector<size_t> real;
  std::vector<size_t> synthetic;
};

SharedVariants Match(const VariantTable& real, const VariantTable& synthetic) {
  absl::flat_hash_map<std::string, size_t> index;
  for (size_t v = 0; v < synthetic.size(); ++v) index.emplace(Key(synthetic[v]), v);
  SharedVariants shared;
  for (size_t v = 0; v < real.size(); ++v) {
    const auto found = index.find(Key(real[v]));
    if (found == index.end()) continue;
    shared.real.push_back(v);
    shared.synthetic.push_back(found->second);
  }
  return shared;
}

// BED keeps missing calls; the others may be haplotypes, which cannot.
absl::StatusOr<GenotypeData> Read(const GenotypeSource& source) {
  const bool keep = source.format == GenotypeSource::Format::kBed;
  return ReadGenotypes(source, {keep ? MissingCalls::kKeep : MissingCalls::kImpute});
}

absl::StatusOr<Labels> LabelsFrom(const std::string& panel_path, const GenotypeData& data, const std::string& column) {
  GENOSERVE_ASSIGN_OR_RETURN(const Panel panel, ReadPanel(panel_path));
  absl::StatusOr<Labels> labels = panel.LabelsOf(data.samples, column);
  if (!labels.ok()) return Annotate(labels.status(), panel_path);
  return labels;
}

// One group a label that both have.
std::vector<SampleGroup> SharedGroups(const Labels& real, const Labels& synthetic) {
  std::vector<SampleGroup> groups;
  for (size_t label = 0; label < real.names.size(); ++label) {
    SampleGroup group{real.names[label], {}, {}};
    for (size_t i = 0; i < real.codes.size(); ++i) {
      if (real.codes[i] == static_cast<int>(label)) group.real.push_back(i);
    }
    for (size_t i = 0; i < synthetic.codes.size(); ++i) {
      if (synthetic.names[static_cast<size_t>(synthetic.codes[i])] == group.name) group.synthetic.push_back(i);
    }
    if (!group.synthetic.empty()) groups.push_back(std::move(group));
  }
  return groups;
}

absl::Status CheckArguments(const EvaluateArguments& arguments) {
  if (arguments.panel.empty() != arguments.label_column.empty()) {
    return absl::InvalidArgumentError("--panel and --label-column belong together");
  }
  if (!arguments.synthetic_panel.empty() && arguments.panel.empty()) {
    return absl::InvalidArgumentError("--synthetic-panel needs --panel and --label-column of the real samples");
  }
  return absl::OkStatus();
}

void TellLabelsOfOne(const Labels& labels, const std::vector<SampleGroup>& groups, const std::string& panel) {
  for (const std::string& name : labels.names) {
    const auto is_it = [&name](const SampleGroup& group) { return group.name == name; };
    if (std::any_of(groups.begin(), groups.end(), is_it)) continue;
    std::fprintf(stderr, "label %s is in %s only and has no line of its own\n", name.c_str(), panel.c_str());
  }
}

// Tells what the comparison leaves out, where it leaves out something.
void TellWhatIsLeftOut(const GenotypeData& real, const GenotypeData& synthetic, size_t shared) {
  if (real.variants.size() != shared || synthetic.variants.size() != shared) {
    std::fprintf(stderr, "%zu variants are in both files; %zu real and %zu synthetic ones are left out\n", shared,
                 real.variants.size() - shared, synthetic.variants.size() - shared);
  }
  if (real.imputed_calls + synthetic.imputed_calls > 0) {
    std::fprintf(stderr, "missing calls filled in by allele frequency: %lld real, %lld synthetic\n",
                 static_cast<long long>(real.imputed_calls), static_cast<long long>(synthetic.imputed_calls));
  }
}

}  // namespace

CLI::App* AddEvaluateCommand(CLI::App& app, EvaluateArguments& arguments) {
  CLI::App* command = app.add_subcommand("evaluate", "Compare a synthetic cohort in files with the real one");
  AddGenotypeOptions(*command, arguments.real);
  command->add_option("--panel", arguments.panel, "population labels of the real samples")
      ->type_name("FILE")
      ->group("Input");
  command->add_option("--label-column", arguments.label_column, "column of --panel")
      ->type_name("COLUMN")
      ->group("Input");
  command->add_option("--synthetic", arguments.synthetic, "FILE.vcf, .vcf.gz, .bcf, else a BED prefix")
      ->type_name("PATH")
      ->required()
      ->group("Input");
  command->add_option("--synthetic-panel", arguments.synthetic_panel, "population labels of the synthetic samples")
      ->type_name("FILE")
      ->group("Input");
  command
      ->add_option("--synthetic-label-column", arguments.synthetic_label_column,
                   "column of --synthetic-panel; default: as --label-column")
      ->type_name("COLUMN")
      ->group("Input");
  command->add_flag("--json", arguments.json, "as JSON")->group("Output");
  command->footer(absl::StrCat(kExamples, kExitCodeHelp));
  return command;
}

absl::Status Evaluate(const EvaluateArguments& arguments) {
  GENOSERVE_RETURN_IF_ERROR(CheckArguments(arguments));
  GENOSERVE_ASSIGN_OR_RETURN(const GenotypeSource source, SourceOf(arguments.real));
  GENOSERVE_ASSIGN_OR_RETURN(const GenotypeData real, Read(source));
  GENOSERVE_ASSIGN_OR_RETURN(const GenotypeData synthetic, Read(SourceOfPath(arguments.synthetic)));
  const SharedVariants shared = Match(real.variants, synthetic.variants);
  if (shared.real.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s and %s have no variant in common (contig:position:ref:alt); they begin with %s and %s",
                        source.path, arguments.synthetic, Key(real.variants[0]), Key(synthetic.variants[0])));
  }
  TellWhatIsLeftOut(real, synthetic, shared.real.size());
  std::vector<SampleGroup> groups;
  if (!arguments.synthetic_panel.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const Labels real_labels, LabelsFrom(arguments.panel, real, arguments.label_column));
    GENOSERVE_ASSIGN_OR_RETURN(const Labels synthetic_labels,
                               LabelsFrom(arguments.synthetic_panel, synthetic,
                                          arguments.synthetic_label_column.empty() ? arguments.label_column
                                                                                   : arguments.synthetic_label_column));
    groups = SharedGroups(real_labels, synthetic_labels);
    TellLabelsOfOne(real_labels, groups, arguments.panel);
    TellLabelsOfOne(synthetic_labels, groups, arguments.synthetic_panel);
  }
  GENOSERVE_ASSIGN_OR_RETURN(
      const CohortComparison comparison,
      CompareCohorts(real.genotypes.SelectVariants(shared.real), synthetic.genotypes.SelectVariants(shared.synthetic),
                     real.variants.Select(shared.real), groups));
  const std::string report =
      arguments.json ? ComparisonJson(comparison) : ComparisonTable(comparison, arguments.label_column);
  if (std::fputs(report.c_str(), stdout) < 0 || std::fflush(stdout) != 0) return ErrnoStatus("standard output");
  return absl::OkStatus();
}

}  // namespace genoserve

#include "client/cli/report_input.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/genotype_reader.h"
#include "core/io/sample_tables.h"
#include "core/quality/align.h"
#include "core/quality/duplicates.h"
#include "core/quality/kinship.h"

namespace genoserve {
namespace {

constexpr size_t kFewestDoubles = 3;  // people in training and hold-out, that are no chance

// One cohort as it is read.
struct Part {
  const char* role;
  const CohortFiles* files;
  GenotypeData data;
  Cohort cohort;
};

std::string FileName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

absl::StatusOr<GenotypeData> Read(const std::string& path) {
  const GenotypeSource source = SourceOfPath(path);
  const std::vector<std::string> files = FilesOf(source);
  const auto is_there = [](const std::string& file) { return FileSystem::Posix().Exists(file); };
  if (source.format == GenotypeSource::Format::kBed && std::none_of(files.begin(), files.end(), is_there)) {
    return absl::NotFoundError(absl::StrCat(path,
                                            ": no genotypes there; a path is a .vcf, .vcf.gz, .bcf, .pgen, .hap, "
                                            ".haps, .hapt, .npy or .zarr, or the prefix "
                                            "of .bed, .bim and .fam"));
  }
  return ReadGenotypes(source, {MissingCalls::kImpute});
}

// Codes of the labels by the names of the training's; -1 for a label that the training lacks.
absl::Status AddLabels(const std::string& panel_path, const std::string& column, std::vector<std::string>* names,
                       Part* part, v1::QualityInputs* inputs) {
  GENOSERVE_ASSIGN_OR_RETURN(const Panel panel, ReadPanel(panel_path));
  absl::StatusOr<Labels> labels = panel.LabelsOf(part->data.samples, column);
  if (!labels.ok()) return Annotate(labels.status(), panel_path);
  if (names->empty()) *names = labels->names;
  std::vector<std::string> unknown;
  std::vector<int> codes;
  for (const std::string& name : labels->names) {
    const auto found = std::find(names->begin(), names->end(), name);
    codes.push_back(found == names->end() ? -1 : static_cast<int>(found - names->begin()));
    if (codes.back() < 0) unknown.push_back(name);
  }
  if (unknown.size() == labels->names.size()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no label of %s is among those of the training; it has %s, the training %s",
                        FileName(panel_path), absl::StrJoin(unknown, ", "), absl::StrJoin(*names, ", ")));
  }
  for (const int code : labels->codes) part->cohort.labels.push_back(codes[static_cast<size_t>(code)]);
  if (!unknown.empty()) {
    inputs->add_notes(absl::StrFormat("%s has labels that the training lacks, which are left out: %s",
                                      FileName(panel_path), absl::StrJoin(unknown, ", ")));
  }
  return absl::OkStatus();
}

// The columns in the order of `names`, or of the file where the user named none, which are then the names.
absl::StatusOr<PhenotypeTable> SelectPhenotypes(const std::string& path, const ReportArguments& arguments,
                                                const Part& part, std::vector<std::string>* names) {
  GENOSERVE_ASSIGN_OR_RETURN(const PhenotypeTable all, ReadPhenotypes(path, arguments.categorical));
  if (names->empty()) {
    for (const PhenotypeColumn& column : all.columns()) names->push_back(column.name);
  }
  absl::StatusOr<PhenotypeTable> table = all.Select(part.data.samples, *names);
  if (!table.ok()) return Annotate(table.status(), path);
  return table;
}

absl::Status AddPhenotypes(const std::string& path, const ReportArguments& arguments, std::vector<std::string>* names,
                           std::vector<PhenotypeKind>* kinds, Part* part) {
  GENOSERVE_ASSIGN_OR_RETURN(const PhenotypeTable table, SelectPhenotypes(path, arguments, *part, names));
  if (kinds->empty()) {
    for (const PhenotypeColumn& column : table.columns()) {
      kinds->push_back(
          {column.name, column.is_continuous() ? std::vector<std::string>() : column.categorical().levels});
    }
  }
  for (size_t i = 0; i < kinds->size(); ++i) {
    const PhenotypeColumn& column = table.columns()[i];
    if (column.is_continuous() != (*kinds)[i].levels.empty()) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: phenotype %s is %s here and %s in the training; --categorical makes levels of numbers",
                          path, column.name, column.is_continuous() ? "continuous" : "categorical",
                          column.is_continuous() ? "categorical" : "continuous"));
    }
    part->cohort.phenotypes.push_back(NumbersOf(column, (*kinds)[i].levels));
  }
  return absl::OkStatus();
}

absl::Status Align(std::vector<Part>* parts, v1::QualityInputs* inputs) {
  std::vector<AlignInput> align;
  for (Part& part : *parts) align.push_back({FileName(part.files->genotypes), &part.data});
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<AlignCounts> counts, AlignVariants(align));
  for (size_t i = 0; i < parts->size(); ++i) {
    v1::QualitySet& set = *inputs->add_sets();
    set.set_role((*parts)[i].role);
    set.set_source(align[i].name);
    set.set_samples(static_cast<int64_t>((*parts)[i].data.samples.size()));
    set.set_variants(counts[i].variants);
    set.set_variants_left_out(counts[i].left_out);
    set.set_alleles_swapped(counts[i].swapped);
    set.set_imputed_calls((*parts)[i].data.imputed_calls);
  }
  const bool phased = std::all_of(parts->begin(), parts->end(), [](const Part& part) {
    return part.data.genotypes.packing() == Packing::kHaplotype1Bit;
  });
  for (Part& part : *parts) {
    part.cohort.genotypes = phased ? std::move(part.data.genotypes) : part.data.genotypes.ToDiploid();
  }
  return absl::OkStatus();
}

// Names of the samples that two files both have, where these must not share any.
absl::Status CheckApart(const Part& training, const Part& holdout) {
  std::vector<std::string> a = training.data.samples;
  std::vector<std::string> b = holdout.data.samples;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::string> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  if (both.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "%d samples, such as %s, are both in %s and in %s; people of the hold-out must not be in the training",
      both.size(), both.front(), FileName(training.files->genotypes), FileName(holdout.files->genotypes)));
}

// For each sample, whether all its rows are marked.
size_t WholeSamples(const std::vector<double>& marked, size_t rows_per_sample) {
  size_t count = 0;
  for (size_t first = 0; first < marked.size(); first += rows_per_sample) {
    count +=
        std::all_of(marked.begin() + static_cast<ptrdiff_t>(first),
                    marked.begin() + static_cast<ptrdiff_t>(first + rows_per_sample), [](double m) { return m == 1; })
            ? 1
            : 0;
  }
  return count;
}

// People of the training under other names in the hold-out would hide every copy.
absl::Status CheckOthers(const Part& training, const Part& holdout) {
  const GenotypeMatrix& seen = training.cohort.genotypes;
  const GenotypeMatrix& unseen = holdout.cohort.genotypes;
  const size_t rows = RowsPerSample(seen.packing());
  const size_t found = WholeSamples(FoundAmong(unseen, seen), rows);
  // With few variants people repeat one another by chance.
  const double by_chance =
      static_cast<double>(WholeSamples(Repeated(seen), rows)) / static_cast<double>(seen.samples());
  if (found < kFewestDoubles || static_cast<double>(found) / static_cast<double>(unseen.samples()) < by_chance + 0.02) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrFormat(
      "%d of the %d samples of %s have the very genotypes of samples of %s under other names; people of the hold-out "
      "must not be in the training",
      found, unseen.samples(), FileName(holdout.files->genotypes), FileName(training.files->genotypes)));
}

// The hold-out as a part of the training's samples, by the rule of the trainer.
void PartHoldout(const ReportArguments& arguments, ReportInput* input) {
  QualitySets& sets = input->sets;
  const Split split =
      SplitHoldout(sets.whole_training.samples(), sets.whole_training.labels, input->families, arguments.holdout_share);
  sets.whole_holdout = sets.whole_training.Select(split.holdout);
  sets.whole_training = sets.whole_training.Select(split.training);
  std::vector<int> families;
  for (const size_t i : split.training) {
    if (!input->families.empty()) families.push_back(input->families[i]);
  }
  input->families = std::move(families);
  v1::QualitySet set = input->inputs.sets(0);
  set.set_role("holdout");
  set.set_samples(static_cast<int64_t>(split.holdout.size()));
  input->inputs.mutable_sets(0)->set_samples(static_cast<int64_t>(split.training.size()));
  *input->inputs.add_sets() = set;
  input->inputs.mutable_sets()->SwapElements(1, input->inputs.sets_size() - 1);
}

}  // namespace

absl::StatusOr<ReportInput> ReadReportInput(const ReportArguments& arguments) {
  ReportInput input;
  std::vector<Part> parts;
  parts.push_back({"training", &arguments.training, {}, {}});
  if (!arguments.holdout.genotypes.empty()) parts.push_back({"holdout", &arguments.holdout, {}, {}});
  parts.push_back({"synthetic", &arguments.synthetic, {}, {}});
  for (Part& part : parts) {
    GENOSERVE_ASSIGN_OR_RETURN(part.data, Read(part.files->genotypes));
  }
  if (parts.size() == 3) GENOSERVE_RETURN_IF_ERROR(CheckApart(parts[0], parts[1]));
  GENOSERVE_RETURN_IF_ERROR(Align(&parts, &input.inputs));
  if (parts.size() == 3) GENOSERVE_RETURN_IF_ERROR(CheckOthers(parts[0], parts[1]));

  QualitySets& sets = input.sets;
  std::vector<std::string> phenotype_names = arguments.phenotype_names;
  for (Part& part : parts) {
    const bool synthetic = part.files == &arguments.synthetic;
    // Tables that the hold-out has not are those of the training.
    const std::string& panel = part.files->panel.empty() && !synthetic ? arguments.training.panel : part.files->panel;
    const std::string& phenotypes =
        part.files->phenotypes.empty() && !synthetic ? arguments.training.phenotypes : part.files->phenotypes;
    const std::string& column = synthetic && !arguments.synthetic_label_column.empty()
                                    ? arguments.synthetic_label_column
                                    : arguments.label_column;
    if (!panel.empty()) GENOSERVE_RETURN_IF_ERROR(AddLabels(panel, column, &sets.labels, &part, &input.inputs));
    if (!phenotypes.empty()) {
      GENOSERVE_RETURN_IF_ERROR(AddPhenotypes(phenotypes, arguments, &phenotype_names, &sets.phenotypes, &part));
    }
  }
  input.inputs.set_label_column(arguments.label_column);
  sets.seed = arguments.seed;
  sets.variants = parts[0].data.variants;
  sets.whole_training = std::move(parts[0].cohort);
  sets.whole_synthetic = std::move(parts.back().cohort);
  FamilySearch found;
  input.families = FamilyClusters(sets.whole_training.genotypes.ToDiploid(), sets.variants, &found);
  input.inputs.add_notes(found.note);
  if (parts.size() == 3) {
    sets.whole_holdout = std::move(parts[1].cohort);
  } else {
    PartHoldout(arguments, &input);
  }
  return input;
}

}  // namespace genoserve

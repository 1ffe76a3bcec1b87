#include "trainer/dataset/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status.h"
#include "core/io/genotype_reader.h"
#include "core/io/sample_tables.h"
#include "core/quality/holdout.h"
#include "core/quality/kinship.h"
#include "trainer/dataset/label_counts.h"
#include "trainer/dataset/phenotype_schema.h"

namespace genoserve {
namespace {

// What the files tell of all samples.
struct AllSamples {
  GenotypeData data;
  Labels labels;
  PhenotypeTable phenotypes;  // of the chosen columns
};

absl::StatusOr<AllSamples> ReadAll(const DatasetOptions& options) {
  AllSamples all;
  GENOSERVE_ASSIGN_OR_RETURN(all.data, ReadGenotypes(options.genotypes, {MissingCalls::kImpute}));
  const bool phased = all.data.genotypes.packing() == Packing::kHaplotype1Bit;
  if (!options.diploid && !phased) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.genotypes.path,
                     ": is not phased throughout, so there are no haplotypes to learn from; phase it, or train a "
                     "generator of diploid genotypes (wgan-gp)"));
  }
  if (options.diploid) all.data.genotypes = std::move(all.data.genotypes).ToDiploid();
  if (!options.panel.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const Panel panel, ReadPanel(options.panel));
    absl::StatusOr<Labels> labels = panel.LabelsOf(all.data.samples, options.label_column);
    if (!labels.ok()) return Annotate(labels.status(), options.panel);
    all.labels = *std::move(labels);
  }
  if (!options.phenotypes.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const PhenotypeTable table, ReadPhenotypes(options.phenotypes, options.categorical));
    absl::StatusOr<PhenotypeTable> chosen = table.Select(all.data.samples, options.phenotype_names);
    if (!chosen.ok()) return Annotate(chosen.status(), options.phenotypes);
    all.phenotypes = *std::move(chosen);
  }
  return all;
}

template <typename T>
std::vector<T> At(const std::vector<T>& values, const std::vector<size_t>& indices) {
  std::vector<T> chosen;
  chosen.reserve(indices.size());
  for (const size_t i : indices) chosen.push_back(values[i]);
  return chosen;
}

std::vector<size_t> ChromosomeStarts(const VariantTable& variants) {
  std::vector<size_t> starts;
  for (size_t i = 0; i < variants.size(); ++i) {
    if (i == 0 || variants[i].contig != variants[i - 1].contig) starts.push_back(i);
  }
  return starts;
}

void DescribeLabels(const Labels& labels, const std::vector<int64_t>& counts, Dataset& dataset) {
  dataset.manifest.set_label_column(labels.column);
  for (size_t label = 0; label < counts.size(); ++label) {
    v1::LabelSchema& schema = *dataset.manifest.add_labels();
    schema.set_name(labels.names[label]);
    schema.set_training_samples(counts[label]);
  }
}

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Adds the labels of both parts.
absl::Status AddLabels(const Labels& labels, int64_t least, const Split& split, Dataset& dataset) {
  dataset.training.labels = At(labels.codes, split.training);
  dataset.holdout.labels = At(labels.codes, split.holdout);
  std::vector<int64_t> counts(labels.names.size());
  for (const int code : dataset.training.labels) ++counts[static_cast<size_t>(code)];
  GENOSERVE_ASSIGN_OR_RETURN(const std::string note, CheckLabelCounts(labels.names, counts, least));
  if (!note.empty()) dataset.notes.push_back(note);
  DescribeLabels(labels, counts, dataset);
  return absl::OkStatus();
}

// Which phenotypes training samples lack; empty where they lack none.
std::string NoteMissing(const TrainingSet& training, const v1::Manifest& manifest) {
  size_t lacking = 0;
  size_t most = 0;
  std::string name;
  for (int i = 0; i < manifest.phenotypes_size(); ++i) {
    const std::vector<double>& values = training.phenotypes[static_cast<size_t>(i)];
    const auto missing = static_cast<size_t>(
        std::count_if(values.begin(), values.end(), [](double value) { return std::isnan(value); }));
    if (missing > 0) ++lacking;
    if (missing > most) {
      most = missing;
      name = manifest.phenotypes(i).name();
    }
  }
  if (lacking == 0) return "";
  return absl::StrFormat("training samples without a value: of %d of %d phenotypes, most of %s (%d of %d samples)",
                         lacking, manifest.phenotypes_size(), name, most, training.genotypes.samples());
}

// Adds the phenotypes of both parts, and describes them as the training has them.
absl::Status AddPhenotypes(const AllSamples& all, const DatasetOptions& options, const Split& split, Dataset& dataset) {
  const std::vector<std::string>& names = options.phenotype_names;
  for (const std::string& name : options.log_scale) {
    if (!Holds(names, name)) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "a log scale is asked for \"%s\", which is not among the phenotypes that the model is conditioned on", name));
    }
  }
  GENOSERVE_ASSIGN_OR_RETURN(const PhenotypeTable training,
                             all.phenotypes.Select(At(all.data.samples, split.training), names));
  for (size_t i = 0; i < training.columns().size(); ++i) {
    const PhenotypeColumn& column = training.columns()[i];
    const bool log = Holds(options.log_scale, column.name);
    // Of all samples: the hold-out's values must have logarithms too.
    if (log) GENOSERVE_RETURN_IF_ERROR(SchemaOf(all.phenotypes.columns()[i], log).status());
    GENOSERVE_ASSIGN_OR_RETURN(const v1::PhenotypeSchema schema, SchemaOf(column, log));
    const std::vector<std::string> levels(schema.categorical().levels().begin(), schema.categorical().levels().end());
    dataset.training.phenotypes.push_back(NumbersOf(column, levels));
    dataset.holdout.phenotypes.push_back(At(NumbersOf(all.phenotypes.columns()[i], levels), split.holdout));
    *dataset.manifest.add_phenotypes() = schema;
  }
  if (const std::string note = NoteMissing(dataset.training, dataset.manifest); !note.empty()) {
    dataset.notes.push_back(note);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Dataset> LoadDataset(const DatasetOptions& options) {
  GENOSERVE_ASSIGN_OR_RETURN(AllSamples all, ReadAll(options));
  GenotypeMatrix& genotypes = all.data.genotypes;
  Dataset dataset;
  std::vector<int> families;
  if (options.holdout_share > 0) {
    FamilySearch found;
    families = FamilyClusters(genotypes, all.data.variants, &found);
    dataset.family_note = found.note;
  }
  const Split split = SplitHoldout(genotypes.samples(), all.labels.codes, families, options.holdout_share);
  dataset.holdout.genotypes = genotypes.SelectSamples(split.holdout);
  genotypes.KeepSamples(split.training);
  dataset.training.genotypes = std::move(genotypes);
  if (!families.empty()) dataset.training.families = dataset.families = At(families, split.training);
  if (!all.labels.codes.empty()) {
    const absl::Status added = AddLabels(all.labels, options.min_label_samples, split, dataset);
    if (!added.ok()) return Annotate(added, options.panel);
  }
  if (!options.phenotypes.empty()) {
    if (absl::Status added = AddPhenotypes(all, options, split, dataset); !added.ok()) {
      return Annotate(added, options.phenotypes);
    }
  }
  std::vector<std::string> files = FilesOf(options.genotypes);
  for (const std::string& file : {options.panel, options.phenotypes}) {
    if (!file.empty()) files.push_back(file);
  }
  GENOSERVE_ASSIGN_OR_RETURN(*dataset.manifest.mutable_training()->mutable_data_digest(), DigestFiles(files));
  dataset.variants = std::move(all.data.variants);
  dataset.training.chromosome_starts = ChromosomeStarts(dataset.variants);

  v1::Manifest& manifest = dataset.manifest;
  manifest.set_ploidy(2);
  manifest.set_phased(!options.diploid);
  manifest.set_variant_count(static_cast<int64_t>(dataset.variants.size()));
  manifest.set_variant_digest(dataset.variants.Digest());
  manifest.mutable_training()->set_samples(static_cast<int64_t>(split.training.size()));
  manifest.mutable_training()->set_holdout_samples(static_cast<int64_t>(split.holdout.size()));
  manifest.mutable_training()->set_imputed_calls(all.data.imputed_calls);
  return dataset;
}

}  // namespace genoserve

#include "trainer/dataset/dataset.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/sample_tables.h"
#include "core/quality/holdout.h"
#include "core/quality/kinship.h"
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
  if (options.diploid) all.data.genotypes = all.data.genotypes.ToDiploid();
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

void DescribeLabels(const Labels& labels, Dataset& dataset) {
  std::vector<int64_t> counts(labels.names.size());
  for (const int code : dataset.training.labels) ++counts[static_cast<size_t>(code)];
  dataset.manifest.set_label_column(labels.column);
  for (size_t label = 0; label < counts.size(); ++label) {
    v1::LabelSchema& schema = *dataset.manifest.add_labels();
    schema.set_name(labels.names[label]);
    schema.set_training_samples(counts[label]);
  }
}

// Adds the phenotypes of both parts, and describes them as the training has them.
absl::Status AddPhenotypes(const AllSamples& all, const std::vector<std::string>& names, const Split& split,
                           Dataset& dataset) {
  GENOSERVE_ASSIGN_OR_RETURN(const PhenotypeTable training,
                             all.phenotypes.Select(At(all.data.samples, split.training), names));
  for (size_t i = 0; i < training.columns().size(); ++i) {
    const PhenotypeColumn& column = training.columns()[i];
    GENOSERVE_ASSIGN_OR_RETURN(const v1::PhenotypeSchema schema, SchemaOf(column));
    const std::vector<std::string> levels(schema.categorical().levels().begin(), schema.categorical().levels().end());
    dataset.training.phenotypes.push_back(NumbersOf(column, levels));
    dataset.holdout.phenotypes.push_back(At(NumbersOf(all.phenotypes.columns()[i], levels), split.holdout));
    *dataset.manifest.add_phenotypes() = schema;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Dataset> LoadDataset(const DatasetOptions& options) {
  GENOSERVE_ASSIGN_OR_RETURN(AllSamples all, ReadAll(options));
  const GenotypeMatrix& genotypes = all.data.genotypes;
  Dataset dataset;
  std::vector<int> families;
  if (options.holdout_share > 0) {
    FamilySearch found;
    families = FamilyClusters(genotypes.ToDiploid(), all.data.variants, &found);
    dataset.family_note = found.note;
  }
  const Split split = SplitHoldout(genotypes.samples(), all.labels.codes, families, options.holdout_share);
  dataset.training.genotypes = genotypes.SelectSamples(split.training);
  dataset.holdout.genotypes = genotypes.SelectSamples(split.holdout);
  if (!families.empty()) dataset.families = At(families, split.training);
  if (!all.labels.codes.empty()) {
    dataset.training.labels = At(all.labels.codes, split.training);
    dataset.holdout.labels = At(all.labels.codes, split.holdout);
    DescribeLabels(all.labels, dataset);
  }
  if (!options.phenotypes.empty()) {
    if (absl::Status added = AddPhenotypes(all, options.phenotype_names, split, dataset); !added.ok()) {
      return Annotate(added, options.phenotypes);
    }
  }
  std::vector<std::string> files = FilesOf(options.genotypes);
  for (const std::string& file : {options.panel, options.phenotypes}) {
    if (!file.empty()) files.push_back(file);
  }
  GENOSERVE_ASSIGN_OR_RETURN(*dataset.manifest.mutable_training()->mutable_data_digest(), DigestFiles(files));
  dataset.variants = std::move(all.data.variants);

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

#include "trainer/dataset/dataset.h"

#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "core/io/sample_tables.h"
#include "trainer/dataset/phenotype_schema.h"

namespace genoserve {
namespace {

absl::Status AddLabels(const DatasetOptions& options, const std::vector<std::string>& samples, Dataset& dataset) {
  GENOSERVE_ASSIGN_OR_RETURN(const Panel panel, ReadPanel(options.panel));
  absl::StatusOr<Labels> labels = panel.LabelsOf(samples, options.label_column);
  if (!labels.ok()) return Annotate(labels.status(), options.panel);
  std::vector<int64_t> counts(labels->names.size());
  for (const int code : labels->codes) ++counts[static_cast<size_t>(code)];
  dataset.manifest.set_label_column(labels->column);
  for (size_t label = 0; label < counts.size(); ++label) {
    v1::LabelSchema& schema = *dataset.manifest.add_labels();
    schema.set_name(labels->names[label]);
    schema.set_training_samples(counts[label]);
  }
  dataset.training.labels = std::move(labels->codes);
  return absl::OkStatus();
}

absl::Status AddPhenotypes(const DatasetOptions& options, const std::vector<std::string>& samples, Dataset& dataset) {
  GENOSERVE_ASSIGN_OR_RETURN(const PhenotypeTable all, ReadPhenotypes(options.phenotypes, options.categorical));
  const absl::StatusOr<PhenotypeTable> table = all.Select(samples, options.phenotype_names);
  if (!table.ok()) return Annotate(table.status(), options.phenotypes);
  for (const PhenotypeColumn& column : table->columns()) {
    absl::StatusOr<v1::PhenotypeSchema> schema = SchemaOf(column);
    if (!schema.ok()) return Annotate(schema.status(), options.phenotypes);
    *dataset.manifest.add_phenotypes() = *std::move(schema);
    dataset.training.phenotypes.push_back(ValuesOf(column));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Dataset> LoadDataset(const DatasetOptions& options) {
  GENOSERVE_ASSIGN_OR_RETURN(GenotypeData data, ReadGenotypes(options.genotypes, {MissingCalls::kImpute}));
  const bool phased = data.genotypes.packing() == Packing::kHaplotype1Bit;
  if (!options.diploid && !phased) {
    return absl::InvalidArgumentError(
        absl::StrCat(options.genotypes.path,
                     ": is not phased throughout, so there are no haplotypes to learn from; phase it, or train a "
                     "generator of diploid genotypes (wgan-gp)"));
  }
  Dataset dataset;
  if (!options.panel.empty()) GENOSERVE_RETURN_IF_ERROR(AddLabels(options, data.samples, dataset));
  if (!options.phenotypes.empty()) GENOSERVE_RETURN_IF_ERROR(AddPhenotypes(options, data.samples, dataset));

  std::vector<std::string> files = FilesOf(options.genotypes);
  for (const std::string& file : {options.panel, options.phenotypes}) {
    if (!file.empty()) files.push_back(file);
  }
  GENOSERVE_ASSIGN_OR_RETURN(*dataset.manifest.mutable_training()->mutable_data_digest(), DigestFiles(files));
  dataset.training.genotypes = options.diploid && phased ? data.genotypes.ToDiploid() : std::move(data.genotypes);
  dataset.variants = std::move(data.variants);

  v1::Manifest& manifest = dataset.manifest;
  manifest.set_ploidy(2);
  manifest.set_phased(!options.diploid);
  manifest.set_variant_count(static_cast<int64_t>(dataset.variants.size()));
  manifest.set_variant_digest(dataset.variants.Digest());
  manifest.mutable_training()->set_samples(static_cast<int64_t>(dataset.training.genotypes.samples()));
  manifest.mutable_training()->set_imputed_calls(data.imputed_calls);
  return dataset;
}

}  // namespace genoserve

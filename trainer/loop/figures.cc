#include "trainer/loop/figures.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// Writes figures of one group of samples.
class FigureWriter {
 public:
  FigureWriter(v1::Manifest& manifest, std::string label, size_t samples)
      : manifest_(manifest), label_(std::move(label)), samples_(samples) {}

  void Add(const char* name, double value) {
    if (!std::isnan(value)) Append(name, value);
  }
  void AddWithMinimum(const char* name, double value, double minimum) { Append(name, value).set_minimum(minimum); }

 private:
  v1::Figure& Append(const char* name, double value) {
    v1::Figure& figure = *manifest_.add_figures();
    figure.set_name(name);
    figure.set_label(label_);
    figure.set_value(value);
    figure.set_n(static_cast<int64_t>(samples_));
    return figure;
  }

  v1::Manifest& manifest_;
  const std::string label_;
  const size_t samples_;
};

double Share(size_t part, size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void AddToBoth(SampleGroup& group, size_t sample) {
  group.real.push_back(sample);
  group.synthetic.push_back(sample);
}

}  // namespace

absl::StatusOr<GenotypeMatrix> GenerateLike(const Generator& generator, const TrainingSet& training, uint64_t seed,
                                            absl::FunctionRef<bool()> should_stop) {
  const size_t samples = training.genotypes.samples();
  const Packing packing = generator.packing();
  GenotypeMatrix cohort(packing, samples * RowsPerSample(packing), generator.variant_count());
  const size_t sample_bytes = cohort.row_bytes() * RowsPerSample(packing);
  std::vector<std::vector<double>> phenotypes(samples);
  for (size_t i = 0; i < samples; ++i) {
    for (const std::vector<double>& values : training.phenotypes) phenotypes[i].push_back(values[i]);
  }
  for (size_t first = 0; first < samples; first += generator.max_tile_samples()) {
    if (should_stop()) return absl::CancelledError("interrupted");
    const size_t count = std::min(generator.max_tile_samples(), samples - first);
    std::vector<SampleSpec> specs(count);
    for (size_t i = 0; i < count; ++i) {
      const size_t sample = first + i;
      specs[i] = {seed, sample, training.labels.empty() ? -1 : training.labels[sample], phenotypes[sample]};
    }
    GenotypeMatrix rows(packing, count * RowsPerSample(packing), generator.variant_count());
    GENOSERVE_RETURN_IF_ERROR(generator.Generate(specs, rows));
    std::copy(rows.bytes().begin(), rows.bytes().end(),
              cohort.mutable_bytes().begin() + static_cast<ptrdiff_t>(first * sample_bytes));
  }
  return cohort;
}

std::vector<SampleGroup> GroupsOf(const v1::Manifest& manifest, const TrainingSet& training) {
  std::vector<SampleGroup> groups;
  for (const v1::LabelSchema& label : manifest.labels()) groups.push_back({label.name(), {}, {}});
  for (size_t i = 0; i < training.labels.size(); ++i) AddToBoth(groups[static_cast<size_t>(training.labels[i])], i);
  for (int p = 0; p < manifest.phenotypes_size(); ++p) {
    const v1::PhenotypeSchema& phenotype = manifest.phenotypes(p);
    const size_t first = groups.size();
    for (const std::string& level : phenotype.categorical().levels()) {
      groups.push_back({absl::StrCat(phenotype.name(), "=", level), {}, {}});
    }
    const std::vector<double>& values = training.phenotypes[static_cast<size_t>(p)];
    for (size_t i = 0; i < values.size() && phenotype.has_categorical(); ++i) {
      if (!std::isnan(values[i])) AddToBoth(groups[first + static_cast<size_t>(values[i])], i);
    }
  }
  return groups;
}

void AddFigures(const CohortComparison& comparison, v1::Manifest& manifest) {
  for (const FrequencyAgreement& frequencies : comparison.frequencies) {
    FigureWriter figures(manifest, frequencies.group, frequencies.synthetic_samples);
    if (frequencies.group.empty()) {
      figures.AddWithMinimum("af.pearson", frequencies.agreement.pearson, kLeastFrequencyCorrelation);
    } else {
      figures.Add("af.pearson", frequencies.agreement.pearson);
    }
    figures.Add("af.rmse", frequencies.agreement.rmse);
    figures.Add("af.max_difference", frequencies.agreement.max_difference);
  }
  FigureWriter all(manifest, "", comparison.frequencies.front().synthetic_samples);
  all.Add("ld.neighbour_r2.real", comparison.linkage.real);
  all.Add("ld.neighbour_r2.synthetic", comparison.linkage.synthetic);
  all.Add("ld.neighbour_r2.pairs", static_cast<double>(comparison.linkage.pairs));
  all.Add("ld.neighbour_r2.dropped_pairs", static_cast<double>(comparison.linkage.dropped));
  const Duplicates& duplicates = comparison.duplicates;
  all.Add("rows.found_in_training", Share(duplicates.found_in_real, duplicates.rows));
  all.Add("rows.repeated", Share(duplicates.repeated, duplicates.rows));
  all.Add("rows.repeated_in_training", Share(duplicates.repeated_in_real, duplicates.real_rows));
}

absl::Status CheckGate(const v1::Manifest& manifest) {
  std::vector<std::string> missed;
  for (const v1::Figure& figure : manifest.figures()) {
    // Written so that a value that is no number fails.
    const std::string name =
        figure.label().empty() ? figure.name() : absl::StrCat(figure.name(), " of ", figure.label());
    if (figure.has_minimum() && !(figure.value() >= figure.minimum())) {
      missed.push_back(
          absl::StrFormat("%s is %.4g, and must be at least %.4g", name, figure.value(), figure.minimum()));
    }
    if (figure.has_maximum() && !(figure.value() <= figure.maximum())) {
      missed.push_back(absl::StrFormat("%s is %.4g, and must be at most %.4g", name, figure.value(), figure.maximum()));
    }
  }
  if (missed.empty()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat("the generator is not good enough to publish: ", absl::StrJoin(missed, "; ")));
}

}  // namespace genoserve

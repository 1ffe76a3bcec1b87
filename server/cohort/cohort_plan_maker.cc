// Checks a request against a manifest and resolves it into a CohortPlan.
#include <cmath>
#include <numeric>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/cohort/cohort_plan.h"
#include "server/cohort/draws.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

std::string Allowed(const google::protobuf::RepeatedPtrField<std::string>& names) {
  return ListNames({names.begin(), names.end()});
}

std::string Item(absl::string_view list, int i, absl::string_view field) {
  return absl::StrCat(list, "[", i, "].", field);
}

absl::Status CheckProportion(const std::string& field, double proportion) {
  if (std::isfinite(proportion) && proportion > 0) return absl::OkStatus();
  return FieldError(field, absl::StrCat(proportion, " is no proportion; finite numbers above 0 are"));
}

absl::Status CheckSum(const std::string& field, const std::vector<double>& proportions) {
  if (std::isfinite(std::accumulate(proportions.begin(), proportions.end(), 0.0))) return absl::OkStatus();
  return FieldError(field, "the sum of the proportions is not finite");
}

absl::StatusOr<int> LevelIndex(const std::string& field, const v1::PhenotypeSchema& schema, const std::string& level) {
  const auto& levels = schema.categorical().levels();
  for (int i = 0; i < levels.size(); ++i) {
    if (levels[i] == level) return i;
  }
  return FieldError(
      field, absl::StrCat("\"", level, "\" is no level of ", schema.name(), "; its levels are ", Allowed(levels)));
}

// The values of a continuous phenotype that a request may name.
struct NumberRange {
  double minimum = 0;
  double maximum = 0;
};

NumberRange Allowed(const v1::PhenotypeSchema& schema, bool extrapolate) {
  const auto& training = schema.continuous();
  const double beyond = extrapolate ? training.maximum() - training.minimum() : 0;
  return {training.minimum() - beyond, training.maximum() + beyond};
}

absl::Status CheckNumber(const std::string& field, const v1::PhenotypeSchema& schema, bool extrapolate, double value) {
  const NumberRange range = Allowed(schema, extrapolate);
  // NaN compares false with everything.
  if (value >= range.minimum && value <= range.maximum) return absl::OkStatus();
  const std::string& unit = schema.continuous().unit();
  return FieldError(
      field,
      absl::StrCat(value, " is outside ",
                   extrapolate ? "what may be extrapolated from the training range of " : "the training range of ",
                   schema.name(), ", ", range.minimum, " to ", range.maximum, unit.empty() ? "" : " ", unit));
}

// Which values a phenotype takes.
std::string KindOf(const v1::PhenotypeSchema& schema) {
  if (schema.has_continuous()) return absl::StrCat(schema.name(), " is continuous; give a number, normal or uniform");
  return absl::StrCat(schema.name(), " is categorical; give a level or level proportions of ",
                      Allowed(schema.categorical().levels()));
}

absl::Status WrongKind(const std::string& field, const v1::PhenotypeSchema& schema) {
  return FieldError(field, KindOf(schema));
}

}  // namespace

// Holds the request and the manifest while a plan is made.
class CohortPlanMaker {
 public:
  CohortPlanMaker(const v1::StreamCohortRequest& request, const v1::Manifest& manifest, int64_t max_cohort_size)
      : request_(request), manifest_(manifest), max_cohort_size_(max_cohort_size) {
    for (const auto& label : manifest.labels()) {
      label_index_.emplace(label.name(), static_cast<int>(label_names_.size()));
      label_names_.push_back(label.name());
    }
    for (const auto& phenotype : manifest.phenotypes()) phenotype_names_.push_back(phenotype.name());
  }

  absl::StatusOr<CohortPlan> Make() {
    GENOSERVE_RETURN_IF_ERROR(CheckCondition());
    GENOSERVE_RETURN_IF_ERROR(ResolveRange());
    GENOSERVE_RETURN_IF_ERROR(ResolveLabels());
    GENOSERVE_RETURN_IF_ERROR(ResolvePhenotypes());
    return std::move(plan_);
  }

 private:
  // What depends on no sizes: terms that exclude one another, and labels of a model that has none.
  absl::Status CheckCondition() const {
    const v1::Condition& condition = request_.condition();
    const bool labels = condition.labels_case() != v1::Condition::LABELS_NOT_SET;
    if (condition.has_per_sample() && (labels || !condition.phenotypes().empty())) {
      return FieldError("condition.per_sample", "excludes label_counts, label_proportions and phenotypes");
    }
    if ((labels || !condition.per_sample().labels().empty()) && label_names_.empty()) {
      return FieldError(condition.has_label_counts()        ? "condition.label_counts"
                        : condition.has_label_proportions() ? "condition.label_proportions"
                                                            : "condition.per_sample.labels",
                        "the model has no population labels");
    }
    return absl::OkStatus();
  }

  absl::Status ResolveRange() {
    int64_t size = request_.cohort_size();
    if (request_.condition().has_label_counts()) {
      GENOSERVE_ASSIGN_OR_RETURN(const int64_t counted, SumOfCounts());
      if (size != 0 && size != counted) {
        return FieldError("cohort_size", absl::StrCat("is ", size, ", but the label counts sum to ", counted));
      }
      size = counted;
    }
    if (size < 1 || size > max_cohort_size_) {
      return FieldError("cohort_size", absl::StrCat(size, " samples; 1 to ", max_cohort_size_, " are allowed"));
    }
    const int64_t first = request_.first_sample();
    if (first < 0 || first >= size) {
      return FieldError("first_sample", absl::StrCat(first, "; 0 to ", size - 1, " are in the cohort"));
    }
    const int64_t count = request_.has_sample_count() ? request_.sample_count() : size - first;
    if (count < 1 || count > size - first) {
      return FieldError("sample_count",
                        absl::StrCat(count, " samples; 1 to ", size - first, " are left in the cohort"));
    }
    plan_.cohort_size_ = size;
    plan_.first_sample_ = first;
    plan_.sample_count_ = count;
    return absl::OkStatus();
  }

  absl::StatusOr<int64_t> SumOfCounts() const {
    const std::string list = "condition.label_counts.counts";
    const auto& counts = request_.condition().label_counts().counts();
    if (counts.empty()) return FieldError(list, "is empty; give at least one label and its count");
    int64_t sum = 0;
    for (int i = 0; i < counts.size(); ++i) {
      if (counts[i].count() < 1 || counts[i].count() > max_cohort_size_ - sum) {
        return FieldError(Item(list, i, "count"), absl::StrCat(counts[i].count(), " samples; at least 1, and at most ",
                                                               max_cohort_size_, " in all, are allowed"));
      }
      sum += counts[i].count();
    }
    return sum;
  }

  absl::StatusOr<int> LabelIndex(const std::string& field, const std::string& label) const {
    const auto found = label_index_.find(label);
    if (found != label_index_.end()) return found->second;
    return FieldError(
        field, absl::StrCat("\"", label, "\" is no label of the model; its labels are ", ListNames(label_names_)));
  }

  // One block for each label with a count.
  absl::StatusOr<CohortPlan::LabelBlocks> Blocks(const std::string& list, const std::vector<std::string>& labels,
                                                 const std::vector<int64_t>& counts) const {
    CohortPlan::LabelBlocks blocks;
    absl::flat_hash_set<int> seen;
    int64_t end = 0;
    for (size_t i = 0; i < labels.size(); ++i) {
      const std::string field = Item(list, static_cast<int>(i), "label");
      GENOSERVE_ASSIGN_OR_RETURN(const int label, LabelIndex(field, labels[i]));
      if (!seen.insert(label).second) return FieldError(field, absl::StrCat("\"", labels[i], "\" comes twice"));
      blocks.labels.push_back(label);
      blocks.ends.push_back(end += counts[i]);
    }
    return blocks;
  }

  absl::Status ResolveLabels() {
    if (label_names_.empty()) return absl::OkStatus();
    const v1::Condition& condition = request_.condition();
    std::vector<std::string> labels;
    std::vector<int64_t> counts;
    if (condition.has_label_counts()) {
      for (const auto& term : condition.label_counts().counts()) {
        labels.push_back(term.label());
        counts.push_back(term.count());
      }
      GENOSERVE_ASSIGN_OR_RETURN(plan_.labels_, Blocks("condition.label_counts.counts", labels, counts));
    } else if (condition.has_label_proportions()) {
      const std::string list = "condition.label_proportions.proportions";
      const auto& terms = condition.label_proportions().proportions();
      if (terms.empty()) return FieldError(list, "is empty; give at least one label and its proportion");
      std::vector<double> proportions;
      for (int i = 0; i < terms.size(); ++i) {
        GENOSERVE_RETURN_IF_ERROR(CheckProportion(Item(list, i, "proportion"), terms[i].proportion()));
        proportions.push_back(terms[i].proportion());
        labels.push_back(terms[i].label());
      }
      GENOSERVE_RETURN_IF_ERROR(CheckSum(list, proportions));
      counts = LargestRemainder(plan_.cohort_size_, proportions);
      GENOSERVE_ASSIGN_OR_RETURN(plan_.labels_, Blocks(list, labels, counts));
    } else if (!condition.per_sample().labels().empty()) {
      const std::string list = "condition.per_sample.labels";
      const auto& terms = condition.per_sample().labels();
      GENOSERVE_RETURN_IF_ERROR(CheckOnePerSample(list, terms.size()));
      CohortPlan::GivenLabels given;
      for (int i = 0; i < terms.size(); ++i) {
        const auto found = label_index_.find(terms[i]);
        if (found == label_index_.end()) return LabelIndex(absl::StrCat(list, "[", i, "]"), terms[i]).status();
        given.labels.push_back(found->second);
      }
      plan_.labels_ = std::move(given);
    } else {
      std::vector<double> frequencies;
      for (const auto& label : manifest_.labels()) frequencies.push_back(static_cast<double>(label.training_samples()));
      plan_.labels_ = CohortPlan::DrawnLabels{Cumulate(frequencies)};
    }
    return absl::OkStatus();
  }

  absl::Status CheckOnePerSample(const std::string& list, int size) const {
    if (size == plan_.sample_count_) return absl::OkStatus();
    return FieldError(list, absl::StrCat(size, " values for the ", plan_.sample_count_,
                                         " samples asked for; one a sample is needed"));
  }

  absl::StatusOr<size_t> PhenotypeIndex(const std::string& field, const std::string& name,
                                        absl::flat_hash_set<std::string>* seen) const {
    if (!seen->insert(name).second) return FieldError(field, absl::StrCat("\"", name, "\" comes twice"));
    for (size_t i = 0; i < phenotype_names_.size(); ++i) {
      if (phenotype_names_[i] == name) return i;
    }
    return FieldError(field, absl::StrCat("\"", name, "\" is no phenotype of the model; ",
                                          phenotype_names_.empty() ? "it has none" : "its phenotypes are ",
                                          ListNames(phenotype_names_)));
  }

  absl::Status ResolvePhenotypes() {
    for (const auto& schema : manifest_.phenotypes()) {
      if (schema.has_continuous()) {
        const auto& quantiles = schema.continuous().quantiles();
        if (quantiles.size() != static_cast<int>(kQuantiles)) {
          return absl::InternalError(absl::StrCat("the manifest has ", quantiles.size(), " quantiles of ",
                                                  schema.name(), ", not ", kQuantiles));
        }
        plan_.phenotypes_.emplace_back(CohortPlan::Quantiles{{quantiles.begin(), quantiles.end()}});
      } else {
        const auto& frequencies = schema.categorical().frequencies();
        CohortPlan::Levels levels;
        levels.levels.resize(static_cast<size_t>(frequencies.size()));
        std::iota(levels.levels.begin(), levels.levels.end(), 0);
        levels.cumulative = Cumulate(std::vector<double>(frequencies.begin(), frequencies.end()));
        plan_.phenotypes_.emplace_back(std::move(levels));
      }
    }
    absl::flat_hash_set<std::string> seen;
    const auto& terms = request_.condition().phenotypes();
    for (int i = 0; i < terms.size(); ++i) {
      const std::string field = absl::StrCat("condition.phenotypes[", i, "]");
      GENOSERVE_ASSIGN_OR_RETURN(const size_t index, PhenotypeIndex(field + ".name", terms[i].name(), &seen));
      GENOSERVE_ASSIGN_OR_RETURN(plan_.phenotypes_[index],
                                 Source(field, terms[i], manifest_.phenotypes(static_cast<int>(index))));
    }
    const auto& per_sample = request_.condition().per_sample().phenotypes();
    for (int i = 0; i < per_sample.size(); ++i) {
      const std::string field = absl::StrCat("condition.per_sample.phenotypes[", i, "]");
      GENOSERVE_ASSIGN_OR_RETURN(const size_t index, PhenotypeIndex(field + ".name", per_sample[i].name(), &seen));
      GENOSERVE_ASSIGN_OR_RETURN(plan_.phenotypes_[index],
                                 GivenSource(field, per_sample[i], manifest_.phenotypes(static_cast<int>(index))));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<CohortPlan::PhenotypeSource> Source(const std::string& field, const v1::PhenotypeTerm& term,
                                                     const v1::PhenotypeSchema& schema) const {
    const bool extrapolate = request_.condition().extrapolate();
    switch (term.value_case()) {
      case v1::PhenotypeTerm::kNumber:
        if (!schema.has_continuous()) return WrongKind(field + ".number", schema);
        GENOSERVE_RETURN_IF_ERROR(CheckNumber(field + ".number", schema, extrapolate, term.number()));
        return CohortPlan::Fixed{term.number()};
      case v1::PhenotypeTerm::kLevel: {
        if (!schema.has_categorical()) return WrongKind(field + ".level", schema);
        GENOSERVE_ASSIGN_OR_RETURN(const int level, LevelIndex(field + ".level", schema, term.level()));
        return CohortPlan::Fixed{static_cast<double>(level)};
      }
      case v1::PhenotypeTerm::kNormal: {
        if (!schema.has_continuous()) return WrongKind(field + ".normal", schema);
        GENOSERVE_RETURN_IF_ERROR(CheckNumber(field + ".normal.mean", schema, extrapolate, term.normal().mean()));
        const double deviation = term.normal().standard_deviation();
        if (!std::isfinite(deviation) || deviation < 0) {
          return FieldError(field + ".normal.standard_deviation",
                            absl::StrCat(deviation, " is no standard deviation; finite numbers from 0 are"));
        }
        const NumberRange range = Allowed(schema, extrapolate);
        return CohortPlan::Normal{term.normal().mean(), deviation, range.minimum, range.maximum};
      }
      case v1::PhenotypeTerm::kUniform:
        if (!schema.has_continuous()) return WrongKind(field + ".uniform", schema);
        GENOSERVE_RETURN_IF_ERROR(CheckNumber(field + ".uniform.low", schema, extrapolate, term.uniform().low()));
        GENOSERVE_RETURN_IF_ERROR(CheckNumber(field + ".uniform.high", schema, extrapolate, term.uniform().high()));
        if (term.uniform().low() > term.uniform().high()) {
          return FieldError(field + ".uniform",
                            absl::StrCat("low ", term.uniform().low(), " is above high ", term.uniform().high()));
        }
        return CohortPlan::Uniform{term.uniform().low(), term.uniform().high()};
      case v1::PhenotypeTerm::kLevels:
        if (!schema.has_categorical()) return WrongKind(field + ".levels", schema);
        return LevelSource(field + ".levels.proportions", term.levels(), schema);
      case v1::PhenotypeTerm::VALUE_NOT_SET:
        break;
    }
    return FieldError(field, absl::StrCat("has no value; ", KindOf(schema)));
  }

  static absl::StatusOr<CohortPlan::PhenotypeSource> LevelSource(const std::string& list,
                                                                 const v1::LevelProportions& term,
                                                                 const v1::PhenotypeSchema& schema) {
    if (term.proportions().empty()) return FieldError(list, "is empty; give at least one level and its proportion");
    CohortPlan::Levels levels;
    std::vector<double> proportions;
    absl::flat_hash_set<int> seen;
    for (int i = 0; i < term.proportions_size(); ++i) {
      const auto& proportion = term.proportions(i);
      GENOSERVE_ASSIGN_OR_RETURN(const int level, LevelIndex(Item(list, i, "level"), schema, proportion.level()));
      if (!seen.insert(level).second) {
        return FieldError(Item(list, i, "level"), absl::StrCat("\"", proportion.level(), "\" comes twice"));
      }
      GENOSERVE_RETURN_IF_ERROR(CheckProportion(Item(list, i, "proportion"), proportion.proportion()));
      levels.levels.push_back(level);
      proportions.push_back(proportion.proportion());
    }
    GENOSERVE_RETURN_IF_ERROR(CheckSum(list, proportions));
    levels.cumulative = Cumulate(proportions);
    return levels;
  }

  absl::StatusOr<CohortPlan::PhenotypeSource> GivenSource(const std::string& field, const v1::SamplePhenotype& term,
                                                          const v1::PhenotypeSchema& schema) const {
    CohortPlan::GivenValues given;
    if (schema.has_continuous()) {
      if (!term.levels().empty()) return WrongKind(field + ".levels", schema);
      GENOSERVE_RETURN_IF_ERROR(CheckOnePerSample(field + ".numbers", term.numbers_size()));
      const bool extrapolate = request_.condition().extrapolate();
      const NumberRange range = Allowed(schema, extrapolate);
      for (int i = 0; i < term.numbers_size(); ++i) {
        const double value = term.numbers(i);
        if (!(value >= range.minimum && value <= range.maximum)) {
          return CheckNumber(absl::StrCat(field, ".numbers[", i, "]"), schema, extrapolate, value);
        }
        given.values.push_back(value);
      }
    } else {
      if (!term.numbers().empty()) return WrongKind(field + ".numbers", schema);
      GENOSERVE_RETURN_IF_ERROR(CheckOnePerSample(field + ".levels", term.levels_size()));
      for (int i = 0; i < term.levels_size(); ++i) {
        GENOSERVE_ASSIGN_OR_RETURN(const int level,
                                   LevelIndex(absl::StrCat(field, ".levels[", i, "]"), schema, term.levels(i)));
        given.values.push_back(level);
      }
    }
    return given;
  }

  const v1::StreamCohortRequest& request_;
  const v1::Manifest& manifest_;
  const int64_t max_cohort_size_;
  absl::flat_hash_map<std::string, int> label_index_;
  std::vector<std::string> label_names_;
  std::vector<std::string> phenotype_names_;
  CohortPlan plan_;
};

absl::StatusOr<CohortPlan> CohortPlan::Make(const v1::StreamCohortRequest& request, const v1::Manifest& manifest,
                                            int64_t max_cohort_size) {
  return CohortPlanMaker(request, manifest, max_cohort_size).Make();
}

}  // namespace genoserve

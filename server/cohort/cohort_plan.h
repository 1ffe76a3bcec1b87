// What a request asks for, resolved against a manifest: which samples, and the label and phenotypes of each.
#pragma once

#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// The label and the phenotypes of a sample are a function of the cohort that the request names, the seed and the
/// sample's index: not of the range, so that shards and resumes agree. Const methods are thread-safe.
class CohortPlan {
 public:
  /// Resolves the cohort, the range and the condition of a request. INVALID_ARGUMENT with google.rpc.BadRequest names
  /// the field and what is allowed.
  static absl::StatusOr<CohortPlan> Make(const v1::StreamCohortRequest& request, const v1::Manifest& manifest,
                                         int64_t max_cohort_size);

  /// Samples of the whole cohort.
  int64_t cohort_size() const { return cohort_size_; }
  /// Index in the cohort of the first sample to send.
  int64_t first_sample() const { return first_sample_; }
  /// Samples to send, at least 1.
  int64_t sample_count() const { return sample_count_; }
  /// Phenotypes of the manifest.
  size_t phenotype_count() const { return phenotypes_.size(); }

  /// Index into the manifest's labels of a sample of the range; -1 where the model has none.
  int Label(uint64_t seed, int64_t sample) const;

  /// Fills in one value a phenotype of the manifest: in its unit, or the index of a level.
  void Phenotypes(uint64_t seed, int64_t sample, std::span<double> values) const;

 private:
  friend class CohortPlanMaker;

  struct NoLabels {};
  struct LabelBlocks {
    std::vector<int64_t> ends;  // index after the last sample of each block
    std::vector<int> labels;
  };
  struct DrawnLabels {
    std::vector<double> cumulative;  // of the training samples of each label
  };
  struct GivenLabels {
    std::vector<int> labels;  // of the samples of the range
  };

  struct Fixed {
    double value;
  };
  struct Normal {
    double mean, standard_deviation, minimum, maximum;
  };
  struct Uniform {
    double low, high;
  };
  struct Levels {
    std::vector<int> levels;
    std::vector<double> cumulative;
  };
  struct Quantiles {
    std::vector<double> quantiles;
  };
  struct GivenValues {
    std::vector<double> values;  // of the samples of the range
  };
  using PhenotypeSource = std::variant<Fixed, Normal, Uniform, Levels, Quantiles, GivenValues>;

  CohortPlan() = default;

  int64_t cohort_size_ = 0;
  int64_t first_sample_ = 0;
  int64_t sample_count_ = 0;
  std::variant<NoLabels, LabelBlocks, DrawnLabels, GivenLabels> labels_;
  std::vector<PhenotypeSource> phenotypes_;
};

}  // namespace genoserve

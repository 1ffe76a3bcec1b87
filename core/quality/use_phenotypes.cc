#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/parallel.h"
#include "core/quality/classifiers.h"
#include "core/quality/measurement.h"
#include "core/quality/ridge.h"
#include "core/quality/use.h"
#include "core/quality/use_scores.h"

namespace genoserve {
namespace {

constexpr size_t kMostPoints = 1000;  // of a series

// A phenotype of some samples beside what genotypes predict: one number, or a score a level.
struct Prediction {
  std::string reason;         // why there is none
  std::vector<double> truth;  // in the phenotype's unit, or the index of a level
  Eigen::MatrixXd predicted;  // samples x 1 or x levels

  std::span<const double> Column(size_t column) const {
    return {predicted.col(static_cast<Eigen::Index>(column)).data(), static_cast<size_t>(predicted.rows())};
  }
};

std::vector<double> ValuesOf(const UseSamples& samples, const Rows& rows, size_t phenotype) {
  std::vector<double> values;
  values.reserve(rows.size());
  for (const Eigen::Index row : rows) values.push_back(samples.phenotypes[phenotype][static_cast<size_t>(row)]);
  return values;
}

// A predictor of one phenotype, fitted to one set.
class Predictor {
 public:
  Predictor(const UseSamples& samples, UseSet set, size_t phenotype, const PhenotypeKind& kind)
      : samples_(samples), phenotype_(phenotype), kind_(kind), training_(samples.Of(set, phenotype)) {
    const std::vector<double> values = ValuesOf(samples, training_, phenotype);
    reason_ = WhyUnusable(values, kind.name, NameOf(set));
    if (!reason_.empty()) return;
    Eigen::MatrixXd targets;
    if (kind.levels.empty()) {
      targets = Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
    } else {
      targets = OneHot(std::vector<int>(values.begin(), values.end()), kind.levels.size());
    }
    ridge_.emplace(samples.products(training_, training_), targets);
  }

  Prediction Predict(UseSet set) const {
    const Rows rows = samples_.Of(set, phenotype_);
    Prediction prediction;
    prediction.truth = ValuesOf(samples_, rows, phenotype_);
    prediction.reason = reason_.empty() ? WhyUnusable(prediction.truth, kind_.name, NameOf(set)) : reason_;
    if (prediction.reason.empty()) prediction.predicted = ridge_->Predict(samples_.products(rows, training_));
    return prediction;
  }

 private:
  const UseSamples& samples_;
  size_t phenotype_;
  const PhenotypeKind& kind_;
  Rows training_;
  std::string reason_;
  std::optional<KernelRidge> ridge_;
};

using Predictions = std::array<Prediction, kCandidates.size()>;

// Of each candidate's prediction, the statistic over any resample of its samples.
Measurements Measure(const Predictions& predictions, uint64_t seed,
                     absl::FunctionRef<double(const Prediction&, std::span<const uint32_t>)> statistic) {
  return ForEachCandidate([&](Candidate candidate) {
    const Prediction& prediction = predictions[static_cast<size_t>(candidate)];
    if (!prediction.reason.empty()) return NotMeasured(prediction.reason);
    return Bootstrap(
        prediction.truth.size(), seed,
        [&](std::span<const uint32_t> indices) { return statistic(prediction, indices); },
        "The prediction is the same for all samples.");
  });
}

// The mean over levels of the area under the curve of one level against all others; levels that no sample or every
// sample has are left out.
double MeanAuc(const Prediction& prediction, std::span<const uint32_t> indices) {
  double sum = 0;
  double levels = 0;
  std::vector<uint8_t> of_level(prediction.truth.size());
  for (size_t level = 0; level < static_cast<size_t>(prediction.predicted.cols()); ++level) {
    for (size_t i = 0; i < of_level.size(); ++i)
      of_level[i] = prediction.truth[i] == static_cast<double>(level) ? 1 : 0;
    const double auc = AucOf(of_level, prediction.Column(level), indices);
    if (!std::isfinite(auc)) continue;
    sum += auc;
    ++levels;
  }
  return sum / levels;
}

void AddScatter(const PhenotypeKind& kind, const Predictions& predictions, v1::Quality* quality) {
  v1::Chart chart;
  chart.set_name("use.phenotype_scatter");
  chart.set_label(kind.name);
  chart.set_title(absl::StrCat("Requested and predicted ", kind.name));
  chart.set_kind(v1::CHART_KIND_SCATTER);
  chart.mutable_x()->set_title(absl::StrCat("Requested or measured ", kind.name));
  chart.mutable_y()->set_title(absl::StrCat(kind.name, " predicted from the genotypes"));
  chart.set_note(
      "The predictor was fitted to real samples. Synthetic points should lie as the real ones do: a steeper cloud "
      "means "
      "genotypes that are too typical of the request, a flat one that the request was not heard.");
  for (const Candidate candidate : {Candidate::kFloor, Candidate::kSynthetic}) {
    const Prediction& prediction = predictions[static_cast<size_t>(candidate)];
    if (!prediction.reason.empty()) continue;
    v1::Series& series = *chart.add_series();
    const bool synthetic = candidate == Candidate::kSynthetic;
    series.set_name(synthetic ? "Synthetic samples" : "Real samples");
    series.set_role(synthetic ? "synthetic" : "training");
    const size_t total = prediction.truth.size();
    const size_t points = std::min(total, kMostPoints);
    for (size_t k = 0; k < points; ++k) {
      const size_t i = k * total / points;
      series.add_x(static_cast<float>(prediction.truth[i]));
      series.add_y(static_cast<float>(prediction.predicted(static_cast<Eigen::Index>(i), 0)));
    }
  }
  if (chart.series_size() > 0) *quality->add_charts() = std::move(chart);
}

}  // namespace

void AddPhenotypeFigures(const QualitySets& sets, const UseSamples& samples, size_t phenotype, v1::Quality* quality) {
  const PhenotypeKind& kind = sets.phenotypes[phenotype];
  Predictions requests;   // fitted to members, of each candidate
  Predictions transfers;  // fitted to each candidate, of the hold-out samples
  std::array<std::optional<Predictor>, kCandidates.size() + 1> predictors;
  ParallelFor(predictors.size(), [&](size_t i) {
    predictors[i].emplace(samples, i < kCandidates.size() ? UseSetOf(kCandidates[i]) : UseSet::kMembers, phenotype,
                          kind);
  });
  ParallelFor(kCandidates.size(), [&](size_t c) {
    requests[c] = predictors.back()->Predict(UseSetOf(kCandidates[c]));
    transfers[c] = predictors[c]->Predict(UseSet::kHoldout);
  });
  if (!kind.levels.empty()) {
    AddFigure("use.request_recovered", kind.name,
              Measure(requests, sets.seed,
                      [](const Prediction& prediction, std::span<const uint32_t> indices) {
                        double right = 0;
                        for (const uint32_t i : indices) {
                          Eigen::Index level = 0;
                          prediction.predicted.row(i).maxCoeff(&level);
                          right += prediction.truth[i] == static_cast<double>(level) ? 1 : 0;
                        }
                        return right / static_cast<double>(indices.size());
                      }),
              quality);
    AddFigure("use.pheno_auc", kind.name, Measure(transfers, sets.seed, MeanAuc), quality);
    return;
  }
  AddFigure("use.request_r", kind.name,
            Measure(requests, sets.seed,
                    [](const Prediction& prediction, std::span<const uint32_t> indices) {
                      return CorrelationOf(prediction.truth, prediction.Column(0), indices);
                    }),
            quality);
  AddFigure("use.pheno_r", kind.name,
            Measure(transfers, sets.seed,
                    [](const Prediction& prediction, std::span<const uint32_t> indices) {
                      return CorrelationOf(prediction.truth, prediction.Column(0), indices);
                    }),
            quality);
  AddFigure("use.pheno_r2", kind.name,
            Measure(transfers, sets.seed,
                    [](const Prediction& prediction, std::span<const uint32_t> indices) {
                      return DeterminationOf(prediction.truth, prediction.Column(0), indices);
                    }),
            quality);
  if (phenotype < kMostPhenotypeCharts) AddScatter(kind, requests, quality);
}

}  // namespace genoserve

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "core/base/parallel.h"
#include "core/quality/classifiers.h"
#include "core/quality/measurement.h"
#include "core/quality/ridge.h"
#include "core/quality/use.h"
#include "core/quality/use_components.h"

namespace genoserve {
namespace {

constexpr size_t kMostComponents = 50;
// Samples of the training there are a component: with fewer, late components are noise of the training alone.
constexpr size_t kSamplesPerComponent = 5;
constexpr size_t kMostChartLabels = 100;

constexpr std::array<absl::string_view, 3> kClassifiers = {"nearest neighbours", "linear", "network"};
using Correctness = std::array<std::vector<double>, kClassifiers.size()>;  // 1 or 0, each tested sample

std::vector<int> LabelsOf(const UseSamples& samples, const Rows& rows) {
  std::vector<int> labels;
  labels.reserve(rows.size());
  for (const Eigen::Index row : rows) labels.push_back(samples.labels[static_cast<size_t>(row)]);
  return labels;
}

std::vector<int> NearestLabels(const UseSamples& samples, const Rows& training, std::span<const int> labels) {
  std::vector<int> predicted;
  std::vector<uint32_t> distances(training.size());
  for (Eigen::Index i = 0; i < samples.distances.rows(); ++i) {
    for (size_t j = 0; j < training.size(); ++j) distances[j] = samples.distances(i, training[j]);
    predicted.push_back(LabelOfNeighbours(distances, labels));
  }
  return predicted;
}

std::vector<int> LinearLabels(const UseSamples& samples, const Rows& training, std::span<const int> labels,
                              const Rows& tested, size_t classes) {
  const KernelRidge ridge(samples.products(training, training), OneHot(labels, classes));
  return LargestOfRows(ridge.Predict(samples.products(tested, training)));
}

std::vector<int> NetworkLabels(const UseSamples& samples, const Rows& training, std::span<const int> labels,
                               const Rows& tested, size_t classes, uint64_t seed) {
  const Eigen::MatrixXf products = samples.products(training, training);
  const Components components(products, std::min(kMostComponents, training.size() / kSamplesPerComponent), seed);
  const Network network(components.Scores(products), labels, classes, seed);
  return LargestOfRows(network.Predict(components.Scores(samples.products(tested, training))));
}

// How each classifier, trained on these rows, does on the hold-out samples.
Correctness TestClassifiers(const UseSamples& samples, const Rows& training, size_t classes, uint64_t seed) {
  const Rows tested = samples.Of(UseSet::kHoldout);
  const std::vector<int> truth = LabelsOf(samples, tested);
  const std::vector<int> labels = LabelsOf(samples, training);
  const std::array<std::vector<int>, 3> predicted = {NearestLabels(samples, training, labels),
                                                     LinearLabels(samples, training, labels, tested, classes),
                                                     NetworkLabels(samples, training, labels, tested, classes, seed)};
  Correctness correct;
  for (size_t k = 0; k < correct.size(); ++k) {
    for (size_t i = 0; i < truth.size(); ++i) correct[k].push_back(predicted[k][i] == truth[i] ? 1 : 0);
  }
  return correct;
}

Rows Joined(Rows rows, const Rows& more) {
  rows.insert(rows.end(), more.begin(), more.end());
  return rows;
}

void AddTransferFigures(const QualitySets& sets, const UseSamples& samples, v1::Quality* quality) {
  // Candidates alone, then each added to the floor; the floor itself is added to as many more training samples.
  const size_t candidates = kCandidates.size();
  std::vector<Rows> training;
  training.reserve(2 * candidates);
  for (const Candidate candidate : kCandidates) training.push_back(samples.Of(UseSetOf(candidate)));
  const Rows floor = samples.Of(UseSet::kFloor);
  for (const Candidate candidate : kCandidates) {
    training.push_back(
        Joined(floor, samples.Of(candidate == Candidate::kFloor ? UseSet::kMembers : UseSetOf(candidate))));
  }
  std::vector<Correctness> correct(training.size());
  // The longest first, so that no thread is left alone with one.
  ParallelFor(training.size(), [&](size_t i) {
    const size_t at = training.size() - 1 - i;
    correct[at] = TestClassifiers(samples, training[at], sets.labels.size(), sets.seed);
  });
  for (size_t k = 0; k < kClassifiers.size(); ++k) {
    AddFigure("use.label_accuracy", kClassifiers[k], ForEachCandidate([&](Candidate candidate) {
                return BootstrapMean(correct[static_cast<size_t>(candidate)][k], sets.seed, "Too few samples.");
              }),
              quality);
  }
  for (size_t k = 0; k < kClassifiers.size(); ++k) {
    AddFigure("use.augmented_gain", kClassifiers[k], ForEachCandidate([&](Candidate candidate) {
                std::vector<double> gains = correct[candidates + static_cast<size_t>(candidate)][k];
                const std::vector<double>& alone = correct[static_cast<size_t>(Candidate::kFloor)][k];
                for (size_t i = 0; i < gains.size(); ++i) gains[i] -= alone[i];
                return BootstrapMean(gains, sets.seed, "Too few samples.");
              }),
              quality);
  }
}

void AddConfusionChart(const QualitySets& sets, std::span<const int> present, std::span<const int> requested,
                       std::span<const int> recovered, v1::Quality* quality) {
  if (present.size() > kMostChartLabels) return;
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("use.confusion");
  chart.set_title("Requested and recovered labels");
  chart.set_kind(v1::CHART_KIND_HEATMAP);
  chart.mutable_x()->set_title("Recovered label");
  chart.mutable_y()->set_title("Requested label");
  chart.set_note(
      "Share of the synthetic samples of each label (row) that a linear classifier of real samples takes for each "
      "label "
      "(column). A strong diagonal is good where real samples have one too.");
  v1::Matrix& matrix = *chart.mutable_matrix();
  matrix.set_maximum(1);
  for (const int row : present) {
    matrix.add_rows(sets.labels[static_cast<size_t>(row)]);
    matrix.add_columns(sets.labels[static_cast<size_t>(row)]);
    const auto total = static_cast<float>(std::count(requested.begin(), requested.end(), row));
    for (const int column : present) {
      float count = 0;
      for (size_t i = 0; i < requested.size(); ++i) count += requested[i] == row && recovered[i] == column ? 1.F : 0.F;
      matrix.add_values(total > 0 ? count / total : std::numeric_limits<float>::quiet_NaN());
    }
  }
}

void AddRecoveryFigures(const QualitySets& sets, const UseSamples& samples, std::span<const int> present,
                        v1::Quality* quality) {
  const Rows members = samples.Of(UseSet::kMembers);
  const std::vector<int> labels = LabelsOf(samples, members);
  std::array<std::vector<int>, kCandidates.size()> requested;
  std::array<std::vector<int>, kCandidates.size()> recovered;
  const KernelRidge ridge(samples.products(members, members), OneHot(labels, sets.labels.size()));
  ParallelFor(kCandidates.size(), [&](size_t c) {
    const Rows rows = samples.Of(UseSetOf(kCandidates[c]));
    requested[c] = LabelsOf(samples, rows);
    recovered[c] = LargestOfRows(ridge.Predict(samples.products(rows, members)));
  });
  // Of one label, or of all where it is -1.
  const auto measure = [&](int label) {
    return ForEachCandidate([&](Candidate candidate) {
      const auto c = static_cast<size_t>(candidate);
      std::vector<double> correct;
      for (size_t i = 0; i < requested[c].size(); ++i) {
        if (label < 0 || requested[c][i] == label) correct.push_back(recovered[c][i] == requested[c][i] ? 1 : 0);
      }
      return BootstrapMean(correct, sets.seed, "Fewer than two samples have this label.");
    });
  };
  AddFigure("use.label_recovered", "", measure(-1), quality);
  for (const int label : present) {
    AddFigure("use.label_recovered", sets.labels[static_cast<size_t>(label)], measure(label), quality);
  }
  AddConfusionChart(sets, present, requested[0], recovered[0], quality);
}

}  // namespace

void AddLabelFigures(const QualitySets& sets, const UseSamples& samples, v1::Quality* quality) {
  std::vector<int> present = samples.labels;
  std::sort(present.begin(), present.end());
  present.erase(std::unique(present.begin(), present.end()), present.end());
  if (present.size() < 2 || present.front() < 0) {
    const absl::string_view reason = sets.labels.empty() ? "The cohorts have no population labels."
                                                         : "The samples compared do not have two population labels.";
    for (const absl::string_view name : {"use.label_accuracy", "use.augmented_gain", "use.label_recovered"}) {
      AddMissingFigure(name, "", reason, quality);
    }
    return;
  }
  AddTransferFigures(sets, samples, quality);
  AddRecoveryFigures(sets, samples, present, quality);
}

}  // namespace genoserve

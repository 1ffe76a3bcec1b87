// Principal components (families.h). Components are fitted on training samples; hold-out and candidates are projected.
// Training samples of the floor are left out of the fit: rows that components were fitted on lie wider on them than new
// rows do, and the floor would look worse than an honest generator.
//
// Intervals resample samples, with components and optimal potentials held: the distance is then a mean of one number a
// sample (transport.h), which is exact at the value and of first order around it. Recomputing the distance between
// resamples would be biased upwards, and the interval would not hold its own value. Row i of candidate and hold-out are
// resampled together, which keeps labels in proportion. That of the alignment resamples blocks of neighbouring
// variants, with the fitted components held.

#include <Eigen/Core>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/parallel.h"
#include "core/base/philox.h"
#include "core/quality/catalogue.h"
#include "core/quality/families.h"
#include "core/quality/measurement.h"
#include "core/quality/pca.h"
#include "core/quality/transport.h"

namespace genoserve {
namespace {

constexpr size_t kComponents = 10;
constexpr size_t kFitRows = 2000;        // of the training
constexpr size_t kTransportRows = 1000;  // of an optimal transport in two dimensions
constexpr size_t kPaperRows = 1002;      // of the paper's test set
constexpr size_t kAlignmentBlocks = 100;

// "Sample" of the Philox streams that draw rows.
constexpr uint64_t kFitDraw = uint64_t{81} << 40;
constexpr uint64_t kRowDraw = uint64_t{82} << 40;

constexpr absl::string_view kNoComponents =
    "no variant differs among the training samples, so there are no principal components";
constexpr absl::string_view kOneComponent = "the training samples differ in one direction only, and two are needed";
constexpr absl::string_view kNoSpread = "all hold-out samples are alike on this component";

// At most `limit` of the indices [0, count), drawn at random, in ascending order. A smaller limit draws a subset.
std::vector<size_t> Draw(size_t count, size_t limit, uint64_t seed, uint64_t stream_of) {
  std::vector<size_t> indices(count);
  std::iota(indices.begin(), indices.end(), size_t{0});
  if (count <= limit) return indices;
  const PhiloxStream stream(seed, stream_of, 0, Purpose::kQuality);
  std::vector<std::pair<uint32_t, size_t>> keyed;
  keyed.reserve(count);
  for (const size_t i : indices) keyed.emplace_back(stream.Bits(static_cast<uint32_t>(i)), i);
  std::sort(keyed.begin(), keyed.end());
  indices.resize(limit);
  for (size_t i = 0; i < limit; ++i) indices[i] = keyed[i].second;
  std::sort(indices.begin(), indices.end());
  return indices;
}

// Bytes of all rows of a sample.
absl::string_view SampleBytes(const GenotypeMatrix& genotypes, size_t sample) {
  const size_t bytes = RowsPerSample(genotypes.packing()) * genotypes.row_bytes();
  return {reinterpret_cast<const char*>(genotypes.bytes().data()) + sample * bytes, bytes};
}

// Training samples to fit components on, at most kFitRows rows. Each of the floor takes one away that is like it, since
// which training samples the floor is made of is not told.
GenotypeMatrix FitRows(const QualitySets& sets) {
  const GenotypeMatrix& training = sets.whole_training.genotypes;
  const GenotypeMatrix& floor = sets.candidate(Candidate::kFloor).genotypes;
  absl::flat_hash_map<absl::string_view, size_t> left_out;
  for (size_t i = 0; i < floor.samples(); ++i) ++left_out[SampleBytes(floor, i)];
  std::vector<size_t> kept;
  for (size_t i = 0; i < training.samples(); ++i) {
    const auto found = left_out.find(SampleBytes(training, i));
    if (found != left_out.end() && found->second > 0) {
      --found->second;
    } else {
      kept.push_back(i);
    }
  }
  std::vector<size_t> drawn = Draw(kept.size(), kFitRows / RowsPerSample(training.packing()), sets.seed, kFitDraw);
  for (size_t& i : drawn) i = kept[i];
  return training.SelectSamples(drawn);
}

// The rows of these samples.
Eigen::MatrixXd RowsOf(const Eigen::MatrixXd& scores, const std::vector<size_t>& samples, size_t rows_per_sample) {
  Eigen::MatrixXd rows(samples.size() * rows_per_sample, scores.cols());
  for (int64_t row = 0; row < rows.rows(); ++row) {
    const auto [at, haplotype] = std::div(row, static_cast<int64_t>(rows_per_sample));
    rows.row(row) = scores.row(static_cast<int64_t>(samples[at] * rows_per_sample) + haplotype);
  }
  return rows;
}

// What each sample adds to a transport cost; the cost is their mean.
std::vector<double> PartsOf(const Transport& transport, size_t rows_per_sample) {
  std::vector<double> parts(transport.from.size() / rows_per_sample);
  for (size_t row = 0; row < transport.from.size(); ++row) {
    parts[row / rows_per_sample] += (transport.from[row] + transport.to[row]) / static_cast<double>(rows_per_sample);
  }
  return parts;
}

// The figure transform(max(0, mean of parts)), over `rows` rows.
template <typename Transform>
Measurement OfParts(const std::vector<double>& parts, size_t rows, uint64_t seed, const Transform& transform) {
  Measurement measurement = Bootstrap(
      parts.size(), seed,
      [&](std::span<const uint32_t> indices) {
        double sum = 0;
        for (const uint32_t i : indices) sum += parts[i];
        return transform(std::max(0.0, sum / static_cast<double>(indices.size())));
      },
      "there are too few samples");
  measurement.n = static_cast<int64_t>(rows);
  return measurement;
}

double Same(double mean) { return mean; }

// Squared distances between the points of two sets, by the first two columns, or of one if there is no second.
Eigen::MatrixXd SquaredDistances(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b) {
  Eigen::MatrixXd squared = Eigen::MatrixXd::Zero(a.rows(), b.rows());
  for (int64_t k = 0; k < std::min<int64_t>(2, a.cols()); ++k) {
    squared.array() += (a.col(k).replicate(1, b.rows()) - b.col(k).transpose().replicate(a.rows(), 1)).array().square();
  }
  return squared;
}

// Mean over n of the squared distance from the mean.
double Variance(const Eigen::VectorXd& values) { return (values.array() - values.mean()).square().mean(); }

// A cohort and its own components, of the rows that the paper's number is computed on.
struct OwnPca {
  Pca pca;
  Eigen::MatrixXd scores;  // rows x 2, zero where there is no such component
};

OwnPca FitOwn(const GenotypeMatrix& genotypes, const std::vector<size_t>& samples, uint64_t seed) {
  const GenotypeMatrix rows = genotypes.SelectSamples(samples);
  OwnPca own;
  own.pca = FitPca(rows, kComponents, seed);
  own.scores = Eigen::MatrixXd::Zero(static_cast<int64_t>(rows.rows()), 2);
  const Eigen::MatrixXd scores = Project(own.pca, rows);
  const int64_t columns = std::min<int64_t>(2, scores.cols());
  own.scores.leftCols(columns) = scores.leftCols(columns);
  return own;
}

// All that the figures are made of. Cohorts are by Candidate.
struct Structure {
  explicit Structure(const QualitySets& of);

  const QualitySets& sets;
  size_t rows_per_sample;
  Pca pca;
  Eigen::MatrixXd holdout;                    // rows x components
  std::array<Eigen::MatrixXd, 3> candidates;  // the same
  std::vector<double> spread;                 // sd of the hold-out on each component
  std::vector<size_t> transport_samples;      // that the transports in two dimensions use
  std::vector<size_t> paper_samples;          // that components of their own are fitted on
  OwnPca own_holdout;
  std::array<OwnPca, 3> own;
};

Structure::Structure(const QualitySets& of)
    : sets(of),
      rows_per_sample(RowsPerSample(of.packing())),
      pca(FitPca(FitRows(of), kComponents, of.seed)),
      holdout(Project(pca, of.holdout.genotypes)),
      transport_samples(Draw(of.n(), kTransportRows / rows_per_sample, of.seed, kRowDraw)),
      paper_samples(Draw(of.n(), kPaperRows / rows_per_sample, of.seed, kRowDraw)),
      own_holdout(FitOwn(of.holdout.genotypes, paper_samples, of.seed)) {
  for (int64_t k = 0; k < holdout.cols(); ++k) spread.push_back(std::sqrt(Variance(holdout.col(k))));
  for (const Candidate which : kCandidates) {
    candidates[static_cast<size_t>(which)] = Project(pca, of.candidate(which).genotypes);
    own[static_cast<size_t>(which)] = FitOwn(of.candidate(which).genotypes, paper_samples, of.seed);
  }
}

std::span<const double> PointsOf(const Eigen::VectorXd& values) {
  return {values.data(), static_cast<size_t>(values.size())};
}

void MeasureLines(const Structure& s, v1::Quality* quality) {
  const size_t rows = s.sets.n() * s.rows_per_sample;
  const size_t components = s.pca.components();
  // By candidate and component; empty where the hold-out has no spread.
  std::array<std::vector<std::vector<double>>, 3> parts;
  for (std::vector<std::vector<double>>& of_candidate : parts) of_candidate.resize(components);
  ParallelFor(3 * components, [&](size_t i) {
    const auto k = static_cast<int64_t>(i % components);
    const double sd = s.spread[i % components];
    if (sd <= 0) return;
    const Eigen::VectorXd from = s.candidates[i / components].col(k) / sd;
    const Eigen::VectorXd to = s.holdout.col(k) / sd;
    parts[i / components][i % components] = PartsOf(LineTransport(PointsOf(from), PointsOf(to)), s.rows_per_sample);
  });
  AddFigure("pca.w1", "", ForEachCandidate([&](Candidate which) {
              std::vector<double> mean(s.sets.n());
              size_t used = 0;
              for (const std::vector<double>& of_component : parts[static_cast<size_t>(which)]) {
                if (of_component.empty()) continue;
                ++used;
                for (size_t i = 0; i < mean.size(); ++i) mean[i] += of_component[i];
              }
              if (used == 0) return NotMeasured(kNoSpread);
              for (double& part : mean) part /= static_cast<double>(used);
              return OfParts(mean, rows, s.sets.seed, Same);
            }),
            quality);
  for (size_t k = 0; k < components; ++k) {
    AddFigure("pca.w1", absl::StrCat("PC", k + 1), ForEachCandidate([&](Candidate which) {
                const std::vector<double>& of_component = parts[static_cast<size_t>(which)][k];
                if (of_component.empty()) return NotMeasured(kNoSpread);
                return OfParts(of_component, rows, s.sets.seed, Same);
              }),
              quality);
  }
}

void MeasurePlanes(const Structure& s, v1::Quality* quality) {
  if (s.pca.components() < 2) {
    AddMissingFigure("pca.w2", "", kOneComponent, quality);
    AddMissingFigure("pca.w_row", "", kOneComponent, quality);
  }
  // Three problems a candidate: squared distances, distances, and distances on components of their own.
  std::array<Transport, 9> solved;
  const Eigen::MatrixXd holdout = RowsOf(s.holdout, s.transport_samples, s.rows_per_sample);
  ParallelFor(solved.size(), [&](size_t i) {
    Eigen::MatrixXd cost;
    if (i / 3 == 2) {
      cost = SquaredDistances(s.own[i % 3].scores, s.own_holdout.scores).cwiseSqrt();
    } else if (s.pca.components() >= 2) {
      cost = SquaredDistances(RowsOf(s.candidates[i % 3], s.transport_samples, s.rows_per_sample), holdout);
      if (i / 3 == 1) cost = cost.cwiseSqrt();
    } else {
      return;
    }
    solved[i] = AssignmentTransport(cost, nullptr);
  });
  const auto add = [&](absl::string_view name, size_t problem, size_t samples, const auto& transform) {
    AddFigure(name, "", ForEachCandidate([&](Candidate which) {
                const Transport& transport = solved[3 * problem + static_cast<size_t>(which)];
                return OfParts(PartsOf(transport, s.rows_per_sample), samples * s.rows_per_sample, s.sets.seed,
                               transform);
              }),
              quality);
  };
  if (s.pca.components() >= 2) {
    const double unit = std::sqrt((s.spread[0] * s.spread[0] + s.spread[1] * s.spread[1]) / 2);
    add("pca.w2", 0, s.transport_samples.size(), [unit](double mean) { return std::sqrt(mean) / unit; });
    add("pca.w_row", 1, s.transport_samples.size(), Same);
  }
  const auto paper_rows = static_cast<double>(s.paper_samples.size() * s.rows_per_sample);
  add("acgan_paper.w", 2, s.paper_samples.size(), [paper_rows](double mean) { return paper_rows * mean; });
}

Measurement Alignment(const Pca& real, const Pca& other, uint64_t seed) {
  const auto components = static_cast<int64_t>(real.components());
  const Eigen::VectorXd weights = real.variances / real.variances.sum();
  const Eigen::MatrixXd u = real.loadings.cast<double>();
  Eigen::MatrixXd v = Eigen::MatrixXd::Zero(u.rows(), components);
  const int64_t shared = std::min<int64_t>(components, other.loadings.cols());
  v.leftCols(shared) = other.loadings.leftCols(shared).cast<double>();
  // Which component goes with which: so that the weighted sum is largest.
  std::vector<size_t> match;
  AssignmentTransport(-(weights.asDiagonal() * (u.transpose() * v).cwiseAbs()), &match);
  // Sums over blocks of neighbouring variants of u v, u u and v v.
  const auto blocks = std::min(static_cast<int64_t>(kAlignmentBlocks), u.rows());
  std::vector<Eigen::ArrayX3d> sums;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t first = b * u.rows() / blocks;
    const int64_t count = (b + 1) * u.rows() / blocks - first;
    Eigen::ArrayX3d& sum = sums.emplace_back(components, 3);
    for (int64_t k = 0; k < components; ++k) {
      const auto of_u = u.col(k).segment(first, count);
      const auto of_v = v.col(static_cast<int64_t>(match[k])).segment(first, count);
      sum.row(k) << of_u.dot(of_v), of_u.squaredNorm(), of_v.squaredNorm();
    }
  }
  Measurement measurement = Bootstrap(
      sums.size(), seed,
      [&](std::span<const uint32_t> indices) {
        Eigen::ArrayX3d total = Eigen::ArrayX3d::Zero(components, 3);
        for (const uint32_t i : indices) total += sums[i];
        double alignment = 0;
        for (int64_t k = 0; k < components; ++k) {
          const double norms = std::sqrt(total(k, 1) * total(k, 2));
          if (norms > 0) alignment += weights[k] * std::abs(total(k, 0)) / norms;
        }
        return alignment;
      },
      "there is one variant only");
  measurement.n = u.rows();
  return measurement;
}

void MeasureAlignment(const Structure& s, v1::Quality* quality) {
  if (s.own_holdout.pca.components() == 0) {
    AddMissingFigure("pca.alignment", "", "all hold-out samples are alike, so they have no principal components",
                     quality);
    return;
  }
  AddFigure("pca.alignment", "", ForEachCandidate([&](Candidate which) {
              return Alignment(s.own_holdout.pca, s.own[static_cast<size_t>(which)].pca, s.sets.seed);
            }),
            quality);
}

// Points of one cohort, a series a label.
void AddPoints(const Structure& s, const Cohort& cohort, const Eigen::MatrixXd& scores, absl::string_view role,
               absl::string_view title, v1::Chart* chart) {
  const bool labelled = !s.sets.labels.empty() && !cohort.labels.empty();
  const size_t groups = labelled ? s.sets.labels.size() : 1;
  for (size_t group = 0; group < groups; ++group) {
    v1::Series series;
    series.set_role(std::string(role));
    series.set_name(labelled ? absl::StrCat(title, " ", s.sets.labels[group]) : std::string(title));
    if (labelled) series.set_label(s.sets.labels[group]);
    for (const size_t sample : s.transport_samples) {
      if (labelled && cohort.labels[sample] != static_cast<int>(group)) continue;
      for (size_t row = sample * s.rows_per_sample; row < (sample + 1) * s.rows_per_sample; ++row) {
        series.add_x(static_cast<float>(scores(static_cast<int64_t>(row), 0)));
        series.add_y(static_cast<float>(scores(static_cast<int64_t>(row), 1)));
      }
    }
    if (series.x_size() > 0) *chart->add_series() = std::move(series);
  }
}

void AddScatter(const Structure& s, v1::Quality* quality) {
  if (s.pca.components() < 2) return;
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("pca.scatter");
  chart.set_title("Principal components");
  chart.set_kind(v1::CHART_KIND_SCATTER);
  const auto share = [&s](int64_t k) { return 100 * s.pca.variances[k] / s.pca.total_variance; };
  chart.mutable_x()->set_title(absl::StrFormat("PC1 (%.1f %% of the variance)", share(0)));
  chart.mutable_y()->set_title(absl::StrFormat("PC2 (%.1f %% of the variance)", share(1)));
  chart.set_note(
      "Each point is a row. Synthetic points should lie where hold-out points of their label lie, neither apart from "
      "them nor closer together.");
  AddPoints(s, s.sets.holdout, s.holdout, "holdout", "Hold-out", &chart);
  AddPoints(s, s.sets.candidate(Candidate::kSynthetic), s.candidates[0], "synthetic", "Synthetic", &chart);
}

void AddScree(const Structure& s, v1::Quality* quality) {
  v1::Chart& chart = *quality->add_charts();
  chart.set_name("pca.scree");
  chart.set_title("Variance by principal component");
  chart.set_kind(v1::CHART_KIND_LINE);
  chart.mutable_x()->set_title("Component");
  chart.mutable_y()->set_title("Share of the variance (%)");
  chart.set_note(
      "Each cohort's own components. A synthetic line above the real one means too little variety; one that is flatter "
      "means that structure was lost.");
  const auto add = [&chart](absl::string_view role, absl::string_view title, const Pca& pca) {
    v1::Series& series = *chart.add_series();
    series.set_role(std::string(role));
    series.set_name(std::string(title));
    for (size_t k = 0; k < pca.components(); ++k) {
      series.add_x(static_cast<float>(k + 1));
      series.add_y(static_cast<float>(100 * pca.variances[static_cast<int64_t>(k)] / pca.total_variance));
    }
  };
  add("holdout", "Hold-out", s.own_holdout.pca);
  add("synthetic", "Synthetic", s.own[static_cast<size_t>(Candidate::kSynthetic)].pca);
  add("naive", "Independent draws", s.own[static_cast<size_t>(Candidate::kNaive)].pca);
}

}  // namespace

void MeasureStructure(const QualitySets& sets, v1::Quality* quality) {
  const Structure structure(sets);
  if (structure.pca.components() == 0) {
    for (const FigureInfo& figure : StructureFigures()) AddMissingFigure(figure.name, "", kNoComponents, quality);
    return;
  }
  MeasureLines(structure, quality);
  MeasurePlanes(structure, quality);
  MeasureAlignment(structure, quality);
  AddScatter(structure, quality);
  AddScree(structure, quality);
}

}  // namespace genoserve

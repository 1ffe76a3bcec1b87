#include "core/quality/classifiers.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/philox.h"

namespace genoserve {
namespace {

constexpr Eigen::Index kUnits = 64;
constexpr size_t kEpochs = 60;
constexpr size_t kBatch = 32;
constexpr float kStep = 0.001F;
constexpr float kFirstDecay = 0.9F;
constexpr float kSecondDecay = 0.999F;
constexpr float kTiny = 1e-8F;
constexpr uint64_t kDraw = uint64_t{0x52} << 40;  // stream 0: weights; epoch + 1: order

// One matrix or vector of weights under Adam.
template <typename Weights>
class Adam {
 public:
  explicit Adam(Weights* weights) : weights_(weights) {
    first_ = Weights::Zero(weights->rows(), weights->cols());
    second_ = first_;
  }
  // `first_left` and `second_left` are 1 - decay^t, which undo the start at 0.
  void Step(const Weights& gradient, float first_left, float second_left) {
    first_ = kFirstDecay * first_ + (1 - kFirstDecay) * gradient;
    second_.array() = kSecondDecay * second_.array() + (1 - kSecondDecay) * gradient.array().square();
    weights_->array() -= kStep * (first_.array() / first_left) / ((second_.array() / second_left).sqrt() + kTiny);
  }

 private:
  Weights* weights_;
  Weights first_;
  Weights second_;
};

// Rows of scores to probabilities.
void Softmax(Eigen::MatrixXf* scores) {
  scores->colwise() -= scores->rowwise().maxCoeff().eval();
  *scores = scores->array().exp();
  scores->array().colwise() /= scores->rowwise().sum().array().eval();
}

// 0 to n - 1 in an order drawn for this epoch.
std::vector<Eigen::Index> Order(size_t n, uint64_t seed, size_t epoch) {
  std::vector<uint32_t> bits((n + 3) / 4 * 4);
  PhiloxStream(seed, kDraw + 1 + epoch, 0, Purpose::kQuality).FillBits(0, bits);
  std::vector<Eigen::Index> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](Eigen::Index a, Eigen::Index b) {
    return std::pair(bits[static_cast<size_t>(a)], a) < std::pair(bits[static_cast<size_t>(b)], b);
  });
  return order;
}

}  // namespace

int LabelOfNeighbours(std::span<const uint32_t> distances, std::span<const int> labels) {
  std::vector<std::pair<uint32_t, size_t>> nearest(distances.size());
  for (size_t i = 0; i < distances.size(); ++i) nearest[i] = {distances[i], i};
  const size_t k = std::min(kNeighbours, nearest.size());
  std::partial_sort(nearest.begin(), nearest.begin() + static_cast<ptrdiff_t>(k), nearest.end());
  int winner = 0;
  size_t most = 0;
  for (size_t i = 0; i < k; ++i) {
    const int label = labels[nearest[i].second];
    size_t votes = 0;
    for (size_t j = 0; j < k; ++j) votes += labels[nearest[j].second] == label ? 1 : 0;
    if (votes > most) {
      most = votes;
      winner = label;
    }
  }
  return winner;
}

Eigen::MatrixXd OneHot(std::span<const int> labels, size_t classes) {
  Eigen::MatrixXd hot =
      Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(labels.size()), static_cast<Eigen::Index>(classes));
  for (size_t i = 0; i < labels.size(); ++i) hot(static_cast<Eigen::Index>(i), labels[i]) = 1;
  return hot;
}

std::vector<int> LargestOfRows(const Eigen::MatrixXd& scores) {
  std::vector<int> labels(static_cast<size_t>(scores.rows()));
  for (Eigen::Index i = 0; i < scores.rows(); ++i) scores.row(i).maxCoeff(&labels[static_cast<size_t>(i)]);
  return labels;
}

Network::Network(const Eigen::MatrixXf& inputs, std::span<const int> labels, size_t classes, uint64_t seed) {
  const Eigen::Index width = inputs.cols();
  const auto outputs = static_cast<Eigen::Index>(classes);
  std::vector<float> normal(static_cast<size_t>(width * kUnits + kUnits * outputs));
  PhiloxStream(seed, kDraw, 0, Purpose::kQuality).FillNormal(normal);
  hidden_ = Eigen::Map<Eigen::MatrixXf>(normal.data(), width, kUnits) *
            std::sqrt(2 / static_cast<float>(std::max<Eigen::Index>(1, width)));
  hidden_bias_ = Eigen::RowVectorXf::Zero(kUnits);
  output_ = Eigen::Map<Eigen::MatrixXf>(normal.data() + width * kUnits, kUnits, outputs) *
            std::sqrt(2 / static_cast<float>(kUnits));
  output_bias_ = Eigen::RowVectorXf::Zero(outputs);

  Adam hidden(&hidden_);
  Adam hidden_bias(&hidden_bias_);
  Adam output(&output_);
  Adam output_bias(&output_bias_);
  const Eigen::MatrixXf truth = OneHot(labels, classes).cast<float>();
  float first_kept = 1;
  float second_kept = 1;
  for (size_t epoch = 0; epoch < kEpochs; ++epoch) {
    const std::vector<Eigen::Index> order = Order(labels.size(), seed, epoch);
    for (size_t start = 0; start < order.size(); start += kBatch) {
      const std::vector<Eigen::Index> batch(
          order.begin() + static_cast<ptrdiff_t>(start),
          order.begin() + static_cast<ptrdiff_t>(std::min(start + kBatch, order.size())));
      const Eigen::MatrixXf x = inputs(batch, Eigen::all);
      const Eigen::MatrixXf units = ((x * hidden_).rowwise() + hidden_bias_).cwiseMax(0);
      Eigen::MatrixXf error = (units * output_).rowwise() + output_bias_;
      Softmax(&error);
      error = (error - truth(batch, Eigen::all)) / static_cast<float>(batch.size());
      const Eigen::MatrixXf back = (units.array() > 0).select(error * output_.transpose(), 0);
      first_kept *= kFirstDecay;
      second_kept *= kSecondDecay;
      output.Step(units.transpose() * error, 1 - first_kept, 1 - second_kept);
      output_bias.Step(error.colwise().sum(), 1 - first_kept, 1 - second_kept);
      hidden.Step(x.transpose() * back, 1 - first_kept, 1 - second_kept);
      hidden_bias.Step(back.colwise().sum(), 1 - first_kept, 1 - second_kept);
    }
  }
}

Eigen::MatrixXd Network::Predict(const Eigen::MatrixXf& inputs) const {
  const Eigen::MatrixXf units = ((inputs * hidden_).rowwise() + hidden_bias_).cwiseMax(0);
  Eigen::MatrixXf scores = (units * output_).rowwise() + output_bias_;
  Softmax(&scores);
  return scores.cast<double>();
}

}  // namespace genoserve

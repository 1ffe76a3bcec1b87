// Classifiers of samples by label, simple equivalents of those of the Genome-AC-GAN paper (nearest neighbours, support
// vectors, neural network): deterministic and quick.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace genoserve {

/// Neighbours that vote.
inline constexpr size_t kNeighbours = 5;

/// The label that most of the kNeighbours nearest samples have (Fix and Hodges 1951); of equally near ones the first
/// count; of labels with equally many votes, the one whose neighbour is nearest. `distances[i]` is to a sample of label
/// `labels[i]`; at least one.
int LabelOfNeighbours(std::span<const uint32_t> distances, std::span<const int> labels);

/// One column a class: 1 for samples of it, else 0.
Eigen::MatrixXd OneHot(std::span<const int> labels, size_t classes);

/// The class with the largest score, a row.
std::vector<int> LargestOfRows(const Eigen::MatrixXd& scores);

/// A network with one hidden layer of 64 rectified units and a softmax, fitted to the cross-entropy by Adam (Kingma and
/// Ba 2015: step 0.001, decays 0.9 and 0.999) over 60 epochs of batches of 32, from weights by He et al. 2015. Weights
/// and order are drawn by Philox.
class Network {
 public:
  /// `inputs` is samples x inputs, of about unit size; labels are in [0, classes).
  Network(const Eigen::MatrixXf& inputs, std::span<const int> labels, size_t classes, uint64_t seed);

  /// Probabilities, samples x classes.
  Eigen::MatrixXd Predict(const Eigen::MatrixXf& inputs) const;

 private:
  Eigen::MatrixXf hidden_;          // inputs x units
  Eigen::RowVectorXf hidden_bias_;  // units
  Eigen::MatrixXf output_;          // units x classes
  Eigen::RowVectorXf output_bias_;  // classes
};

}  // namespace genoserve

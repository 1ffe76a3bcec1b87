// Optimal transport between two samples: how far one must be moved to become the other.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

namespace genoserve {

/// The cheapest way to carry one sample onto another, all points weighing the same.
///
/// Potentials are what the dual problem finds (Kantorovich): from[i] + to[j] is at most the cost of carrying i to j,
/// and their means add up to the cost. They are how much each point contributes: to first order, the cost between
/// resampled points is the mean of their potentials (Sommerfeld and Munk 2018), and never less than it.
struct Transport {
  double cost = 0;           ///< mean over the points
  std::vector<double> from;  ///< potentials of the first sample's points
  std::vector<double> to;    ///< potentials of the second sample's points
};

/// On a line, with distance as the cost: the Wasserstein-1 distance, the area between the two distribution functions
/// (Ramdas, Garcia and Cuturi 2017, proposition 1). Neither may be empty; sizes may differ.
Transport LineTransport(std::span<const double> from, std::span<const double> to);

/// Between points that are as many, cost(i, j) being that of carrying i to j: the assignment problem, solved exactly by
/// shortest augmenting paths (Jonker and Volgenant 1987; Crouse 2016), in O(n^3). `match`, unless null, becomes where
/// each point goes. The matrix must be square, finite and not empty.
Transport AssignmentTransport(const Eigen::MatrixXd& cost, std::vector<size_t>* match);

}  // namespace genoserve

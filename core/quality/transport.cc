#include "core/quality/transport.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace genoserve {
namespace {

double Mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Indices in the order of their values.
std::vector<size_t> Order(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [values](size_t a, size_t b) { return values[a] < values[b]; });
  return order;
}

}  // namespace

Transport LineTransport(std::span<const double> from, std::span<const double> to) {
  const std::vector<size_t> first = Order(from);
  const std::vector<size_t> second = Order(to);
  Transport transport;
  transport.from.resize(from.size());
  transport.to.resize(to.size());
  // Walks along the line. The potential rises where the second sample's distribution function is ahead, since mass
  // must then go left, and falls where the first one's is.
  double place = std::min(from[first[0]], to[second[0]]);
  double potential = 0;
  size_t i = 0;
  size_t j = 0;
  while (i < first.size() || j < second.size()) {
    const bool of_first = j == second.size() || (i < first.size() && from[first[i]] <= to[second[j]]);
    const double next = of_first ? from[first[i]] : to[second[j]];
    const size_t ahead_first = i * to.size();
    const size_t ahead_second = j * from.size();
    if (ahead_second > ahead_first) potential += next - place;
    if (ahead_second < ahead_first) potential -= next - place;
    place = next;
    if (of_first) {
      transport.from[first[i++]] = potential;
    } else {
      transport.to[second[j++]] = -potential;
    }
  }
  transport.cost = Mean(transport.from) + Mean(transport.to);
  return transport;
}

Transport AssignmentTransport(const Eigen::MatrixXd& cost, std::vector<size_t>* match) {
  const auto n = static_cast<size_t>(cost.rows());
  constexpr size_t kNone = std::numeric_limits<size_t>::max();
  constexpr double kFar = std::numeric_limits<double>::infinity();
  // Columns of the matrix are the second sample's points here, and the rows of Eigen's storage are contiguous by
  // column: work goes from a point of the second sample to those of the first.
  std::vector<double> u(n);  // potentials of columns
  std::vector<double> v(n);  // potentials of rows
  std::vector<size_t> column_of(n, kNone);
  std::vector<size_t> row_of(n, kNone);
  std::vector<double> shortest(n);
  std::vector<size_t> before(n);
  std::vector<size_t> open(n);
  for (size_t start = 0; start < n; ++start) {
    // Dijkstra over reduced costs, from the free column `start` to the nearest free row.
    std::fill(shortest.begin(), shortest.end(), kFar);
    std::iota(open.begin(), open.end(), size_t{0});
    size_t open_count = n;
    double distance = 0;
    size_t column = start;
    size_t end = kNone;
    while (end == kNone) {
      const double* const costs = cost.col(static_cast<int64_t>(column)).data();
      const double offset = distance - u[column];
      double lowest = kFar;
      size_t nearest = 0;
      for (size_t k = 0; k < open_count; ++k) {
        const size_t row = open[k];
        const double through = offset + costs[row] - v[row];
        if (through < shortest[row]) {
          shortest[row] = through;
          before[row] = column;
        }
        // Of equally near rows a free one ends the search sooner.
        if (shortest[row] < lowest || (shortest[row] == lowest && column_of[row] == kNone)) {
          lowest = shortest[row];
          nearest = k;
        }
      }
      distance = lowest;
      const size_t row = open[nearest];
      std::swap(open[nearest], open[--open_count]);
      if (column_of[row] == kNone) {
        end = row;
      } else {
        column = column_of[row];
      }
    }
    // Potentials of what was reached, so that reduced costs stay at least 0.
    u[start] += distance;
    for (size_t k = open_count; k < n; ++k) {
      const size_t row = open[k];
      if (row == end) continue;
      u[column_of[row]] += distance - shortest[row];
      v[row] -= distance - shortest[row];
    }
    // The path back exchanges who is matched with whom.
    for (size_t row = end;;) {
      const size_t from = before[row];
      column_of[row] = from;
      std::swap(row_of[from], row);
      if (from == start) break;
    }
  }
  Transport transport;
  transport.cost = Mean(u) + Mean(v);
  transport.from = std::move(v);
  transport.to = std::move(u);
  if (match != nullptr) *match = std::move(column_of);
  return transport;
}

}  // namespace genoserve

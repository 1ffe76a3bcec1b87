// P values of Student's t, also those far below the smallest double.
#pragma once

namespace genoserve {

/// Student's t distribution with this many degrees of freedom, above 0. Const methods are thread-safe.
class StudentT {
 public:
  explicit StudentT(double freedom);

  /// -log10 of the probability that |t| is at least this large (two-sided), for any finite t:
  /// p = I_x(freedom / 2, 1 / 2), x = freedom / (freedom + t^2), the incomplete beta function by its continued fraction
  /// (DLMF 8.17.22), kept as a logarithm.
  double MinusLog10P(double t) const;

 private:
  double freedom_;
  double log_beta_;  // of B(freedom / 2, 1 / 2)
};

}  // namespace genoserve

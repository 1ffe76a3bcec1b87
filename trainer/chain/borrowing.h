// How much a class may learn from the rows of others: the frequencies of a small population are those of few people,
// and populations that are close to it tell more of them. Without this a chain repeats the sampling noise of its
// training people, and its rows are more typical of their label than people are.
#pragma once

#include <cstddef>
#include <vector>

namespace genoserve {

/// Allele frequencies of a class over all variants, and the rows that they were counted in.
struct ClassFrequencies {
  std::vector<double> alleles;  ///< mean count of ALT alleles of a row, divided by `most`
  double most = 1;              ///< alleles that a row can have: 1 for haplotypes, 2 for diploid genotypes
  double rows = 0;
};

/// [class][other class]: what a row of the other class weighs where a row of the class itself weighs 1.
///
/// The estimate of a class's frequency p_l is sum_i a_i q_i of the observed q_i of all classes, sum a = 1, a >= 0, with
/// the a that make its mean squared error least over all variants. With f2(i, j), the mean squared difference of two
/// true frequencies, estimated without bias (Reich et al. 2009, supplement 2; Patterson et al. 2012, equation 1), the
/// errors q_i - p_l have the second moments (f2(i, l) + f2(j, l) - f2(i, j)) / 2, and on the diagonal the sampling
/// variance p (1 - p) / alleles besides. The weight of a row is then (a_i / rows_i) / (a_l / rows_l), at most 1;
/// weights under 0.02 become 0.
std::vector<std::vector<double>> BorrowingWeights(const std::vector<ClassFrequencies>& classes);

}  // namespace genoserve

#include <span>

#include "core/quality/catalogue.h"

namespace genoserve {

std::span<const FigureInfo> StructureFigures() {
  static constexpr FigureInfo kFigures[] = {
      {"pca.w1", Family::kStructure, Better::kLower, "Distance on principal components",
       "Do synthetic people spread along the main axes of ancestry and family as real people do? 0 is just alike; 0.1 "
       "means that points must move by a tenth of the spread of real people, on average over ten axes. The floor says "
       "how far real people of another draw are.",
       "Mean over k = 1..10 of W1(candidate, hold-out) on PC k, over the hold-out's standard deviation (by n) on it; "
       "W1 = area between the two distribution functions (Ramdas, Garcia and Cuturi 2017, proposition 1). PCs of ALT "
       "counts a diploid sample, or of alleles a haplotype, centred and not scaled, fitted on up to 2,000 rows of the "
       "training without the floor's; others are projected. With a label: that component alone.",
       "rows"},
      {"pca.w2", Family::kStructure, Better::kLower, "Distance on the first two components together",
       "The same on the map of the first two axes, where populations form clusters: it also sees clusters that are "
       "missing, shifted or of the wrong size. 1 means that points must move by the spread of real people.",
       "W2 = root of the least mean squared distance over all assignments of candidate rows to hold-out rows on (PC1, "
       "PC2) (Peyre and Cuturi 2019, section 2.2), exact, on up to 1,000 rows of each; over the root of the hold-out's "
       "mean variance on the two.",
       "rows"},
      {"pca.w_row", Family::kStructure, Better::kLower, "Distance a row on the first two components",
       "The Genome-AC-GAN paper's distance as its text describes it: on axes that all cohorts share, and for one row, "
       "so that it does not grow with their number. Its unit is that of the axes, so it compares on one data set only.",
       "Least sum of distances as in acgan_paper.w, but on (PC1, PC2) of the training and over n; on up to 1,000 rows "
       "of each.",
       "rows"},
      {"acgan_paper.w", Family::kStructure, Better::kNearFloor, "Wasserstein distance as Genome-AC-GAN computes it",
       "For comparison with the published values (real training data 897, their models 906 to 920, on 1,002 haplotypes "
       "of 10,000 variants); not a good measure. Each cohort has axes of its own with arbitrary signs, so that a "
       "mirrored axis looks like a difference and a shifted cohort does not; and it is a sum, which grows with n.",
       "PCA(2) fitted on each cohort alone, then the least sum of distances over all assignments of candidate rows to "
       "hold-out rows (Genome-AC-GAN, utils/util.py, calculate_2d_wasserstein_distance), on up to 1,002 rows of each. "
       "Signs are such that the largest score is positive, as svd_flip of scikit-learn 1.2, which they used. Published "
       "values are of haplotypes.",
       "rows"},
      {"pca.alignment", Family::kStructure, Better::kHigher, "Alignment of principal components",
       "Are the axes along which synthetic people differ those along which real people do? 1 is the same axes, 0 "
       "unrelated ones. Axes that explain more count more.",
       "Sum over k = 1..10 of lambda_k / sum lambda * |<u_k, v_pi(k)>|, u and lambda of the hold-out's own PCA, v of "
       "the candidate's, on up to 1,002 rows of each, pi the assignment with the largest sum (Wharrie et al. 2023, "
       "HAPNEST, eval_pca.jl, which has no absolute value and pi(k) = k).",
       "variants"},
  };
  return kFigures;
}

}  // namespace genoserve

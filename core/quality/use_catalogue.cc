#include <array>

#include "core/quality/catalogue.h"

namespace genoserve {

std::span<const FigureInfo> UseFigures() {
  static constexpr std::array kFigures = {
      FigureInfo{
          "use.label_accuracy", Family::kUse, Better::kHigher, "Population classifier trained on it",
          "A classifier learns populations from these samples and is asked for those of real people it never saw. "
          "The share it gets right should come near that of a classifier that learnt from real samples.",
          "Share of hold-out samples whose label is predicted (train on synthetic, test on real). Classifiers: 5 "
          "nearest neighbours by Manhattan distance; ridge regression on one-hot labels, penalty = mean of the "
          "centred kernel's diagonal; one hidden layer of 64 units on at most 50 principal components of the "
          "training samples (one for 5 samples), Adam, 60 epochs. After the Genome-AC-GAN paper (Ahronoviz and "
          "Gronau 2024).",
          "samples"},
      FigureInfo{
          "use.augmented_gain", Family::kUse, Better::kHigher, "Gain when added to real samples",
          "Whether a population classifier gets better when these samples are added to as many real ones. Above 0 "
          "it does; the floor shows what as many more real samples add.",
          "Accuracy on hold-out samples of the classifiers above trained on n real samples and n of these, less "
          "that of n real samples alone; floor: two sets of n real samples (Ahronoviz and Gronau 2024).",
          "samples"},
      FigureInfo{"use.label_recovered", Family::kUse, Better::kNearFloor, "Requested population recovered",
                 "A classifier of real samples is asked for the population of each synthetic one. Lower than for real "
                 "samples means that the request was not heard; higher means that labels are recognised more easily "
                 "than in real people, as samples are more typical than people are.",
                 "Share of samples whose label is that predicted by ridge regression on one-hot labels (as in "
                 "use.label_accuracy) fitted to real training samples.",
                 "samples"},
      FigureInfo{
          "use.request_r", Family::kUse, Better::kNearFloor, "Requested phenotype recovered",
          "A predictor of real samples is asked for the phenotype of each synthetic one. The correlation with what "
          "was requested should be that of real samples: lower means that the request was not heard, higher that "
          "genotypes follow it more closely than nature does.",
          "Pearson's r of the phenotype with its RR-BLUP prediction (Meuwissen et al. 2001; VanRaden 2008, method "
          "1; half of the variance heritable) fitted to real training samples.",
          "samples"},
      FigureInfo{"use.request_recovered", Family::kUse, Better::kNearFloor, "Requested level recovered",
                 "The same of a phenotype with levels: the share of samples of which the predictor names the requested "
                 "level.",
                 "Share of samples whose level is that predicted by ridge regression on one-hot levels fitted to real "
                 "training samples.",
                 "samples"},
      FigureInfo{
          "use.pheno_r", Family::kUse, Better::kHigher, "Phenotype predictor trained on it",
          "A predictor learns a phenotype from these samples and is asked for that of real people it never saw. "
          "The correlation should come near that of a predictor that learnt from real samples.",
          "Pearson's r on hold-out samples of the RR-BLUP prediction as in use.request_r, fitted to the candidate "
          "(train on synthetic, test on real).",
          "samples"},
      FigureInfo{
          "use.pheno_r2", Family::kUse, Better::kHigher, "Variance explained by that predictor",
          "The share of a phenotype's variance among real people that the predictor explains; below 0 it does "
          "worse than the mean.",
          "R2 = 1 - sum (y - prediction)^2 / sum (y - mean y)^2 on hold-out samples, prediction as in use.pheno_r.",
          "samples"},
      FigureInfo{
          "use.pheno_auc", Family::kUse, Better::kHigher, "Level predictor trained on it",
          "The same of a phenotype with levels: the chance that the predictor tells a real person with a level "
          "from one without. 0.5 is a guess, 1 is perfect.",
          "Area under the ROC curve on hold-out samples (Mann and Whitney 1947, ties half) of ridge scores fitted "
          "to the candidate; of more than two levels the mean of one against the rest.",
          "samples"},
      FigureInfo{"gwas.beta_r", Family::kUse, Better::kNearFloor, "Correlation of GWAS effects",
                 "Whether variants change the phenotype as they do in real samples. The floor is the agreement of two "
                 "sets of real people; above it, chance effects of the training samples have been copied.",
                 "Pearson's r over variants of effects in the training samples and in these: least squares of the "
                 "phenotype (two levels: 0 and 1) on the ALT count with an intercept a label; variants with a minor "
                 "allele frequency of 1 % in both.",
                 "variants"},
      FigureInfo{
          "gwas.hit_overlap", Family::kUse, Better::kNearFloor, "Overlap of GWAS hits",
          "Of the variants found in a GWAS of real or of these samples, the share that both find.",
          "Jaccard index of variants with p < 0.05 / M (Bonferroni; M variants tested in both, p of Student's t), "
          "regressions as in gwas.beta_r.",
          "hits in either"},
      FigureInfo{"gwas.lambda_gc", Family::kUse, Better::kNearFloor, "Genomic inflation of a GWAS",
                 "How far test results are inflated over chance. It should be that of real samples; far above it, "
                 "relatedness or structure has been made that is not in the data.",
                 "Median of t^2 over 0.4549 (Devlin and Roeder 1999), regressions as in gwas.beta_r.", "variants"},
  };
  return kFigures;
}

}  // namespace genoserve

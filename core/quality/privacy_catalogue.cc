// The figures of privacy: those of closest records, and those of attacks.
#include <array>
#include <vector>

#include "core/quality/attacks.h"
#include "core/quality/catalogue.h"
#include "core/quality/nearest_privacy.h"

namespace genoserve {
namespace {

constexpr std::array kFigures = {
    FigureInfo{.name = "privacy.identical_training",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Copies of training rows",
               .meaning = "Share of all synthetic rows that are, genotype by genotype, a row of the training. "
                          "Anything above what hold-out people show (the floor) is a person given away.",
               .formula = "Mean over all synthetic rows of 1[a row of the whole training has all its genotypes]; "
                          "the floor takes the hold-out and the baseline naive draws in place of the synthetic "
                          "cohort",
               .n_of = "rows of the synthetic cohort"},
    FigureInfo{.name = "privacy.near_training",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Near copies of training rows",
               .meaning = "Share of synthetic rows that are nearer to a row of the training than 99 % of the people "
                          "whom the generator never saw are. About 1 % is as real strangers are (the floor); far "
                          "more are copies with changes.",
               .formula = "Mean over synthetic rows of 1[d(closest row of the whole training) < 1 % quantile of the "
                          "same over hold-out rows], Manhattan distance; the floor takes the hold-out and the "
                          "baseline naive draws in place of the synthetic cohort",
               .n_of = "rows of the synthetic cohort"},
    FigureInfo{.name = "privacy.identical_members",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Rows identical to training people",
               .meaning = "Share of rows that are, genotype by genotype, those of a training person. Where variants "
                          "are few, chance gives some: compare with the next figure and the floor.",
               .formula = "Mean over rows of the candidate of 1[closest member is at distance 0] (identical match "
                          "share)",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.identical_holdout",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Rows identical to people never seen",
               .meaning = "The same with people whom the generator never saw, as many as members: what chance "
                          "gives.",
               .formula = "Mean over rows of the candidate of 1[closest hold-out row is at distance 0]",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.identical_excess",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Rows identical to training people, more than to others",
               .meaning = "How much more often rows equal those of training people than those of people never seen. "
                          "Around 0 is good; above it, the generator copies.",
               .formula = "privacy.identical_members - privacy.identical_holdout",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.repeated",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Rows that repeat within the cohort",
               .meaning = "Share of rows that another sample of the same cohort has too. Far above the floor, the "
                          "generator repeats itself.",
               .formula = "Mean over rows of the candidate of 1[a row of another sample has all its genotypes]",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.windows_members",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Stretches found in training people",
               .meaning = "Share of stretches of neighbouring variants that some training person has just so, in "
                          "the same place. People of one population share many: compare with the next figure.",
               .formula = "Mean over (row, window) pairs of 1[a member's row has the same genotypes in the window]; "
                          "windows of 40 variants in a row, one after another, where there are fewer than 2,000, "
                          "else of 200",
               .n_of = "pairs of a row and a window"},
    FigureInfo{.name = "privacy.windows_holdout",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Stretches found in people never seen",
               .meaning = "The same with people whom the generator never saw, as many as members.",
               .formula = "As privacy.windows_members, of the hold-out",
               .n_of = "pairs of a row and a window"},
    FigureInfo{.name = "privacy.windows_excess",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Stretches of training people, more than of others",
               .meaning = "How much more often stretches are those of training people than those of people never "
                          "seen. Around 0 is good; above it, the generator stitches rows from pieces that it "
                          "remembers.",
               .formula = "privacy.windows_members - privacy.windows_holdout",
               .n_of = "pairs of a row and a window"},
    FigureInfo{.name = "privacy.aa",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Adversarial accuracy",
               .meaning = "How well one tells synthetic from training rows by their nearest neighbours. 0.5 is a "
                          "coin toss and good, under it rows are copies, over it they are unlike real ones. Copying "
                          "and collapse together can also give 0.5: read the next two figures.",
               .formula = "(privacy.aa_truth + privacy.aa_syn) / 2, of equally many rows: nearest-neighbour "
                          "adversarial accuracy of Yale et al. 2020",
               .n_of = "rows of each cohort"},
    FigureInfo{
        .name = "privacy.aa_truth",
        .family = Family::kPrivacy,
        .better = Better::kNearFloor,
        .title = "Adversarial accuracy: training rows",
        .meaning = "Share of training people who are nearer to another training person than to any synthetic "
                   "one. 0.5 is good; near 0, they have synthetic doubles; near 1, they have nobody like "
                   "them.",
        .formula =
            "Mean over members of 1[d(closest candidate row) > d(closest row of another member)], "
            "ties half, Manhattan distance: Yale et al. 2020, first term of nearest-neighbour adversarial accuracy",
        .n_of = "rows"},
    FigureInfo{.name = "privacy.aa_syn",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Adversarial accuracy: synthetic rows",
               .meaning = "Share of synthetic rows that are nearer to another synthetic one than to any training "
                          "person. 0.5 is good; near 0, they are copies; near 1, they are more like each other than "
                          "like people, as of a collapsed generator.",
               .formula = "Mean over candidate rows of 1[d(closest member) > d(closest candidate row of another "
                          "sample)], ties half: Yale et al. 2020, its second term",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.aa_tie_share",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Adversarial accuracy: ties",
               .meaning = "Share of the comparisons that end in a tie and count half. Many ties (few or alike "
                          "variants) draw adversarial accuracy towards 0.5, so that it tells less.",
               .formula = "Share of equal distances among the comparisons of privacy.aa_truth and privacy.aa_syn",
               .n_of = "rows of each cohort"},
    FigureInfo{.name = "privacy.loss",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Privacy loss",
               .meaning = "How much harder synthetic rows are told from training people than from people never "
                          "seen. Around 0 is good; above it, the generator has kept something of the people it was "
                          "trained on.",
               .formula = "privacy.aa with the hold-out in place of the members, less privacy.aa with the members: "
                          "Yale et al. 2020, privacy loss",
               .n_of = "rows of each cohort"},
    FigureInfo{.name = "privacy.dcr_share",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Rows nearer to training people than to people never seen",
               .meaning = "0.5 is a coin toss and good; near 1, nearly all synthetic rows lie closer to a training "
                          "person.",
               .formula = "Mean over candidate rows of 1[d(closest member) < d(closest hold-out row)], ties half, "
                          "of equally many members and hold-out samples (distance to closest record; half of it is "
                          "what SDMetrics' overfitting score is of)",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.dcr_p5",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Closest training person: nearest twentieth of rows",
               .meaning = "How many alleles a variant the 5 % nearest synthetic rows differ by from their closest "
                          "training person, at most. Far under the floor, some rows are near copies.",
               .formula = "5 % quantile over candidate rows of d(closest member) / variants, Manhattan distance",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.dcr_median",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Closest training person: middle row",
               .meaning = "How many alleles a variant the middle synthetic row differs by from its closest training "
                          "person.",
               .formula = "Median over candidate rows of d(closest member) / variants",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.dcr_p5_ratio",
               .family = Family::kPrivacy,
               .better = Better::kHigher,
               .title = "Closest person, training against never seen: nearest twentieth",
               .meaning = "How near the nearest rows are to training people, over how near they are to people never "
                          "seen. About 1 is good; under it, some rows are too near to training people.",
               .formula = "5 % quantile of d(closest member) / 5 % quantile of d(closest hold-out row), over "
                          "candidate rows",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.dcr_median_ratio",
               .family = Family::kPrivacy,
               .better = Better::kHigher,
               .title = "Closest person, training against never seen: middle row",
               .meaning = "The same of the middle row. About 1 is good; under it, most rows are too near to "
                          "training people.",
               .formula = "Median of d(closest member) / median of d(closest hold-out row), over candidate rows",
               .n_of = "rows"},
    FigureInfo{.name = "privacy.dcr_baseline",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Closest training person, against naive draws",
               .meaning = "How far rows are from training people, over how far naive draws are, which know nobody. "
                          "1 is as far; compare it with the floor, as people of one population are nearer than "
                          "naive draws.",
               .formula = "min(1, median d(closest member) of the candidate / the same of naive draws) (SDMetrics, "
                          "DCR baseline protection, with naive draws in place of uniform ones)",
               .n_of = "rows"},
};

}  // namespace

std::span<const FigureInfo> NearestPrivacyFigures() { return kFigures; }

std::span<const FigureInfo> PrivacyFigures() {
  static const std::vector<FigureInfo>* const all = [] {
    auto* figures = new std::vector<FigureInfo>;
    for (const std::span<const FigureInfo> part : {NearestPrivacyFigures(), AttackFigures()}) {
      figures->insert(figures->end(), part.begin(), part.end());
    }
    return figures;
  }();
  return *all;
}

}  // namespace genoserve

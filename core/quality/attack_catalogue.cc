#include <array>

#include "core/quality/attacks.h"

namespace genoserve {
namespace {

constexpr std::array kFigures = {
    FigureInfo{.name = "kinship.duplicates",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Duplicates of training people",
               .meaning = "Share of samples that are genetically the same person, or an identical twin, as somebody of "
                          "the training. Compare it with the floor: real strangers "
                          "should be none.",
               .formula = "Share of samples whose largest KING-robust kinship with a member is above 0.354. Kinship = "
                          "1/2 - sum (x - y)^2 / (4 min(het_x, het_y)) over ALT counts: Manichaikul et al. 2010, "
                          "equation 11, with the classes of its table 1",
               .n_of = "samples"},
    FigureInfo{.name = "kinship.first_degree",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "First-degree relatives of training people",
               .meaning = "Share of samples that look like a parent, child or full sibling of their nearest person of "
                          "the training. Compare it with the floor.",
               .formula = "As kinship.duplicates, for a largest kinship above 0.177 and at most 0.354",
               .n_of = "samples"},
    FigureInfo{.name = "kinship.second_degree",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Second-degree relatives of training people",
               .meaning = "Share of samples that look like a grandchild, half sibling or nephew of their nearest "
                          "person of the training. Compare it with the floor.",
               .formula = "As kinship.duplicates, for a largest kinship above 0.0884 and at most 0.177",
               .n_of = "samples"},
    FigureInfo{.name = "kinship.duplicates_excess",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Duplicates of training people, more than of people never seen",
               .meaning = "How much more often samples are duplicates of people of the training than of as many people "
                          "the generator never saw. Around 0 is good; above it, the generator hands out people.",
               .formula = "kinship.duplicates, less the same with the hold-out in place of the members",
               .n_of = "samples"},
    FigureInfo{.name = "kinship.relatives_excess",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Near relatives of training people, more than of people never seen",
               .meaning = "How much more often samples look like near relatives, or duplicates, of people of the "
                          "training than of as many people the generator never saw. Around 0 is good.",
               .formula = "Share of samples whose largest KING-robust kinship with a member is above 0.177, less the "
                          "same with the hold-out in place of the members",
               .n_of = "samples"},
    FigureInfo{.name = "kinship.duplicates_training",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Duplicates of anybody of the whole training",
               .meaning =
                   "Share of samples that are genetically the same person as somebody of the whole training. The "
                   "floor is the same of hold-out people: where it is not 0, the variants are too few or too "
                   "linked to tell people apart, or the data hold twins.",
               .formula = "As kinship.duplicates, over all samples of the synthetic cohort and of the training; the "
                          "floor takes the hold-out in place of the synthetic cohort",
               .n_of = "samples"},
    FigureInfo{.name = "mia.auc",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Membership attack: area under the curve",
               .meaning = "How well an attacker who has the cohort and somebody's genome tells whether that person was "
                          "in the training. 0.5 is a coin toss, 1 is certainty.",
               .formula = "Mann-Whitney U / (rows of members x rows of hold-out), ties half (Fawcett 2006, section 7). "
                          "Scores: distance = - distance to the nearest row of the cohort; density ratio = log of the "
                          "density of the cohort over that of other real people, by nearest neighbours (van Breugel et "
                          "al. 2023, DOMIAS); homer = sum |x - p_reference| - |x - p_cohort| over allele "
                          "frequencies (Homer et al. 2008, equation 1)",
               .n_of = "members, and as many hold-out people"},
    FigureInfo{.name = "mia.tpr_at_1_fpr",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Membership attack: found at 1 % false alarms",
               .meaning = "Share of the training people whom the attacker finds while wrongly accusing 1 % of the "
                          "others. 0.01 is no better than chance; it tells of a few people who are given away even "
                          "where most are safe.",
               .formula = "True positive rate where the ROC polygon crosses a false positive rate of 1 % (Carlini et "
                          "al. 2022; along the line between thresholds, so that ties count half). "
                          "Scores as in mia.auc",
               .n_of = "members, and as many hold-out people"},
    FigureInfo{.name = "mia.advantage",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Membership attack: advantage over guessing",
               .meaning = "How much more often an attacker who calls half of the people members is right than wrong. 0 "
                          "is a coin toss, 1 is certainty.",
               .formula = "True less false positive rate (Yeom et al. 2018, definition 4) at the median score of all "
                          "rows, ties half: where the ROC polygon crosses TPR + FPR = 1. Scores as in mia.auc",
               .n_of = "members, and as many hold-out people"},
    FigureInfo{.name = "attribute.accuracy_members",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Hidden genotypes guessed of training people",
               .meaning = "How well an attacker who knows 90 % of a training person's variants guesses the others from "
                          "the most similar samples of the cohort. 0.5 is no better than always guessing the most "
                          "frequent genotype. Linked variants let anybody's be guessed: only the advantage below is a "
                          "leak.",
               .formula = "10 % of the variants, drawn once, are hidden; each is guessed as the rounded mean of the 5 "
                          "rows of the cohort that are nearest by the other 90 %. Mean of the shares guessed right "
                          "among genotypes that are, and that are not, the most frequent one at their variant "
                          "(balanced accuracy: Brodersen et al. 2010); after Stadler et al. 2022",
               .n_of = "members, and as many hold-out people"},
    FigureInfo{.name = "attribute.accuracy_holdout",
               .family = Family::kPrivacy,
               .better = Better::kNearFloor,
               .title = "Hidden genotypes guessed of people never seen",
               .meaning = "The same of people whom the generator never saw: what the cohort tells of anybody of this "
                          "population. Higher means that it carries more of how variants go together.",
               .formula = "As attribute.accuracy_members, of the hold-out",
               .n_of = "members, and as many hold-out people"},
    FigureInfo{.name = "attribute.advantage",
               .family = Family::kPrivacy,
               .better = Better::kLower,
               .title = "Hidden genotypes: better guessed of training people",
               .meaning = "How much better hidden genotypes are guessed of people of the training than of people never "
                          "seen. Around 0 is good; above it, being in the training costs privacy.",
               .formula = "attribute.accuracy_members - attribute.accuracy_holdout",
               .n_of = "members, and as many hold-out people"},
};

}  // namespace

std::span<const FigureInfo> AttackFigures() { return kFigures; }

}  // namespace genoserve

// What the figures of frequencies are called and mean; frequencies.cc computes them.
#include <array>

#include "core/quality/catalogue.h"

namespace genoserve {
namespace {

constexpr Family kFamily = Family::kFrequency;

constexpr std::array kFigures = {
    FigureInfo{"af.pearson", kFamily, Better::kHigher, "Correlation of allele frequencies",
               "Are variants that are common in real people common in the synthetic ones too? 1 is perfect; it comes "
               "near 1 easily, so read the differences below as well.",
               "Pearson's r of p_j = sum_i g_ij / 2n, the frequency of the ALT allele, in hold-out and candidate",
               "variants"},
    FigureInfo{"af.rmse", kFamily, Better::kLower, "Typical error of allele frequencies",
               "How far is the frequency of a variant off, typically? 0.02 means two percentage points.",
               "sqrt(mean_j (p_j candidate - p_j hold-out)^2)", "variants"},
    FigureInfo{"af.max_difference", kFamily, Better::kLower, "Largest error of an allele frequency",
               "How far is the frequency of the worst variant off?", "max_j |p_j candidate - p_j hold-out|",
               "variants"},
    FigureInfo{
        "af.rare.pearson", kFamily, Better::kHigher, "Correlation of allele frequencies, rare variants",
        "As the correlation of allele frequencies, among the variants whose rarer allele fewer than 5 % of the "
        "real copies have. Common variants cannot hide errors here, but few people tell little of rare "
        "alleles: compare with the floor.",
        "Pearson's r, over variants with min(p_j, 1 - p_j) < 0.05 in the hold-out, of the frequency of the allele that "
        "is the rarer one there (of ALT, the few variants with p_j near 1 would make up all of it); absent alleles are "
        "included",
        "variants"},
    FigureInfo{"af.rare.rmse", kFamily, Better::kLower, "Typical error of allele frequencies, rare variants",
               "How far is the frequency of a rare variant (under 5 % in real people) off, typically?",
               "sqrt(mean_j (p_j candidate - p_j hold-out)^2) over variants with min(p_j, 1 - p_j) < 0.05 in the "
               "hold-out, absent alleles included",
               "variants"},
    FigureInfo{
        "af.rare.max_difference", kFamily, Better::kLower, "Largest error of an allele frequency, rare variants",
        "How far is the frequency of the worst rare variant (under 5 % in real people) off?",
        "max_j |p_j candidate - p_j hold-out| over variants with min(p_j, 1 - p_j) < 0.05 in the hold-out, absent "
        "alleles included",
        "variants"},
    FigureInfo{"af.kl_bits", kFamily, Better::kLower, "Surprise of allele frequencies",
               "How surprised would somebody be by a real allele who expects the synthetic frequencies? In bits an "
               "allele; 0 is perfect. Losing a variant altogether costs most.",
               "mean_j of p log2(p/q) + (1 - p) log2((1 - p)/(1 - q)), p of the hold-out and q of the candidate, over "
               "variants that vary in the hold-out (as HAPNEST, Wharrie et al. 2023, but of the ALT instead of the "
               "minor allele, and with half an allele of each kind added to the candidate, so that it stays finite)",
               "variants"},
    FigureInfo{"gf.pearson", kFamily, Better::kHigher, "Correlation of genotype frequencies",
               "Are people with no, one and two copies of a variant as frequent as they should be? 1 is perfect.",
               "Pearson's r of the concatenated shares of heterozygous, homozygous ALT and homozygous REF samples "
               "(DiscreteGenoGen, arXiv 2508.09212); two haplotypes of a sample make a genotype",
               "shares, three a variant"},
    FigureInfo{"gf.rmse", kFamily, Better::kLower, "Typical error of genotype frequencies",
               "How far is the share of people with no, one or two copies off, typically?",
               "Root of the mean squared difference of the same shares as in gf.pearson", "shares, three a variant"},
    FigureInfo{"hwe.f_pearson", kFamily, Better::kHigher, "Correlation of Hardy-Weinberg deviations",
               "Where real people have too few or too many carriers of one copy, as mixed populations have, do the "
               "synthetic ones too? In one well-mixed population this is near 0 even for real people: compare with the "
               "floor.",
               "Pearson's r of F_j = 1 - H_obs / (2 p_j (1 - p_j)) (Wright 1951) over variants that vary in both sets",
               "variants"},
    FigureInfo{
        "hwe.f_rmse", kFamily, Better::kLower, "Typical error of Hardy-Weinberg deviations",
        "How far is the lack of carriers of one copy off, typically?",
        "sqrt(mean_j (F_j candidate - F_j hold-out)^2) of the F in hwe.f_pearson, over variants that vary in both",
        "variants"},
    FigureInfo{"hwe.left_out", kFamily, Better::kLower, "Variants without a Hardy-Weinberg deviation",
               "Which share of the variants had to be left out of the two figures above, because all people compared "
               "have the same allele in one of the sets?",
               "share of variants with p_j = 0 or 1 in the hold-out or in the candidate", "variants"},
    FigureInfo{"rare.retention", kFamily, Better::kHigher, "Rare variants kept",
               "Which share of the rare variants seen in real people is seen in the synthetic ones at all? Even other "
               "real people lack some: compare with the floor.",
               "share of variants with 0 < min(p_j, 1 - p_j) < 0.05 in the hold-out that have both alleles in the "
               "candidate",
               "variants"},
    FigureInfo{
        "rare.doubleton_retention", kFamily, Better::kHigher, "Doubletons kept",
        "Which share of the alleles that exactly two real copies have is seen in the synthetic people?",
        "share of variants with a minor-allele count of 2 in the hold-out whose minor allele is in the candidate",
        "variants"},
    FigureInfo{"monomorphic.share", kFamily, Better::kLower, "Variants lost",
               "Which share of the variants that vary among real people is the same in all synthetic ones? A "
               "generator that has collapsed loses most.",
               "share of the variants with 0 < p_j < 1 in the hold-out that have p_j = 0 or 1 in the candidate",
               "variants"},
    FigureInfo{"het.observed_ratio", kFamily, Better::kNearFloor, "Heterozygosity against real people",
               "Do synthetic people carry as many variants in one copy as real people? 1 is right; less tells of lost "
               "diversity, more of noise or of mixed populations.",
               "mean over samples of the share of variants at which a sample is heterozygous, candidate / hold-out",
               "samples"},
    FigureInfo{
        "het.wasserstein", kFamily, Better::kLower, "Spread of heterozygosity",
        "Do synthetic people differ in how many variants they carry in one copy as real people do? 0 is perfect; "
        "0.01 means that people are off by one variant in a hundred on average.",
        "1-D Wasserstein-1 distance of the samples' observed heterozygosity: mean |difference| of the sorted "
        "values",
        "samples"},
    FigureInfo{"fst.hudson", kFamily, Better::kLower, "Distance from the real population (Hudson's Fst)",
               "If real and synthetic people were two populations, how different would they be? 0 is none; peoples of "
               "one continent differ by about 0.01, of different continents by about 0.1. It may be just below 0, the "
               "more so as the samples compared have the same count of each label.",
               "sum_j N_j / sum_j D_j with N = (p1 - p2)^2 - p1 (1 - p1)/(n1 - 1) - p2 (1 - p2)/(n2 - 1), D = p1 (1 - "
               "p2) + p2 (1 - p1), n = counts of alleles (Bhatia et al. 2013, equation 10)",
               "variants"},
    FigureInfo{
        "fst.weir_cockerham", kFamily, Better::kLower, "Distance from the real population (Weir-Cockerham)",
        "The same question by the estimator that most published tables use.",
        "theta = sum_j a_j / sum_j (a_j + b_j + c_j) of two populations (Weir and Cockerham 1984, equations 2 to "
        "4)",
        "variants"},
    FigureInfo{"fst.matrix_rmse", kFamily, Better::kLower, "Error of the distances between populations",
               "Are synthetic populations as far from one another as the real ones? The typical error of Fst between "
               "two labels.",
               "sqrt(mean over pairs of labels of (Fst candidate - Fst hold-out)^2), Hudson's Fst of the two labels "
               "within each set",
               "pairs of labels"},
};

}  // namespace

std::span<const FigureInfo> FrequencyFigures() { return kFigures; }

}  // namespace genoserve

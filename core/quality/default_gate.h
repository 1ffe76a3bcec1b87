// The text of the default gate, in the form of a gate file.
#pragma once

namespace genoserve {

inline constexpr char kDefaultGate[] = R"(
# Copies are counted, not estimated. Haplotypes of few variants repeat by chance, whole people do not.
limits { figure: "privacy.identical_training" floor_margin: 0.01 hard: true
         why: "rows are copies of rows of the training" }
limits { figure: "kinship.duplicates_training" floor_margin: 0 hard: true optional: true
         why: "samples are as near to people of the training as duplicates" }

# Privacy: refused only where the whole 95 % interval is beyond the limit, since small hold-outs are noisy.
limits { figure: "privacy.near_training" floor_margin: 0.03 interval: true hard: true
         why: "rows are nearer to people of the training than people never seen are" }
limits { figure: "privacy.identical_excess" maximum: 0.005 interval: true hard: true
         why: "rows repeat the training more often than they repeat people never seen" }
limits { figure: "privacy.windows_excess" maximum: 0.015 interval: true hard: true
         why: "stretches repeat the training more often than they repeat people never seen" }
limits { figure: "privacy.loss" floor_margin: 0.03 interval: true hard: true
         why: "the cohort lies nearer to the training than to people never seen" }
limits { figure: "privacy.dcr_share" floor_margin: 0.05 interval: true hard: true
         why: "the nearest person is of the training more often than one never seen" }
# The attack by frequencies (homer) is not judged: whoever knows the training frequencies can mount it.
limits { figure: "mia.auc" label: "distance" maximum: 0.55 interval: true hard: true
         why: "an attacker can tell who was in the training" }
limits { figure: "mia.auc" label: "density ratio" maximum: 0.55 interval: true hard: true
         why: "an attacker can tell who was in the training" }
limits { figure: "attribute.advantage" maximum: 0.02 interval: true hard: true optional: true
         why: "hidden genotypes of people of the training can be guessed from the cohort" }

# Fidelity: between the floor (real people in place of synthetic ones) and naive draws.
limits { figure: "af.pearson" floor_margin: 0.03 interval: true why: "allele frequencies are off" }
limits { figure: "af.rmse" floor_margin: 0.03 why: "allele frequencies are off" }
limits { figure: "ld.decay_rmse" floor_gap: 0.6 optional: true
         why: "linkage falls with distance nearly as in draws without any" }
limits { figure: "ld.strong_r2_kept" floor_gap: 0.6 optional: true
         why: "little is left of the strong linkage of real people" }
limits { figure: "pca.w1" floor_margin: 0.35 optional: true why: "the population structure is another" }
limits { figure: "cover.pairwise_mean_ratio" minimum: 0.8 maximum: 1.25
         why: "samples are much more alike, or unlike, than real ones: the generator has collapsed" }
limits { figure: "privacy.repeated" floor_margin: 0.02 why: "the generator repeats itself" }
)";

}  // namespace genoserve

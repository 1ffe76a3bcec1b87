// The families of figures. Each adds its figures (those that catalogue.h lists) and charts to the message; what cannot
// be computed for these sets is added with its reason. Work is spread over threads inside, and results do not depend on
// how.
#pragma once

#include "core/quality/quality_sets.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Allele and genotype frequencies, Hardy-Weinberg, rare variants, heterozygosity; Fst.
void MeasureFrequencies(const QualitySets& sets, v1::Quality* quality);
/// Linkage disequilibrium.
void MeasureLinkage(const QualitySets& sets, v1::Quality* quality);
/// Principal components.
void MeasureStructure(const QualitySets& sets, v1::Quality* quality);
/// Nearest neighbours: coverage (precision, recall) and the part of privacy that is read off distances.
void MeasureDistances(const QualitySets& sets, v1::Quality* quality);
/// Kinship, and attacks: membership and attribute inference.
void MeasureAttacks(const QualitySets& sets, v1::Quality* quality);
/// Of those, membership inference alone.
void MeasureMembershipAttacks(const QualitySets& sets, v1::Quality* quality);
/// What the cohort is good for: classifiers, phenotype prediction, GWAS.
void MeasureUse(const QualitySets& sets, v1::Quality* quality);

}  // namespace genoserve

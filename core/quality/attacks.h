// Privacy by attack: relatives of training people in a cohort, and what an attacker who has the cohort learns of them.
// The family of figures MeasureAttacks (families.h); each attack has a file of its own.
#pragma once

#include <cstddef>
#include <span>

#include "core/quality/catalogue.h"

namespace genoserve {

/// The most samples of the synthetic cohort that are compared with all the training, and of the hold-out.
inline constexpr size_t kKinshipSamples = 5000;
/// The most members, and the most hold-out people, who are attacked.
inline constexpr size_t kAttacked = 2500;

/// The figures of MeasureAttacks, of Family::kPrivacy.
///
/// Resampled for the intervals: of kinship, the candidate's samples; of attacks, the families of the members and those
/// of the hold-out people (PersonResamples; families as FamilyClusters finds them there), each label on its own.
///
/// Kinship is that of samples, on KinshipVariants of the training (at most kKinshipVariants); attacks are made on rows
/// of the packing. Beyond kKinshipSamples and kAttacked samples are picked evenly; n tells how many there were.
///
/// Membership attacks by density ratio and by frequencies hold a candidate against a reference with neither members nor
/// hold-out people: QualitySets::reference where it has half as many samples as these. Where the training is too small
/// for one, the reference of the synthetic and the naive cohort is the floor, and one half of the floor is held against
/// the other. All references are of the generator's training too; that moves no score of members against one of the
/// hold-out.
std::span<const FigureInfo> AttackFigures();

}  // namespace genoserve

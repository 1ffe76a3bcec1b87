// Privacy by attack: relatives of training people in a cohort, and what an attacker who has the cohort learns of them.
// The family of figures MeasureAttacks (families.h); each attack has a file of its own.
#pragma once

#include <span>

#include "core/quality/catalogue.h"

namespace genoserve {

/// The figures of MeasureAttacks, of Family::kPrivacy.
///
/// What is resampled for the intervals: of kinship, the candidate's samples; of attacks, pairs of a member and a
/// hold-out person of the same label, in the order of the sets, so that the strata stay as large as they are.
///
/// Caps: kinship looks at no more than kKinshipVariants variants, and at kKinshipSamples evenly picked samples of the
/// synthetic cohort where it looks for duplicates of all the training; attacks are made on kAttacked evenly picked
/// pairs. The n of each figure says how many there were.
std::span<const FigureInfo> AttackFigures();

}  // namespace genoserve

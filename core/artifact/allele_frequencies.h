// Allele frequencies as a manifest holds them: 16 bits a variant.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace genoserve {

/// Frequencies from 0 to 1 as the bytes of Manifest.allele_frequencies, rounded to the nearest of 65,536 steps.
std::string EncodeAlleleFrequencies(std::span<const double> frequencies);

/// The frequencies that such bytes stand for, one for every two of them.
std::vector<double> DecodeAlleleFrequencies(absl::string_view bytes);

}  // namespace genoserve

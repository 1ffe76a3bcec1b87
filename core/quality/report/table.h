// The figures as a table on the terminal.
#pragma once

#include <string>

#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// The figures by family with interval, floor, naive draws and verdict; allele frequencies by label; the gate's outcome
/// with its reasons. Lines are at most 120 columns wide but for reasons, without colours, with a newline at the end.
std::string RenderTable(const v1::Quality& quality);

}  // namespace genoserve

// The figures as a table on the terminal.
#pragma once

#include <string>

#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// The sets and what was done to them, the gate's outcome with its reasons, the verdict on each family; then the
/// figures by family with interval, floor, naive draws and verdict, allele frequencies by label, and the outcome once
/// more. Parts that the message lacks are left out. Lines are at most 100 columns wide, without colours, with a newline
/// at the end; the text is empty for an empty message.
std::string RenderTable(const v1::Quality& quality);

}  // namespace genoserve

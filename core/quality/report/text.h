// Numbers and texts as the page and the terminal show them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/count_text.h"
#include "genoserve/v1/quality.pb.h"

namespace genoserve {

/// Decimals at which a figure, its floor and its naive value are shown: two digits of the width of the value's
/// interval, or of the floor's, or three digits of the value where there is neither; at least one digit of the floor,
/// if that takes at most two more; 0 where all are whole.
int FigureDecimals(const v1::Figure& figure);

/// A number with these decimals; "-" where it is not finite, an exponent where it is too large or small for decimals.
std::string FormatNumber(double value, int decimals);

/// The text with a capital letter first and a full stop at its end, whichever of them it had; empty if empty.
std::string Sentence(absl::string_view text);

/// Text for HTML, in element content and in quoted attributes. What is not UTF-8, and control characters, become
/// U+FFFD.
std::string EscapeHtml(absl::string_view text);

/// The text with invalid UTF-8 and control characters replaced by U+FFFD, at most `columns` characters long, with an
/// ellipsis ("..") where it was cut, and padded with spaces to `columns`.
std::string FitColumns(absl::string_view text, int columns);

/// The text in lines of at most `columns` characters, broken at spaces (a longer word where it must be), each with a
/// newline; the first is indented by `indent` spaces, others by two more. Cleaned as by FitColumns.
std::string WrapColumns(absl::string_view text, int indent, int columns);

}  // namespace genoserve

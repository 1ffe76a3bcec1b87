#include "core/quality/report/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace genoserve {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

bool IsWhole(double value) { return !std::isfinite(value) || value == std::round(value); }

// Length in bytes of the UTF-8 character that begins the text, or 0 where that is none (RFC 3629, section 4).
size_t CharacterLength(absl::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<uint8_t>(text[i]) : 0U; };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool out_of_range = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return follows(1) && follows(2) && follows(3) && !out_of_range ? 4 : 0;
  }
  return 0;
}

bool IsControl(char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7F; }

// The characters of a text.
std::vector<absl::string_view> Characters(absl::string_view text) {
  std::vector<absl::string_view> characters;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const bool bad = length == 0 || (IsControl(text[0]) && text[0] != '\n' && text[0] != '\t');
    characters.push_back(bad ? kReplacement : text.substr(0, length));
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return characters;
}

// Exponent of the first digit.
int Magnitude(double value) { return static_cast<int>(std::floor(std::log10(std::abs(value)))); }

}  // namespace

int FigureDecimals(const v1::Figure& figure) {
  const double low = figure.has_low() ? figure.low() : figure.value();
  const double high = figure.has_high() ? figure.high() : figure.value();
  const v1::Reference& floor = figure.floor();
  const std::array values = {figure.value(),        low, high, floor.value(), floor.low(), floor.high(),
                             figure.naive().value()};
  if (std::ranges::all_of(values, IsWhole)) return 0;
  const auto is_scale = [](double value) { return std::isfinite(value) && value != 0; };
  int decimals = 3;
  if (is_scale(high - low)) {
    decimals = 1 - Magnitude(high - low);
  } else if (is_scale(floor.high() - floor.low())) {
    decimals = 1 - Magnitude(floor.high() - floor.low());
  } else if (is_scale(figure.value())) {
    decimals = 2 - Magnitude(figure.value());
  }
  // An interval much narrower than the value makes no more than four digits of it.
  if (is_scale(figure.value())) decimals = std::min(decimals, std::max(4, 1 - Magnitude(figure.value())));
  if (is_scale(floor.value())) decimals = std::clamp(-Magnitude(floor.value()), decimals, decimals + 2);
  return std::clamp(decimals, 0, 9);
}

std::string FormatNumber(double value, int decimals) {
  if (!std::isfinite(value)) return "-";
  const bool tiny = value != 0 && std::abs(value) < 1e-6;
  if (tiny || std::abs(value) >= 1e9) return absl::StrFormat("%.2e", value);
  if (decimals == 0) return FormatCount(std::llround(value));
  std::string text = absl::StrFormat("%.*f", decimals, value);
  // What rounds to zero has no sign.
  if (text.front() == '-' && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string Sentence(absl::string_view text) {
  std::string sentence(text);
  if (sentence.empty()) return sentence;
  sentence[0] = absl::ascii_toupper(static_cast<unsigned char>(sentence[0]));
  if (sentence.back() != '.') sentence += '.';
  return sentence;
}

std::string EscapeHtml(absl::string_view text) {
  std::string escaped;
  for (const absl::string_view character : Characters(text)) {
    switch (character[0]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        absl::StrAppend(&escaped, character);
    }
  }
  return escaped;
}

std::string FitColumns(absl::string_view text, int columns) {
  std::vector<absl::string_view> characters = Characters(text);
  const auto width = static_cast<size_t>(columns);
  if (characters.size() > width) {
    characters.resize(width - 2);
    characters.insert(characters.end(), 2, ".");
  }
  std::string fitted;
  for (const absl::string_view character : characters) {
    absl::StrAppend(&fitted, IsControl(character[0]) ? " " : character);
  }
  fitted.append(width - characters.size(), ' ');
  return fitted;
}

std::string WrapColumns(absl::string_view text, int indent, int columns) {
  std::vector<std::vector<absl::string_view>> words(1);
  for (const absl::string_view character : Characters(text)) {
    if (character == " " || IsControl(character[0])) {
      words.emplace_back();
    } else {
      words.back().push_back(character);
    }
  }
  std::string wrapped(static_cast<size_t>(indent), ' ');
  auto column = indent;
  bool begins_line = true;
  const auto new_line = [&] {
    absl::StrAppend(&wrapped, "\n", std::string(static_cast<size_t>(indent) + 2, ' '));
    column = indent + 2;
    begins_line = true;
  };
  for (const std::vector<absl::string_view>& word : words) {
    if (word.empty()) continue;
    if (!begins_line) {
      if (column + 1 + static_cast<int>(word.size()) > columns) {
        new_line();
      } else {
        wrapped += ' ';
        ++column;
      }
    }
    for (const absl::string_view character : word) {
      if (column >= columns) new_line();
      absl::StrAppend(&wrapped, character);
      ++column;
      begins_line = false;
    }
  }
  return wrapped + "\n";
}

}  // namespace genoserve

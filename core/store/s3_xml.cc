#include "core/store/s3_xml.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace genoserve {
namespace {

constexpr int kMaxDepth = 16;

// Appends a character by its number in UTF-8; what is no character becomes '?'.
void AppendCharacter(uint32_t code, std::string* text) {
  const auto append = [text](uint32_t byte) { text->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    append(code);
  } else if (code < 0x800) {
    append(0xC0 | code >> 6);
    append(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    append(0xE0 | code >> 12);
    append(0x80 | (code >> 6 & 0x3F));
    append(0x80 | (code & 0x3F));
  } else if (code < 0x110000) {
    append(0xF0 | code >> 18);
    append(0x80 | (code >> 12 & 0x3F));
    append(0x80 | (code >> 6 & 0x3F));
    append(0x80 | (code & 0x3F));
  } else {
    append('?');
  }
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : rest_(text) {}

  bool Document(XmlElement* root) {
    if (!SkipNotes() || !Element(root, 0) || !SkipNotes()) return false;
    return rest_.empty();
  }

 private:
  bool SkipPast(absl::string_view end) {
    const size_t at = rest_.find(end);
    if (at == absl::string_view::npos) return false;
    rest_.remove_prefix(at + end.size());
    return true;
  }

  // Blanks, <?...?> and comments between elements.
  bool SkipNotes() {
    while (true) {
      rest_ = absl::StripLeadingAsciiWhitespace(rest_);
      if (absl::ConsumePrefix(&rest_, "<?")) {
        if (!SkipPast("?>")) return false;
      } else if (absl::ConsumePrefix(&rest_, "<!--")) {
        if (!SkipPast("-->")) return false;
      } else {
        return true;
      }
    }
  }

  bool Element(XmlElement* element, int depth) {
    if (depth >= kMaxDepth || !absl::ConsumePrefix(&rest_, "<")) return false;
    size_t end = 0;
    while (end < rest_.size() && rest_[end] != '>' && rest_[end] != '/' &&
           !absl::ascii_isspace(static_cast<unsigned char>(rest_[end]))) {
      ++end;
    }
    const absl::string_view tag = rest_.substr(0, end);
    if (tag.empty() || tag.front() == '!') return false;
    element->name = std::string(tag.substr(tag.find(':') == absl::string_view::npos ? 0 : tag.find(':') + 1));
    rest_.remove_prefix(end);
    if (!SkipAttributes()) return false;
    if (absl::ConsumePrefix(&rest_, "/>")) return true;
    if (!absl::ConsumePrefix(&rest_, ">")) return false;
    return Content(element, tag, depth);
  }

  // Up to the end of a tag; a value in quotes may hold that.
  bool SkipAttributes() {
    char quote = 0;
    for (size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        rest_.remove_prefix(i > 0 && rest_[i - 1] == '/' ? i - 1 : i);
        return true;
      }
    }
    return false;
  }

  bool Content(XmlElement* element, absl::string_view tag, int depth) {
    while (!rest_.empty()) {
      if (absl::ConsumePrefix(&rest_, "</")) {
        if (!absl::ConsumePrefix(&rest_, tag)) return false;
        rest_ = absl::StripLeadingAsciiWhitespace(rest_);
        return absl::ConsumePrefix(&rest_, ">");
      }
      if (absl::ConsumePrefix(&rest_, "<!--")) {
        if (!SkipPast("-->")) return false;
      } else if (rest_.front() == '<') {
        if (!Element(&element->children.emplace_back(), depth + 1)) return false;
      } else if (rest_.front() == '&') {
        if (!Reference(&element->text)) return false;
      } else {
        const size_t end = std::min(rest_.find_first_of("<&"), rest_.size());
        element->text.append(rest_.data(), end);
        rest_.remove_prefix(end);
      }
    }
    return false;
  }

  bool Reference(std::string* text) {
    const size_t end = rest_.substr(0, 12).find(';');
    if (end == absl::string_view::npos) return false;
    absl::string_view name = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    static constexpr std::pair<const char*, char> kNames[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [known, character] : kNames) {
      if (name == known) {
        text->push_back(character);
        return true;
      }
    }
    if (!absl::ConsumePrefix(&name, "#")) return false;
    uint32_t code = 0;
    const bool number =
        absl::ConsumePrefix(&name, "x") ? absl::SimpleHexAtoi(name, &code) : absl::SimpleAtoi(name, &code);
    if (number) AppendCharacter(code, text);
    return number;
  }

  absl::string_view rest_;
};

}  // namespace

const XmlElement* XmlElement::Child(absl::string_view child) const {
  for (const XmlElement& element : children) {
    if (element.name == child) return &element;
  }
  return nullptr;
}

std::string XmlElement::Text(absl::string_view child) const {
  const XmlElement* element = Child(child);
  return element == nullptr ? "" : element->text;
}

absl::StatusOr<XmlElement> ParseXml(absl::string_view text) {
  XmlElement root;
  if (Parser(text).Document(&root)) return root;
  return absl::DataLossError(absl::StrCat("no whole XML document: \"", absl::CHexEscape(text.substr(0, 80)), "\""));
}

std::string EscapeXml(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

absl::StatusOr<absl::Time> ParseS3Time(const std::string& text) {
  absl::Time time;
  std::string error;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) return time;
  return absl::DataLossError(absl::StrCat("\"", absl::CHexEscape(text.substr(0, 80)), "\" is no time"));
}

}  // namespace genoserve

// The XML that S3 servers answer with.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace genoserve {

/// An element: its name without what stands before ':', its text, and the elements in it. Attributes are left out.
struct XmlElement {
  std::string name;
  std::string text;
  std::vector<XmlElement> children;

  /// The text of the first child of a name; empty where there is none.
  std::string Text(absl::string_view child) const;
  /// The first child of a name; null where there is none.
  const XmlElement* Child(absl::string_view child) const;
};

/// Parses a document whole, so that one that was cut short is an error: DATA_LOSS. At most 16 elements deep.
absl::StatusOr<XmlElement> ParseXml(absl::string_view text);

/// `text` as it stands between tags.
std::string EscapeXml(absl::string_view text);

/// A time as in "2024-05-01T12:30:00.000Z". DATA_LOSS for another text.
absl::StatusOr<absl::Time> ParseS3Time(const std::string& text);

}  // namespace genoserve

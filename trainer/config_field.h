// Fields of a configuration by name: what flags and the axes of a sweep set.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace genoserve {

/// Sets the field at a path such as "recipe.batch_size" from text: numbers in decimal, booleans as true or false,
/// strings as they are. A repeated field becomes the list of `values`, all others take one value. INVALID_ARGUMENT
/// names the path and what is allowed: the nearest name where a field is unknown, the range where a number does not fit
/// its type. The message is then as it was.
absl::Status SetField(google::protobuf::Message& message, absl::string_view path,
                      const std::vector<std::string>& values);

/// Puts the fields that `given` has in the place of those of `onto`, which is of the same type; a list replaces a list.
void Overlay(const google::protobuf::Message& given, google::protobuf::Message& onto);

/// The name nearest to `name` among the fields of a message, or among all of them where none is near; for errors.
std::string FieldsLike(const google::protobuf::Descriptor& message, absl::string_view name);

}  // namespace genoserve

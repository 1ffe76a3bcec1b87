#include "trainer/config_field.h"

#include <google/protobuf/descriptor.h>

#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status.h"
#include "core/base/suggest.h"

namespace genoserve {
namespace {

using ::google::protobuf::Descriptor;
using ::google::protobuf::FieldDescriptor;
using ::google::protobuf::Message;
using ::google::protobuf::Reflection;

// The last message of a path and the field in it.
struct Place {
  Message* message;
  const FieldDescriptor* field;
};

absl::StatusOr<Place> Find(Message& message, absl::string_view path) {
  Message* at = &message;
  const std::vector<std::string> names = absl::StrSplit(path, '.');
  for (size_t i = 0;; ++i) {
    const FieldDescriptor* field = at->GetDescriptor()->FindFieldByName(names[i]);
    if (field == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": there is no field \"", names[i], "\"; ", FieldsLike(*at->GetDescriptor(), names[i])));
    }
    const bool last = i + 1 == names.size();
    const bool has_fields = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field->is_repeated();
    if (last && field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return Place{at, field};
    if (!has_fields) return absl::InvalidArgumentError(absl::StrCat(path, ": is no path of a value"));
    if (last) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": is a group of fields; ", FieldsLike(*field->message_type(), "")));
    }
    at = at->GetReflection()->MutableMessage(at, field);
  }
}

template <typename Number>
absl::StatusOr<Number> ReadWhole(const std::string& text) {
  Number number = 0;
  if (absl::SimpleAtoi(text, &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not a whole number from ",
                                                 std::numeric_limits<Number>::min(), " to ",
                                                 std::numeric_limits<Number>::max()));
}

absl::StatusOr<double> ReadNumber(const std::string& text) {
  double number = 0;
  if (absl::SimpleAtod(text, &number)) return number;
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not a number"));
}

absl::StatusOr<bool> ReadBool(const std::string& text) {
  if (text == "true" || text == "false") return text == "true";
  return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" is not true or false"));
}

// Sets or, where it is repeated, appends one value.
template <typename Value>
absl::Status Put(const Place& place, const absl::StatusOr<Value>& value,
                 void (Reflection::*set)(Message*, const FieldDescriptor*, Value) const,
                 void (Reflection::*add)(Message*, const FieldDescriptor*, Value) const) {
  GENOSERVE_RETURN_IF_ERROR(value.status());
  (place.message->GetReflection()->*(place.field->is_repeated() ? add : set))(place.message, place.field, *value);
  return absl::OkStatus();
}

absl::Status PutText(const Place& place, const std::string& text) {
  switch (place.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return Put(place, ReadWhole<int32_t>(text), &Reflection::SetInt32, &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return Put(place, ReadWhole<int64_t>(text), &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT64:
      return Put(place, ReadWhole<uint64_t>(text), &Reflection::SetUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Put(place, ReadNumber(text), &Reflection::SetDouble, &Reflection::AddDouble);
    case FieldDescriptor::CPPTYPE_BOOL:
      return Put(place, ReadBool(text), &Reflection::SetBool, &Reflection::AddBool);
    case FieldDescriptor::CPPTYPE_STRING:
      return Put(place, absl::StatusOr<std::string>(text), &Reflection::SetString, &Reflection::AddString);
    default:
      return absl::UnimplementedError("fields of this type cannot be set by text");
  }
}

}  // namespace

void Overlay(const Message& given, Message& onto) {
  const Reflection& reflection = *onto.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(given, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) reflection.ClearField(&onto, field);
  }
  onto.MergeFrom(given);
}

std::string FieldsLike(const Descriptor& message, absl::string_view name) {
  std::vector<std::string> names;
  names.reserve(static_cast<size_t>(message.field_count()));
  for (int i = 0; i < message.field_count(); ++i) names.push_back(message.field(i)->name());
  const std::string nearest = NearestMatch(name, names);
  return nearest.empty() ? absl::StrCat("there are ", absl::StrJoin(names, ", "))
                         : absl::StrCat("did you mean ", nearest, "?");
}

absl::Status SetField(Message& message, absl::string_view path, const std::vector<std::string>& values) {
  const std::unique_ptr<Message> changed(message.New());
  changed->CopyFrom(message);
  GENOSERVE_ASSIGN_OR_RETURN(const Place place, Find(*changed, path));
  if (!place.field->is_repeated() && values.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": takes one value, not ", values.size()));
  }
  place.message->GetReflection()->ClearField(place.message, place.field);
  for (const std::string& value : values) {
    GENOSERVE_RETURN_IF_ERROR(Annotate(PutText(place, value), path));
  }
  message.GetReflection()->Swap(&message, changed.get());
  return absl::OkStatus();
}

}  // namespace genoserve

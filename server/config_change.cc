#include "server/config_change.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/text_format.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"

namespace genoserve {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string Text(const Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string text;
  printer.PrintToString(message, &text);
  return std::string(absl::StripSuffix(text, " "));
}

// "1", "\"x\"", or the fields of a message; "none" for a message that is not there.
std::string Value(const Message& message, const FieldDescriptor& field) {
  if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    const Reflection& reflection = *message.GetReflection();
    if (!reflection.HasField(message, &field)) return "none";
    const std::string text = Text(reflection.GetMessage(message, &field));
    return text.empty() ? "default" : text;
  }
  std::string text;
  google::protobuf::TextFormat::PrintFieldValueToString(message, &field, -1, &text);
  return text;
}

std::string Name(const Message& message) {
  return message.GetReflection()->GetString(message, message.GetDescriptor()->FindFieldByName("name"));
}

// Singular fields of two messages of one type.
void DescribeFields(const std::string& prefix, const Message& before, const Message& after,
                    std::vector<std::string>& changes) {
  for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *before.GetDescriptor()->field(i);
    if (field.is_repeated()) continue;
    const std::string from = Value(before, field);
    const std::string to = Value(after, field);
    if (from != to) changes.push_back(absl::StrCat(prefix, field.name(), ": ", from, " -> ", to));
  }
}

// A repeated field whose messages have names.
void DescribeNamed(const FieldDescriptor& field, const Message& before, const Message& after,
                   std::vector<std::string>& changes) {
  const auto by_name = [&field](const Message& message) {
    std::map<std::string, const Message*> all;
    const Reflection& reflection = *message.GetReflection();
    for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
      const Message& each = reflection.GetRepeatedMessage(message, &field, i);
      all.emplace(Name(each), &each);
    }
    return all;
  };
  const auto old = by_name(before);
  const auto now = by_name(after);
  for (const auto& [name, message] : old) {
    const std::string which = absl::StrCat(field.name(), "[", name, "]");
    const auto found = now.find(name);
    if (found == now.end()) {
      changes.push_back(which + ": removed");
    } else {
      DescribeFields(which + ".", *message, *found->second, changes);
    }
  }
  for (const auto& [name, message] : now) {
    if (!old.contains(name))
      changes.push_back(absl::StrCat(field.name(), "[", name, "]: added (", Text(*message), ")"));
  }
}

}  // namespace

std::vector<std::string> DescribeChanges(const v1::ServerConfig& before, const v1::ServerConfig& after) {
  std::vector<std::string> changes;
  for (int i = 0; i < before.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *before.GetDescriptor()->field(i);
    if (field.is_repeated()) DescribeNamed(field, before, after, changes);
  }
  DescribeFields("", before, after, changes);
  return changes;
}

absl::Status CheckReloadable(const v1::ServerConfig& before, const v1::ServerConfig& after) {
  v1::ServerConfig rest = after;
  *rest.mutable_models() = before.models();
  *rest.mutable_principals() = before.principals();
  rest.set_gate(before.gate());
  rest.set_poll_seconds(before.poll_seconds());
  rest.set_memory_budget(before.memory_budget());
  rest.set_gpu_memory_budget(before.gpu_memory_budget());
  const std::vector<std::string> changes = DescribeChanges(before, rest);
  if (changes.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("only a new start can change ", absl::StrJoin(changes, "; "), "; nothing was changed"));
}

}  // namespace genoserve

#include "trainer/config_file.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <regex>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "trainer/config_field.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

using ::google::protobuf::DescriptorPool;
using ::google::protobuf::TextFormat;

constexpr uint64_t kLargestFile = 1 << 20;  // bytes

// Keeps the first error of the text parser.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& message) override {
    if (!message_.empty()) return;
    line_ = std::max(0, line);
    column_ = std::max(0, column);
    message_ = message;
  }
  size_t line() const { return static_cast<size_t>(line_); }
  size_t column() const { return static_cast<size_t>(column_); }
  const std::string& message() const { return message_; }

 private:
  int line_ = 0;
  int column_ = 0;
  std::string message_;
};

// The parser's message for people: an unknown field with the nearest one, a value with its field.
std::string Explain(const FirstError& error, const std::string& text) {
  static const std::regex* const unknown =
      new std::regex("Message type \"([^\"]+)\" has no field named \"([^\"]+)\".*");
  static const std::regex* const value = new std::regex("([A-Za-z_0-9]+)\\s*:[^:]*$");
  std::smatch parts;
  if (std::regex_match(error.message(), parts, *unknown)) {
    const auto* const message = DescriptorPool::generated_pool()->FindMessageTypeByName(parts[1]);
    if (message != nullptr) {
      return absl::StrCat("there is no field \"", parts[2].str(), "\" in ", message->name(), "; ",
                          FieldsLike(*message, parts[2].str()));
    }
  }
  // Of a value the parser tells only the place; its field stands before it.
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (error.line() < lines.size()) {
    const std::string before = lines[error.line()].substr(0, error.column() + 1);
    if (std::regex_search(before, parts, *value) && !absl::StrContains(error.message(), parts[1].str()))
      return absl::StrCat(parts[1].str(), ": ", error.message());
  }
  return error.message();
}

// The last part of a path.
std::string WithoutFolders(const std::string& path) {
  const std::vector<std::string> parts = absl::StrSplit(absl::StripSuffix(path, "/"), '/');
  return parts.back();
}

// Fills in the sizes of the generator, as the recipe's fields.
void KeepSizes(const v1::GeneratorSpec& generator, v1::TrainConfig& kept) {
  v1::GeneratorSpec all = generator;
  if (all.has_chain()) {
    Overlay(kept.chain(), *all.mutable_chain());
    *kept.mutable_chain() = all.chain();
  } else if (all.has_acgan()) {
    Overlay(kept.acgan(), *all.mutable_acgan());
    *kept.mutable_acgan() = all.acgan();
  } else {
    Overlay(kept.wgan_gp(), *all.mutable_wgan_gp());
    *kept.mutable_wgan_gp() = all.wgan_gp();
    kept.mutable_wgan_gp()->clear_condition_size();
  }
}

}  // namespace

absl::StatusOr<v1::TrainConfig> ReadConfigFile(const std::string& path) {
  GENOSERVE_ASSIGN_OR_RETURN(const std::string text, FileSystem::Posix().ReadFile(path, kLargestFile));
  FirstError error;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  v1::TrainConfig config;
  if (parser.ParseFromString(text, &config)) return config;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", error.line() + 1, ":", error.column() + 1, ": ", Explain(error, text)));
}

std::string ConfigText(const v1::TrainConfig& config) {
  std::string text;
  TextFormat::Printer printer;
  printer.SetUseUtf8StringEscaping(true);
  printer.SetUseShortRepeatedPrimitives(true);
  printer.PrintToString(config, &text);
  return text;
}

std::string ArtifactConfigText(const v1::TrainConfig& config, const v1::Manifest& manifest) {
  v1::TrainConfig kept = config;
  kept.clear_sweep();
  *kept.mutable_recipe() = manifest.training().recipe();
  // A 0 that was given stands in no manifest, and would be the preset's value again.
  Overlay(config.recipe(), *kept.mutable_recipe());
  KeepSizes(manifest.generator(), kept);
  if (!IsChain(config)) kept.mutable_schedule()->set_steps(manifest.training().steps());
  v1::TrainInput& input = *kept.mutable_input();
  for (std::string* path : {input.mutable_vcf(), input.mutable_bfile(), input.mutable_hapt(), input.mutable_legend(),
                            input.mutable_panel(), input.mutable_pheno(), kept.mutable_schedule()->mutable_checkpoint(),
                            kept.mutable_schedule()->mutable_tensorboard(), kept.mutable_output()->mutable_store(),
                            kept.mutable_output()->mutable_gate()}) {
    *path = WithoutFolders(*path);
  }
  kept.mutable_output()->clear_nudge();
  kept.mutable_output()->clear_nudge_access();
  return absl::StrCat("# How this version was trained; genoserve-trainer train --config reads it.\n", ConfigText(kept));
}

std::string ConfigDigest(const v1::TrainConfig& config, const v1::Manifest& manifest) {
  v1::TrainConfig counts = config;
  counts.clear_output();
  counts.clear_sweep();
  *counts.mutable_recipe() = manifest.training().recipe();
  // They are counted with the rest of the generator.
  counts.clear_chain();
  counts.clear_acgan();
  counts.clear_wgan_gp();
  v1::TrainInput& input = *counts.mutable_input();
  for (std::string* path : {input.mutable_vcf(), input.mutable_bfile(), input.mutable_hapt(), input.mutable_legend(),
                            input.mutable_panel(), input.mutable_pheno()}) {
    *path = path->empty() ? "" : "given";
  }
  v1::TrainSchedule& schedule = *counts.mutable_schedule();
  schedule.clear_device();
  schedule.clear_checkpoint();
  schedule.clear_checkpoint_seconds();
  schedule.clear_metrics_port();
  schedule.clear_metrics_host();
  schedule.clear_tensorboard();
  std::string generator;
  TextFormat::PrintToString(manifest.generator(), &generator);
  return Sha256Hex(absl::StrCat(ConfigText(counts), generator));
}

}  // namespace genoserve

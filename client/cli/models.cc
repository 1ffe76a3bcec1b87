#include "client/cli/models.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cli/exit_code.h"
#include "client/cli/selection.h"
#include "client/lib/client.h"
#include "core/base/status.h"
#include "core/quality/report/table.h"

namespace genoserve {
namespace {

std::string LabelNames(const v1::Manifest& manifest) {
  if (manifest.label_column().empty()) return "-";
  return absl::StrCat(manifest.label_column(), ":",
                      absl::StrJoin(manifest.labels(), ",",
                                    [](std::string* out, const v1::LabelSchema& label) { *out += label.name(); }));
}

std::string PhenotypeNames(const v1::Manifest& manifest) {
  if (manifest.phenotypes().empty()) return "-";
  return absl::StrJoin(manifest.phenotypes(), ",",
                       [](std::string* out, const v1::PhenotypeSchema& schema) { *out += schema.name(); });
}

std::string Architecture(const v1::GeneratorSpec& generator) {
  if (generator.has_acgan()) return "acgan";
  if (generator.has_chain()) return "chain";
  return generator.has_wgan_gp() ? "wgan-gp" : "unknown";
}

std::string DescribePhenotype(const v1::PhenotypeSchema& schema) {
  if (schema.has_categorical()) return absl::StrJoin(schema.categorical().levels(), ", ");
  const v1::ContinuousPhenotype& values = schema.continuous();
  return absl::StrFormat("%.6g to %.6g%s%s, mean %.6g, standard deviation %.6g", values.minimum(), values.maximum(),
                         values.unit().empty() ? "" : " ", values.unit(), values.mean(), values.standard_deviation());
}

}  // namespace

absl::Status WithClient(const ClientOptions& options, Interrupt* interrupt,
                        const std::function<absl::Status(Client*)>& body) {
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(options);
  if (!client.ok()) return Local(client.status());
  interrupt->Call([&client] { (*client)->Cancel(); });
  const absl::Cleanup forget = [interrupt] { interrupt->Call({}); };
  return body(client->get());
}

absl::Status PrintJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.always_print_primitive_fields = true;
  std::string json;
  if (const auto status = google::protobuf::util::MessageToJsonString(message, &json, options); !status.ok()) {
    return absl::InternalError(absl::StrCat("JSON: ", status.ToString()));
  }
  return Print(json);
}

std::string StateName(v1::ModelState state) {
  std::string name = v1::ModelState_Name(state);
  absl::string_view tail = name;
  absl::ConsumePrefix(&tail, "MODEL_STATE_");
  return absl::AsciiStrToLower(tail);
}

absl::Status Print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0) {
    return absl::OkStatus();
  }
  return Local(ErrnoStatus("standard output: cannot write"));
}

std::string FormatTable(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      absl::StrAppend(&text, row[i], last ? "\n" : std::string(widths[i] - row[i].size() + 2, ' '));
    }
  }
  return text;
}

std::string FormatModels(const v1::ListModelsResponse& models) {
  std::vector<std::vector<std::string>> rows = {
      {"MODEL", "VERSION", "STATE", "DEFAULT", "VARIANTS", "PHASED", "LABELS", "PHENOTYPES"}};
  for (const v1::Model& model : models.models()) {
    const v1::Manifest& manifest = model.manifest();
    rows.push_back({model.name(), model.version(), StateName(model.state()), model.is_default() ? "yes" : "no",
                    absl::StrCat(manifest.variant_count()), manifest.phased() ? "yes" : "no", LabelNames(manifest),
                    PhenotypeNames(manifest)});
  }
  return FormatTable(rows);
}

std::string FormatModel(const v1::Model& model) {
  const v1::Manifest& manifest = model.manifest();
  std::string text = absl::StrCat("model       ", model.name(), "\nversion     ", model.version(),
                                  model.is_default() ? " (default)" : "", "\nstate       ", StateName(model.state()),
                                  model.reason().empty() ? "" : ": ", model.reason(), "\n");
  const auto line = [&text](const char* name, const std::string& value) {
    if (!value.empty()) absl::StrAppendFormat(&text, "%-11s %s\n", name, value);
  };
  line("artifact", model.artifact_digest());
  if (model.has_engine()) {
    line("engine",
         absl::StrFormat("%s, %s, %s, kernel revision %d", model.engine().device(), model.engine().instruction_set(),
                         model.engine().precision(), model.engine().kernel_revision()));
  }
  if (!model.has_manifest()) return text;
  line("generator", Architecture(manifest.generator()));
  line("variants", absl::StrCat(manifest.variant_count()));
  line("genotypes", manifest.phased() ? "phased" : "unphased");
  for (const v1::LabelSchema& label : manifest.labels()) {
    line(manifest.label_column().c_str(), absl::StrCat(label.name(), ", ", label.training_samples(), " in training"));
  }
  for (const v1::PhenotypeSchema& schema : manifest.phenotypes()) {
    line("phenotype", absl::StrCat(schema.name(), ": ", DescribePhenotype(schema)));
  }
  line("trained", absl::StrFormat("on %d samples, judged by %d others, %d steps, finished %s",
                                  manifest.training().samples(), manifest.training().holdout_samples(),
                                  manifest.training().steps(), manifest.training().finished_at()));
  line("licence", manifest.licence());
  line("data terms", manifest.data_terms());
  line("about", manifest.description());
  if (!manifest.figures().empty()) {
    v1::Quality quality;
    *quality.mutable_figures() = manifest.figures();
    if (manifest.has_gate()) *quality.mutable_gate() = manifest.gate();
    absl::StrAppend(&text, "\n", RenderTable(quality));
  }
  return text;
}

absl::Status ListModels(const ClientOptions& options, bool json, Interrupt* interrupt) {
  return WithClient(options, interrupt, [json](Client* client) -> absl::Status {
    GENOSERVE_ASSIGN_OR_RETURN(const v1::ListModelsResponse models, client->ListModels());
    return json ? PrintJson(models) : Print(FormatModels(models));
  });
}

absl::Status ShowModel(const ClientOptions& options, const std::string& model, bool json, Interrupt* interrupt) {
  const auto name = ParseModelName(model);
  if (!name.ok()) return Local(name.status());
  return WithClient(options, interrupt, [&](Client* client) -> absl::Status {
    GENOSERVE_ASSIGN_OR_RETURN(const v1::Model found, client->GetModel(name->first, name->second));
    return json ? PrintJson(found) : Print(FormatModel(found));
  });
}

absl::Status PrintVariants(const ClientOptions& options, const std::string& model, const std::string& regions,
                           Interrupt* interrupt) {
  const auto name = ParseModelName(model);
  if (!name.ok()) return Local(name.status());
  v1::ListVariantsRequest request;
  request.set_model(name->first);
  request.set_version(name->second);
  if (!regions.empty()) {
    const auto parsed = ParseRegions(regions);
    if (!parsed.ok()) return Local(parsed.status());
    request.mutable_regions()->Add(parsed->begin(), parsed->end());
  }
  return WithClient(options, interrupt, [&](Client* client) -> absl::Status {
    GENOSERVE_ASSIGN_OR_RETURN(const VariantTable variants, client->ListVariants(request));
    return Print(variants.ToSitesVcf());
  });
}

}  // namespace genoserve

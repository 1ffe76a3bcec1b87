#include "client/cli/report.h"

#include <unistd.h>

#include <filesystem>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/cli/exit_code.h"
#include "client/cli/models.h"
#include "client/cli/report_input.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/quality/gate.h"
#include "core/quality/measure.h"
#include "core/quality/quality_json.h"
#include "core/quality/report/report.h"
#include "core/quality/report/table.h"
#include "core/quality/stage_progress.h"

namespace genoserve {
namespace {

absl::Status CheckArguments(const ReportArguments& arguments) {
  const auto invalid = [](const char* text) { return absl::InvalidArgumentError(text); };
  if (arguments.training.panel.empty() != arguments.label_column.empty()) {
    return invalid("--panel and --label-column belong together");
  }
  if (arguments.training.panel.empty() && !(arguments.synthetic.panel.empty() && arguments.holdout.panel.empty())) {
    return invalid("--synth-panel and --holdout-panel need --panel and --label-column of the training");
  }
  if (!arguments.training.panel.empty() && arguments.synthetic.panel.empty()) {
    return invalid("--panel needs --synth-panel, the labels of the synthetic samples");
  }
  if (arguments.training.phenotypes.empty() &&
      !(arguments.synthetic.phenotypes.empty() && arguments.holdout.phenotypes.empty())) {
    return invalid("--synth-pheno and --holdout-pheno need --pheno of the training");
  }
  GENOSERVE_RETURN_IF_ERROR(CheckHoldoutShare("--holdout-share", arguments.holdout_share));
  if (arguments.holdout.genotypes.empty() &&
      !(arguments.holdout.panel.empty() && arguments.holdout.phenotypes.empty())) {
    return invalid("--holdout-panel and --holdout-pheno need --holdout");
  }
  if (arguments.training.phenotypes.empty() && !(arguments.phenotype_names.empty() && arguments.categorical.empty())) {
    return invalid("--pheno-name and --categorical need --pheno");
  }
  if (!arguments.training.phenotypes.empty() && arguments.synthetic.phenotypes.empty()) {
    return invalid("--pheno needs --synth-pheno, the phenotypes of the synthetic samples");
  }
  if (!arguments.output.empty() && arguments.output == arguments.json) {
    return invalid("-o and --json must be two files");
  }
  for (const std::string& path : {arguments.output, arguments.json}) {
    if (path.empty()) continue;
    if (path == "-") return invalid("-o and --json take a file; standard output has the table");
    if (std::filesystem::is_directory(path)) return absl::InvalidArgumentError(absl::StrCat(path, ": is a folder"));
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    if (!arguments.force && FileSystem::Posix().Exists(path)) {
      return absl::AlreadyExistsError(absl::StrCat(path, ": is there already; --force replaces it"));
    }
    if (::access(folder.c_str(), W_OK) != 0) return ErrnoStatus(absl::StrCat(folder, ": cannot write there"));
  }
  return absl::OkStatus();
}

absl::Status Write(const std::string& path, absl::string_view bytes) {
  if (path.empty()) return absl::OkStatus();
  return WriteFileAtomically(FileSystem::Posix(), path, bytes);
}

absl::StatusOr<v1::Quality> Measure(const ReportArguments& arguments, const v1::Gate& gate,
                                    absl::FunctionRef<bool()> interrupted) {
  StageProgress bar("genoserve", arguments.quiet);
  const auto progress = [&](absl::string_view stage, int done, int stages) {
    if (interrupted()) return absl::CancelledError("interrupted");
    // Reading is a stage too.
    bar.Show(stage, done + 1, stages + 1);
    return absl::OkStatus();
  };
  bar.Show("reading", 0, 7);
  GENOSERVE_ASSIGN_OR_RETURN(ReportInput input, ReadReportInput(arguments));
  v1::Quality quality;
  *quality.mutable_inputs() = std::move(input.inputs);
  quality.mutable_inputs()->set_code_version(GENOSERVE_VERSION);
  quality.mutable_inputs()->set_title(arguments.title);
  quality.mutable_inputs()->set_measured_at(absl::FormatTime(absl::RFC3339_sec, absl::Now(), absl::UTCTimeZone()));
  GENOSERVE_RETURN_IF_ERROR(MeasureQuality(input.families, &input.sets, progress, &quality));
  *quality.mutable_gate() = Judge(gate, arguments.gate, quality.mutable_figures());
  return quality;
}

}  // namespace

absl::Status Report(const ReportArguments& arguments, absl::FunctionRef<bool()> interrupted) {
  GENOSERVE_RETURN_IF_ERROR(Local(CheckArguments(arguments)));
  const absl::StatusOr<v1::Gate> gate = ReadGate(arguments.gate);
  if (!gate.ok()) return Local(gate.status());
  const absl::StatusOr<v1::Quality> quality = Measure(arguments, *gate, interrupted);
  if (!quality.ok()) return absl::IsCancelled(quality.status()) ? quality.status() : Local(quality.status());
  const absl::StatusOr<std::string> json = SerializeQuality(*quality);
  if (!json.ok()) return Local(json.status());
  const absl::StatusOr<std::string> page = RenderReport(*quality);
  if (!page.ok()) return Local(page.status());
  GENOSERVE_RETURN_IF_ERROR(Local(Write(arguments.json, *json)));
  GENOSERVE_RETURN_IF_ERROR(Local(Write(arguments.output, *page)));
  GENOSERVE_RETURN_IF_ERROR(Print(RenderTable(*quality)));
  if (!arguments.gate_given || quality->gate().passed()) return absl::OkStatus();
  return absl::DataLossError(absl::StrFormat("the cohort does not pass the gate %s; %d of %d limits are broken",
                                             arguments.gate, quality->gate().breaches_size(),
                                             quality->gate().judged()));
}

}  // namespace genoserve

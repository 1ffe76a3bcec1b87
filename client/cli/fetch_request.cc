#include "client/cli/fetch_request.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/exit_code.h"
#include "client/cli/part_state.h"
#include "client/cli/pheno_file.h"
#include "client/cli/selection.h"
#include "client/lib/sample_conditions.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr char kGwasCi[] = "gwas-ci";
constexpr double kGwasCiPrevalence = 0.3;

absl::Status CheckArguments(const FetchArguments& arguments) {
  if (arguments.samples.has_value() && *arguments.samples < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("-n: ", *arguments.samples, " samples; at least 1 must be asked for"));
  }
  if (!arguments.pheno_file.empty() && (!arguments.populations.empty() || !arguments.phenotypes.empty())) {
    return absl::InvalidArgumentError("--pheno-file tells all of each sample: it excludes --pop and --pheno");
  }
  if (arguments.extrapolate && arguments.phenotypes.empty() && arguments.pheno_file.empty()) {
    return absl::InvalidArgumentError("--extrapolate is for the values of --pheno and --pheno-file; there are none");
  }
  if (arguments.parallel < 1 || arguments.parallel > kMostRanges) {
    return absl::InvalidArgumentError(
        absl::StrCat("--parallel: ", arguments.parallel, " is not a number from 1 to ", kMostRanges));
  }
  if (!arguments.shard.empty() && !arguments.seed.has_value()) {
    return absl::InvalidArgumentError("--shard needs --seed, since all parts of a cohort must have the same one");
  }
  GENOSERVE_RETURN_IF_ERROR(CheckTraitArguments(arguments.trait));
  if (arguments.trait.wanted && !arguments.shard.empty()) {
    return absl::InvalidArgumentError(
        "--shard: a trait is simulated of whole cohorts, as it depends on the frequencies in all of it");
  }
  return absl::OkStatus();
}

// The size of the whole cohort: -n, or what --pop counts or the file's samples sum to; they must agree.
absl::StatusOr<int64_t> CohortSize(const FetchArguments& arguments, int64_t told, const char* by) {
  if (told > 0 && arguments.samples.value_or(told) != told) {
    return absl::InvalidArgumentError(
        absl::StrFormat("-n asks for %d samples, but %s for %d", *arguments.samples, by, told));
  }
  if (told > 0) return told;
  if (arguments.samples.has_value()) return *arguments.samples;
  return absl::InvalidArgumentError("how many samples? Give -n, or counts with --pop LABEL:COUNT");
}

}  // namespace

absl::Status ApplyPreset(FetchArguments* arguments) {
  OutputArguments& output = arguments->output;
  output.truth = arguments->trait.wanted;
  if (arguments->preset.empty()) return absl::OkStatus();
  if (arguments->preset != kGwasCi) {
    return absl::InvalidArgumentError(absl::StrCat("--preset: \"", arguments->preset, "\" is not ", kGwasCi));
  }
  if (!output.format.empty() || output.path == "-" || FormatOfPath(output.path).ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--preset ", kGwasCi, ": writes several formats; -o is the prefix of all, and -O is not for it"));
  }
  output.format = CohortFormatName(CohortFormat::kPgen);
  output.also = {CohortFormat::kBed, CohortFormat::kVcfGz};
  output.truth = true;
  output.covariates = true;
  arguments->trait.wanted = true;
  if (!arguments->trait.prevalence.has_value()) arguments->trait.prevalence = kGwasCiPrevalence;
  return absl::OkStatus();
}

absl::StatusOr<v1::StreamCohortRequest> BuildRequest(const FetchArguments& arguments) {
  GENOSERVE_RETURN_IF_ERROR(CheckArguments(arguments));
  v1::StreamCohortRequest request;
  GENOSERVE_ASSIGN_OR_RETURN(const auto name, ParseModelName(arguments.model));
  request.set_model(name.first);
  request.set_version(name.second);
  if (arguments.seed.has_value()) request.set_seed(*arguments.seed);
  request.set_max_batch_bytes(arguments.max_batch_bytes);
  if (!arguments.populations.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t sum, ParsePopulations(arguments.populations, request.mutable_condition()));
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t size, CohortSize(arguments, sum, "--pop"));
    request.set_cohort_size(size);
  } else if (arguments.pheno_file.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t size, CohortSize(arguments, 0, ""));
    request.set_cohort_size(size);
  }
  if (arguments.extrapolate) request.mutable_condition()->set_extrapolate(true);
  if (!arguments.regions.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto regions, ParseRegions(arguments.regions));
    request.mutable_regions()->Add(regions.begin(), regions.end());
  }
  if (!arguments.regions_file.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const auto regions, ReadRegionsFile(arguments.regions_file));
    request.mutable_regions()->Add(regions.begin(), regions.end());
  }
  return request;
}

absl::Status CompleteRequest(const FetchArguments& arguments, const v1::Model& model,
                             v1::StreamCohortRequest* request) {
  if (!model.has_manifest()) {
    const std::string name = absl::StrCat("version ", model.version(), " of model ", model.name());
    return absl::FailedPreconditionError(absl::StrCat(name, " does not serve: ", model.reason()));
  }
  request->set_version(model.version());
  request->set_artifact_digest(model.artifact_digest());
  GENOSERVE_RETURN_IF_ERROR(CheckLabels(request->condition(), model.manifest()));
  for (const std::string& text : arguments.phenotypes) {
    GENOSERVE_ASSIGN_OR_RETURN(*request->mutable_condition()->add_phenotypes(),
                               ParsePhenotype(text, model.manifest(), arguments.extrapolate));
  }
  v1::SampleConditions* per_sample = nullptr;
  if (!arguments.pheno_file.empty()) {
    per_sample = request->mutable_condition()->mutable_per_sample();
    absl::StatusOr<v1::SampleConditions> read =
        ReadSampleConditions(arguments.pheno_file, model.manifest(), arguments.extrapolate);
    if (!read.ok()) return Local(read.status());
    *per_sample = *std::move(read);
    GENOSERVE_ASSIGN_OR_RETURN(const int64_t size, CohortSize(arguments, SampleCountOf(*per_sample), "--pheno-file"));
    request->set_cohort_size(size);
  }
  if (!arguments.shard.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const SampleRange range, ParseShard(arguments.shard, request->cohort_size()));
    request->set_first_sample(range.first);
    request->set_sample_count(range.count);
    if (per_sample != nullptr) SliceSamples(range.first, range.count, per_sample);
  }
  return absl::OkStatus();
}

int64_t SamplesOf(const v1::StreamCohortRequest& request) {
  return request.has_sample_count() ? request.sample_count() : request.cohort_size();
}

}  // namespace genoserve

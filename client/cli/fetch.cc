#include "client/cli/fetch.h"

#include <unistd.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/exit_code.h"
#include "client/cli/output.h"
#include "client/cli/pheno_file.h"
#include "client/cli/progress.h"
#include "client/cli/selection.h"
#include "client/lib/client.h"
#include "client/lib/sample_conditions.h"
#include "core/base/count_text.h"
#include "core/base/status.h"
#include "core/io/cohort_writer.h"

namespace genoserve {
namespace {

// What can be told from the arguments alone.
absl::Status CheckArguments(const FetchArguments& arguments) {
  if (arguments.samples.has_value() && *arguments.samples < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("-n: ", *arguments.samples, " samples; at least 1 must be asked for"));
  }
  if (!arguments.pheno_file.empty() && (!arguments.populations.empty() || !arguments.phenotypes.empty())) {
    return absl::InvalidArgumentError("--pheno-file tells all of each sample: it excludes --pop and --pheno");
  }
  if (!arguments.shard.empty() && !arguments.seed.has_value()) {
    return absl::InvalidArgumentError("--shard needs --seed, since all parts of a cohort must have the same one");
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

// The request without what the model's schema must tell.
absl::StatusOr<v1::StreamCohortRequest> BuildRequest(const FetchArguments& arguments) {
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

// Pins the request to the version that the model resolved to, and adds what depends on its schema.
absl::Status Complete(const FetchArguments& arguments, const v1::Model& model, v1::StreamCohortRequest* request) {
  if (!model.has_manifest()) {
    const std::string name = absl::StrCat("version ", model.version(), " of model ", model.name());
    return absl::FailedPreconditionError(absl::StrCat(name, " does not serve: ", model.reason()));
  }
  request->set_version(model.version());
  request->set_artifact_digest(model.artifact_digest());
  GENOSERVE_RETURN_IF_ERROR(CheckLabels(request->condition(), model.manifest()));
  for (const std::string& text : arguments.phenotypes) {
    GENOSERVE_ASSIGN_OR_RETURN(*request->mutable_condition()->add_phenotypes(), ParsePhenotype(text, model.manifest()));
  }
  v1::SampleConditions* per_sample = nullptr;
  if (!arguments.pheno_file.empty()) {
    per_sample = request->mutable_condition()->mutable_per_sample();
    absl::StatusOr<v1::SampleConditions> read = ReadSampleConditions(arguments.pheno_file, model.manifest());
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

// The variants that the request is for.
absl::StatusOr<VariantTable> ListVariants(Client* client, const v1::StreamCohortRequest& request) {
  v1::ListVariantsRequest list;
  list.set_model(request.model());
  list.set_version(request.version());
  list.set_artifact_digest(request.artifact_digest());
  *list.mutable_regions() = request.regions();
  return client->ListVariants(list);
}

// DATA_LOSS unless the variants are those that the header tells of.
absl::Status CheckVariants(const VariantTable& variants, const v1::CohortHeader& header) {
  if (static_cast<int64_t>(variants.size()) == header.variant_count() && variants.Digest() == header.variant_digest()) {
    return absl::OkStatus();
  }
  return absl::DataLossError(
      absl::StrCat("the variants that the server lists for ", header.model(), " are not those of its stream"));
}

CohortDescription Describe(const v1::CohortHeader& header, VariantTable variants) {
  CohortDescription description;
  description.variants = std::move(variants);
  description.packing =
      header.encoding() == v1::GENOTYPE_ENCODING_HAPLOTYPE_1BIT ? Packing::kHaplotype1Bit : Packing::kDiploid2Bit;
  description.cohort_size = header.cohort_size();
  description.first_sample = header.first_sample();
  description.sample_count = header.sample_count();
  description.provenance = {{"Model", header.model()},
                            {"ModelVersion", header.version()},
                            {"Seed", absl::StrCat(header.seed())},
                            {"ManifestSha256", header.artifact_digest()}};
  return description;
}

std::string Summary(const v1::CohortHeader& header, const v1::CohortFooter& footer, absl::Duration elapsed) {
  const v1::Engine& engine = header.engine();
  const int64_t last = header.first_sample() + footer.sample_count() - 1;
  const std::string samples =
      footer.sample_count() == header.cohort_size()
          ? absl::StrCat(FormatCount(footer.sample_count()), " samples")
          : absl::StrCat("samples ", header.first_sample(), " to ", last, " of ", header.cohort_size());
  return absl::StrFormat(
      "genoserve: %s of model %s version %s, seed %d, digest %s, artifact %s, engine %s/%s/%s/%d, in %.1f s", samples,
      header.model(), header.version(), header.seed(), absl::BytesToHexString(footer.sha256()),
      header.artifact_digest(), engine.device(), engine.instruction_set(), engine.precision(), engine.kernel_revision(),
      absl::ToDoubleSeconds(elapsed));
}

// Takes all batches of the stream into the files, and gives these their names.
absl::Status Transfer(const OutputPlan& plan, CohortReader* stream, VariantTable variants, Progress* progress,
                      const Interrupt& interrupt) {
  const v1::CohortHeader& header = stream->header();
  auto writer = OpenCohortWriter(plan.format, plan.path, Describe(header, std::move(variants)));
  if (!writer.ok()) return Local(writer.status());
  absl::StatusOr<SampleTables> tables = SampleTables::Create(plan, header);
  if (!tables.ok()) return Local(tables.status());
  int64_t bytes = 0;
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const CohortBatch* const batch, stream->Next());
    if (batch == nullptr) break;
    GENOSERVE_RETURN_IF_ERROR(Local((*writer)->Append(batch->genotypes)));
    GENOSERVE_RETURN_IF_ERROR(Local(tables->Append(*batch)));
    bytes += static_cast<int64_t>(batch->genotypes.bytes().size());
    progress->Show(stream->received(), bytes);
    if (interrupt.raised()) return absl::CancelledError("interrupted");
  }
  GENOSERVE_RETURN_IF_ERROR(Local(tables->Finish()));
  if (interrupt.raised()) return absl::CancelledError("interrupted");
  GENOSERVE_RETURN_IF_ERROR(Local((*writer)->Close()));
  return Local(tables->Commit());
}

}  // namespace

absl::Status Fetch(const FetchArguments& arguments, ClientOptions options, Interrupt* interrupt) {
  const absl::Time begin = absl::Now();
  GENOSERVE_RETURN_IF_ERROR(Local(CheckArguments(arguments)));
  absl::StatusOr<OutputPlan> plan = PlanOutput(arguments.output, arguments.format);
  if (!plan.ok()) return Local(plan.status());
  absl::StatusOr<v1::StreamCohortRequest> request = BuildRequest(arguments);
  if (!request.ok()) return Local(request.status());
  GENOSERVE_RETURN_IF_ERROR(Local(CheckOutput(*plan, arguments.force)));

  Progress* shown = nullptr;
  if (!arguments.quiet) {
    options.on_retry = [&shown](const absl::Status& status, absl::Duration delay) {
      const std::string line = absl::StrFormat("genoserve: %s; trying again in %.1f s", std::string(status.message()),
                                               absl::ToDoubleSeconds(delay));
      if (shown != nullptr) {
        shown->Say(line);
      } else {
        std::fprintf(stderr, "%s\n", line.c_str());
      }
    };
  }
  absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(options);
  if (!client.ok()) return Local(client.status());
  interrupt->Call([&client] { (*client)->Cancel(); });
  const absl::Cleanup forget = [interrupt] { interrupt->Call({}); };

  if (!request->has_seed()) request->set_seed(DrawSeed());
  GENOSERVE_ASSIGN_OR_RETURN(const v1::Model model,
                             (*client)->GetModel(request->model(), request->version(), absl::StrCat(request->seed())));
  GENOSERVE_RETURN_IF_ERROR(Complete(arguments, model, &*request));
  GENOSERVE_ASSIGN_OR_RETURN(VariantTable variants, ListVariants(client->get(), *request));
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<CohortReader> stream, (*client)->StreamCohort(*request));
  GENOSERVE_RETURN_IF_ERROR(CheckVariants(variants, stream->header()));
  const Progress::Style style = arguments.quiet                ? Progress::Style::kNone
                                : ::isatty(STDERR_FILENO) != 0 ? Progress::Style::kTerminal
                                                               : Progress::Style::kLines;
  {
    Progress progress(style, stream->header().sample_count(), Clock::Real());
    shown = &progress;
    const absl::Cleanup hide = [&shown] { shown = nullptr; };
    GENOSERVE_RETURN_IF_ERROR(Transfer(*plan, stream.get(), std::move(variants), &progress, *interrupt));
  }
  if (!arguments.quiet) {
    std::fprintf(stderr, "%s\n", Summary(stream->header(), stream->footer(), absl::Now() - begin).c_str());
  }
  return absl::OkStatus();
}

}  // namespace genoserve

#include "client/cli/fetch.h"

#include <google/protobuf/util/message_differencer.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "client/cli/cohort_manifest.h"
#include "client/cli/dry_run.h"
#include "client/cli/exit_code.h"
#include "client/cli/fetch_request.h"
#include "client/cli/json_file.h"
#include "client/cli/other_format.h"
#include "client/cli/part_claim.h"
#include "client/cli/part_state.h"
#include "client/cli/progress.h"
#include "client/cli/sample_part.h"
#include "client/cli/simulated_trait.h"
#include "client/cli/transfer.h"
#include "client/lib/client.h"
#include "core/base/count_text.h"
#include "core/base/file.h"
#include "core/base/status.h"
#include "core/io/cohort_writer.h"
#include "core/io/staged_file.h"

namespace genoserve {
namespace {

std::string EngineWords(const v1::Engine& engine) {
  return absl::StrCat(engine.device(), "/", engine.instruction_set(), "/", engine.precision(), "/",
                      engine.kernel_revision());
}

// The status with more text after its message.
absl::Status Append(const absl::Status& status, absl::string_view text) {
  absl::Status longer(status.code(), absl::StrCat(status.message(), text));
  status.ForEachPayload(
      [&longer](absl::string_view url, const absl::Cord& payload) { longer.SetPayload(url, payload); });
  return longer;
}

CohortDescription Describe(const v1::CohortHeader& header, VariantTable variants, const std::string& sample_table) {
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
  description.sample_table = sample_table;
  if (!sample_table.empty()) description.population_column = header.label_column();
  return description;
}

// One run of the command.
class FetchRun {
 public:
  FetchRun(const FetchArguments& arguments, Interrupt* interrupt) : arguments_(arguments), interrupt_(*interrupt) {}

  absl::Status Run(ClientOptions options) {
    const absl::Time begin = absl::Now();
    GENOSERVE_RETURN_IF_ERROR(Local(Prepare()));
    if (!arguments_.quiet) {
      options.on_retry = [this](const absl::Status& status, absl::Duration delay) { TellRetry(status, delay); };
    }
    absl::StatusOr<std::unique_ptr<Client>> client = Client::Connect(options);
    if (!client.ok()) return Local(client.status());
    client_ = *std::move(client);
    interrupt_.Call([this] { client_->Cancel(); });
    const absl::Cleanup forget = [this] { interrupt_.Call({}); };
    absl::Status status = FetchAll();
    if (!status.ok()) return Ended(status);
    if (!arguments_.quiet && !arguments_.dry_run) Say(Summary(absl::Now() - begin));
    return status;
  }

 private:
  // What can be told before a server is asked.
  absl::Status Prepare() {
    GENOSERVE_ASSIGN_OR_RETURN(plan_, PlanOutput(arguments_.output));
    GENOSERVE_ASSIGN_OR_RETURN(request_, BuildRequest(arguments_));
    GENOSERVE_RETURN_IF_ERROR(CheckFolder(plan_));
    claim_.emplace(plan_, arguments_.force);
    return claim_->Look();
  }

  absl::Status FetchAll() {
    GENOSERVE_RETURN_IF_ERROR(Resolve());
    v1::ListVariantsRequest list;
    list.set_model(request_.model());
    list.set_version(request_.version());
    list.set_artifact_digest(request_.artifact_digest());
    *list.mutable_regions() = request_.regions();
    GENOSERVE_ASSIGN_OR_RETURN(variants_, client_->ListVariants(list));
    if (asked_.has_simulated_trait()) {
      auto trait = SimulatedTrait::Create(asked_.simulated_trait(), variants_, SamplesOf(request_));
      if (!trait.ok()) return Local(trait.status());
      trait_.emplace(*std::move(trait));
    }
    if (arguments_.dry_run) return PrintDryRun(model_, request_, variants_);
    GENOSERVE_RETURN_IF_ERROR(Local(claim_->Take()));
    return Receive();
  }

  // Which model answers, and whether the request goes on with what is kept.
  absl::Status Resolve() {
    // What was not asked for is as it was at first.
    if (kept() != nullptr && kept()->request().model() == request_.model()) {
      if (request_.version().empty()) request_.set_version(kept()->request().version());
      if (!request_.has_seed()) request_.set_seed(kept()->request().seed());
    }
    if (!request_.has_seed()) request_.set_seed(DrawSeed());
    absl::StatusOr<v1::Model> model =
        client_->GetModel(request_.model(), request_.version(), absl::StrCat(request_.seed()));
    if (!model.ok()) return kept() != nullptr ? Gone(model.status(), *kept()) : model.status();
    model_ = *std::move(model);
    GENOSERVE_RETURN_IF_ERROR(CompleteRequest(arguments_, model_, &request_));
    v1::CohortPart asked;
    asked.set_format(plan_.Describe());
    *asked.mutable_request() = RequestForFiles(request_, asked.mutable_conditions_digest());
    if (arguments_.trait.wanted) *asked.mutable_simulated_trait() = DescribeTrait(arguments_.trait, request_.seed());
    if (kept() != nullptr) {
      if (const absl::Status same = CheckSameRequest(*kept(), asked); !same.ok()) {
        return Local(
            absl::FailedPreconditionError(absl::StrCat(plan_.part, " is of another request: ", same.message(),
                                                       "; --force begins anew, and another -o leaves it as it is")));
      }
      const v1::CohortHeader& header = kept()->header();
      if (model_.artifact_digest() != header.artifact_digest()) {
        return Gone(absl::FailedPreconditionError(
                        absl::StrCat("its artifact is ", model_.artifact_digest(), ", not ", header.artifact_digest())),
                    *kept());
      }
      if (model_.has_engine() &&
          !google::protobuf::util::MessageDifferencer::Equals(model_.engine(), header.engine())) {
        return Gone(absl::FailedPreconditionError(absl::StrCat("its engine is ", EngineWords(model_.engine()), ", not ",
                                                               EngineWords(header.engine()))),
                    *kept());
      }
    }
    asked_ = std::move(asked);
    return client_->replicas() > 1 ? client_->CheckReplicas(model_) : absl::OkStatus();
  }

  // What to do where a server says that it has not, or no longer, what a part was begun with. Any other status stays.
  absl::Status Gone(const absl::Status& status, const v1::CohortPart& part) const {
    if (DoneSamples(part) == 0 || (!absl::IsNotFound(status) && !absl::IsFailedPrecondition(status))) return status;
    const v1::CohortHeader& header = part.header();
    return absl::FailedPreconditionError(absl::StrFormat(
        "%s was begun with version %s of %s on engine %s, and the server cannot go on with it: %s. Have its admin load "
        "that version (genoserve admin pin %s@%s), name another --server, or begin anew with --force",
        plan_.part, header.version(), header.model(), EngineWords(header.engine()), status.message(), header.model(),
        header.version()));
  }

  absl::Status CheckVariants(const v1::CohortHeader& header) const {
    if (static_cast<int64_t>(variants_.size()) == header.variant_count() &&
        variants_.Digest() == header.variant_digest()) {
      return absl::OkStatus();
    }
    return absl::DataLossError(
        absl::StrCat("the variants that the server lists for ", header.model(), " are not those of its stream"));
  }

  // Begins a cohort: its header, and the stream of its first range.
  absl::StatusOr<std::unique_ptr<CohortReader>> Begin() {
    state_ = asked_;
    state_.set_format_version(kCohortPartVersion);
    state_.set_part_key(absl::StrCat(absl::Hex(DrawSeed(), absl::kZeroPad16)));
    const int64_t first = request_.first_sample();
    const int64_t count = SamplesOf(request_);
    const std::vector<v1::CohortPartRange> ranges = CutRanges(first, count, arguments_.parallel);
    state_.mutable_ranges()->Add(ranges.begin(), ranges.end());
    GENOSERVE_ASSIGN_OR_RETURN(std::unique_ptr<CohortReader> stream,
                               client_->StreamCohort(RequestForRange(request_, first, ranges.front().sample_count())));
    *state_.mutable_header() = stream->header();
    state_.mutable_header()->set_sample_count(count);
    return stream;
  }

  absl::Status Receive() {
    std::unique_ptr<CohortReader> stream;
    if (kept() != nullptr) {
      state_ = *kept();
    } else {
      GENOSERVE_ASSIGN_OR_RETURN(stream, Begin());
    }
    GENOSERVE_RETURN_IF_ERROR(CheckVariants(state_.header()));
    if (state_.written() && AllWritten()) return Finish();
    const v1::CohortHeader& header = state_.header();
    const bool tables =
        !plan_.part.empty() && (header.labels_size() > 0 || header.phenotypes_size() > 0 || trait_.has_value());
    CohortWriterOptions options;
    options.index = plan_.index;
    options.oxford = plan_.oxford;
    options.keep_part = !plan_.part.empty();
    options.part_key = state_.part_key();
    int64_t end = 0;
    for (const v1::CohortPartRange& range : state_.ranges()) {
      options.range_ends.push_back(end += range.sample_count());
      if (kept() != nullptr) options.done.push_back(range.done());
    }
    if (kept() == nullptr) GENOSERVE_RETURN_IF_ERROR(Local(claim_->Forget()));
    auto writer = OpenCohortWriter(plan_.format, plan_.path,
                                   Describe(header, variants_, tables ? PartTablePath(plan_.part) : ""), options);
    if (kept() != nullptr && absl::IsNotFound(writer.status())) {
      if (!arguments_.quiet) Say(absl::StrCat("genoserve: ", plan_.part, " is gone; beginning anew"));
      GENOSERVE_RETURN_IF_ERROR(Local(claim_->Forget()));
      return Receive();
    }
    absl::StatusOr<SamplePart> samples =
        writer.ok() ? SamplePart::Open(claim_->fd(), header, trait(), kept() != nullptr) : writer.status();
    if (!samples.ok()) {
      const bool useless = absl::IsDataLoss(samples.status()) || absl::IsFailedPrecondition(samples.status());
      return Local(kept() != nullptr && useless ? Append(samples.status(), "; --force begins anew") : samples.status());
    }
    GENOSERVE_RETURN_IF_ERROR(Transmit(writer->get(), &*samples, std::move(stream)));
    if (!plan_.part.empty()) {
      GENOSERVE_RETURN_IF_ERROR(Local(WriteBeside(*samples, tables ? PartTablePath(plan_.part) : "")));
      // A manifest of older files would tell wrong things of the new ones.
      GENOSERVE_RETURN_IF_ERROR(Local(FileSystem::Posix().Remove(ManifestPath(plan_.prefix))));
    }
    if (interrupt_.raised()) return absl::CancelledError("interrupted");
    GENOSERVE_RETURN_IF_ERROR(Local((*writer)->Close()));
    if (plan_.part.empty()) return absl::OkStatus();
    state_.set_written(true);
    GENOSERVE_RETURN_IF_ERROR(Local(WriteJsonFile(state_, PartStatePath(plan_.part))));
    return Finish();
  }

  // The tables beside the genotypes, with the simulated trait.
  absl::Status WriteBeside(const SamplePart& samples, const std::string& sample_table) {
    const v1::CohortHeader& header = state_.header();
    GENOSERVE_RETURN_IF_ERROR(CountLabels(samples, header, &label_counts_));
    if (trait_.has_value()) {
      GENOSERVE_RETURN_IF_ERROR(trait_->Finish([&samples](absl::FunctionRef<void(std::span<const uint8_t>)> take) {
        return samples.ForEach([take](const SampleRecord& sample) {
          take(sample.genotypes);
          return absl::OkStatus();
        });
      }));
      GENOSERVE_RETURN_IF_ERROR(WriteFileAtomically(FileSystem::Posix(), plan_.TruthPath(), trait_->Truth()));
    }
    return WriteTables(samples, header, trait(), label_counts_,
                       {plan_.PanelPath(), plan_.PhenoPath(), sample_table, plan_.covariates ? plan_.CovarPath() : ""});
  }

  // What this run goes on with; null where it begins.
  const v1::CohortPart* kept() const { return claim_->kept(); }
  const SimulatedTrait* trait() const { return trait_.has_value() ? &*trait_ : nullptr; }

  // Whether there is a table of covariates, which needs two labels among the samples.
  bool HasCovariates() const {
    return plan_.covariates &&
           std::count_if(label_counts_.begin(), label_counts_.end(), [](int64_t count) { return count > 0; }) > 1;
  }

  // Fetches what is missing into the writer.
  absl::Status Transmit(CohortWriter* writer, SamplePart* samples, std::unique_ptr<CohortReader> stream) {
    const Progress::Style style = arguments_.quiet               ? Progress::Style::kNone
                                  : ::isatty(STDERR_FILENO) != 0 ? Progress::Style::kTerminal
                                                                 : Progress::Style::kLines;
    const int64_t done = DoneSamples(state_);
    const int64_t total = state_.header().sample_count();
    if (done > 0 && !arguments_.quiet) {
      Say(absl::StrFormat("genoserve: going on after %s of %s samples, seed %d", FormatCount(done), FormatCount(total),
                          state_.header().seed()));
    }
    Progress progress(style, done, total, Clock::Real());
    Transfer transfer({client_.get(), writer, samples, &progress, &interrupt_}, request_, state_, plan_.part);
    transfer_ = &transfer;
    const absl::Cleanup forget = [this] { transfer_ = nullptr; };
    absl::Status status = transfer.Run(arguments_.parallel, std::move(stream));
    // What cannot be right is not kept; of all else as much as possible is, whatever else fails by then.
    if (!status.ok() && !absl::IsDataLoss(status)) transfer.Keep().IgnoreError();
    // The header stays where it is.
    *state_.mutable_ranges() = transfer.state().ranges();
    return absl::IsDataLoss(status) ? status : Gone(status, state_);
  }

  // Whether all files stand under their final names, of the fetch whose state says so.
  bool AllWritten() const {
    for (const std::string& file : plan_.GenotypeFiles()) {
      if (!FileSystem::Posix().Exists(file)) return false;
    }
    return true;
  }

  // The manifest; then nothing is left to go on with.
  absl::Status Finish() {
    const v1::CohortHeader& header = state_.header();
    const std::string path = ManifestPath(plan_.prefix);
    if (!FileSystem::Posix().Exists(path)) {
      if (label_counts_.empty() && header.labels_size() > 0) {
        // These were written by an earlier run.
        absl::StatusOr<SamplePart> samples = SamplePart::Open(claim_->fd(), header, trait(), true);
        if (!samples.ok()) return Local(samples.status());
        GENOSERVE_RETURN_IF_ERROR(Local(CountLabels(*samples, header, &label_counts_)));
      }
      CohortWriterOptions options;
      options.index = plan_.index;
      for (const CohortFormat other : plan_.also) {
        if (interrupt_.raised()) return absl::CancelledError("interrupted");
        GENOSERVE_RETURN_IF_ERROR(Local(
            WriteOtherFormat(plan_.prefix, other, plan_.AlsoPath(other), Describe(header, variants_, ""), options)));
      }
      v1::CohortManifest manifest = DescribeCohort(state_, model_.manifest(), label_counts_);
      std::vector<std::string> files = plan_.GenotypeFiles();
      const std::vector<std::string> others = plan_.AlsoFiles();
      files.insert(files.end(), others.begin(), others.end());
      if (header.labels_size() > 0) files.push_back(plan_.PanelPath());
      if (header.phenotypes_size() > 0 || trait_.has_value()) files.push_back(plan_.PhenoPath());
      if (HasCovariates()) files.push_back(plan_.CovarPath());
      if (plan_.truth) files.push_back(plan_.TruthPath());
      const absl::Status added = AddFiles(FolderOf(path), files, &interrupt_, &manifest);
      if (!added.ok()) return absl::IsCancelled(added) ? added : Local(added);
      GENOSERVE_RETURN_IF_ERROR(Local(WriteJsonFile(manifest, path)));
    }
    return Local(RemovePart(plan_.part));
  }

  // What is told of a fetch that did not get to its end, and what is left of it.
  absl::Status Ended(absl::Status status) {
    if (interrupt_.raised()) status = absl::CancelledError("interrupted");
    if (plan_.part.empty() || arguments_.dry_run) return status;
    absl::StatusOr<v1::CohortPart> state = ReadPartState(plan_.part);
    const bool wrong = absl::IsDataLoss(status) && ExitCodeOf(status) == kExitMismatch;
    const int64_t kept = state.ok() && !wrong ? DoneSamples(*state) : 0;
    if (kept == 0) {
      // Nothing is removed of others' parts, nor where an error hides what is kept.
      const bool useless = state.ok() || absl::IsNotFound(state.status()) || absl::IsDataLoss(state.status());
      if (claim_->taken() && useless) RemovePart(plan_.part).IgnoreError();
      return status;
    }
    // What asks for --force or another server says itself what to do.
    if (absl::IsFailedPrecondition(status) || absl::IsDataLoss(status)) return status;
    return Append(status, absl::StrFormat("; %s of %s samples are kept in %s: the same command%s goes on from there",
                                          FormatCount(kept), FormatCount(state->header().sample_count()), plan_.part,
                                          arguments_.force ? " without --force" : ""));
  }

  void TellRetry(const absl::Status& status, absl::Duration delay) {
    Say(absl::StrFormat("genoserve: %s; trying again in %.1f s", std::string(status.message()),
                        absl::ToDoubleSeconds(delay)));
    // While nothing comes there is time to note all that did.
    if (transfer_ != nullptr) transfer_->Keep().IgnoreError();
  }

  void Say(const std::string& line) {
    if (transfer_ != nullptr) {
      transfer_->Say(line);
    } else {
      std::fprintf(stderr, "%s\n", line.c_str());
    }
  }

  std::string Summary(absl::Duration elapsed) const {
    const v1::CohortHeader& header = state_.header();
    const int64_t count = header.sample_count();
    const std::string samples = count == header.cohort_size()
                                    ? absl::StrCat(FormatCount(count), " samples")
                                    : absl::StrFormat("samples %d to %d of %d", header.first_sample(),
                                                      header.first_sample() + count - 1, header.cohort_size());
    const std::string drawn =
        absl::StrFormat("%s of model %s version %s, seed %d", samples, header.model(), header.version(), header.seed());
    const double seconds = absl::ToDoubleSeconds(elapsed);
    // Where there is no manifest that tells the rest.
    if (plan_.prefix.empty()) {
      return absl::StrFormat("genoserve: %s, digest %s, artifact %s, engine %s, in %.1f s", drawn,
                             StreamDigestOf(state_), header.artifact_digest(), EngineWords(header.engine()), seconds);
    }
    return absl::StrFormat("genoserve: %s, in %.1f s; digests are in %s", drawn, seconds, ManifestPath(plan_.prefix));
  }

  const FetchArguments& arguments_;
  Interrupt& interrupt_;
  OutputPlan plan_;
  std::optional<PartClaim> claim_;  // once there is a plan
  v1::StreamCohortRequest request_;
  std::unique_ptr<Client> client_;
  v1::Model model_;
  v1::CohortPart asked_;  // format and request
  VariantTable variants_;
  v1::CohortPart state_;
  std::optional<SimulatedTrait> trait_;
  std::vector<int64_t> label_counts_;
  Transfer* transfer_ = nullptr;  // while it runs
};

}  // namespace

absl::Status Fetch(const FetchArguments& arguments, ClientOptions options, Interrupt* interrupt) {
  FetchArguments all = arguments;
  GENOSERVE_RETURN_IF_ERROR(Local(ApplyPreset(&all)));
  return FetchRun(all, interrupt).Run(std::move(options));
}

}  // namespace genoserve

#include "trainer/sweep_command.h"

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/artifact/artifact.h"
#include "core/base/file.h"
#include "core/base/sha256.h"
#include "core/base/status.h"
#include "core/io/genotype_source.h"
#include "core/quality/gate.h"
#include "core/store/checkpoint_store.h"
#include "trainer/child_process.h"
#include "trainer/config_file.h"
#include "trainer/distributed/process_place.h"
#include "trainer/exit_code.h"
#include "trainer/loop/interrupt.h"
#include "trainer/loop/validation.h"
#include "trainer/nudge.h"
#include "trainer/sweep_grid.h"
#include "trainer/sweep_table.h"
#include "trainer/train_config.h"

namespace genoserve {
namespace {

constexpr uint64_t kLargestLog = uint64_t{64} << 20;
constexpr uint64_t kLargestPart = uint64_t{1} << 30;

// A folder that may be there already.
absl::Status MakeFolder(const std::string& path) {
  const absl::Status made = FileSystem::Posix().MakeFolder(path);
  return absl::IsAlreadyExists(made) ? absl::OkStatus() : made;
}

// One run: a point of the grid in a folder of its own.
class SweepRun {
 public:
  SweepRun(const std::string& sweep_folder, SweepPoint point)
      : values_(std::move(point.values)), config_(std::move(point.config)) {
    v1::TrainOutput& output = *config_.mutable_output();
    const std::string model = output.model();
    const std::string gate = output.gate();
    output.Clear();
    output.set_model(model);
    output.set_gate(gate);
    name_ = absl::StrCat("run-", Sha256Hex(ConfigText(config_)).substr(0, 12));
    folder_ = JoinPath(sweep_folder, name_);
    output.set_store(JoinPath(folder_, "store"));
    output.set_create_store(true);
    output.set_publish_anyway(true);  // in a store of its own, to have its figures whatever the gate says
    config_.mutable_schedule()->set_checkpoint(JoinPath(folder_, "run.ckpt"));
    if (!config_.schedule().tensorboard().empty()) {
      config_.mutable_schedule()->set_tensorboard(JoinPath(config_.schedule().tensorboard(), name_));
    }
  }

  const std::string& name() const { return name_; }
  const std::vector<std::string>& values() const { return values_; }
  const std::string& model() const { return config_.output().model(); }
  std::string log() const { return JoinPath(folder_, "log.txt"); }

  absl::StatusOr<std::unique_ptr<CheckpointStore>> OpenOwnStore() const {
    return OpenStore(config_.output().store(), /*create=*/false);
  }

  // What it made of this data; nothing where it is not finished. `version` may be null.
  std::optional<v1::Manifest> Finished(const std::string& data_digest, int64_t* version) const {
    const auto store = OpenOwnStore();
    if (!store.ok()) return std::nullopt;
    const auto versions = (*store)->ListVersions(model());
    if (!versions.ok() || versions->empty()) return std::nullopt;
    std::string digest;
    auto manifest = ReadManifest(**store, model(), versions->back(), &digest);
    if (!manifest.ok() || manifest->training().data_digest() != data_digest) return std::nullopt;
    if (version != nullptr) *version = versions->back();
    return *std::move(manifest);
  }

  // Its exit code.
  absl::StatusOr<int> Run() const {
    GENOSERVE_RETURN_IF_ERROR(MakeFolder(folder_));
    const std::string file = JoinPath(folder_, "config.txtpb");
    GENOSERVE_RETURN_IF_ERROR(WriteFileAtomically(FileSystem::Posix(), file, ConfigText(config_)));
    return RunSelf({"train", "--config", file, "--resume"}, log());
  }

  // The last thing that it complained of.
  std::string LastComplaint() const {
    constexpr absl::string_view kComplaint = "genoserve-trainer: ";
    const auto text = FileSystem::Posix().ReadFile(log(), kLargestLog);
    std::string complaint = absl::StrCat("see ", log());
    if (!text.ok()) return complaint;
    for (absl::string_view line : absl::StrSplit(*text, '\n')) {
      if (absl::ConsumePrefix(&line, kComplaint)) complaint = std::string(line);
    }
    return complaint;
  }

 private:
  const std::vector<std::string> values_;
  v1::TrainConfig config_;
  std::string name_;
  std::string folder_;
};

// Of the final figures, as that of a validation.
double ScoreOf(const v1::Gate& gate, const v1::Manifest& manifest) {
  v1::Quality quality;
  *quality.mutable_figures() = manifest.figures();
  return ScoreFigures(gate, std::move(quality)).score();
}

// The digest of the weights that a version has.
std::string WeightsOf(const v1::Manifest& manifest) {
  for (const v1::ArtifactFile& file : manifest.files()) {
    if (file.name() == kWeightsFile) return file.sha256();
  }
  return "";
}

// Copies a version of a run's own store to the store of the configuration.
absl::Status PublishRun(const SweepRun& run, int64_t version, const v1::TrainOutput& output) {
  const std::string& model = output.model();
  GENOSERVE_ASSIGN_OR_RETURN(const auto from, run.OpenOwnStore());
  GENOSERVE_ASSIGN_OR_RETURN(const Artifact artifact, ReadArtifact(*from, model, version));
  GENOSERVE_ASSIGN_OR_RETURN(const auto to, OpenStore(output.store(), /*create=*/true));
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<int64_t> versions, to->ListVersions(model));
  std::string digest;
  if (!versions.empty()) {
    GENOSERVE_ASSIGN_OR_RETURN(const v1::Manifest newest, ReadManifest(*to, model, versions.back(), &digest));
    if (WeightsOf(newest) == WeightsOf(artifact.manifest)) {
      std::cout << absl::StreamFormat("%s is version %d of %s already\n", run.name(), versions.back(), model);
      return absl::OkStatus();
    }
  }
  std::vector<ArtifactPart> parts;
  for (const v1::ArtifactFile& file : artifact.manifest.files()) {
    if (file.name() == kWeightsFile || file.name() == kVariantsFile) continue;
    GENOSERVE_ASSIGN_OR_RETURN(std::string bytes, from->Read(model, version, file.name(), kLargestPart));
    parts.push_back({file.name(), std::move(bytes)});
  }
  GENOSERVE_ASSIGN_OR_RETURN(const int64_t published, PublishArtifact(*to, model, artifact.manifest, artifact.weights,
                                                                      artifact.variants, parts));
  GENOSERVE_RETURN_IF_ERROR(ReadManifest(*to, model, published, &digest).status());
  std::cout << absl::StreamFormat("published %s version %d digest %s of %s\n", model, published, digest, run.name())
            << std::flush;
  NudgeServers(output, published, std::cerr);
  return absl::OkStatus();
}

// The grid with what came out so far.
class SweepState {
 public:
  SweepState(const v1::TrainConfig& config, const SweepOptions& options, std::vector<SweepPoint> points, v1::Gate gate,
             std::string data_digest)
      : config_(config), options_(options), gate_(std::move(gate)), data_digest_(std::move(data_digest)) {
    for (const v1::SweepAxis& axis : config.sweep()) axes_.push_back(axis.field());
    for (SweepPoint& point : points) {
      runs_.push_back(std::make_unique<SweepRun>(options.folder, std::move(point)));
    }
  }

  absl::Status RunAll() {
    for (size_t i = 0; i < runs_.size(); ++i) {
      GENOSERVE_RETURN_IF_ERROR(RunOne(*runs_[i], i));
      GENOSERVE_RETURN_IF_ERROR(
          WriteFileAtomically(FileSystem::Posix(), JoinPath(options_.folder, "sweep.tsv"), SweepTsv(axes_, Sorted())));
    }
    std::cout << SweepText(axes_, Sorted()) << std::flush;
    return absl::OkStatus();
  }

  // After RunAll.
  absl::Status Conclude() const {
    const std::vector<SweepRow> sorted = Sorted();
    if (!sorted.front().manifest.has_value()) {
      return absl::AbortedError("no run of the sweep made a generator; the notes of the table tell why");
    }
    if (!options_.publish_best) return absl::OkStatus();
    for (const SweepRow& row : sorted) {
      if (!row.manifest.has_value()) break;
      if (!row.manifest->gate().passed() && !config_.output().publish_anyway()) continue;
      const auto run =
          std::find_if(runs_.begin(), runs_.end(), [&row](const auto& one) { return one->name() == row.run; });
      int64_t version = 0;
      if (!(*run)->Finished(data_digest_, &version).has_value()) break;
      return PublishRun(**run, version, config_.output());
    }
    return absl::AbortedError("not good enough to publish: no run of the sweep passed the gate");
  }

 private:
  absl::Status RunOne(const SweepRun& run, size_t index) {
    SweepRow row{run.name(), run.values(), run.Finished(data_digest_, nullptr), 0, ""};
    const std::string title = absl::StrFormat("run %d of %d, %s", index + 1, runs_.size(), Describe(run));
    if (row.manifest.has_value()) {
      std::cerr << title << ": is finished already" << std::endl;
    } else {
      std::cerr << title << ": training, see " << run.log() << std::endl;
      GENOSERVE_ASSIGN_OR_RETURN(const int exit_code, run.Run());
      if (Interrupted()) {
        return absl::CancelledError("interrupted; the same command goes on where the sweep was stopped");
      }
      row.manifest = run.Finished(data_digest_, nullptr);
      if (!row.manifest.has_value()) row.note = absl::StrCat("exit code ", exit_code, ": ", run.LastComplaint());
    }
    if (row.manifest.has_value()) row.score = ScoreOf(gate_, *row.manifest);
    std::cerr << title << ": " << (row.manifest.has_value() ? absl::StrFormat("score %.4f", row.score) : row.note)
              << std::endl;
    rows_.push_back(std::move(row));
    return absl::OkStatus();
  }

  std::string Describe(const SweepRun& run) const {
    std::vector<std::string> texts;
    for (size_t i = 0; i < axes_.size(); ++i) texts.push_back(absl::StrCat(axes_[i], "=", run.values()[i]));
    return absl::StrJoin(texts, " ");
  }

  std::vector<SweepRow> Sorted() const {
    std::vector<SweepRow> rows = rows_;
    SortByScore(rows);
    return rows;
  }

  const v1::TrainConfig& config_;
  const SweepOptions& options_;
  const v1::Gate gate_;
  const std::string data_digest_;
  std::vector<std::string> axes_;
  std::vector<std::unique_ptr<SweepRun>> runs_;
  std::vector<SweepRow> rows_;
};

}  // namespace

absl::Status Sweep(const v1::TrainConfig& config, const SweepOptions& options) {
  GENOSERVE_ASSIGN_OR_RETURN(const ProcessPlace place, ReadProcessPlace());
  if (place.size > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("sweep trains one run after another in one process: start it once, without WORLD_SIZE (it is ",
                     place.size, ")"));
  }
  GENOSERVE_ASSIGN_OR_RETURN(std::vector<SweepPoint> points, SweepGrid(config));
  GENOSERVE_ASSIGN_OR_RETURN(const std::vector<std::string> files, InputFiles(config.input()));
  GENOSERVE_ASSIGN_OR_RETURN(std::string data_digest, DigestFiles(files));
  if (options.publish_best) {
    // Before hours are spent.
    GENOSERVE_RETURN_IF_ERROR(OpenStore(config.output().store(), config.output().create_store()).status());
  }
  GENOSERVE_RETURN_IF_ERROR(MakeFolder(options.folder));
  if (!config.schedule().tensorboard().empty()) {
    GENOSERVE_RETURN_IF_ERROR(MakeFolder(config.schedule().tensorboard()));
  }
  CatchInterrupts();
  GENOSERVE_ASSIGN_OR_RETURN(v1::Gate gate, ReadGate(config.output().gate()));
  SweepState state(config, options, std::move(points), std::move(gate), std::move(data_digest));
  GENOSERVE_RETURN_IF_ERROR(state.RunAll());
  return state.Conclude();
}

}  // namespace genoserve

// One process of a training that the tests start: test_worker PRESET STEPS OUT [checkpoint=FILE]
// [signal=RANK,STEP,NUMBER]. It trains simulated data with the place that the environment gives, writes its state to
// OUT.<rank> and, as process 0, the losses to OUT.losses, and a checkpoint after each step. Before that step that
// process sends itself the signal.
#include <ATen/Parallel.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_split.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "core/base/status.h"
#include "core/model/generator.h"
#include "trainer/distributed/process_group.h"
#include "trainer/exit_code.h"
#include "trainer/loop/interrupt.h"
#include "trainer/objective/test_data.h"

namespace genoserve {
namespace {

constexpr int kVariants = 30;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A preset at test size, with batches that four processes cannot share evenly.
absl::StatusOr<v1::Manifest> MakeManifest(const TestData& data, const std::string& preset) {
  v1::Manifest manifest = data.manifest;
  GENOSERVE_RETURN_IF_ERROR(ApplyPreset(preset, manifest));
  v1::TrainingRecipe& recipe = *manifest.mutable_training()->mutable_recipe();
  recipe.set_batch_size(30);
  for (int i = 0; i < recipe.critic_hidden_sizes_size(); ++i) recipe.set_critic_hidden_sizes(i, 12);
  auto* hidden = manifest.generator().has_acgan()
                     ? manifest.mutable_generator()->mutable_acgan()->mutable_hidden_sizes()
                     : manifest.mutable_generator()->mutable_wgan_gp()->mutable_hidden_sizes();
  for (int& size : *hidden) size = 16;
  return manifest;
}

struct Options {
  std::string preset;
  int64_t steps = 0;
  std::string out;
  std::string checkpoint;
  std::vector<int> signal;  // rank, step, number
};

absl::Status Train(const Options& options) {
  at::set_num_threads(1);
  CatchInterrupts();
  GENOSERVE_ASSIGN_OR_RETURN(const ProcessPlace place, ReadProcessPlace());
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<ProcessGroup> group, JoinProcessGroup(place, /*gpus=*/false));
  const TestData data =
      options.preset[0] == 'a' ? SimulateHaplotypes(60, kVariants) : SimulateGenotypes(120, kVariants);
  GENOSERVE_ASSIGN_OR_RETURN(const v1::Manifest manifest, MakeManifest(data, options.preset));
  const RecipeSetup setup{7, options.steps, DeviceKind::kCpu, group.get()};
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<Recipe> recipe, MakeRecipe(manifest, data.set, setup));
  std::string state = group->rank() == 0 ? ReadAll(options.checkpoint) : "";
  GENOSERVE_RETURN_IF_ERROR(group->Broadcast(state));
  if (!state.empty()) GENOSERVE_RETURN_IF_ERROR(recipe->RestoreState(state));
  std::string losses;
  while (recipe->steps() < options.steps) {
    if (options.signal == std::vector<int>{group->rank(), static_cast<int>(recipe->steps()), options.signal.back()}) {
      ::raise(options.signal.back());
    }
    GENOSERVE_ASSIGN_OR_RETURN(const bool stop, group->Any(Interrupted()));
    if (stop) {
      std::cout << "stopped after step " << recipe->steps() << std::endl;
      break;
    }
    GENOSERVE_ASSIGN_OR_RETURN(const Losses step, recipe->Step());
    for (const auto& [name, value] : step) absl::StrAppendFormat(&losses, "%.9g\n", value);
    if (group->rank() == 0 && !options.checkpoint.empty()) {
      GENOSERVE_ASSIGN_OR_RETURN(const std::string saved, recipe->SaveState());
      WriteAll(options.checkpoint, saved);
    }
  }
  GENOSERVE_ASSIGN_OR_RETURN(const std::string end, recipe->SaveState());
  WriteAll(absl::StrCat(options.out, ".", group->rank()), end);
  if (group->rank() == 0) WriteAll(options.out + ".losses", losses);
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  if (argc < 4) return kExitUsage;
  Options options{argv[1], 0, argv[3], "", {0, -1, 0}};
  if (!absl::SimpleAtoi(argv[2], &options.steps)) return kExitUsage;
  for (int i = 4; i < argc; ++i) {
    const std::vector<std::string> pair = absl::StrSplit(argv[i], '=');
    if (pair[0] == "checkpoint") options.checkpoint = pair[1];
    if (pair[0] == "signal") {
      options.signal.clear();
      for (const auto& part : absl::StrSplit(pair[1], ',')) {
        int value = 0;
        if (!absl::SimpleAtoi(part, &value)) return kExitUsage;
        options.signal.push_back(value);
      }
    }
  }
  const absl::Status status = Train(options);
  if (!status.ok()) std::cerr << status.message() << std::endl;
  return ExitCodeOf(status);
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) { return genoserve::Main(argc, argv); }

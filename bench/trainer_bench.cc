// How many generator steps a second a preset makes on this machine.
//
//   trainer_bench PRESET VARIANTS SECONDS [PRECISION]
//
// PRECISION is fp32 or bf16, the preset's own if not given. Prints two lines: the generator and the recipe in JSON, by
// which bench/peers/trainer_eager.py builds the same step in PyTorch, and the steps a second followed by the steps a
// second of processor time, which other work on the machine hardly changes. Simulated people; the start from the data
// and the calibration are left out, since no step depends on them.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "core/base/status.h"
#include "google/protobuf/util/json_util.h"
#include "trainer/objective/recipe.h"
#include "trainer/objective/test_data.h"
#include "trainer/runtime.h"

namespace genoserve {
namespace {

constexpr size_t kSamples = 2000;
constexpr int kWarmSteps = 3;

// Seconds that all threads of this process have run.
double ProcessorSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return absl::ToDoubleSeconds(absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime));
}

absl::Status Run(const std::string& preset, size_t variants, absl::Duration time, const std::string& precision) {
  const bool haplotypes = absl::StartsWith(preset, "acgan");
  TestData data = haplotypes ? SimulateHaplotypes(kSamples, variants) : SimulateGenotypes(kSamples, variants);
  GENOSERVE_RETURN_IF_ERROR(ApplyPreset(preset, data.manifest));
  v1::TrainingRecipe& settings = *data.manifest.mutable_training()->mutable_recipe();
  settings.set_start_from_data(false);
  settings.set_calibrate(false);
  if (!precision.empty()) settings.set_precision(precision);
  v1::Manifest shown;
  *shown.mutable_generator() = data.manifest.generator();
  *shown.mutable_training()->mutable_recipe() = settings;
  *shown.mutable_labels() = data.manifest.labels();
  shown.set_variant_count(data.manifest.variant_count());
  google::protobuf::util::JsonPrintOptions all;
  all.always_print_primitive_fields = true;
  all.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(shown, &json, all).ok()) return absl::InternalError("no JSON");
  std::printf("%s\n", json.c_str());

  GENOSERVE_ASSIGN_OR_RETURN(const auto recipe, MakeRecipe(data.manifest, data.set, 1, 1000, DeviceKind::kCpu));
  for (int i = 0; i < kWarmSteps; ++i) GENOSERVE_RETURN_IF_ERROR(recipe->Step().status());
  const double processor = ProcessorSeconds();
  const absl::Time begin = absl::Now();
  while (absl::Now() - begin < time) GENOSERVE_RETURN_IF_ERROR(recipe->Step().status());
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  const auto steps = static_cast<double>(recipe->steps() - kWarmSteps);
  std::printf("%.4f %.4f\n", steps / seconds, steps / (ProcessorSeconds() - processor));
  return absl::OkStatus();
}

}  // namespace
}  // namespace genoserve

int main(int argc, char** argv) {
  genoserve::SetUpRuntime(argv);
  int64_t variants = 0;
  double seconds = 0;
  if (argc < 4 || argc > 5 || !absl::SimpleAtoi(argv[2], &variants) || variants < 10 ||
      !absl::SimpleAtod(argv[3], &seconds)) {
    std::fprintf(stderr, "usage: trainer_bench PRESET VARIANTS SECONDS [PRECISION]\n");
    return 2;
  }
  const absl::Status status =
      genoserve::Run(argv[1], static_cast<size_t>(variants), absl::Seconds(seconds), argc == 5 ? argv[4] : "");
  if (!status.ok()) std::fprintf(stderr, "trainer_bench: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

#include "core/model/weights.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "core/model/condition.h"
#include "core/model/spec_field.h"

namespace genoserve {
namespace {

constexpr int64_t kLargestLayer = 1 << 22;
constexpr int64_t kMostVariants = 1 << 26;
constexpr int64_t kMostWeights = int64_t{1} << 34;

std::string ShapeText(const std::vector<int64_t>& shape) { return absl::StrCat("[", absl::StrJoin(shape, ", "), "]"); }

void AddLinear(const std::string& name, int64_t outputs, int64_t inputs, GeneratorShape& shape) {
  shape.weights.push_back({name + ".weight", {outputs, inputs}});
  shape.weights.push_back({name + ".bias", {outputs}});
}

// The layers after the body, which both architectures share.
absl::Status AddOutput(int64_t width, int64_t rank, bool latent_skip, int64_t skip_inputs, GeneratorShape& shape) {
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("rank", rank, 0, kLargestLayer));
  if (latent_skip && rank == 0) {
    return absl::InvalidArgumentError("generator spec: latent_skip needs a rank layer, rank is 0");
  }
  if (rank > 0) {
    AddLinear("rank", rank, width, shape);
    if (latent_skip) shape.weights.push_back({"skip.weight", {rank, skip_inputs}});
    width = rank;
  }
  AddLinear("output", static_cast<int64_t>(shape.states * shape.variants), width, shape);
  return absl::OkStatus();
}

template <typename Spec>
absl::Status CheckCommon(const Spec& spec) {
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("latent_size", spec.latent_size(), 1, kLargestLayer));
  for (const int size : spec.hidden_sizes()) {
    GENOSERVE_RETURN_IF_ERROR(CheckSpecField("hidden_sizes", size, 1, kLargestLayer));
  }
  if (spec.hidden_sizes().empty()) return absl::InvalidArgumentError("generator spec: hidden_sizes is empty");
  return CheckSpecField("leaky_slope", spec.leaky_slope(), 0, 1);
}

absl::Status ResolveAcgan(const v1::Manifest& manifest, GeneratorShape& shape) {
  const v1::AcganSpec& spec = manifest.generator().acgan();
  GENOSERVE_RETURN_IF_ERROR(CheckCommon(spec));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("label_repeats", spec.label_repeats(), 1, 1024));
  if (manifest.labels().empty()) return absl::InvalidArgumentError("an acgan needs labels, the manifest has none");
  if (!manifest.phenotypes().empty()) {
    return absl::InvalidArgumentError("an acgan is conditioned on labels only, the manifest has phenotypes");
  }
  if (!manifest.phased()) return absl::InvalidArgumentError("an acgan makes haplotypes, the manifest is not phased");
  if (spec.output() != v1::ALLELE_OUTPUT_BERNOULLI && spec.output() != v1::ALLELE_OUTPUT_TANH_THRESHOLD) {
    return absl::InvalidArgumentError("generator spec: output must be BERNOULLI or TANH_THRESHOLD");
  }
  shape.packing = Packing::kHaplotype1Bit;
  shape.states = 1;
  shape.latent_size = static_cast<size_t>(spec.latent_size());
  shape.condition_size = static_cast<size_t>(manifest.labels_size());
  int64_t width = spec.latent_size() + int64_t{2} * spec.label_repeats() * manifest.labels_size();
  for (int i = 0; i < spec.hidden_sizes_size(); ++i) {
    AddLinear(absl::StrCat("hidden.", i), spec.hidden_sizes(i), width, shape);
    width = spec.hidden_sizes(i);
  }
  GENOSERVE_RETURN_IF_ERROR(AddOutput(width, spec.rank(), spec.latent_skip(), spec.latent_size(), shape));
  shape.label_logits = spec.label_logits();
  if (spec.label_logits()) {
    shape.weights.push_back({"label_logits", {manifest.labels_size(), manifest.variant_count()}});
  }
  return absl::OkStatus();
}

absl::Status ResolveWganGp(const v1::Manifest& manifest, GeneratorShape& shape) {
  const v1::WganGpSpec& spec = manifest.generator().wgan_gp();
  GENOSERVE_RETURN_IF_ERROR(CheckCommon(spec));
  if (!manifest.labels().empty()) {
    return absl::InvalidArgumentError("a wgan-gp is conditioned on phenotypes only, the manifest has labels");
  }
  if (manifest.phased()) return absl::InvalidArgumentError("a wgan-gp makes diploid genotypes, the manifest is phased");
  const auto condition = static_cast<int64_t>(ConditionSize(manifest));
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField<int64_t>("condition_size", spec.condition_size(), condition, condition));
  shape.packing = Packing::kDiploid2Bit;
  shape.states = 3;
  shape.latent_size = static_cast<size_t>(spec.latent_size());
  shape.condition_size = static_cast<size_t>(condition);
  const int64_t inputs = spec.latent_size() + condition;
  AddLinear("first", spec.hidden_sizes(0), inputs, shape);
  int64_t width = spec.hidden_sizes(0);
  for (int i = 0; i + 1 < spec.hidden_sizes_size(); ++i) {
    const std::string block = absl::StrCat("block.", i);
    AddLinear(block + ".residual1", width + condition, width + condition, shape);
    AddLinear(block + ".residual2", width + condition, width + condition, shape);
    AddLinear(block + ".out", spec.hidden_sizes(i + 1), width + condition, shape);
    width = spec.hidden_sizes(i + 1);
  }
  return AddOutput(width, spec.rank(), spec.latent_skip(), inputs, shape);
}

}  // namespace

absl::StatusOr<GeneratorShape> ShapeOfGenerator(const v1::Manifest& manifest) {
  GENOSERVE_RETURN_IF_ERROR(CheckSpecField("variant_count", manifest.variant_count(), 1, kMostVariants));
  GeneratorShape shape;
  shape.variants = static_cast<size_t>(manifest.variant_count());
  switch (manifest.generator().architecture_case()) {
    case v1::GeneratorSpec::kAcgan:
      GENOSERVE_RETURN_IF_ERROR(ResolveAcgan(manifest, shape));
      break;
    case v1::GeneratorSpec::kWganGp:
      GENOSERVE_RETURN_IF_ERROR(ResolveWganGp(manifest, shape));
      break;
    default:
      return absl::InvalidArgumentError("the manifest has no generator spec that this build knows");
  }
  int64_t total = 0;
  for (const WeightShape& weight : shape.weights) {
    int64_t size = 1;
    for (const int64_t extent : weight.shape) size *= extent;  // two extents below 2^31 each
    total += std::min(size, kMostWeights);
    if (total >= kMostWeights) {
      return absl::InvalidArgumentError(absl::StrCat("generator spec: more than ", kMostWeights, " weights"));
    }
  }
  return shape;
}

absl::Status CheckWeights(const GeneratorShape& shape, const TensorMap& weights) {
  for (const WeightShape& wanted : shape.weights) {
    const auto found = weights.find(wanted.name);
    if (found == weights.end()) {
      return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", wanted.name, " is missing"));
    }
    const Tensor& tensor = found->second;
    size_t size = 1;
    for (const int64_t extent : wanted.shape) size *= static_cast<size_t>(extent);
    if (tensor.shape != wanted.shape || tensor.values.size() != size) {
      return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", wanted.name, " has shape ",
                                                     ShapeText(tensor.shape), "; the generator spec needs ",
                                                     ShapeText(wanted.shape)));
    }
    if (!std::all_of(tensor.values.begin(), tensor.values.end(), [](float value) { return std::isfinite(value); })) {
      return absl::InvalidArgumentError(
          absl::StrCat("weights: tensor ", wanted.name, " has values that are not finite"));
    }
  }
  if (weights.size() != shape.weights.size()) {
    for (const auto& [name, tensor] : weights) {
      const auto same = [&name = name](const WeightShape& wanted) { return wanted.name == name; };
      if (std::none_of(shape.weights.begin(), shape.weights.end(), same)) {
        return absl::InvalidArgumentError(absl::StrCat("weights: tensor ", name, " is not of the generator spec"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace genoserve

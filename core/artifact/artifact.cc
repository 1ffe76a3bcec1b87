#include "core/artifact/artifact.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/sha256.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr uint64_t kMaxManifest = uint64_t{16} << 20;
constexpr int64_t kMaxFile = int64_t{1} << 36;
// A network of the size of the largest published ones has well below this many inputs, layers or units.
constexpr int kMaxSize = 1 << 24;

absl::Status Invalid(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("manifest: ", field, ": ", what));
}

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = true;
  options.preserve_proto_field_names = true;
  std::string json;
  // Printing a message that is in memory fails only for an unknown Any, of which there is none.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json;
}

bool IsSafeFileName(const std::string& name) {
  return !name.empty() && name[0] != '.' && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
}

bool IsDigest(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

template <typename Sizes>
bool SizesAreSane(const Sizes& sizes) {
  return std::all_of(sizes.begin(), sizes.end(), [](int size) { return size > 0 && size <= kMaxSize; });
}

absl::Status ValidateGenerator(const v1::Manifest& manifest) {
  const v1::GeneratorSpec& generator = manifest.generator();
  if (generator.has_acgan()) {
    const v1::AcganSpec& spec = generator.acgan();
    if (!manifest.phased()) return Invalid("phased", "the architecture acgan makes haplotypes");
    if (manifest.labels().empty()) return Invalid("labels", "the architecture acgan needs at least one");
    if (spec.latent_size() <= 0 || spec.latent_size() > kMaxSize || spec.label_repeats() < 1 ||
        spec.label_repeats() > 64 || spec.rank() < 0 || spec.rank() > kMaxSize || !SizesAreSane(spec.hidden_sizes()) ||
        !std::isfinite(spec.leaky_slope()) || spec.output() == v1::ALLELE_OUTPUT_UNSPECIFIED) {
      return Invalid("generator.acgan", "a size is not positive, or the output is not told");
    }
    return absl::OkStatus();
  }
  if (generator.has_wgan_gp()) {
    const v1::WganGpSpec& spec = generator.wgan_gp();
    if (manifest.phased()) return Invalid("phased", "the architecture wgan_gp makes diploid genotypes");
    if (spec.latent_size() <= 0 || spec.latent_size() > kMaxSize || spec.condition_size() < 0 || spec.rank() < 0 ||
        spec.rank() > kMaxSize || !SizesAreSane(spec.hidden_sizes()) || !std::isfinite(spec.leaky_slope())) {
      return Invalid("generator.wgan_gp", "a size is not positive");
    }
    return absl::OkStatus();
  }
  return Invalid("generator", "names no architecture that this build knows; acgan and wgan_gp are known");
}

absl::Status ValidatePhenotype(const v1::PhenotypeSchema& phenotype) {
  const std::string field = absl::StrCat("phenotypes[", phenotype.name(), "]");
  if (phenotype.has_continuous()) {
    const v1::ContinuousPhenotype& c = phenotype.continuous();
    const auto finite = [](double value) { return std::isfinite(value); };
    if (!finite(c.mean()) || !finite(c.standard_deviation()) || c.standard_deviation() <= 0 || !finite(c.minimum()) ||
        !finite(c.maximum()) || c.minimum() > c.maximum()) {
      return Invalid(field, "mean, standard deviation and range must be finite, the deviation positive");
    }
    if (c.quantiles_size() != 101 || !std::is_sorted(c.quantiles().begin(), c.quantiles().end()) ||
        !std::all_of(c.quantiles().begin(), c.quantiles().end(), finite)) {
      return Invalid(field, "expected 101 finite quantiles, ascending");
    }
    return absl::OkStatus();
  }
  if (!phenotype.has_categorical()) return Invalid(field, "is neither continuous nor categorical");
  const v1::CategoricalPhenotype& c = phenotype.categorical();
  const absl::flat_hash_set<std::string> levels(c.levels().begin(), c.levels().end());
  double sum = 0;
  for (const double frequency : c.frequencies()) {
    if (!(frequency >= 0)) return Invalid(field, "a frequency is negative");
    sum += frequency;
  }
  if (levels.empty() || levels.size() != static_cast<size_t>(c.levels_size()) ||
      c.frequencies_size() != c.levels_size() || std::fabs(sum - 1) > 1e-6) {
    return Invalid(field, "expected unique levels, each with its frequency, that sum to 1");
  }
  return absl::OkStatus();
}

// The bytes of a listed file, after its size and digest were found right.
absl::StatusOr<std::string> ReadVerified(const CheckpointStore& store, absl::string_view model, int64_t version,
                                         const v1::ArtifactFile& file) {
  const auto size = static_cast<uint64_t>(file.size());
  auto bytes = store.Read(model, version, file.name(), size);
  const bool longer = absl::IsResourceExhausted(bytes.status());
  if (!bytes.ok() && !longer) {
    if (absl::IsNotFound(bytes.status()))
      return absl::DataLossError(absl::StrCat(file.name(), ": is listed but not there"));
    return bytes.status();
  }
  if (longer || bytes->size() != size) {
    return absl::DataLossError(absl::StrFormat("%s: the manifest says %d bytes, the file has %s", file.name(), size,
                                               longer ? "more" : absl::StrCat(bytes->size())));
  }
  if (const std::string digest = Sha256Hex(*bytes); digest != file.sha256()) {
    return absl::DataLossError(
        absl::StrFormat("%s: the manifest says SHA-256 %s, the file has %s", file.name(), file.sha256(), digest));
  }
  return bytes;
}

}  // namespace

absl::Status ValidateManifest(const v1::Manifest& manifest) {
  if (manifest.format_version() < 1 || manifest.format_version() > kManifestFormatVersion) {
    return Invalid("format_version", absl::StrCat(manifest.format_version(), " is not known; this build reads 1 to ",
                                                  kManifestFormatVersion));
  }
  if (manifest.ploidy() != 2) return Invalid("ploidy", absl::StrCat(manifest.ploidy(), ", only 2 is served"));
  if (manifest.variant_count() <= 0 || manifest.variant_count() > kMaxSize) {
    return Invalid("variant_count", absl::StrCat(manifest.variant_count(), ", expected 1 to ", kMaxSize));
  }
  if (!IsDigest(manifest.variant_digest())) return Invalid("variant_digest", "is not 64 hexadecimal digits");
  absl::flat_hash_set<std::string> labels;
  for (const v1::LabelSchema& label : manifest.labels()) {
    if (label.name().empty() || label.training_samples() < 0 || !labels.insert(label.name()).second) {
      return Invalid("labels", absl::StrCat("\"", label.name(), "\" is empty, there twice, or has a negative count"));
    }
  }
  absl::flat_hash_set<std::string> phenotypes;
  for (const v1::PhenotypeSchema& phenotype : manifest.phenotypes()) {
    if (phenotype.name().empty() || !phenotypes.insert(phenotype.name()).second) {
      return Invalid("phenotypes", absl::StrCat("\"", phenotype.name(), "\" is empty or there twice"));
    }
    GENOSERVE_RETURN_IF_ERROR(ValidatePhenotype(phenotype));
  }
  absl::flat_hash_set<std::string> files;
  for (const v1::ArtifactFile& file : manifest.files()) {
    if (!IsSafeFileName(file.name()) || !files.insert(file.name()).second) {
      return Invalid("files", absl::StrCat("\"", file.name(), "\" is not a plain file name, or is there twice"));
    }
    if (file.size() < 0 || file.size() > kMaxFile || !IsDigest(file.sha256())) {
      return Invalid(absl::StrCat("files[", file.name(), "]"), "the size or the SHA-256 makes no sense");
    }
  }
  for (const absl::string_view needed : {kWeightsFile, kVariantsFile}) {
    if (!files.contains(std::string(needed))) return Invalid("files", absl::StrCat(needed, " is not listed"));
  }
  return ValidateGenerator(manifest);
}

absl::StatusOr<v1::Manifest> ReadManifest(const CheckpointStore& store, absl::string_view model, int64_t version,
                                          std::string* digest) {
  const std::string place = absl::StrCat(model, " version ", version);
  const auto json = store.Read(model, version, kManifestFile, kMaxManifest);
  if (!json.ok()) return Annotate(json.status(), place);
  *digest = Sha256Hex(*json);
  v1::Manifest manifest;
  const auto parsed = google::protobuf::util::JsonStringToMessage(*json, &manifest);
  if (!parsed.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(place, ": ", kManifestFile, ": ", std::string(parsed.message())));
  }
  GENOSERVE_RETURN_IF_ERROR(Annotate(ValidateManifest(manifest), place));
  return manifest;
}

absl::StatusOr<Artifact> ReadArtifact(const CheckpointStore& store, absl::string_view model, int64_t version) {
  Artifact artifact;
  artifact.model = std::string(model);
  artifact.version = version;
  GENOSERVE_ASSIGN_OR_RETURN(artifact.manifest, ReadManifest(store, model, version, &artifact.digest));
  const std::string place = absl::StrCat(model, " version ", version);
  for (const v1::ArtifactFile& file : artifact.manifest.files()) {
    const auto bytes = ReadVerified(store, model, version, file);
    if (!bytes.ok()) return Annotate(bytes.status(), place);
    if (file.name() == kWeightsFile) {
      auto weights = ParseSafetensors(*bytes);
      if (!weights.ok()) return Annotate(weights.status(), place);
      artifact.weights = *std::move(weights);
    } else if (file.name() == kVariantsFile) {
      auto variants = VariantTable::FromSitesVcf(*bytes);
      if (!variants.ok()) return Annotate(variants.status(), absl::StrCat(place, ": ", kVariantsFile));
      artifact.variants = *std::move(variants);
    }
  }
  if (static_cast<int64_t>(artifact.variants.size()) != artifact.manifest.variant_count() ||
      artifact.variants.Digest() != artifact.manifest.variant_digest()) {
    return absl::DataLossError(absl::StrCat(place, ": ", kVariantsFile, ": count or digest is not the manifest's"));
  }
  return artifact;
}

absl::StatusOr<int64_t> PublishArtifact(CheckpointStore& store, absl::string_view model, v1::Manifest manifest,
                                        const TensorMap& weights, const VariantTable& variants) {
  v1::Manifest figures;
  *figures.mutable_figures() = manifest.figures();
  const std::pair<absl::string_view, std::string> files[] = {
      {kWeightsFile, SerializeSafetensors(weights)},
      {kVariantsFile, variants.ToSitesVcf()},
      {kQualityFile, ToJson(figures)},
  };
  manifest.set_format_version(kManifestFormatVersion);
  manifest.set_variant_count(static_cast<int64_t>(variants.size()));
  manifest.set_variant_digest(variants.Digest());
  manifest.clear_files();
  for (const auto& [name, bytes] : files) {
    v1::ArtifactFile& file = *manifest.add_files();
    file.set_name(std::string(name));
    file.set_size(static_cast<int64_t>(bytes.size()));
    file.set_sha256(Sha256Hex(bytes));
  }
  GENOSERVE_RETURN_IF_ERROR(ValidateManifest(manifest));
  GENOSERVE_ASSIGN_OR_RETURN(const std::unique_ptr<Publication> publication, store.Publish(model));
  for (const auto& [name, bytes] : files) GENOSERVE_RETURN_IF_ERROR(publication->Put(name, bytes));
  GENOSERVE_RETURN_IF_ERROR(publication->Commit(ToJson(manifest)));
  return publication->version();
}

}  // namespace genoserve

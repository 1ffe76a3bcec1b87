#include <cmath>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "core/artifact/artifact.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

// Bounds what a manifest can make a reader allocate.
constexpr int64_t kMostVariants = 1'000'000'000;
constexpr int64_t kMaxFileBytes = int64_t{64} << 30;
constexpr double kFrequencySumTolerance = 1e-6;

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

bool IsSha256(absl::string_view text) {
  if (text.size() != 64) return false;
  for (const char c : text) {
    if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
  }
  return true;
}

absl::Status ValidateLabels(const v1::Manifest& manifest) {
  if (manifest.label_column().empty() != manifest.labels().empty()) {
    return Invalid("label_column and labels: both or neither are given");
  }
  absl::flat_hash_set<std::string> names;
  for (const v1::LabelSchema& label : manifest.labels()) {
    if (label.name().empty()) return Invalid("labels: a name is empty");
    if (!names.insert(label.name()).second) return Invalid("labels: ", label.name(), " is there twice");
    if (label.training_samples() < 0) return Invalid("labels: ", label.name(), ": training_samples is negative");
  }
  return absl::OkStatus();
}

absl::Status ValidateContinuous(const v1::ContinuousPhenotype& phenotype) {
  for (const double value :
       {phenotype.mean(), phenotype.standard_deviation(), phenotype.minimum(), phenotype.maximum()}) {
    if (!std::isfinite(value)) return Invalid("mean, standard_deviation, minimum and maximum must be finite");
  }
  if (phenotype.standard_deviation() < 0) return Invalid("standard_deviation is negative");
  if (phenotype.minimum() > phenotype.maximum()) return Invalid("minimum is more than maximum");
  if (phenotype.quantiles_size() != 101) return Invalid("has ", phenotype.quantiles_size(), " quantiles, not 101");
  for (int i = 0; i < phenotype.quantiles_size(); ++i) {
    if (!std::isfinite(phenotype.quantiles(i)) || (i > 0 && phenotype.quantiles(i) < phenotype.quantiles(i - 1))) {
      return Invalid("quantiles must be finite and not descend");
    }
  }
  if (phenotype.has_log()) {
    if (!(phenotype.minimum() > 0) || !(phenotype.quantiles(0) > 0)) return Invalid("log: all values must be above 0");
    if (!std::isfinite(phenotype.log().mean()) || !std::isfinite(phenotype.log().standard_deviation()) ||
        phenotype.log().standard_deviation() < 0) {
      return Invalid("log: mean and standard_deviation must be finite, and the latter not negative");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateCategorical(const v1::CategoricalPhenotype& phenotype) {
  if (phenotype.levels().empty()) return Invalid("has no levels");
  if (phenotype.levels_size() != phenotype.frequencies_size()) return Invalid("needs one frequency a level");
  absl::flat_hash_set<std::string> names;
  for (const std::string& level : phenotype.levels()) {
    if (level.empty()) return Invalid("the name of a level is empty");
    if (!names.insert(level).second) return Invalid("level ", level, " is there twice");
  }
  double sum = 0;
  for (const double frequency : phenotype.frequencies()) {
    if (!(frequency >= 0)) return Invalid("frequencies must be at least 0");
    sum += frequency;
  }
  if (!(std::abs(sum - 1) <= kFrequencySumTolerance)) return Invalid("frequencies sum to ", sum, ", not 1");
  return absl::OkStatus();
}

absl::Status ValidatePhenotypes(const v1::Manifest& manifest) {
  absl::flat_hash_set<std::string> names;
  for (const v1::PhenotypeSchema& phenotype : manifest.phenotypes()) {
    if (phenotype.name().empty()) return Invalid("phenotypes: a name is empty");
    if (!names.insert(phenotype.name()).second) return Invalid("phenotypes: ", phenotype.name(), " is there twice");
    const absl::Status status = phenotype.has_continuous()    ? ValidateContinuous(phenotype.continuous())
                                : phenotype.has_categorical() ? ValidateCategorical(phenotype.categorical())
                                                              : Invalid("is neither continuous nor categorical");
    GENOSERVE_RETURN_IF_ERROR(Annotate(status, absl::StrCat("phenotypes: ", phenotype.name())));
  }
  return absl::OkStatus();
}

absl::Status ValidateFiles(const v1::Manifest& manifest) {
  absl::flat_hash_set<std::string> names;
  for (const v1::ArtifactFile& file : manifest.files()) {
    GENOSERVE_RETURN_IF_ERROR(Annotate(ValidateFileName(file.name()), "files"));
    if (file.name() == kManifestFile) return Invalid("files: the manifest cannot list itself");
    if (!names.insert(file.name()).second) return Invalid("files: ", file.name(), " is there twice");
    if (file.size() <= 0 || file.size() > kMaxFileBytes) {
      return Invalid("files: ", file.name(), ": size ", file.size(), ", allowed is 1 to ", kMaxFileBytes);
    }
    if (!IsSha256(file.sha256())) {
      return Invalid("files: ", file.name(), ": sha256 must have 64 lower-case hexadecimal digits");
    }
  }
  for (const absl::string_view name : {kWeightsFile, kVariantsFile}) {
    if (!names.contains(name)) return Invalid("files: ", name, " is not listed");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateManifest(const v1::Manifest& manifest) {
  if (manifest.format_version() < 1 || manifest.format_version() > kManifestFormatVersion) {
    return Invalid("format_version ", manifest.format_version(), ": this build reads 1 to ", kManifestFormatVersion);
  }
  if (manifest.generator().architecture_case() == v1::GeneratorSpec::ARCHITECTURE_NOT_SET) {
    return Invalid("generator: has no architecture that this build knows");
  }
  if (manifest.ploidy() != 2) return Invalid("ploidy ", manifest.ploidy(), ": only 2 is known");
  if (manifest.variant_count() <= 0) return Invalid("variant_count must be at least 1");
  if (manifest.variant_count() > kMostVariants) return Invalid(absl::StrCat("variant_count is above ", kMostVariants));
  if (!IsSha256(manifest.variant_digest())) {
    return Invalid("variant_digest must have 64 lower-case hexadecimal digits");
  }
  const auto frequency_bytes = static_cast<int64_t>(manifest.allele_frequencies().size());
  if (frequency_bytes != 0 && (frequency_bytes % 2 != 0 || frequency_bytes / 2 != manifest.variant_count())) {
    return Invalid("allele_frequencies: has ", frequency_bytes, " bytes; none, or two a variant, are allowed");
  }
  GENOSERVE_RETURN_IF_ERROR(ValidateLabels(manifest));
  GENOSERVE_RETURN_IF_ERROR(ValidatePhenotypes(manifest));
  return ValidateFiles(manifest);
}

}  // namespace genoserve

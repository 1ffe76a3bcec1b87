#include "server/service/resolve_request.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/status.h"
#include "server/rpc_error.h"

namespace genoserve {
namespace {

// Each is looked for among all variants on a thread that answers other calls too.
constexpr int kMostRegions = 1000;
constexpr int64_t kDefaultBatchBytes = 256 << 10;
constexpr int64_t kSmallestBatchBytes = 4 << 10;
constexpr int64_t kLargestBatchBytes = 1 << 20;
// A small region of a large network makes so few bytes a tile that a batch of the bytes allowed would take long.
constexpr int64_t kMostBatchTiles = 8;

std::string RegionText(const v1::Region& region) {
  if (region.start() == 0 && region.end() == 0) return region.contig();
  return absl::StrCat(region.contig(), ":", region.start(), "-", region.end() == 0 ? "" : absl::StrCat(region.end()));
}

std::string EngineText(const v1::Engine& engine) {
  return absl::StrCat(engine.device(), "/", engine.instruction_set(), "/", engine.precision(), "/",
                      engine.kernel_revision());
}

// What a sample takes in a batch's message: for a small region its condition is more than its genotypes.
int64_t BytesInBatch(const RowEncoder& encoder, const v1::Manifest& manifest) {
  const size_t labels = manifest.labels().empty() ? 0 : sizeof(uint32_t);
  const size_t phenotypes = sizeof(double) * static_cast<size_t>(manifest.phenotypes_size());
  return static_cast<int64_t>(encoder.sample_bytes() + labels + phenotypes);
}

absl::StatusOr<int64_t> BatchSamples(int64_t bytes, int64_t sample_bytes, const Generator& generator) {
  if (bytes == 0) bytes = kDefaultBatchBytes;
  if (bytes < kSmallestBatchBytes || bytes > kLargestBatchBytes) {
    return FieldError("max_batch_bytes", absl::StrCat(bytes, " bytes; 0 and ", kSmallestBatchBytes, " to ",
                                                      kLargestBatchBytes, " are allowed"));
  }
  const auto tile = static_cast<int64_t>(generator.max_tile_samples());
  const int64_t samples = std::max<int64_t>(1, bytes / sample_bytes);
  // Whole tiles, or equal parts of one, so that the end of a tile ends a batch.
  if (samples >= tile) return std::min(samples / tile, kMostBatchTiles) * tile;
  const auto parts = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>((tile + samples - 1) / samples)));
  return std::max<int64_t>(1, tile / parts);
}

}  // namespace

absl::StatusOr<std::vector<size_t>> ResolveRegions(const google::protobuf::RepeatedPtrField<v1::Region>& regions,
                                                   const ServingVersion& version) {
  if (regions.size() > kMostRegions) {
    return FieldError("regions", absl::StrCat(regions.size(), " regions; at most ", kMostRegions, " are allowed"));
  }
  std::vector<GenomicRegion> all;
  for (int i = 0; i < regions.size(); ++i) {
    const v1::Region& region = regions[i];
    const std::string field = absl::StrCat("regions[", i, "]");
    if (region.contig().empty()) return FieldError(field + ".contig", "is empty");
    if (region.start() < 0) return FieldError(field + ".start", absl::StrCat(region.start(), " is below 0"));
    if (region.end() < 0) return FieldError(field + ".end", absl::StrCat(region.end(), " is below 0"));
    if (region.end() != 0 && region.start() > region.end()) {
      return FieldError(field, absl::StrCat("start ", region.start(), " is after end ", region.end()));
    }
    all.push_back({region.contig(), region.start(), region.end()});
    // One by one, so that the message names the one that holds nothing.
    if (auto found = version.variants.Find({all.back()}); !found.ok()) {
      if (!absl::IsNotFound(found.status())) return FieldError(field, found.status().message());
      return MissingResource("region", RegionText(region), found.status().message());
    }
  }
  return version.variants.Find(all);
}

absl::Status CheckPinnedDigest(const std::string& digest, const ServingVersion& version) {
  if (digest.empty() || digest == version.digest) return absl::OkStatus();
  return UnmetPrecondition("artifact_digest", absl::StrCat("version ", version.version, " of model \"", version.model,
                                                           "\" has the digest ", version.digest, ", not ", digest));
}

absl::StatusOr<ResolvedCohort> ResolveCohort(const v1::StreamCohortRequest& request, ModelHandle version,
                                             int64_t max_cohort_size, uint64_t drawn_seed) {
  const v1::Manifest& manifest = version->manifest;
  GENOSERVE_RETURN_IF_ERROR(CheckPinnedDigest(request.artifact_digest(), *version));
  if (request.has_engine() && !SameEngine(request.engine(), version->engine)) {
    return UnmetPrecondition(
        "engine", absl::StrCat("this server runs ", EngineText(version->engine), ", not ", EngineText(request.engine()),
                               " (device/instruction set/precision/kernel revision)"));
  }
  GENOSERVE_ASSIGN_OR_RETURN(CohortPlan plan, CohortPlan::Make(request, manifest, max_cohort_size));
  GENOSERVE_ASSIGN_OR_RETURN(std::vector<size_t> selection, ResolveRegions(request.regions(), *version));
  const bool whole = selection.size() == version->variants.size();

  v1::CohortHeader header;
  header.set_model(version->model);
  header.set_version(absl::StrCat(version->version));
  header.set_artifact_digest(version->digest);
  header.set_seed(request.has_seed() ? request.seed() : drawn_seed);
  *header.mutable_engine() = version->engine;
  header.set_ploidy(manifest.ploidy());
  header.set_phased(manifest.phased());
  header.set_variant_count(static_cast<int64_t>(selection.size()));
  header.set_variant_digest(whole ? manifest.variant_digest() : version->variants.Select(selection).Digest());
  header.set_cohort_size(plan.cohort_size());
  header.set_first_sample(plan.first_sample());
  header.set_sample_count(plan.sample_count());
  header.set_label_column(manifest.label_column());
  for (const auto& label : manifest.labels()) header.add_labels(label.name());
  *header.mutable_phenotypes() = manifest.phenotypes();

  GENOSERVE_ASSIGN_OR_RETURN(RowEncoder encoder,
                             RowEncoder::Make(version->generator->packing(), version->variants.size(),
                                              std::move(selection), request.encoding()));
  header.set_encoding(encoder.encoding());
  GENOSERVE_ASSIGN_OR_RETURN(
      const int64_t batch_samples,
      BatchSamples(request.max_batch_bytes(), BytesInBatch(encoder, manifest), *version->generator));
  JobSpec job{std::move(version),     std::move(plan), std::move(encoder), header.seed(), batch_samples,
              absl::InfiniteFuture(), nullptr};
  return ResolvedCohort{std::move(job), std::move(header)};
}

}  // namespace genoserve

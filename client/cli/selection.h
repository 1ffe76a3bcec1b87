// What a user asks for, in words, as the fields of a request.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "genoserve/v1/cohort.pb.h"
#include "genoserve/v1/manifest.pb.h"

namespace genoserve {

/// "NAME" or "NAME@VERSION" of a model; the version is empty where there is none. INVALID_ARGUMENT otherwise.
absl::StatusOr<std::pair<std::string, std::string>> ParseModelName(absl::string_view text);

/// Reads "EUR:500,AFR:500" as counts of samples, and "EUR:0.5,AFR:0.5", with a point in any of the numbers, as
/// proportions. Returns the sum of the counts, or 0 for proportions. INVALID_ARGUMENT with the part that is wrong.
absl::StatusOr<int64_t> ParsePopulations(absl::string_view text, v1::Condition* condition);

/// NOT_FOUND, with the labels that the model has, where the condition names one that it has not.
absl::Status CheckLabels(const v1::Condition& condition, const v1::Manifest& manifest);

/// INVALID_ARGUMENT, with the allowed range, where a value of a continuous phenotype lies outside that of the training,
/// or where it may `extrapolate` more than the width of that range beyond it.
absl::Status CheckInRange(const v1::PhenotypeSchema& schema, double value, bool extrapolate);

/// Reads "NAME=VALUE", where VALUE is a number, normal(MEAN,SD) or uniform(LOW,HIGH) for a continuous phenotype of the
/// model, and a level or "LEVEL:SHARE,LEVEL:SHARE" for a categorical one. NOT_FOUND with the phenotypes or the levels
/// that the model has; INVALID_ARGUMENT with the forms that there are, or as CheckInRange.
absl::StatusOr<v1::PhenotypeTerm> ParsePhenotype(absl::string_view text, const v1::Manifest& manifest,
                                                 bool extrapolate);

/// Reads comma-separated regions, each as ParseRegion of core/genotype does.
absl::StatusOr<std::vector<v1::Region>> ParseRegions(absl::string_view text);

/// Reads a file of regions as bcftools does: tab-separated contig, first and last position, 1-based with the end
/// included, or contig and position, or contig alone; a name that ends in .bed has 0-based starts with the end left
/// out. Lines that begin with '#' and empty ones are left out. INVALID_ARGUMENT with file and line; file errors.
absl::StatusOr<std::vector<v1::Region>> ReadRegionsFile(const std::string& path);

/// A range of the samples of a cohort.
struct SampleRange {
  int64_t first = 0;
  int64_t count = 0;
};

/// Part i of n of a cohort for the text "i/n", 1 <= i <= n. The parts join to the whole; their bounds lie on the blocks
/// of the stream digest where there are as many blocks as parts. INVALID_ARGUMENT where a part would be empty.
absl::StatusOr<SampleRange> ParseShard(absl::string_view text, int64_t cohort_size);

}  // namespace genoserve

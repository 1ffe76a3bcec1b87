#include "core/io/variant_filter.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "core/base/status.h"
#include "core/io/packed_calls.h"

namespace genoserve {
namespace {

/// Frequency of the rarer allele among the called ones; 0 where none is.
double RarerFrequency(const VariantCalls& calls, size_t samples) {
  const CodeCounts counts = CountCodes(calls.codes, samples);
  size_t alt = counts.of[1] + 2 * counts.of[2];
  size_t called = 2 * (samples - counts.of[3]);
  for (size_t i = 0; !calls.haploid.empty() && i < samples; ++i) {
    if (!BitOf(calls.haploid, i)) continue;
    --called;
    if (CodeOf(calls.codes, i) == 2) --alt;
  }
  return called == 0 ? 0 : static_cast<double>(std::min(alt, called - alt)) / static_cast<double>(called);
}

}  // namespace

absl::StatusOr<std::unique_ptr<FilteredReader>> FilteredReader::Open(const GenotypeSource& source,
                                                                     const VariantReaderOptions& options,
                                                                     VariantFilters filters) {
  GENOSERVE_ASSIGN_OR_RETURN(auto reader, OpenVariantReader(source, options));
  std::unique_ptr<FilteredReader> filtered(new FilteredReader(std::move(reader), std::move(filters)));
  GENOSERVE_RETURN_IF_ERROR(filtered->ChooseSamples());
  if (filtered->filters_.max_sample_missing < 1) {
    GENOSERVE_RETURN_IF_ERROR(filtered->DropSamplesWithoutCalls(source, options));
  }
  return filtered;
}

absl::Status FilteredReader::ChooseSamples() {
  const std::vector<std::string>& names = reader_->samples();
  chosen_.clear();
  if (filters_.samples.empty()) {
    chosen_.resize(names.size());
    std::iota(chosen_.begin(), chosen_.end(), size_t{0});
  } else {
    absl::flat_hash_map<std::string, size_t> places;
    for (size_t i = 0; i < names.size(); ++i) places.emplace(names[i], i);
    std::vector<bool> taken(names.size());
    for (const std::string& name : filters_.samples) {
      const auto found = places.find(name);
      if (found == places.end()) {
        return absl::InvalidArgumentError(absl::StrFormat("there is no sample %s among the %d of the files, %s to %s",
                                                          name, names.size(), names.front(), names.back()));
      }
      if (taken[found->second]) return absl::InvalidArgumentError(absl::StrCat("sample ", name, " is asked for twice"));
      taken[found->second] = true;
      chosen_.push_back(found->second);
    }
    if (filters_.file_order) std::sort(chosen_.begin(), chosen_.end());
  }
  samples_.clear();
  sexes_.clear();
  for (const size_t i : chosen_) {
    samples_.push_back(names[i]);
    if (!reader_->sexes().empty()) sexes_.push_back(reader_->sexes()[i]);
  }
  all_samples_ = chosen_.size() == names.size() && std::is_sorted(chosen_.begin(), chosen_.end());
  counts_.samples_read = static_cast<int64_t>(names.size());
  counts_.samples_not_wanted = static_cast<int64_t>(names.size() - chosen_.size()) - counts_.samples_missing;
  region_found_.assign(filters_.regions.size(), false);
  return absl::OkStatus();
}

absl::Status FilteredReader::DropSamplesWithoutCalls(const GenotypeSource& source,
                                                     const VariantReaderOptions& options) {
  VariantFilters by_site = filters_;
  by_site.min_maf = 0;
  by_site.max_variant_missing = 1;
  by_site.max_sample_missing = 1;
  GENOSERVE_ASSIGN_OR_RETURN(const auto pass, Open(source, options, std::move(by_site)));
  std::vector<int64_t> missing(samples_.size());
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, pass->Next());
    if (!more) break;
    if (!AnyMissing(pass->calls().codes)) continue;
    for (size_t i = 0; i < missing.size(); ++i) missing[i] += CodeOf(pass->calls().codes, i) == 3 ? 1 : 0;
  }
  const double most = filters_.max_sample_missing * static_cast<double>(pass->counts().variants_kept);
  std::vector<std::string> kept;
  for (size_t i = 0; i < missing.size(); ++i) {
    if (static_cast<double>(missing[i]) <= most) kept.push_back(samples_[i]);
  }
  if (kept.empty()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("no sample is left: all miss more than %g of their calls", filters_.max_sample_missing));
  }
  counts_.samples_missing = static_cast<int64_t>(samples_.size() - kept.size());
  filters_.samples = std::move(kept);
  filters_.max_sample_missing = 1;
  return ChooseSamples();
}

bool FilteredReader::KeepSite() {
  const VariantRecord& v = reader_->variant();
  if (contigs_seen_.empty() || contigs_seen_.back() != v.contig) contigs_seen_.push_back(v.contig);
  bool inside = filters_.regions.empty();
  for (size_t i = 0; i < filters_.regions.size(); ++i) {
    const GenomicRegion& region = filters_.regions[i];
    if (v.contig != region.contig || v.position < region.start || (region.end != 0 && v.position > region.end))
      continue;
    inside = true;
    region_found_[i] = true;
  }
  if (!inside) {
    ++counts_.outside_regions;
    return false;
  }
  if (filters_.extract && !filters_.ids.contains(v.id)) {
    ++counts_.not_extracted;
    return false;
  }
  return true;
}

bool FilteredReader::KeepCalls() {
  const size_t samples = samples_.size();
  if (filters_.max_variant_missing < 1) {
    const auto missing = static_cast<double>(CountCodes(calls_.codes, samples).of[3]);
    if (missing > filters_.max_variant_missing * static_cast<double>(samples)) {
      ++counts_.missing;
      return false;
    }
  }
  if (filters_.min_maf > 0 && RarerFrequency(calls_, samples) < filters_.min_maf) {
    ++counts_.rare;
    return false;
  }
  return true;
}

absl::StatusOr<bool> FilteredReader::Next() {
  while (true) {
    GENOSERVE_ASSIGN_OR_RETURN(const bool more, reader_->Next());
    if (!more) {
      GENOSERVE_RETURN_IF_ERROR(CheckRegions());
      return false;
    }
    ++counts_.variants_read;
    if (!KeepSite()) continue;
    if (all_samples_) {
      GENOSERVE_RETURN_IF_ERROR(reader_->ReadCalls(&calls_));
    } else {
      GENOSERVE_RETURN_IF_ERROR(reader_->ReadCalls(&all_calls_));
      SelectCalls(all_calls_, chosen_, &calls_);
    }
    if (!KeepCalls()) continue;
    ++counts_.variants_kept;
    return true;
  }
}

absl::Status FilteredReader::CheckRegions() const {
  for (size_t i = 0; i < region_found_.size(); ++i) {
    if (region_found_[i]) continue;
    const GenomicRegion& region = filters_.regions[i];
    std::string name = region.contig;
    if (region.start != 0)
      absl::StrAppend(&name, ":", region.start, "-", region.end == 0 ? "" : absl::StrCat(region.end));
    return absl::InvalidArgumentError(absl::StrCat("region ", name, ": holds no variant of ", reader_->variants_file(),
                                                   "; its contigs are ", absl::StrJoin(contigs_seen_, ", ")));
  }
  return absl::OkStatus();
}

absl::Status CheckContigNames(const std::vector<VariantRecord>& variants) {
  absl::flat_hash_set<std::string> names;
  for (size_t i = 0; i < variants.size(); ++i) {
    if (i == 0 || variants[i].contig != variants[i - 1].contig) names.insert(variants[i].contig);
  }
  for (const std::string& name : names) {
    if (!absl::StartsWith(name, "chr") || !names.contains(name.substr(3))) continue;
    return absl::InvalidArgumentError(
        absl::StrFormat("names a contig both %s and %s; give all names one form first, as with \"bcftools annotate "
                        "--rename-chrs\"",
                        name, name.substr(3)));
  }
  return absl::OkStatus();
}

}  // namespace genoserve

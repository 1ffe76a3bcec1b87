#include "core/quality/align.h"

#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"

namespace genoserve {
namespace {

std::string Place(const VariantRecord& v) { return absl::StrCat(absl::StripPrefix(v.contig, "chr"), ":", v.position); }

std::string Key(const VariantRecord& v, bool swapped) {
  return absl::StrCat(Place(v), ":", swapped ? v.alt : v.ref, ":", swapped ? v.ref : v.alt);
}

// Where a variant of the first file is in another one.
struct Match {
  size_t index;
  bool swapped;
};

std::vector<std::optional<Match>> FindIn(const VariantTable& wanted, const VariantTable& other) {
  absl::flat_hash_map<std::string, size_t> index;
  for (size_t v = 0; v < other.size(); ++v) index.emplace(Key(other[v], false), v);
  std::vector<std::optional<Match>> matches(wanted.size());
  for (size_t v = 0; v < wanted.size(); ++v) {
    for (const bool swapped : {false, true}) {
      const auto found = index.find(Key(wanted[v], swapped));
      if (found == index.end()) continue;
      matches[v] = Match{found->second, swapped};
      break;
    }
  }
  return matches;
}

// How the variants that two files both name, or both place, agree.
struct Likeness {
  size_t same_name = 0;
  size_t same_name_elsewhere = 0;
  size_t same_place_other_alleles = 0;
};

Likeness Compare(const VariantTable& a, const VariantTable& b) {
  absl::flat_hash_map<std::string, std::string> place_of;
  absl::flat_hash_map<std::string, size_t> at;
  for (size_t v = 0; v < b.size(); ++v) {
    place_of.emplace(b[v].id, Place(b[v]));
    at.emplace(Place(b[v]), v);
  }
  Likeness likeness;
  for (size_t v = 0; v < a.size(); ++v) {
    const std::string place = Place(a[v]);
    if (const auto found = place_of.find(a[v].id); found != place_of.end()) {
      ++likeness.same_name;
      if (found->second != place) ++likeness.same_name_elsewhere;
    }
    const auto found = at.find(place);
    if (found == at.end()) continue;
    const VariantRecord& other = b[found->second];
    if (Key(a[v], false) != Key(other, false) && Key(a[v], false) != Key(other, true)) {
      ++likeness.same_place_other_alleles;
    }
  }
  return likeness;
}

absl::Status CheckBuild(const AlignInput& first, const AlignInput& other, size_t shared) {
  const VariantTable& a = first.data->variants;
  const VariantTable& b = other.data->variants;
  const Likeness likeness = Compare(a, b);
  if (likeness.same_name_elsewhere > likeness.same_name / 2 && likeness.same_name_elsewhere > shared) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s and %s name %d of the same variants but place %d of them elsewhere: they are of different genome builds; "
        "lift one over",
        first.name, other.name, likeness.same_name, likeness.same_name_elsewhere));
  }
  // Alleles that are their own complement (A/T, C/G) look the same on both strands, so that some always fit.
  if (likeness.same_place_other_alleles > shared) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s and %s have %d variants at the same positions with other alleles and %d with the same: one is of another "
        "strand or another reference",
        first.name, other.name, likeness.same_place_other_alleles, shared));
  }
  if (shared > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s and %s have no variant in common (contig:position:REF:ALT); they begin with %s and %s",
                      first.name, other.name, Key(a[0], false), Key(b[0], false)));
}

// Keeps the chosen variants and turns round the genotypes of those that are swapped.
void Keep(const std::vector<Match>& kept, GenotypeData* data) {
  std::vector<size_t> indices;
  indices.reserve(kept.size());
  for (const Match& match : kept) indices.push_back(match.index);
  data->genotypes = data->genotypes.SelectVariants(indices);
  const bool diploid = data->genotypes.packing() == Packing::kDiploid2Bit;
  for (size_t v = 0; v < kept.size(); ++v) {
    if (!kept[v].swapped) continue;
    for (size_t row = 0; row < data->genotypes.rows(); ++row) {
      const int code = data->genotypes.Get(row, v);
      if (diploid && code == kMissingGenotype) continue;
      data->genotypes.Set(row, v, (diploid ? 2 : 1) - code);
    }
  }
}

}  // namespace

absl::StatusOr<std::vector<AlignCounts>> AlignVariants(const std::vector<AlignInput>& inputs) {
  const VariantTable variants = inputs.front().data->variants;
  std::vector<std::vector<std::optional<Match>>> matches;
  for (const AlignInput& input : inputs) {
    matches.push_back(FindIn(variants, input.data->variants));
    size_t shared = 0;
    for (const auto& match : matches.back()) shared += match.has_value() ? 1 : 0;
    if (absl::Status status = CheckBuild(inputs.front(), input, shared); !status.ok()) return status;
  }
  std::vector<size_t> kept;
  for (size_t v = 0; v < variants.size(); ++v) {
    bool in_all = true;
    for (const auto& of_input : matches) in_all = in_all && of_input[v].has_value();
    if (in_all) kept.push_back(v);
  }
  if (kept.empty()) {
    std::string names;
    for (const AlignInput& input : inputs) absl::StrAppend(&names, names.empty() ? "" : ", ", input.name);
    return absl::InvalidArgumentError(
        absl::StrCat("no variant is in all of ", names, ", though each shares some with the first"));
  }
  const VariantTable shared = variants.Select(kept);
  std::vector<AlignCounts> counts;
  for (size_t i = 0; i < inputs.size(); ++i) {
    GenotypeData* const data = inputs[i].data;
    std::vector<Match> chosen;
    chosen.reserve(kept.size());
    for (const size_t v : kept) chosen.push_back(*matches[i][v]);
    AlignCounts& count = counts.emplace_back();
    count.variants = static_cast<int64_t>(data->variants.size());
    count.left_out = count.variants - static_cast<int64_t>(kept.size());
    for (const Match& match : chosen) count.swapped += match.swapped ? 1 : 0;
    Keep(chosen, data);
    data->variants = shared;
  }
  return counts;
}

}  // namespace genoserve

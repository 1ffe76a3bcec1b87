#include "core/io/ploidy.h"

#include <algorithm>
#include <array>

#include "absl/strings/strip.h"
#include "core/io/cohort_files.h"

namespace genoserve {
namespace {

/// The pseudo-autosomal regions of X in an assembly (Genome Reference Consortium), 1-based, ends included.
struct Assembly {
  int64_t x_length;
  std::array<std::array<int64_t, 2>, 2> regions;
};

constexpr std::array<Assembly, 2> kAssemblies = {{
    {155'270'560, {{{60'001, 2'699'520}, {154'931'044, 155'260'560}}}},  // GRCh37
    {156'040'895, {{{10'001, 2'781'479}, {155'701'383, 156'030'895}}}},  // GRCh38
}};

bool IsPseudoAutosomal(int64_t x_length, int64_t position) {
  for (const Assembly& assembly : kAssemblies) {
    if (assembly.x_length != x_length) continue;
    return std::any_of(assembly.regions.begin(), assembly.regions.end(),
                       [position](const auto& region) { return region[0] <= position && position <= region[1]; });
  }
  return false;
}

}  // namespace

Chromosome ChromosomeOf(absl::string_view contig) {
  absl::ConsumePrefix(&contig, "chr");
  if (contig == "X" || contig == "23") return Chromosome::kX;
  for (const absl::string_view name : {"Y", "24", "M", "MT", "26"}) {
    if (contig == name) return Chromosome::kHaploid;
  }
  return Chromosome::kAutosome;
}

Ploidy::Kind Ploidy::KindOf(size_t variant) const {
  const VariantRecord& v = cohort_.variants[variant];
  const Chromosome chromosome = ChromosomeOf(v.contig);
  if (chromosome == Chromosome::kHaploid) return Kind::kAll;
  if (chromosome != Chromosome::kX || cohort_.sexes.empty()) return Kind::kDiploid;
  const auto& contigs = cohort_.variants.contigs();
  const auto contig =
      std::find_if(contigs.begin(), contigs.end(), [&v](const ContigRecord& c) { return c.name == v.contig; });
  return IsPseudoAutosomal(contig->length, v.position) ? Kind::kDiploid : Kind::kMales;
}

bool Ploidy::MayBeHaploid(size_t variant) const { return KindOf(variant) != Kind::kDiploid; }

bool Ploidy::IsHaploid(size_t variant, int64_t sample) const {
  const Kind kind = KindOf(variant);
  return kind == Kind::kAll || (kind == Kind::kMales && SexOf(cohort_, sample) == kMale);
}

}  // namespace genoserve

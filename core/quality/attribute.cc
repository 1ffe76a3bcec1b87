#include "core/quality/attribute.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/base/parallel.h"
#include "core/base/philox.h"
#include "core/quality/bit_planes.h"
#include "core/quality/distances.h"

namespace genoserve {
namespace {

// "sample" of the Philox stream that variants are drawn from, above those of bootstraps and of the equalised sets.
constexpr uint64_t kHiddenStream = uint64_t{65} << 40;

}  // namespace

std::vector<size_t> HiddenVariants(size_t variants, uint64_t seed) {
  if (variants < 2) return {};
  const auto count =
      std::max<size_t>(1, static_cast<size_t>(std::lround(kHiddenShare * static_cast<double>(variants))));
  const PhiloxStream stream(seed, kHiddenStream, 0, Purpose::kQuality);
  std::vector<uint32_t> bits(variants);
  stream.FillBits(0, bits);
  std::vector<std::pair<uint32_t, size_t>> keyed;
  for (size_t v = 0; v < variants; ++v) keyed.emplace_back(bits[v], v);
  std::sort(keyed.begin(), keyed.end());
  std::vector<size_t> hidden;
  for (size_t i = 0; i < count; ++i) hidden.push_back(keyed[i].second);
  std::sort(hidden.begin(), hidden.end());
  return hidden;
}

AttributeAttack::AttributeAttack(std::vector<size_t> hidden, const std::vector<uint8_t>& most_frequent)
    : hidden_(std::move(hidden)) {
  size_t next = 0;
  for (size_t v = 0; v < most_frequent.size(); ++v) {
    if (next < hidden_.size() && hidden_[next] == v) {
      most_frequent_.push_back(most_frequent[v]);
      ++next;
    } else {
      known_.push_back(v);
    }
  }
}

std::vector<Guesses> AttributeAttack::Attack(const GenotypeMatrix& rows, const GenotypeMatrix& cohort) const {
  const size_t k = std::min(kGuessingRecords, cohort.rows());
  const Neighbours nearest =
      NearestAmong(BitPlanes::OfRows(rows.SelectVariants(known_)), BitPlanes::OfRows(cohort.SelectVariants(known_)), k);
  const GenotypeMatrix hidden_rows = rows.SelectVariants(hidden_);
  const GenotypeMatrix hidden_cohort = cohort.SelectVariants(hidden_);
  std::vector<Guesses> guesses(rows.rows());
  ParallelFor(guesses.size(), [&](size_t row) {
    std::vector<uint8_t> truth(hidden_.size());
    std::vector<uint8_t> codes(hidden_.size());
    std::vector<uint32_t> sums(hidden_.size());
    hidden_rows.UnpackRow(row, truth);
    for (const Neighbour& neighbour : nearest.Of(row)) {
      hidden_cohort.UnpackRow(neighbour.row, codes);
      for (size_t i = 0; i < codes.size(); ++i) sums[i] += codes[i];
    }
    Guesses& of_row = guesses[row];
    for (size_t i = 0; i < truth.size(); ++i) {
      const size_t kind = truth[i] == most_frequent_[i] ? 0 : 1;
      // Five records have no mean that lies between two genotypes.
      const size_t guess = (2 * size_t{sums[i]} + k) / (2 * k);
      ++of_row.made[kind];
      if (guess == truth[i]) ++of_row.right[kind];
    }
  });
  return guesses;
}

double BalancedAccuracy(std::span<const Guesses> rows, size_t rows_per_person, std::span<const uint32_t> times) {
  std::array<uint64_t, 2> made = {};
  std::array<uint64_t, 2> right = {};
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t kind = 0; kind < 2; ++kind) {
      made[kind] += uint64_t{times[row / rows_per_person]} * rows[row].made[kind];
      right[kind] += uint64_t{times[row / rows_per_person]} * rows[row].right[kind];
    }
  }
  return (static_cast<double>(right[0]) / static_cast<double>(made[0]) +
          static_cast<double>(right[1]) / static_cast<double>(made[1])) /
         2;
}

std::vector<uint8_t> MostFrequentCodes(const GenotypeMatrix& genotypes) {
  std::vector<std::array<uint32_t, 4>> counts(genotypes.variants());
  std::vector<uint8_t> codes(genotypes.variants());
  for (size_t row = 0; row < genotypes.rows(); ++row) {
    genotypes.UnpackRow(row, codes);
    for (size_t v = 0; v < codes.size(); ++v) ++counts[v][codes[v]];
  }
  for (size_t v = 0; v < codes.size(); ++v) {
    codes[v] = static_cast<uint8_t>(std::max_element(counts[v].begin(), counts[v].end()) - counts[v].begin());
  }
  return codes;
}

}  // namespace genoserve

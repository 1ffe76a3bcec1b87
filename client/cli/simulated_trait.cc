// Compiled with -ffp-contract=off: the same bits on every machine.
#include "client/cli/simulated_trait.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/philox.h"
#include "core/base/status.h"

namespace genoserve {
namespace {

constexpr double kHeritability = 0.5;
constexpr int64_t kCausal = 10;

// Numbers of a variant's stream: u, and two that order variants by chance.
constexpr uint32_t kEffect = 0;
constexpr uint32_t kHighOrder = 1;
constexpr uint32_t kLowOrder = 2;

int64_t CasesOf(double prevalence, int64_t samples) { return std::llround(prevalence * static_cast<double>(samples)); }

// ALT alleles of a record's causal variant, or kMissingGenotype.
int CodeAt(std::span<const uint8_t> record, size_t i) { return (record[i / 4] >> (2 * (i % 4))) & 3; }

// `count` variants of `variants` by the order that the seed gives them, ascending.
std::vector<size_t> DrawVariants(uint64_t seed, size_t variants, size_t count) {
  std::vector<std::pair<uint64_t, size_t>> order(variants);
  for (size_t j = 0; j < variants; ++j) {
    const auto bits = PhiloxStream(seed, j, 0, Purpose::kTrait).Block(0);
    order[j] = {(uint64_t{bits[kHighOrder]} << 32) | bits[kLowOrder], j};
  }
  std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(count) - 1, order.end());
  std::vector<size_t> drawn(count);
  for (size_t i = 0; i < count; ++i) drawn[i] = order[i].second;
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

}  // namespace

absl::Status CheckTraitArguments(const TraitArguments& arguments) {
  if (!arguments.wanted) {
    const char* given = arguments.heritability.has_value() ? "--heritability"
                        : arguments.prevalence.has_value() ? "--prevalence"
                        : arguments.causal.has_value()     ? "--causal"
                        : arguments.seed.has_value()       ? "--simulate-seed"
                                                           : nullptr;
    if (given == nullptr) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(given, ": goes with --simulate-pheno"));
  }
  const double h2 = arguments.heritability.value_or(kHeritability);
  if (!(h2 >= 0 && h2 <= 1)) {
    return absl::InvalidArgumentError(absl::StrFormat("--heritability: %g is not a share from 0 to 1", h2));
  }
  const double prevalence = arguments.prevalence.value_or(0.5);
  if (!(prevalence > 0 && prevalence < 1)) {
    return absl::InvalidArgumentError(absl::StrFormat("--prevalence: %g is not a share between 0 and 1", prevalence));
  }
  if (arguments.causal.value_or(1) < 1) {
    return absl::InvalidArgumentError(absl::StrFormat("--causal: %d is not a number from 1 on", *arguments.causal));
  }
  return absl::OkStatus();
}

v1::TraitSimulation DescribeTrait(const TraitArguments& arguments, uint64_t seed) {
  v1::TraitSimulation trait;
  trait.set_heritability(arguments.heritability.value_or(kHeritability));
  trait.set_prevalence(arguments.prevalence.value_or(0));
  trait.set_causal(arguments.causal.value_or(kCausal));
  trait.set_seed(arguments.seed.value_or(seed));
  return trait;
}

absl::StatusOr<SimulatedTrait> SimulatedTrait::Create(const v1::TraitSimulation& options, const VariantTable& variants,
                                                      int64_t samples) {
  if (std::cmp_greater(options.causal(), variants.size())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--causal: %d of %d variants cannot have an effect", options.causal(), variants.size()));
  }
  const int64_t cases = CasesOf(options.prevalence(), samples);
  if (options.prevalence() > 0 && (cases == 0 || cases == samples)) {
    return absl::InvalidArgumentError(
        absl::StrFormat("--prevalence: %g of %d samples are %d cases, so that there is no %s", options.prevalence(),
                        samples, cases, cases == 0 ? "case" : "control"));
  }
  return SimulatedTrait(options, variants, samples);
}

SimulatedTrait::SimulatedTrait(const v1::TraitSimulation& options, const VariantTable& variants, int64_t samples)
    : options_(options), samples_(samples) {
  for (const size_t j : DrawVariants(options.seed(), variants.size(), static_cast<size_t>(options.causal()))) {
    Causal causal;
    causal.index = j;
    causal.variant = variants[j];
    causal.u = ToNormal(PhiloxStream(options.seed(), j, 0, Purpose::kTrait).Bits(kEffect));
    causal_.push_back(std::move(causal));
  }
}

void SimulatedTrait::Record(const GenotypeMatrix& rows, size_t sample, std::span<uint8_t> record) const {
  std::fill(record.begin(), record.end(), uint8_t{0});
  for (size_t i = 0; i < causal_.size(); ++i) {
    const size_t j = causal_[i].index;
    const int code = rows.packing() == Packing::kDiploid2Bit ? rows.Get(sample, j)
                                                             : rows.Get(2 * sample, j) + rows.Get(2 * sample + 1, j);
    record[i / 4] = static_cast<uint8_t>(record[i / 4] | (code << (2 * (i % 4))));
  }
}

absl::Status SimulatedTrait::Measure(Records records) {
  std::vector<std::array<int64_t, 4>> counts(causal_.size());
  GENOSERVE_RETURN_IF_ERROR(records([&](std::span<const uint8_t> record) {
    for (size_t i = 0; i < counts.size(); ++i) ++counts[i][static_cast<size_t>(CodeAt(record, i))];
  }));
  for (size_t i = 0; i < counts.size(); ++i) {
    const auto& [none, one, two, missing] = counts[i];
    const auto n = static_cast<double>(none + one + two);
    if (n == 0) continue;
    causal_[i].mean = static_cast<double>(one + 2 * two) / n;
    causal_[i].variance = static_cast<double>(one + 4 * two) / n - causal_[i].mean * causal_[i].mean;
    const double p = causal_[i].mean / 2;
    if (causal_[i].variance > 0) causal_[i].beta = causal_[i].u / std::sqrt(2 * p * (1 - p));
  }
  return absl::OkStatus();
}

double SimulatedTrait::GeneticValue(std::span<const uint8_t> record) const {
  double sum = 0;
  for (size_t i = 0; i < causal_.size(); ++i) {
    const int code = CodeAt(record, i);
    if (code != kMissingGenotype) sum += causal_[i].beta * (code - causal_[i].mean);
  }
  return sum;
}

absl::Status SimulatedTrait::Finish(Records records) {
  GENOSERVE_RETURN_IF_ERROR(Measure(records));
  values_.clear();
  values_.reserve(static_cast<size_t>(samples_));
  GENOSERVE_RETURN_IF_ERROR(records([&](std::span<const uint8_t> record) { values_.push_back(GeneticValue(record)); }));
  const auto n = static_cast<double>(values_.size());
  const double mean = std::accumulate(values_.begin(), values_.end(), 0.0) / n;
  double squares = 0;
  for (const double g : values_) squares += (g - mean) * (g - mean);
  const double h2 = options_.heritability();
  if (squares == 0 && h2 > 0) {
    return absl::FailedPreconditionError(absl::StrFormat(
        "none of the %d causal variants varies in this cohort, so that the trait cannot be inherited: take "
        "another --simulate-seed, or more with --causal",
        causal_.size()));
  }
  const double scale = squares > 0 ? std::sqrt(h2 * n / squares) : 0;
  const double noise = std::sqrt(1 - h2);
  for (Causal& causal : causal_) causal.beta *= scale;
  for (size_t i = 0; i < values_.size(); ++i) {
    values_[i] =
        scale * (values_[i] - mean) + noise * ToNormal(PhiloxStream(options_.seed(), i, 1, Purpose::kTrait).Bits(0));
  }
  if (options_.prevalence() > 0) FindLastCase();
  return absl::OkStatus();
}

void SimulatedTrait::FindLastCase() {
  std::vector<int64_t> order(values_.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto last = order.begin() + static_cast<ptrdiff_t>(CasesOf(options_.prevalence(), samples_)) - 1;
  std::nth_element(order.begin(), last, order.end(), [this](int64_t a, int64_t b) { return IsAbove(a, b); });
  last_case_ = *last;
}

bool SimulatedTrait::IsAbove(int64_t a, int64_t b) const {
  const double value_a = values_[static_cast<size_t>(a)];
  const double value_b = values_[static_cast<size_t>(b)];
  return value_a != value_b ? value_a > value_b : a < b;
}

std::vector<std::string> SimulatedTrait::columns() const {
  if (options_.prevalence() == 0) return {"sim_trait"};
  return {"sim_trait", "sim_case"};
}

void SimulatedTrait::AppendValues(int64_t sample, std::string* line) const {
  const double value = values_[static_cast<size_t>(sample)];
  absl::StrAppendFormat(line, "\t%.6g", value);
  if (options_.prevalence() > 0) absl::StrAppend(line, IsAbove(last_case_, sample) ? "\t1" : "\t2");
}

std::string SimulatedTrait::Truth() const {
  std::string text = "#CHROM\tPOS\tID\tA1\tA1_FREQ\tBETA\tSHARE\n";
  for (const Causal& causal : causal_) {
    const VariantRecord& variant = causal.variant;
    absl::StrAppendFormat(&text, "%s\t%d\t%s\t%s\t%.6g\t%.6g\t%.6g\n", variant.contig, variant.position, variant.id,
                          variant.alt, causal.mean / 2, causal.beta, causal.beta * causal.beta * causal.variance);
  }
  return text;
}

}  // namespace genoserve
